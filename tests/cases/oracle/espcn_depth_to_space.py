"""Keras 3 twin of espcn_depth_to_space.py."""

from keras import Model, ops
from keras.layers import Conv2D, Input, Lambda


def depth_to_space(x):
    """(N, H, W, 4) to (N, 2H, 2W, 1): the channels are the two rows of two columns of a block."""
    _, height, width, _ = x.shape
    x = ops.reshape(x, (-1, height, width, 2, 2, 1))
    x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
    return ops.reshape(x, (-1, 2 * height, 2 * width, 1))


inputs = Input((16, 16, 1))
x = Conv2D(16, 5, padding="same", activation="relu")(inputs)
x = Conv2D(16, 3, padding="same", activation="relu")(x)
x = Conv2D(8, 3, padding="same", activation="relu")(x)
x = Conv2D(4, 3, padding="same", activation="relu")(x)
x = Lambda(depth_to_space)(x)
coarse = Lambda(lambda t: ops.repeat(ops.repeat(t, 2, axis=1), 2, axis=2))(inputs)
model = Model(inputs, ops.clip(x + coarse, 0.0, 1.0))
