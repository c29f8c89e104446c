"""Keras 3 twin of dueling_dqn_lambda.py."""

from keras import Model, ops
from keras.layers import Add, Conv2D, Dense, Flatten, Input, Lambda, Subtract

model_input = Input((36, 36, 4))
x = Lambda(lambda t: t / 255)(model_input)
x = Conv2D(8, (8, 8), strides=4, activation="relu", use_bias=False)(x)
x = Conv2D(16, (4, 4), strides=2, activation="relu", use_bias=False)(x)
x = Conv2D(32, (3, 3), strides=1, activation="relu", use_bias=False)(x)
value, advantage = Lambda(lambda t: ops.split(t, 2, axis=3))(x)
value = Dense(1)(Flatten()(value))
advantage = Dense(4)(Flatten()(advantage))
mean = Lambda(lambda t: ops.mean(t, axis=1, keepdims=True))(advantage)
model = Model(model_input, Add()([value, Subtract()([advantage, mean])]))
