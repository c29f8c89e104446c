"""A keras.backend function that there never was.

expect: unknown_backend_function.py:12
expect: reduce_everything
"""
from keras import Input, Model
from keras import backend as K
from keras.layers import Dense, Lambda

features = Input((10,))
x = Dense(4)(features)
x = Lambda(lambda t: K.reduce_everything(t))(x)
model = Model(features, x)
