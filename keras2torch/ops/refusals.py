"""The public functions that have no translation, each with its reason: one table."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.ops.base import OPS, parse_names

_GRADIENT = (
    "a gradient of the program's own needs a torch.autograd.Function, which is written by hand",
    "compute the function alone (its gradient will be torch's), or write it in the generated module",
)
_STATE = (
    "changing a variable inside the model has no translation",
    "keep running statistics in a BatchNormalization or Normalization layer",
)

REFUSALS: dict[str, tuple[str, str]] = {
    "keras.ops.argpartition": (
        "the order within the two parts is not defined, and differs between Keras's backends",
        "use keras.ops.argsort or keras.ops.top_k",
    ),
    "keras.ops.ctc_decode": (
        "it returns sequences of different lengths, padded; torch has no decoder for CTC",
        "take the model's output before decoding, and decode outside of it",
    ),
    "keras.ops.custom_gradient": _GRADIENT,
    "keras.ops.image.elastic_transform": (
        "its displacements are random numbers, blurred: there are no equal values to be had",
        "augment images in the data pipeline, e.g. with torchvision.transforms.v2.ElasticTransform",
    ),
    "keras.ops.jvp": (
        "forward-mode derivatives inside a model have no plain torch module to stand for them",
        "call torch.func.jvp on the generated module",
    ),
    "keras.ops.linalg.jvp": (
        "forward-mode derivatives inside a model have no plain torch module to stand for them",
        "call torch.func.jvp on the generated module",
    ),
    "keras.ops.vectorize": (
        "it wraps a Python function that numpy would call element by element",
        "write the function with keras.ops on whole tensors",
    ),
}
"""Of keras.ops: path -> (reason, what to do instead)."""

OTHERS: dict[str, tuple[str, str]] = {
    "K.{update,update_add,update_sub,moving_average_update} tf.{assign,assign_add,assign_sub}": _STATE,
    "tf.{custom_gradient,gradients,recompute_grad}": _GRADIENT,
    "tf.{py_function,py_func,numpy_function,compat.v1.py_func}": (
        "it runs Python code on arrays, which is no part of the model's graph",
        "write it with tf or keras.ops functions",
    ),
    "tf.nn.{ctc_greedy_decoder,ctc_beam_search_decoder} K.ctc_decode": REFUSALS[
        "keras.ops.ctc_decode"
    ],
    "tf.nn.max_pool_with_argmax": (
        "TensorFlow counts the places of its maxima in another order than torch",
        "use tf.nn.max_pool",
    ),
    "K.{local_conv1d,local_conv2d}": (
        "convolutions with a kernel of its own at each place have no torch function",
        "use LocallyConnected2D",
    ),
    "tf.image.crop_and_resize": (
        "boxes cropped and resized one by one have no equal in torch itself",
        "use torchvision.ops.roi_align in the generated module",
    ),
    "tf.image.{non_max_suppression,combined_non_max_suppression}": (
        "how many boxes are left is known in the run only",
        "take the model's output before it, and use torchvision.ops.nms outside of the model",
    ),
}
"""Of keras.backend and tf: paths -> (reason, what to do instead)."""


def _refuse(path: str, reason: str, fix: str) -> Any:
    """A function that raises, marked by ``refuses``: its signature, which takes anything, says nothing."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise UnsupportedError(
            f"{path} is not translated: {reason}", where=trace.user_location(), fix=fix
        )

    refused: Any = refuse
    refused.__name__ = path.rpartition(".")[2]
    refused.__qualname__ = path
    refused.refuses = True
    return refused


for _path, (_reason, _fix) in REFUSALS.items():
    OPS[_path] = _refuse(_path, _reason, _fix)
for _names, (_reason, _fix) in OTHERS.items():
    for _path, _ in parse_names(_names):
        OPS[_path] = _refuse(_path, _reason, _fix)
