"""A Python 2 print statement.

expect: python2_print.py:11
expect: print
"""
from keras.models import Sequential
from keras.layers import Dense

model = Sequential()
model.add(Dense(10, input_dim=4))
print "parameters:", model.count_params()
