"""XOR, the shortest program: positional activation, `model.fit` on literal arrays.

k2t: level=1
"""
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import SGD

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0], [1], [1], [0]])

model = Sequential()
model.add(Dense(8, 'tanh', input_dim=2))
model.add(Dense(1, 'sigmoid'))

sgd = SGD(0.1)
model.compile(loss='binary_crossentropy', optimizer=sgd)

model.fit(X, y, batch_size=1, epochs=1000, verbose=0)
print(model.predict(X))
for w in model.get_weights():
    print(w.shape)
