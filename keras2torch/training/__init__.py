"""compile(), fit() and the callbacks of a Keras program, and the training script made of them."""

from keras2torch.training.record import Training, TrainingCall, record, stripped_activations

__all__ = ["Training", "TrainingCall", "record", "stripped_activations"]
