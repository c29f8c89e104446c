"""What classes and attributes are called: after what the program calls things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import keras2torch
from keras2torch.naming import noun_of

PROGRAM = """
import keras
from keras import layers

def create_encoder_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    return layers.ReLU()(layers.BatchNormalization()(x))

def build_backbone():
    image = keras.Input((8, 8, 3))
    x = create_encoder_block(create_encoder_block(image, 4), 8)
    model = keras.Model(image, x)
    return model

def get_model():
    x = keras.Input((8, 8, 8))
    return keras.Model(x, layers.Dense(3)(layers.Flatten()(x)))

def main():
    backbone = build_backbone()
    classifier = get_model()
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, classifier(backbone(image)))
    model.compile("adam", "mse")

main()
"""


@pytest.mark.parametrize(
    ("function", "noun"),
    [
        ("create_encoder", "encoder"),
        ("buildUnet", "Unet"),
        ("_make_layer_stack", "layer_stack"),
        ("add_conv_block", "conv_block"),
        ("add_norm", "add_norm"),  # addition, then a norm
        ("build_model", "build_model"),
        ("get_x", "get_x"),
        ("residual_block", "residual_block"),
        ("getaway", "getaway"),
    ],
)
def test_noun(function: str, noun: str) -> None:
    assert noun_of(function) == noun


def test_nested_models_are_called_what_the_program_calls_them(programs) -> None:
    source = keras2torch.generate(programs.write(PROGRAM)).model_source
    assert re.findall(r"^class (\w+)", source, re.MULTILINE) == [
        "EncoderBlock",
        "Backbone",
        "Classifier",
        "Program",
    ]
    assert "self.backbone = Backbone()" in source and "self.classifier = Classifier()" in source


def test_numbers_are_no_names(tmp_path: Path) -> None:
    """conv1_1 and conv1_2 of a block conv1, as VGG's layers are called."""
    (tmp_path / "vgg.py").write_text(
        "from keras.layers import *\nfrom keras.models import Model\ni = x = Input((16, 16, 3))\n"
        "for block, count in ((1, 2), (2, 2), (3, 3)):\n    for n in range(1, count + 1):\n"
        "        x = Conv2D(8 * block, 3, activation='relu', padding='same', name=f'conv{block}_{n}')(x)\n"
        "    x = MaxPooling2D(name=f'pool{block}')(x)\nmodel = Model(i, x)\n"
    )
    source = keras2torch.generate(tmp_path / "vgg.py").model_source
    assert re.findall(r"self\.(conv\d) = nn\.Conv2d", source)[:2] == ["conv1", "conv2"]
