"""The output does not come from the inputs given to Model.

expect: disconnected_graph.py:11
expect: other
"""
from keras import Input, Model, layers

image = Input((16,), name="image")
other = Input((16,), name="other")
x = layers.Dense(4)(other)
model = Model(image, x)
