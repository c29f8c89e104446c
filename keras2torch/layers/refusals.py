"""Keras's public layers that are not translated: why, and what to do instead."""

from __future__ import annotations

REFUSALS: dict[str, tuple[str, str]] = {
    "StringLookup": (
        "torch has no tensors of strings",
        "look the strings up in the data pipeline, and give the model the indices",
    ),
    "TextVectorization": (
        "torch has no tensors of strings",
        "vectorise the texts in the data pipeline (dataset.map), and give the model the indices",
    ),
    "HashedCrossing": (
        "TensorFlow's hash of crossed values is not written in torch",
        "cross in the data pipeline, or use Hashing on one number made of both",
    ),
    "FlaxLayer": ("it runs a Flax module", "write the layer with keras.layers or keras.ops"),
    "JaxLayer": ("it runs a JAX function", "write the layer with keras.layers or keras.ops"),
    "TFSMLayer": (
        "it runs a TensorFlow SavedModel, whose graph is not read",
        "generate from the .keras file or the program that made the SavedModel",
    ),
    "TorchModuleWrapper": (
        "it runs a torch module of your own",
        "leave it out of the Keras model, and put the module into the generated one",
    ),
}
"""Class name -> (reason, what to do)."""

_RANDOM_SIZE = (
    "it gives images of a random size in training, and is gone since Keras 3",
    "leave it out, which changes nothing in inference, or use RandomZoom or RandomCrop",
)
GONE = {"RandomHeight": _RANDOM_SIZE, "RandomWidth": _RANDOM_SIZE}
"""The same for layers of Keras 2 that are not translated."""

NOT_LAYERS = frozenset({"InputSpec"})
"""Public names of keras.layers that are no layers."""

OLD_LAYERS = frozenset(
    "AtrousConvolution1D AtrousConvolution2D Convolution1D Convolution2D Convolution3D CuDNNGRU CuDNNLSTM "
    "Deconvolution2D Deconvolution3D Highway LocallyConnected1D LocallyConnected2D MaxoutDense "
    "SeparableConvolution1D SeparableConvolution2D ThresholdedReLU TimeDistributedDense".split()
)
"""Layers of Keras 1 and 2 that are gone, or that today are another name of a layer."""

INSIDE_APPLICATIONS = frozenset({"CustomScaleLayer", "LayerScale", "StochasticDepth"})
"""Layers that Keras keeps to the networks of keras.applications."""
