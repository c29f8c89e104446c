"""Which variable of a real Keras model each recorded weight is."""

from __future__ import annotations

from typing import Any

from keras2torch.frontend.live import paired, reader
from keras2torch.models import Model
from keras2torch.module import Mapping


class WeightPairs:
    """The recorded weights of a model with the variables of the same model under real Keras.

    Raises K2TError where they are not the same.
    """

    def __init__(self, recorded: Model, real: Any):
        self._pairs = list(paired(recorded, real))
        self._variables = {id(weight): variable for weight, variable in self._pairs}

    def attach(self) -> None:
        """Let every recorded weight read its array from the real variable."""
        for weight, variable in self._pairs:
            weight.value = reader(variable)

    def variables(self, mapping: Mapping) -> list[Any] | None:
        """The variables that a torch tensor is made of; None where it is made of others, or of none."""
        found = [self._variables.get(id(source)) for source in mapping.sources]
        return found if found and all(variable is not None for variable in found) else None
