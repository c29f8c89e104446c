"""Weights of Keras 1, and of the Theano backend, in the form of today's Keras.

Keras 1 kept recurrent weights gate by gate, and convolution kernels in the order of their data
format. Theano convolves where others correlate, so that its kernels are mirrored.
Source: preprocess_weights_for_loading in keras/engine/saving.py of Keras 2.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted
from keras2torch.frontend.saved_tree import LayerTree, Path
from keras2torch.frontend.saved_weights import Weight, Weights

# Keras 1 stored (W, U, b) of one gate after the other; LSTM's as i, c, f, o, later i, f, c, o.
_GATES = {"LSTM": (0, 2, 1, 3), "ConvLSTM2D": (0, 2, 1, 3), "GRU": (0, 1, 2)}
_ONE_DIMENSION = {"Conv1D", "Convolution1D", "AtrousConvolution1D"}
_MORE_DIMENSIONS = {"Conv2D", "Convolution2D", "AtrousConvolution2D", "Conv3D", "Convolution3D"}
_TRANSPOSED = {"Conv2DTranspose", "Deconvolution2D"}


@dataclass
class ConvertedWeights(Weights):
    """Another store's weights, converted layer by layer."""

    stored: Weights
    tree: LayerTree
    keras_1: bool
    theano: bool

    def for_layer(self, path: Path) -> list[Weight]:
        node = self.tree.at(path)
        if node is None:
            raise SavedModelError(
                f"the saved config has no layer {quoted('/'.join(path))}; the parts of a layer "
                "cannot be told apart in so old a file"
            )
        if node.holds_model():
            return [weight for leaf, _ in node.leaves(path) for weight in self.for_layer(leaf)]
        return self._convert(node, self.stored.for_layer(path))

    def lists_layers(self, path: Path) -> bool:
        return self.stored.lists_layers(path)

    def unclaimed(self) -> list[str]:
        return self.stored.unclaimed()

    def _convert(self, node: LayerTree, weights: list[Weight]) -> list[Weight]:
        if node.class_name == "Bidirectional":
            half = len(weights) // 2
            forward, backward = node.children["forward_layer"], node.children["backward_layer"]
            return self._convert(forward, weights[:half]) + self._convert(backward, weights[half:])
        if "layer" in node.children:
            return self._convert(node.children["layer"], weights)
        gates = _GATES.get(node.class_name)
        if self.keras_1 and gates and len(weights) == 3 * len(gates):
            # Three arrays of each kind: input kernels, recurrent kernels, biases.
            joined = [_joined([weights[3 * gate + kind] for gate in gates]) for kind in range(3)]
            return self._convert(node, joined)
        if node.class_name in _ONE_DIMENSION | _MORE_DIMENSIONS | _TRANSPOSED and weights:
            kernel = weights[0]
            if self.keras_1:
                kernel = _of_keras_1(node, kernel)
            return [_changed(kernel, _mirrored) if self.theano else kernel, *weights[1:]]
        if self.theano and node.class_name == "ConvLSTM2D":
            return [*(_changed(weight, _mirrored) for weight in weights[:2]), *weights[2:]]
        return weights


def _joined(gates: list[Weight]) -> Weight:
    first = gates[0]
    if not first.shape or any(gate.shape[:-1] != first.shape[:-1] for gate in gates):
        raise SavedModelError(f"the gates beside {quoted(first.name)} differ in shape")
    shape = (*first.shape[:-1], sum(gate.shape[-1] for gate in gates))
    name = "+".join(gate.name for gate in gates)

    def load() -> np.ndarray:
        return np.concatenate([gate.load() for gate in gates], axis=-1)

    return Weight(name, shape, first.dtype, load)


def _of_keras_1(node: LayerTree, kernel: Weight) -> Weight:
    if node.class_name in _ONE_DIMENSION:
        length = node.config.get("filter_length", node.config.get("kernel_size"))
        return _changed(kernel, lambda array: _plain_1d(array, length))
    transposed = node.class_name in _TRANSPOSED
    if node.config.get("dim_ordering", node.config.get("data_format")) in ("th", "channels_first"):
        # (filters, channels, *sizes), for a transposed convolution too
        return _changed(kernel, lambda array: _sizes_first(array, transposed))
    if transposed:  # (*sizes, channels, filters)
        return _changed(kernel, lambda array: array.swapaxes(-1, -2))
    return kernel


def _changed(weight: Weight, change: Callable[[np.ndarray], np.ndarray]) -> Weight:
    if len(weight.shape) < 3:
        raise SavedModelError(f"{quoted(weight.name)} has the shape {weight.shape}: no kernel")
    # A stand-in of the same shape that takes no memory tells the new one.
    shape = change(np.broadcast_to(np.zeros((), np.int8), weight.shape)).shape

    def load() -> np.ndarray:
        return np.ascontiguousarray(change(weight.load()))

    return Weight(weight.name, shape, weight.dtype, load)


def _plain_1d(kernel: np.ndarray, length: object) -> np.ndarray:
    """(length, channels, filters) from (length, 1, channels, filters)."""
    if kernel.ndim != 4:
        return kernel
    if kernel.shape[1] != 1 or isinstance(length, int) and kernel.shape[0] != length:
        kernel = kernel.transpose(2, 3, 1, 0)  # before 1.2: (filters, channels, length, 1)
    return kernel[:, 0]


def _sizes_first(kernel: np.ndarray, transposed: bool) -> np.ndarray:
    return kernel.transpose(*range(2, kernel.ndim), *((0, 1) if transposed else (1, 0)))


def _mirrored(kernel: np.ndarray) -> np.ndarray:
    """Turned around in every spatial dimension."""
    return kernel[tuple([slice(None, None, -1)] * (kernel.ndim - 2))]


def of_cudnn(class_name: str, weights: list[Weight]) -> list[Weight]:
    """The weights of a CuDNNLSTM or CuDNNGRU layer as those of LSTM, or of GRU with ``reset_after``.

    cuDNN reads the matrices of the gates transposed, and has a bias for the input and one for the state; the
    sum of the two is LSTM's. Source: ``_convert_rnn_weights`` in keras/engine/saving.py of Keras 2.2.
    """
    gates = 4 if class_name == "CuDNNLSTM" else 3
    if len(weights) != 3 or any(weight.shape[-1:] in ((), (0,)) for weight in weights):
        return weights
    kernel, recurrent, bias = weights
    if bias.shape != (2 * kernel.shape[-1],) or kernel.shape[-1] % gates:
        return weights

    def of_gates(weight: Weight, change: Callable[[np.ndarray], np.ndarray]) -> Weight:
        def load() -> np.ndarray:
            return np.hstack([change(gate) for gate in np.hsplit(weight.load(), gates)])

        return Weight(weight.name, weight.shape, weight.dtype, load)

    width = bias.shape[0] // 2
    shape = (width,) if gates == 4 else (2, width)

    def load_bias() -> np.ndarray:
        both = bias.load().reshape(2, width)
        return both.sum(axis=0) if gates == 4 else both

    return [
        of_gates(kernel, lambda gate: gate.T.reshape(gate.shape, order="F")),
        of_gates(recurrent, lambda gate: gate.T),
        Weight(bias.name, shape, bias.dtype, load_bias),
    ]
