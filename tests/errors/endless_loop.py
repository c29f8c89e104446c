"""The script waits for ever before it makes its model: a time limit ends it.

k2t: slow=yes
expect: endless_loop.py:1
expect: seconds
"""
import time
from keras import Sequential, layers

while True:
    time.sleep(0.01)

model = Sequential([layers.Input((4,)), layers.Dense(1)])
