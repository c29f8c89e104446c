"""One Dense per activation, by name, by function and by layer, all concatenated.

k2t: level=1
"""
import numpy as np
import keras
from keras import activations, layers

NAMES = ["elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "relu", "relu6", "selu",
         "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh", "mish", "hard_silu"]

inputs = keras.Input(shape=(12,))
outputs = [layers.Dense(4, activation=name, name=f"by_name_{name}")(inputs) for name in NAMES]
outputs += [
    layers.Dense(4, activation=activations.tanh)(inputs),
    layers.Dense(4, activation=keras.activations.log_softmax)(inputs),
    layers.Dense(4, activation=layers.LeakyReLU(0.1))(inputs),
    layers.Activation(activations.gelu)(layers.Dense(4)(inputs)),
    layers.LeakyReLU()(layers.Dense(4)(inputs)),
    layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))(layers.Dense(4)(inputs)),
    layers.ELU(0.5)(layers.Dense(4)(inputs)),
    layers.ReLU(max_value=6, negative_slope=0.1, threshold=0.2)(layers.Dense(4)(inputs)),
    layers.Softmax()(layers.Dense(4)(inputs)),
    layers.Identity()(layers.Dense(4)(inputs)),
]
merged = layers.Concatenate(name="all_activations")(outputs)
model = keras.Model(inputs, layers.Dense(1, name="sum")(merged))
model.compile("adam", "mse")
model.fit(np.random.randn(256, 12), np.random.randn(256, 1), epochs=2)
