"""Pair the weights of a recorded model with those of the real Keras model of the same program."""

from keras2torch.frontend.live import attach as pair_weights

__all__ = ["pair_weights"]
