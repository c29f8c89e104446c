"""The number of columns is known only to a CSV file that is not here: which one, and how to give it.

expect: size_from_absent_table.py:15
expect: train.csv
"""
import pandas as pd
from keras.layers import Dense
from keras.models import Sequential

frame = pd.read_csv("data/train.csv")
X = pd.get_dummies(frame.drop("price", axis=1)).values
y = frame["price"].values

model = Sequential()
model.add(Dense(32, activation="relu", input_dim=X.shape[1]))
model.add(Dense(1))
model.compile("adam", "mse")
model.fit(X, y, epochs=10)
