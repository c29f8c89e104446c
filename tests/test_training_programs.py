"""Whole programs: real Keras and the generated script, from the same weights on the same batches.

Each program calls fit(shuffle=False); dropout is off. Every epoch's loss and metrics, and the
final weights, are those of Keras.
"""

from __future__ import annotations

import pytest
from training_pairs import compare

pytestmark = pytest.mark.thin(8)

PROGRAMS = {
    "convnet": """
model = keras.Sequential([
    keras.Input((8, 8, 2)),
    layers.Conv2D(6, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(),
    layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
    layers.Flatten(),
    layers.Dense(3, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, kinds, batch_size=16, epochs=4, validation_split=0.2, shuffle=False)
""",
    "batch_norm_schedule": """
x = inputs = keras.Input((8, 8, 2))
for filters in (4, 8):
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(3)(x)
model = keras.Model(inputs, outputs)
rate = keras.optimizers.schedules.CosineDecay(0.05, 12)
model.compile(
    keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(images, kinds, batch_size=20, epochs=4, shuffle=False)
""",
    "regularized_class_weight": """
model = keras.Sequential([
    layers.Input((8, 8, 2)),
    layers.Conv2D(4, 3, kernel_regularizer=regularizers.l2(0.01), activation="tanh"),
    layers.Flatten(),
    layers.Dense(8, kernel_regularizer=regularizers.L1L2(1e-3, 1e-3), bias_regularizer="l2"),
    layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.RMSprop(0.003), "sparse_categorical_crossentropy", metrics=["acc"])
model.fit(images, kinds, batch_size=16, epochs=3, shuffle=False, class_weight={0: 1.0, 1: 2.0, 2: 0.5})
""",
    "two_inputs_two_outputs": """
picture = keras.Input((8, 8, 2), name="picture")
table = keras.Input((6,), name="table")
a = layers.Flatten()(layers.Conv2D(4, 3, activation="relu")(picture))
b = layers.Dense(8, activation="relu")(table)
both = layers.Concatenate()([a, b])
kind = layers.Dense(3, activation="softmax", name="kind")(both)
number = layers.Dense(2, name="number")(both)
model = keras.Model([picture, table], [kind, number])
model.compile(
    keras.optimizers.Adam(0.01, clipnorm=0.5),
    loss={"kind": "sparse_categorical_crossentropy", "number": "mse"},
    loss_weights={"kind": 1.0, "number": 0.2},
    metrics={"kind": "accuracy", "number": ["mae"]},
)
model.fit(
    {"picture": images, "table": rows},
    {"kind": kinds, "number": numbers},
    batch_size=16, epochs=3, shuffle=False,
)
""",
    "frozen_and_unfrozen": """
base = keras.Sequential([
    keras.Input((6,)), layers.Dense(12, activation="tanh"), layers.Dense(8, activation="tanh"),
], name="base")
base.layers[0].trainable = False
model = keras.Sequential([base, layers.Dense(2)])
model.compile(keras.optimizers.AdamW(0.01, weight_decay=0.1), "mae", metrics=["mse"])
model.fit(rows, numbers, batch_size=16, epochs=4, shuffle=False)
""",
    "embedding_and_lstm": """
model = keras.Sequential([
    keras.Input((7,)),
    layers.Embedding(20, 5),
    layers.LSTM(6),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", metrics=["accuracy"])
model.fit(words, kinds > 0, batch_size=16, epochs=4, shuffle=False)
""",
    "gru_and_bidirectional": """
model = keras.Sequential([
    keras.Input((7,)),
    layers.Embedding(20, 5),
    layers.Bidirectional(layers.GRU(4, return_sequences=True)),
    layers.GlobalMaxPooling1D(),
    layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(words, kinds, batch_size=16, epochs=3, shuffle=False)
""",
    "segmentation_map": """
model = keras.Sequential([
    keras.Input((8, 8, 2)),
    layers.Conv2D(4, 3, padding="same", activation="relu"),
    layers.Conv2D(3, 1, activation="softmax"),
])
masks = (images.sum(axis=-1) > 0).astype("int64") + (images[..., 0] > 1)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, masks, batch_size=16, epochs=3, shuffle=False)
""",
    "autoencoder": """
model = keras.Sequential([
    keras.Input((8, 8, 2)),
    layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu"),
    layers.Conv2D(2, 3, padding="same"),
])
model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
model.fit(images, images, batch_size=16, epochs=3, shuffle=False)
""",
    "sequence_output": """
model = keras.Sequential([
    keras.Input((7,)),
    layers.Embedding(20, 5),
    layers.SimpleRNN(6, return_sequences=True),
    layers.Dense(20, activation="softmax"),
])
model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(words, np.roll(words, -1, axis=1), batch_size=16, epochs=3, shuffle=False)
""",
    "constraints": """
model = keras.Sequential([
    keras.Input((6,)),
    layers.Dense(8, activation="relu", kernel_constraint=keras.constraints.MaxNorm(0.8)),
    layers.Dense(2, kernel_constraint="non_neg"),
])
model.compile(keras.optimizers.SGD(0.2), "mse")
model.fit(rows, numbers, batch_size=16, epochs=4, shuffle=False)
""",
    "frozen_then_fine_tuned": """
base = keras.Sequential([
    keras.Input((8, 8, 2)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(),
    layers.GlobalAveragePooling2D(),
], name="base")
model = keras.Sequential([base, layers.Dense(3, activation="softmax")])
base.trainable = False
model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
past = model.fit(images, kinds, batch_size=16, epochs=2, shuffle=False, validation_split=0.2)
base.trainable = True
base.layers[0].trainable = False
model.compile(
    keras.optimizers.RMSprop(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(
    images, kinds, batch_size=16, epochs=4, initial_epoch=past.epoch[-1] + 1, shuffle=False,
    validation_split=0.2,
)
""",
    "batches_by_number": """
class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, size, **options):
        super().__init__(**options)
        self.x, self.y, self.size = x, y, size

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, i):
        piece = slice(i * self.size, (i + 1) * self.size)
        return self.x[piece], self.y[piece]

model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(2)])
model.compile("adam", "mse", metrics=["mae"])
model.fit(
    Batches(rows, numbers, 16), epochs=3, shuffle=False, validation_data=Batches(rows, numbers, 9)
)
""",
    "generator_with_weights": """
def endless(x, y, w, size):
    while True:
        for i in range(0, len(x), size):
            yield x[i : i + size], y[i : i + size], w[i : i + size]

model = keras.Sequential([keras.Input((6,)), layers.Dense(8, activation="relu"), layers.Dense(2)])
model.compile("adam", "mse")
weights = np.linspace(0, 2, 60)
model.fit(
    endless(rows, numbers, weights, 16), steps_per_epoch=3, epochs=4,
    validation_data=(rows[:20], numbers[:20]),
)
""",
    "weights_of_every_output": """
inputs = keras.Input((6,))
x = layers.Dense(8, activation="relu")(inputs)
outputs = [layers.Dense(3, name="kind")(x), layers.Dense(2, name="number")(x)]
model = keras.Model(inputs, outputs)
model.compile(
    "adam",
    [keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mae"],
    weighted_metrics=[["accuracy"], ["mse"]],
)
model.fit(
    rows, [kinds, numbers], sample_weight=[np.linspace(0, 2, 60), np.linspace(1, 0, 60)],
    batch_size=16, epochs=3, shuffle=False,
)
""",
    "masked_steps": """
words[:, 5:] = 0
model = keras.Sequential([
    keras.Input((7,)),
    layers.Embedding(20, 5, mask_zero=True),
    layers.LSTM(6, return_sequences=True),
    layers.TimeDistributed(layers.Dense(4, activation="softmax")),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(words, words % 4, batch_size=16, epochs=3, shuffle=False, validation_split=0.2)
""",
    "adafactor": """
model = keras.Sequential([
    keras.Input((8, 8, 2)),
    layers.Conv2D(4, 3, activation="relu"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adafactor(0.05), "sparse_categorical_crossentropy")
model.fit(images, kinds, batch_size=16, epochs=4, shuffle=False)
""",
    "muon": """
model = keras.Sequential([
    keras.Input((7,)),
    layers.Embedding(20, 5),
    layers.LSTM(6),
    layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Muon(0.02), "sparse_categorical_crossentropy")
model.fit(words, kinds, batch_size=16, epochs=4, shuffle=False)
""",
    "best_weights_loaded_again": """
model = keras.Sequential([
    keras.Input((8, 8, 2)),
    layers.Conv2D(4, 3, activation="relu"),
    layers.BatchNormalization(),
    layers.Flatten(),
    layers.Dense(3, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
best = keras.callbacks.ModelCheckpoint(
    "/tmp/keras2torch_best.weights.h5", monitor="val_accuracy", save_best_only=True, save_weights_only=True, mode="max"
)
less = keras.callbacks.ReduceLROnPlateau(factor=0.2, patience=1, min_lr=1e-4)
model.fit(
    images[:40], kinds[:40], validation_data=(images[40:], kinds[40:]),
    epochs=6, batch_size=10, callbacks=[best, less], shuffle=False,
)
model.load_weights("/tmp/keras2torch_best.weights.h5")
print(model.evaluate(images[40:], kinds[40:], verbose=0))
""",
    "functions_that_import": """
def dice(y_true, y_pred):
    from keras import ops

    together = ops.sum(ops.reshape(y_true, (-1,)) * ops.reshape(y_pred, (-1,)))
    return (2.0 * together + 1.0) / (ops.sum(y_true) + ops.sum(y_pred) + 1.0)

def dice_loss(y_true, y_pred):
    return 1 - dice(y_true, y_pred)

inputs = keras.Input((8, 8, 2))
x = layers.MaxPooling2D()(layers.Conv2D(4, 3, activation="relu", padding="same")(inputs))
x = layers.concatenate([layers.UpSampling2D()(x), inputs])
model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
model.compile("adam", loss=dice_loss, metrics=[dice])
model.fit(images, (images[..., :1] > 0).astype("float32"), batch_size=20, epochs=3, shuffle=False)
""",
    "layer_norm_and_attention": """
inputs = keras.Input((7,))
x = layers.Embedding(20, 8)(inputs)
x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 4)(x, x))
x = layers.GlobalAveragePooling1D()(x)
model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(words, kinds, batch_size=16, epochs=3, shuffle=False)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_learns_as_in_keras(name, tmp_path):
    compare(PROGRAMS[name], tmp_path)
