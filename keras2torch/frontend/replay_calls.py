"""References between the calls of a saved model: ``[layer, node, tensor]``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras2torch import config
from keras2torch.errors import SavedModelError, UnsupportedError
from keras2torch.frontend.replay_values import is_reference
from keras2torch.graph import Tensor, tensors_in
from keras2torch.models import Model
from keras2torch.sequential import Sequential


class NotYetError(Exception):
    """A node refers to a call that has not been replayed yet."""


@dataclass(frozen=True)
class OneValue:
    """What a TensorFlow function gave where it is one tensor there, and sizes or a number here."""

    value: Any


def same_shape(tensor: Tensor, reference: dict[str, Any]) -> Tensor:
    """The tensor, where it has the shape that Keras 3 wrote beside its reference. Raises UnsupportedError.

    Another release may have computed something else, or have left an argument out of the layer's config.
    Where no Keras signs the file, as in JSON, somebody may have written it by hand, with any shape.
    """
    written = reference.get("shape")
    if not isinstance(written, list) or not config.keras_release[1:]:
        return tensor
    pairs = list(zip(written, tensor.shape))
    if len(written) != len(tensor.shape) or any(
        None not in pair and len({*pair}) > 1 for pair in pairs
    ):
        raise UnsupportedError(
            f"the output of {str(reference['keras_history'][0])[:80]!r} had the shape {tuple(written)} in the Keras "
            f"that wrote the file; what the file tells of the layer gives {tensor.shape}",
            fix="the file lacks an argument of that layer: generate from the program that makes the model",
        )
    return tensor


@dataclass
class Calls:
    """The layers of one Functional model, and what each of their calls gave so far."""

    made: dict[str, Any]
    calls: dict[str, list[Any]]
    version: int

    def tensor(self, reference: Any, output: bool = False) -> Tensor:
        """``[layer, node, tensor]`` -> the tensor. Raises NotYetError where the call is still to come."""
        if not is_reference(reference):
            raise SavedModelError(f"{str(reference)[:80]!r} is no reference to a layer's output")
        name, node, index = reference[0], reference[1], reference[2]
        if name not in self.calls:
            raise SavedModelError(
                f"the model refers to a layer {str(name)[:80]!r} that the file does not hold"
            )
        node -= self._offset(self.made[name], output)
        done = self.calls[name]
        if not 0 <= node < len(done):
            raise NotYetError(name)
        if isinstance(done[node], OneValue) and index == 0:
            return done[node].value
        tensors = tensors_in(done[node])
        if not 0 <= index < len(tensors):
            raise SavedModelError(f"the layer {name!r} has no output {index}")
        return tensors[index]

    def _offset(self, layer: Any, output: bool) -> int:
        """Which number the first call of a nested model has: see "Nested Functional" in the format notes."""
        if not isinstance(layer, Model):
            return 0
        if self.version < 3:
            return 1
        return 1 if output and not isinstance(layer, Sequential) else 0

    def structure(self, value: Any) -> Any:
        """``input_layers``/``output_layers``: one reference, or lists and dicts of them."""
        if is_reference(value):
            try:
                return self.tensor(value, output=True)
            except NotYetError:
                try:
                    return self.tensor([value[0], value[1] + 1, value[2]], output=True)
                except NotYetError:
                    raise SavedModelError(
                        f"the model's port {str(value)[:80]!r} is never made"
                    ) from None
        if isinstance(value, (list, tuple)) and value:
            return [self.structure(item) for item in value]
        if isinstance(value, dict) and value.get("class_name") == "__tuple__":
            return [self.structure(item) for item in value.get("items", [])]
        if isinstance(value, dict) and value:
            return {k: self.structure(item) for k, item in value.items()}
        raise SavedModelError("the model has no inputs or no outputs")
