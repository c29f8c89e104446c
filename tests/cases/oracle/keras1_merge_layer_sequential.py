"""Keras 3 twin of keras1_merge_layer_sequential.py."""

from keras import Input, Model, Sequential
from keras.layers import Activation, Dense, Dropout, concatenate

left_branch = Sequential([Input((784,)), Dense(32), Activation("tanh")])
right_branch = Sequential([Input((40,)), Dense(32, activation="relu"), Dropout(0.2)])
left, right = Input((784,)), Input((40,))
merged = concatenate([left_branch(left), right_branch(right)])
model = Model(
    [left, right], Dense(10, kernel_initializer="glorot_normal", activation="softmax")(merged)
)
