"""The script leaves with a message of its own.

expect: usage: train.py DATA_FOLDER
"""
import sys
from keras import Sequential, layers

if len(sys.argv) < 2:
    sys.exit("usage: train.py DATA_FOLDER")

model = Sequential([layers.Input((4,)), layers.Dense(1)])
