"""Filters that the groups do not divide.

expect: groups_do_not_divide.py:10
expect: Conv2D
expect: groups
"""
from keras import Input, Model, layers

image = Input((16, 16, 8))
x = layers.Conv2D(10, 3, groups=4)(image)
model = Model(image, x)
