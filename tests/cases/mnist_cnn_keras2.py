'''A small convnet on MNIST, in the manner of the old Keras examples folder.

k2t: level=1
'''

from __future__ import print_function
import keras
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Dropout, Flatten
from keras.layers import Conv2D, MaxPooling2D
from keras import backend as K

batch_size = 128
num_classes = 10
epochs = 12

# size of the digits
img_rows, img_cols = 28, 28

(x_train, y_train), (x_test, y_test) = mnist.load_data()

if K.image_data_format() == 'channels_first':
    x_train = x_train.reshape(x_train.shape[0], 1, img_rows, img_cols)
    x_test = x_test.reshape(x_test.shape[0], 1, img_rows, img_cols)
    shape = (1, img_rows, img_cols)
else:
    x_train = x_train.reshape(x_train.shape[0], img_rows, img_cols, 1)
    x_test = x_test.reshape(x_test.shape[0], img_rows, img_cols, 1)
    shape = (img_rows, img_cols, 1)

x_train = x_train.astype('float32')
x_test = x_test.astype('float32')
x_train /= 255
x_test /= 255
print(x_train.shape[0], 'images to train on')
print(x_test.shape[0], 'images to test on')

y_train = keras.utils.to_categorical(y_train, num_classes)
y_test = keras.utils.to_categorical(y_test, num_classes)

net = Sequential()
net.add(Conv2D(32, kernel_size=(3, 3), activation='relu', input_shape=shape))
net.add(Conv2D(64, (3, 3), activation='relu'))
net.add(MaxPooling2D(pool_size=(2, 2)))
net.add(Dropout(0.25))
net.add(Flatten())
net.add(Dense(128, activation='relu'))
net.add(Dropout(0.5))
net.add(Dense(num_classes, activation='softmax'))

net.compile(loss=keras.losses.categorical_crossentropy,
            optimizer=keras.optimizers.RMSprop(),
            metrics=['accuracy'])

net.fit(x_train, y_train,
        batch_size=batch_size,
        epochs=epochs,
        verbose=1,
        validation_data=(x_test, y_test))
score = net.evaluate(x_test, y_test, verbose=0)
print('loss on the test set:', score[0])
print('accuracy on the test set:', score[1])
