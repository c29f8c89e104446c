"""Click prediction from a config dict: one embedding per categorical column in a loop, list inputs.

k2t: level=1
k2t: integers=-,24,7,50
"""
import numpy as np
import keras
from keras import layers

CONFIG = {
    "numeric": 6,
    "categorical": {"hour": 24, "weekday": 7, "site": 50},
    "hidden": [64, 32],
    "dropout": 0.1,
    "lr": 1e-3,
    "batch_size": 64,
    "epochs": 3,
}


def build(config):
    numeric = keras.Input((config["numeric"],), name="numeric")
    inputs, deep, wide = [numeric], [layers.BatchNormalization()(numeric)], []
    for column, size in config["categorical"].items():
        code = keras.Input((1,), dtype="int32", name=column)
        width = min(16, (size + 1) // 2)
        deep.append(layers.Flatten()(layers.Embedding(size, width, name=f"embed_{column}")(code)))
        wide.append(layers.Reshape((1,))(layers.Embedding(size, 1, name=f"weight_{column}")(code)))
        inputs.append(code)
    x = layers.concatenate(deep)
    for i, units in enumerate(config["hidden"]):
        x = layers.Dense(units, name=f"hidden_{i}")(x)
        x = layers.LayerNormalization()(x)
        x = layers.Activation("swish")(x)
        x = layers.Dropout(config["dropout"])(x)
    logit = layers.add(wide + [layers.Dense(1, name="deep_logit")(x)])
    click = layers.Activation("sigmoid", name="click")(logit)
    return keras.Model(inputs, click)


model = build(CONFIG)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=CONFIG["lr"]),
    loss="binary_crossentropy",
    metrics=[keras.metrics.AUC(name="auc"), "accuracy"],
)

rows = 512
data = [np.random.randn(rows, CONFIG["numeric"])]
data += [np.random.randint(0, n, (rows, 1)) for n in CONFIG["categorical"].values()]
clicked = np.random.randint(0, 2, (rows, 1))
model.fit(data, clicked, batch_size=CONFIG["batch_size"], epochs=CONFIG["epochs"], validation_split=0.2)
