'''A dropout MLP on MNIST with literal sizes and Dense positional activations.

k2t: level=1
'''
import matplotlib.pyplot as plt
from keras import models
from keras import layers
from keras.datasets import mnist
from keras.utils import to_categorical

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()

train_images = train_images.reshape((60000, 28 * 28))
train_images = train_images.astype('float32') / 255
test_images = test_images.reshape((10000, 28 * 28))
test_images = test_images.astype('float32') / 255
train_labels = to_categorical(train_labels)
test_labels = to_categorical(test_labels)

network = models.Sequential()
network.add(layers.Dense(256, 'relu', input_shape=(28 * 28,)))
network.add(layers.Dropout(0.2))
network.add(layers.Dense(256, 'relu'))
network.add(layers.Dropout(0.2))
network.add(layers.Dense(10, 'softmax'))

network.compile(optimizer='rmsprop', loss='categorical_crossentropy', metrics=['accuracy'])
history = network.fit(train_images, train_labels, epochs=5, batch_size=128, validation_split=0.2)

acc = history.history['accuracy']
val_acc = history.history['val_accuracy']
steps = range(1, len(acc) + 1)
plt.plot(steps, acc, 'bo', label='Training')
plt.plot(steps, val_acc, 'b', label='Validation')
plt.title('Accuracy')
plt.legend()
plt.show()

test_loss, test_acc = network.evaluate(test_images, test_labels)
print('test_acc:', test_acc)
