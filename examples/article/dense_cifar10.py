"""The article's dense network for CIFAR10, on flattened images: 3072-700-200-300-100-10."""

from torch import nn, optim

from keras2torch import Dense, Input, Model

inputs = Input((3072,), name="pixels")
x = Dense(700, activation=nn.ReLU())(inputs)
x = Dense(200, activation=nn.ReLU())(x)
x = Dense(300, activation=nn.ReLU())(x)
x = Dense(100, activation=nn.ReLU())(x)
outputs = Dense(10)(x)

model = Model(inputs, outputs, device="cpu")
model.compile(optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss())
