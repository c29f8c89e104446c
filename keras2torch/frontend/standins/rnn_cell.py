"""``tf.nn.rnn_cell`` of TensorFlow 1: its base class, so that a program's own cells can be defined."""

from __future__ import annotations

from keras2torch.layers.base import Layer


class RNNCell(Layer):
    """A step of a recurrent network; the program's subclass says which."""


LayerRNNCell = RNNCell
NAMES = {"RNNCell": RNNCell, "LayerRNNCell": LayerRNNCell}
