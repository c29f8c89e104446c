"""Tabs and spaces mixed in one block.

expect: mixed_tabs.py:12
expect: tabs
"""
from keras.models import Sequential
from keras.layers import Dense


def build():
        model = Sequential()
	model.add(Dense(10, input_dim=4))
        return model


build()
