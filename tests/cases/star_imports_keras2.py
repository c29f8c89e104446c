"""Star imports of layers and models, a two-branch image net, `add` in lower case.

k2t: level=1
"""
from keras.layers import *
from keras.models import *
from keras.callbacks import *
import numpy as np

inp = Input(shape=(24, 24, 3))
a = Conv2D(8, (5, 5), strides=2, padding='SAME', activation='relu')(inp)
a = MaxPool2D()(a)
b = AvgPool2D((4, 4))(inp)
b = Conv2D(8, (1, 1), activation='relu')(b)
m = add([a, b])
m = maximum([m, b])
m = Flatten()(m)
m = Dense(20, activation='elu')(m)
out = Dense(4, activation='softmax')(m)

model = Model(inp, out)
model.compile(loss='categorical_crossentropy', optimizer='adamax', metrics=['categorical_accuracy'])

X = np.random.random((40, 24, 24, 3))
Y = np.eye(4)[np.arange(40) % 4]
model.fit(X, Y, epochs=3, callbacks=[EarlyStopping(patience=2, monitor='loss')])
