"""Axis orders: a shared kernel has its rows in one order, torch's where every call has that one."""

from __future__ import annotations

import keras
from keras import layers
from oracle import compare


def branches(*shapes: tuple[int, ...]) -> keras.Model:
    """One Dense on several flattened images and on a vector of 24 where the shape says so."""
    dense, flatten = layers.Dense(5), layers.Flatten()
    inputs = [keras.Input(shape) for shape in shapes]
    images = [layers.Conv2D(2, 1)(x) if len(x.shape) == 4 else x for x in inputs]
    return keras.Model(
        inputs, [dense(flatten(image) if len(image.shape) == 4 else image) for image in images]
    )


def test_shared_dense_on_images_of_one_size() -> None:
    assert "permute" not in compare(branches((4, 3, 2), (4, 3, 2))).model_source


def test_shared_dense_on_images_of_two_sizes() -> None:
    assert "permute" in compare(branches((4, 3, 2), (3, 4, 2))).model_source


def test_shared_dense_on_an_image_and_a_vector() -> None:
    assert "permute" in compare(branches((4, 3, 2), (24,))).model_source
