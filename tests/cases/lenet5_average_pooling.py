"""LeNet-5 as written in a class with a static build method, tanh and average pooling.

k2t: level=1
"""
import argparse

import numpy as np
from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import Activation, AveragePooling2D, Conv2D, Dense, Flatten, ZeroPadding2D
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import SGD
from tensorflow.keras.utils import to_categorical


class LeNet:
    @staticmethod
    def build(width, height, depth, classes, weightsPath=None):
        inputShape = (height, width, depth)
        model = Sequential()

        # first set of CONV => TANH => POOL
        model.add(ZeroPadding2D(2, input_shape=inputShape))
        model.add(Conv2D(6, 5, name="C1"))
        model.add(Activation("tanh"))
        model.add(AveragePooling2D(pool_size=(2, 2), strides=(2, 2), name="S2"))

        # second set of CONV => TANH => POOL
        model.add(Conv2D(16, 5, name="C3"))
        model.add(Activation("tanh"))
        model.add(AveragePooling2D(pool_size=(2, 2), name="S4"))

        model.add(Conv2D(120, 5, activation="tanh", name="C5"))
        model.add(Flatten())
        model.add(Dense(84, activation="tanh", name="F6"))
        model.add(Dense(classes, activation="softmax"))

        if weightsPath is not None:
            model.load_weights(weightsPath)
        return model


ap = argparse.ArgumentParser()
ap.add_argument("-s", "--save-model", type=int, default=-1)
ap.add_argument("-l", "--load-model", type=int, default=-1)
ap.add_argument("-w", "--weights", type=str)
args = vars(ap.parse_args())

print("[INFO] loading MNIST...")
((trainData, trainLabels), (testData, testLabels)) = mnist.load_data()
trainData = trainData.reshape((trainData.shape[0], 28, 28, 1)).astype("float32") / 255.0
testData = testData.reshape((testData.shape[0], 28, 28, 1)).astype("float32") / 255.0
trainLabels = to_categorical(trainLabels, 10)
testLabels = to_categorical(testLabels, 10)

print("[INFO] compiling model...")
opt = SGD(learning_rate=0.01)
model = LeNet.build(width=28, height=28, depth=1, classes=10,
                    weightsPath=args["weights"] if args["load_model"] > 0 else None)
model.compile(loss="categorical_crossentropy", optimizer=opt, metrics=["accuracy"])

if args["load_model"] < 0:
    print("[INFO] training...")
    model.fit(trainData, trainLabels, batch_size=128, epochs=20, verbose=1)
    (loss, accuracy) = model.evaluate(testData, testLabels, batch_size=128, verbose=1)
    print("[INFO] accuracy: {:.2f}%".format(accuracy * 100))

for i in np.random.choice(np.arange(0, len(testLabels)), size=(10,)):
    probs = model.predict(testData[np.newaxis, i])
    prediction = probs.argmax(axis=1)
    print("[INFO] Predicted: {}, Actual: {}".format(prediction[0], np.argmax(testLabels[i])))
