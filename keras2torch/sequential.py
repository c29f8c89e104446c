"""Sequential, as a recording class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import refuse_absent
from keras2torch.graph import Graph, Scope, Tensor, tensors_in
from keras2torch.inputs import Input, InputLayer
from keras2torch.layers.base import Layer
from keras2torch.layers.operation import as_tensor, dtype_name
from keras2torch.models import Model


class Sequential(Model):
    """A stack of layers; takes its input shape from Input, the first layer, build() or the data."""

    scope_kind = "sequential"

    def __init__(
        self,
        layers: Iterable[Any] | None = None,
        trainable: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._set_base({"name": name, "trainable": trainable})
        self.stack: list[Any] = []
        self.waiting: list[tuple[Any, tuple[Scope, ...]]] = []
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Append a layer, a model, or an Input."""
        refuse_absent(layer, "what is added to a Sequential model")
        if isinstance(layer, InputLayer):
            layer = layer.tensor
        if isinstance(layer, Tensor):
            if self.outputs is None:
                self._start(layer)
            return
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise K2TError(f"{layer!r} is no layer", where=trace.user_location())
            from keras2torch.layers.base import REGISTRY

            layer = REGISTRY["Lambda"](layer)
        self.stack.append(layer)
        if self.outputs is None and getattr(layer, "starts_model", False):  # Keras 1's Merge
            inputs = {id(tensor): tensor for tensor in layer.inputs}  # one model may come in twice
            self.inputs, self.outputs = list(inputs.values()), list(layer.outputs)
            self.input_structure, self.output_structure = self.inputs, self.outputs[0]
            self.built = True
            return
        if self.outputs is None and layer.input_shape_given is not None:
            dtype = dtype_name(layer.input_dtype_given)
            if dtype is None and getattr(layer, "integer_input", False):
                dtype = "int32"
            self._start(self._input(layer, layer.input_shape_given, dtype))
        elif (
            self.outputs is None
            and isinstance(layer, Model)
            and layer.inputs
            and len(self.stack) == 1
        ):
            first = layer.inputs[0]
            self._start(self._input(layer, first.shape, first.dtype))
        if self.outputs is not None:
            self._extend(layer)

    def _input(self, layer: Any, shape: Any, dtype: str | None) -> Tensor:
        """The Input that Keras makes for a first layer that knows its shape."""
        tensor = Input(batch_shape=shape, dtype=dtype, name=f"{layer.name}_input")
        tensor.named, tensor.variable = False, None  # type: ignore[attr-defined]
        return tensor

    def _start(self, tensor: Tensor) -> None:
        self.inputs, self.outputs = [tensor], [tensor]
        self.input_structure = tensor
        waiting = self.stack[:] if self.outputs and not self.built else []
        self.built = True
        for layer in waiting[:-1] if waiting and waiting[-1].input_shape_given is not None else []:
            self._extend(layer)

    def _extend(self, layer: Layer) -> None:
        assert self.outputs is not None
        outputs = layer(self.outputs[0])
        self.outputs = tensors_in(outputs)
        self.output_structure = outputs

    def _from_call(self, inputs: Any) -> None:
        if self.outputs is None:
            tensor = tensors_in(inputs)[0]
            if self.stack and getattr(self.stack[0], "integer_input", False):
                tensor.dtype = "int32" if tensor.dtype == "float32" else tensor.dtype
            self.inputs, self.outputs, self.input_structure = [tensor], [tensor], tensor
            self.built = True
            for layer in self.stack:
                self._extend(layer)

    def build(self, input_shape: Any = None) -> None:
        if self.outputs is None and input_shape is not None:
            dtype = (
                "int32"
                if self.stack and getattr(self.stack[0], "integer_input", False)
                else "float32"
            )
            self._from_call(Input(batch_shape=tuple(input_shape), dtype=dtype))

    @property
    def graph(self) -> Graph:
        """As of any model; one that starts with an Embedding takes sequences of any length."""
        if self.outputs is None and self.stack and self.stack[0].shape_if_none_is_given:
            self.build(self.stack[0].shape_if_none_is_given)
        return super().graph

    def pop(self, rebuild: bool = True) -> Any:
        """Remove the last layer."""
        layer = self.stack.pop()
        if self.outputs is not None:
            made = [call for call in self.graph.calls if call.operation is layer]
            scoped = [
                call for call in self.graph.calls if any(s.owner is layer for s in call.scopes)
            ]
            calls = made or scoped
            if calls:
                inside = {id(t) for call in calls for t in call.outputs}
                entry = [t for call in calls for t in call.inputs if id(t) not in inside]
                self.outputs = [
                    t for t in entry if t.call is not None or any(t is i for i in self.inputs or [])
                ][:1]
                self.output_structure = self.outputs[0]
        return layer

    @property
    def layers(self) -> list[Any]:
        return list(self.stack)

    def sublayers(self) -> list[Layer]:
        return list(self.stack)

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        if self.outputs is None:  # built by its first call
            tensor = inputs if isinstance(inputs, Tensor) else as_tensor(inputs)
            self._from_call(Input(batch_shape=tensor.shape, dtype=tensor.dtype))
        return self.replay(inputs)
