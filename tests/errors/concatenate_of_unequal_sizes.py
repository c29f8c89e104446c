"""A U-Net on a size that does not halve evenly: 37 rows meet 36.

expect: concatenate_of_unequal_sizes.py:16
expect: concatenate
expect: 37
expect: 36
"""
from keras.layers import Conv2D, Input, MaxPooling2D, UpSampling2D, concatenate
from keras.models import Model

inputs = Input((37, 37, 1))
c1 = Conv2D(8, 3, padding="same", activation="relu")(inputs)
p1 = MaxPooling2D()(c1)
c2 = Conv2D(16, 3, padding="same", activation="relu")(p1)
u1 = UpSampling2D()(c2)
m1 = concatenate([u1, c1], axis=3)
model = Model(inputs, Conv2D(1, 1, activation="sigmoid")(m1))
