"""keras.ops on symbolic tensors: a set network with masks, top-k, where, einsum and statistics.

k2t: level=2
"""
import keras
import numpy as np
from keras import layers, ops

points = keras.Input((32, 3), name="points")
weights = keras.Input((32,), name="weights")

centred = points - ops.mean(points, axis=1, keepdims=True)
radius = ops.sqrt(ops.sum(ops.square(centred), axis=-1, keepdims=True) + 1e-6)
features = ops.concatenate([centred, radius, ops.log1p(radius)], axis=-1)

h = layers.Dense(16, activation="relu", name="phi_1")(features)
h = layers.Dense(16, name="phi_2")(h)
h = ops.where(h > 0, h, 0.2 * h)

attention = ops.softmax(weights, axis=-1)
weighted = ops.einsum("bn,bnf->bf", attention, h)
largest = ops.max(h, axis=1)
spread = ops.std(h, axis=1)
near = ops.top_k(-ops.squeeze(radius, axis=-1), k=4)[0]
gram = ops.matmul(ops.transpose(h, (0, 2, 1)), h) / 32.0
diagonal = ops.reshape(ops.diagonal(gram, axis1=1, axis2=2), (-1, 16))

x = ops.hstack([weighted, largest, spread, ops.stack([near[:, 0], near[:, 3]], axis=1), diagonal])
x = ops.clip(x, -10.0, 10.0)
x = layers.Dense(24, activation="silu", name="rho")(x)
x = ops.tanh(x) * ops.sigmoid(x) ** 2
outputs = layers.Dense(4, name="shape_class")(x)
model = keras.Model([points, weights], outputs, name="deep_sets")

model.compile(
    keras.optimizers.Adam(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
)
model.fit([np.random.randn(96, 32, 3), np.random.rand(96, 32)], np.random.randint(0, 4, 96), epochs=2)
