"""A Cropping2D that leaves nothing of the image.

expect: too_deep_cropping.py:10
expect: Cropping2D
expect: (None, 16, 16, 3)
"""
from keras import Input, Model, layers

image = Input((16, 16, 3))
x = layers.Cropping2D(((8, 8), (0, 0)))(image)
model = Model(image, x)
