"""The script divides by zero before it makes its model.

expect: raises_zero_division.py:11
expect: ZeroDivisionError
expect: by zero
"""
import keras

batch_size = 32
train_samples = 0
steps = 100 // (train_samples // batch_size)

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(steps)])
