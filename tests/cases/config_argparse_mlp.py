#!/usr/bin/env python
"""MLP whose depth and widths come from argparse and a dict; layers named with f-strings.

k2t: level=1
"""
import argparse
import json
import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

ACTIVATIONS = {"relu": tf.nn.relu, "gelu": tf.keras.activations.gelu, "selu": "selu"}


def parse_args():
    parser = argparse.ArgumentParser(description="Train an MLP on random features")
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 64, 32])
    parser.add_argument("--activation", choices=sorted(ACTIVATIONS), default="gelu")
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--l2", type=float, default=0.0)
    parser.add_argument("--learning-rate", "--lr", type=float, default=3e-4)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("runs"))
    return parser.parse_args()


def build_model(num_features, num_classes, *, hidden, activation, dropout, l2):
    inputs = tf.keras.Input(shape=(num_features,), name="features")
    x = layers.BatchNormalization(name="input_norm")(inputs)
    regularizer = tf.keras.regularizers.L2(l2) if l2 else None
    for index, units in enumerate(hidden, start=1):
        x = layers.Dense(units, kernel_regularizer=regularizer, name=f"hidden_{index}")(x)
        x = layers.Activation(ACTIVATIONS[activation], name=f"hidden_{index}_{activation}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"hidden_{index}_dropout")(x)
    outputs = layers.Dense(num_classes, name="logits")(x)
    return tf.keras.Model(inputs, outputs, name="mlp_" + "_".join(map(str, hidden)))


def main():
    args = parse_args()
    os.makedirs(args.output, exist_ok=True)
    (args.output / "config.json").write_text(json.dumps(vars(args), default=str))

    rng = np.random.default_rng(0)
    x = rng.normal(size=(512, 20)).astype("float32")
    y = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)

    model = build_model(
        x.shape[1], 3, hidden=args.hidden, activation=args.activation, dropout=args.dropout, l2=args.l2
    )
    model.compile(
        optimizer=tf.keras.optimizers.AdamW(args.learning_rate, weight_decay=1e-2),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(x, y, epochs=args.epochs, validation_split=0.2, verbose=2)
    model.save(args.output / "mlp.keras")


if __name__ == "__main__":
    main()
