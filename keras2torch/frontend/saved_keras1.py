"""Weights of Keras 1 files in the form of Keras 2 and later.

Keras 1 kept recurrent weights gate by gate and convolution kernels in the order of their data
format. Source: keras/engine/topology.py of Keras 2.1, preprocess_weights_for_loading.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted
from keras2torch.frontend.saved_tree import LayerTree, Path
from keras2torch.frontend.saved_weights import Weight, Weights

# Keras 1 stored (W, U, b) per gate; where the gates of the later order stood.
_GATES = {"LSTM": (0, 2, 1, 3), "GRU": (0, 1, 2)}  # i, c, f, o read as i, f, c, o; z, r, h
_CONVOLUTIONS = ("Convolution2D", "AtrousConvolution2D", "Convolution3D", "Deconvolution2D")


class Keras1Weights(Weights):
    """Another store's weights, converted layer by layer."""

    def __init__(self, stored: Weights, tree: LayerTree):
        self._stored = stored
        self._tree = tree

    def for_layer(self, path: Path) -> list[Weight]:
        node = self._tree.at(path)
        if node is None:
            raise SavedModelError(
                f"the saved config has no layer {quoted('/'.join(path))}; the parts of a Keras 1 "
                "layer are not kept apart"
            )
        if node.holds_model():
            return [w for leaf, _ in node.leaves(path) for w in self.for_layer(leaf)]
        return _converted(node, self._stored.for_layer(path))

    def unclaimed(self) -> list[str]:
        return self._stored.unclaimed()


def _converted(node: LayerTree, weights: list[Weight]) -> list[Weight]:
    if node.class_name == "Bidirectional":
        half = len(weights) // 2
        forward, backward = node.children["forward_layer"], node.children["backward_layer"]
        return _converted(forward, weights[:half]) + _converted(backward, weights[half:])
    if "layer" in node.children:
        return _converted(node.children["layer"], weights)
    gates = _GATES.get(node.class_name)
    if gates and len(weights) == 3 * len(gates):
        # Three arrays of each kind: input kernels, recurrent kernels, biases.
        return [_joined([weights[3 * gate + kind] for gate in gates]) for kind in range(3)]
    if weights and node.class_name in ("Convolution1D", "AtrousConvolution1D"):
        return [_reshaped(weights[0], _plain_1d(node)), *weights[1:]]
    if weights and node.class_name in _CONVOLUTIONS and node.config.get("dim_ordering") == "th":
        return [_reshaped(weights[0], _channels_last), *weights[1:]]
    return weights


def _joined(gates: list[Weight]) -> Weight:
    first = gates[0]
    if any(gate.shape[:-1] != first.shape[:-1] for gate in gates) or not first.shape:
        raise SavedModelError(f"the gates beside {quoted(first.name)} differ in shape")
    shape = (*first.shape[:-1], sum(gate.shape[-1] for gate in gates))
    name = "+".join(gate.name for gate in gates)

    def load() -> np.ndarray:
        return np.concatenate([gate.load() for gate in gates], axis=-1)

    return Weight(name, shape, first.dtype, load)


def _reshaped(weight: Weight, change: Callable[[np.ndarray], np.ndarray]) -> Weight:
    if len(weight.shape) < 3:
        raise SavedModelError(f"{quoted(weight.name)} has the shape {weight.shape}: no kernel")
    # A stand-in of the same shape that takes no memory tells the new one.
    shape = change(np.broadcast_to(np.zeros((), np.int8), weight.shape)).shape
    return Weight(weight.name, shape, weight.dtype, lambda: change(weight.load()))


def _plain_1d(node: LayerTree) -> Callable[[np.ndarray], np.ndarray]:
    length = node.config.get("filter_length")

    def change(kernel: np.ndarray) -> np.ndarray:
        if kernel.ndim != 4:
            return kernel
        if kernel.shape[:2] != (length, 1):
            kernel = kernel.transpose(2, 3, 1, 0)  # before 1.2: (filters, channels, length, 1)
        return np.ascontiguousarray(kernel[:, 0])

    return change


def _channels_last(kernel: np.ndarray) -> np.ndarray:
    """(filters, channels, *sizes), of the "th" data format, to (*sizes, channels, filters)."""
    return np.ascontiguousarray(kernel.transpose(*range(2, kernel.ndim), 1, 0))
