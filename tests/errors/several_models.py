"""Two models are trained and none is chosen: the message lists both for --model.

expect: --model
expect: student
expect: teacher
"""
import numpy as np
from keras import Sequential, layers

teacher = Sequential([layers.Input((8,)), layers.Dense(64, activation="relu"), layers.Dense(3)])
student = Sequential([layers.Input((8,)), layers.Dense(8, activation="relu"), layers.Dense(3)])

x, y = np.random.rand(64, 8), np.random.rand(64, 3)
teacher.compile("adam", "mse")
teacher.fit(x, y, epochs=2)
student.compile("adam", "mse")
student.fit(x, teacher.predict(x), epochs=2)
