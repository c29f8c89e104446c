"""The article's convnet for CIFAR10, in its own notation: torch's modules, channels first."""

from torch import nn, optim

from keras2torch import Conv2d, Dense, Flatten, Input, Model

inputs = Input((3, 32, 32), data_format="channels_first", name="image")
x = Conv2d(32, (3, 3), padding="same", activation=nn.ReLU())(inputs)
x = Conv2d(64, (5, 5), padding="same", activation=nn.ReLU())(x)
x = Conv2d(32, (3, 3), padding="same", activation=nn.ReLU())(x)
x = Flatten()(x)
x = Dense(200, activation=nn.ReLU())(x)
outputs = Dense(10)(x)

model = Model(inputs, outputs, device="cpu")
model.compile(optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss())
