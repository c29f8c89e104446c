"""Input, Model (Functional and subclassed) and Sequential, as recording classes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from keras2torch.errors import K2TError, ScriptError
from keras2torch.frontend import recording, trace
from keras2torch.frontend.absent import find_absent, refuse_absent
from keras2torch.graph import (
    Call,
    Graph,
    Scope,
    Tensor,
    by_sorted_keys,
    map_structure,
    record,
    relative_scopes,
    tensors_in,
)
from keras2torch.layers.base import Layer, as_tensor, dtype_name, unique_name

_events = itertools.count()
MODELS: list[Model] = []
"""Every model made since the last ``clear_models``, in order."""


def Input(  # noqa: N802 - Keras's name
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: Any = None,
    ragged: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
    batch_input_shape: Any = None,
    batch_shape_: Any = None,
    data_format: str | None = None,
) -> Tensor:
    """A model input of ``shape`` (without the batch axis) or ``batch_shape`` (with it)."""
    if tensor is not None and isinstance(tensor, Tensor):
        return tensor
    if sparse or ragged:
        raise K2TError(
            "sparse and ragged inputs have no exact translation",
            where=trace.user_location(),
            fix="give the model dense inputs",
        )
    refuse_absent((shape, batch_size, batch_shape, batch_input_shape), "the shape of an Input")
    batch_shape = batch_shape or batch_input_shape
    if batch_shape is None:
        if shape is None:
            raise _without_shape(tensor)
        shape = tuple(shape) if hasattr(shape, "__iter__") else (shape,)
        batch_shape = (batch_size, *shape)
    result = Tensor(
        [None if n is None or n == -1 else _as_int(n) for n in batch_shape],
        dtype_name(dtype) or "float32",
        name or unique_name("input_layer"),
    )
    result.scopes = trace.user_scopes()
    result.named = name is not None  # type: ignore[attr-defined]
    result.variable = trace.assigned_name()  # type: ignore[attr-defined]
    return result


def _without_shape(tensor: Any) -> K2TError:
    where = trace.user_location()
    if tensor is None:
        return K2TError("Input needs a shape", where=where, fix="give it one: Input(shape=(...))")
    return K2TError(
        "Input(tensor=...) wraps what is read while it runs, of unknown shape",
        where=where,
        fix="give the shape of one sample as well: Input(tensor=..., shape=(...))",
    )


def _as_int(size: Any) -> int:
    try:
        return int(size)
    except (TypeError, ValueError):
        raise K2TError(
            f"{size!r} is no size for an input axis", where=trace.user_location()
        ) from None


class InputLayer(Layer):
    """Keras's layer form of Input, as the first item of a Sequential model."""

    shape: Any = None
    batch_size: int | None = None
    dtype: Any = None
    sparse: Any = None
    ragged: Any = None
    batch_shape: Any = None
    input_tensor: Any = None
    optional: bool = False
    name: str | None = None  # type: ignore[assignment]

    old_names = {"batch_input_shape": "batch_shape", "input_shape": "shape", "input_tensor": None}

    def __init__(self, *args: Any, **kwargs: Any):
        if "input_shape" in kwargs:
            kwargs["shape"] = kwargs.pop("input_shape")
        self.tensor: Any = Input(*args, **kwargs)
        self._set_base({"name": self.tensor.name})


class Model(Layer):
    """keras.Model: ``Model(inputs, outputs)``, or a subclass with its own ``call``."""

    old_names = {"input": "inputs", "output": "outputs"}
    build_is_final = False  # with no shape, it does nothing

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        model = super().__new__(cls)
        model.__dict__.update(
            inputs=None,
            outputs=None,
            input_structure=None,
            output_structure=None,
            input_source=None,  # stand-in for the data that the input shape should come from
            training_calls=[],
            stop_training=False,
            made=next(_events),
            noun=trace.noun(),
            history=None,
            optimizer=None,
            loss=None,
            device=None,
        )
        MODELS.append(model)
        return model

    def __init__(self, *args: Any, **kwargs: Any):
        kwargs = {str(self.old_names.get(k, k)): v for k, v in kwargs.items()}
        names = ["inputs", "outputs", "device"]
        given = {**dict(zip(names, args)), **kwargs}
        self._set_base({"name": given.get("name"), "trainable": given.get("trainable", True)})
        self.device = given.get("device")
        if given.get("inputs") is not None and given.get("outputs") is not None:
            self._set_graph(given["inputs"], given["outputs"])

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        refuse_absent((inputs, outputs), "an end of the model")
        inputs, outputs = by_sorted_keys(inputs), by_sorted_keys(outputs)
        self.input_structure, self.output_structure = inputs, outputs
        self.inputs, self.outputs = tensors_in(inputs), tensors_in(outputs)
        if not self.outputs or not self.inputs:
            raise K2TError(
                "Model(inputs, outputs) needs the tensors that Input() and the layers return; "
                f"it got {_kind_of(inputs)} and {_kind_of(outputs)}",
                where=trace.user_location(),
            )
        self.built = True
        self.graph  # noqa: B018 - fails here, at the user's line, if an input is not listed

    # Structure.
    @property
    def graph(self) -> Graph:
        """The calls between this model's inputs and outputs."""
        if self.inputs is None or self.outputs is None:
            if self.input_source is not None:
                raise self.input_source._source.error(f"the input shape of {self.name!r}")
            raise ScriptError(
                f"the model {self.name!r} is never given an input shape",
                where=self.where,
                fix="add an Input layer (or input_shape=), or call build(input_shape)",
            )
        return Graph.between(self.inputs, self.outputs, self.name)

    @property
    def layers(self) -> list[Any]:
        """Layers in the order of their first call; of a nested model or custom layer, itself."""
        if self.outputs is None:
            return [layer for layer in super().sublayers()]
        graph = self.graph
        found: dict[int, Any] = {id(t): _InputView(t) for t in graph.inputs}
        around = {scope for tensor in graph.inputs for scope in tensor.scopes}
        for call in graph.calls:
            inner = [s for s in call.scopes if s.kind != "function" and s not in around]
            owners = [scope.owner for scope in inner if scope.owner is not self]
            layer = owners[0] if owners else call.operation
            if isinstance(layer, Layer) and layer is not self:
                found.setdefault(id(layer), layer)
        return list(found.values())

    def sublayers(self) -> list[Layer]:
        """As Keras tracks them: the layers of the graph, or those in a subclass's attributes."""
        if self.user_defined:
            return super().sublayers()
        return [layer for layer in self.layers if isinstance(layer, Layer)]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        layers = self.layers
        if index is not None:
            return layers[index]
        names = [layer.name for layer in layers]
        # Keras 2 wrote "conv1/relu" in keras.applications where Keras 3 writes "conv1_relu".
        for wanted in (name, str(name).replace("/", "_")):
            if wanted in names:
                return layers[names.index(wanted)]
        known = ", ".join(names) if len(names) < 20 else ", ".join([*names[:6], "...", *names[-8:]])
        raise K2TError(
            f"the model has no layer {name!r}",
            where=trace.user_location(),
            fix=f"names differ between versions of Keras; here they are: {known}",
        )

    @property
    def input(self) -> Any:
        return self.input_structure if self.input_structure is not None else self.inputs[0]

    @property
    def output(self) -> Any:
        return self.output_structure if self.output_structure is not None else self.outputs[0]

    @property
    def input_shape(self) -> Any:
        return self.inputs[0].shape if self.inputs else None

    # Calling.
    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        """Replay the graph on other tensors."""
        if self.outputs is None:
            raise K2TError(
                f"the model {self.name!r} is called before it has inputs and outputs",
                where=trace.user_location(),
            )
        return self.replay(inputs)

    def replay(self, inputs: Any) -> Any:
        """Record every call of this model again, on ``inputs``, in a scope of the model's own."""
        given = _match_inputs(self, inputs)
        table: dict[int, Any] = {id(old): new for old, new in zip(self.inputs or [], given)}
        outer = trace.user_scopes() + (self.new_scope(),)
        graph = self.graph
        inner = relative_scopes(graph)
        renewed: dict[int, Scope] = {}
        for call in graph.calls:
            scopes = tuple(_renew(scope, renewed, table) for scope in inner(call))
            _replay_call(call, table, outer + scopes)
        structure = self.output_structure if self.output_structure is not None else self.outputs[0]
        return map_structure(lambda tensor: table.get(id(tensor), tensor), structure)

    scope_kind = "model"

    @property
    def names_outputs(self) -> bool:  # type: ignore[override]
        """A subclass that is traced by a call of its own gives no name to its outputs."""
        return self.outputs is not None

    def new_scope(self) -> Scope:
        kind = "layer" if self.user_defined else self.scope_kind
        return trace.new_scope(
            kind, self.display_name, self, type(self).__doc__ if kind == "layer" else None
        )

    @property
    def display_name(self) -> str:
        """What a class made of this model is called: its class, its name, or its noun."""
        if type(self).__module__.startswith("keras2torch."):
            return self.name if self.named else self.noun or self.variable or self.name
        return type(self).__name__

    def build(self, input_shape: Any = None) -> None:
        """Trace a subclassed model on inputs of these shapes (or build the layers of a nested one)."""
        if self.outputs is None and input_shape is not None and self.user_defined:
            self._from_call(_inputs_of_shapes(input_shape))

    def _from_call(self, inputs: Any) -> None:
        self.built = True
        if self.outputs is None:
            inputs = by_sorted_keys(inputs)
            outputs = self(inputs) if not isinstance(inputs, _Arguments) else self(*inputs)
            outputs = by_sorted_keys(outputs)
            self.input_structure, self.inputs = inputs, tensors_in(inputs)
            self.output_structure, self.outputs = outputs, tensors_in(outputs)

    def build_from_data(self, data: Any) -> None:
        """Give a model without inputs the shapes of the data that it is trained on."""
        if self.outputs is not None or data is None:
            return
        if hasattr(type(data), "batch_specs") or hasattr(type(data), "__next__"):
            from keras2torch.frontend.standins.data import fed_by

            data, given = fed_by(data), data
            self.input_source = find_absent(given if data is None else data)
        shapes = map_structure(_data_shape, data, leaf=_SHAPED)
        if shapes is not data or isinstance(data, _SHAPED):
            self._from_call(_inputs_of_shapes(shapes, data))

    # Training: recorded only.
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else kwargs.get("inputs")
        if self.outputs is None and not tensors_in((args, kwargs)) and _has_shape(data):
            self.build_from_data(data)
        return super().__call__(*args, **kwargs)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """The layer table is ``k2t summary``; a recorded script prints nothing."""

    @property
    def metrics_names(self) -> list[str]:
        from keras2torch.training.record import _metric_names

        return ["loss", *_metric_names(self)]

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name}

    def save(self, filepath: Any = None, *args: Any, **kwargs: Any) -> None:
        """Nothing is written; a script that loads the file again gets this model."""
        recording.save(filepath, self)

    def save_weights(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is trained while recording, so nothing is saved."""

    load_weights = export = reset_states = reset_state = reset_metrics = save_weights

    def to_json(self, **kwargs: Any) -> str:
        """A text that ``model_from_json`` knows this model by."""
        text = f'{{"class_name": "{type(self).__name__}", "made": {self.made}}}'
        recording.save(text, self)
        return text

    to_yaml = to_json


class Functional(Model):
    """The class name in saved configs."""


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


class _Arguments(list):
    """Inputs that a subclassed model's call takes as separate arguments."""


class _InputView:
    """What ``model.layers`` shows of an Input."""

    def __init__(self, tensor: Tensor):
        self.name, self.output, self.input = tensor.name, tensor, tensor
        self.trainable, self.weights = True, list[Any]()
        self.output_shape = self.input_shape = tensor.shape

    def get_weights(self) -> list[Any]:
        return []

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "batch_shape": self.output.shape}


def _renew(scope: Scope, renewed: dict[int, Scope], table: dict[int, Any]) -> Scope:
    """The scope of the same block in one more run of the model."""
    if id(scope) not in renewed:
        fresh = trace.new_scope(scope.kind, scope.name, scope.owner, scope.doc)
        # A function's run made its own layers: all replays of it are runs of one block.
        owner = (
            ("run", scope.invocation)
            if scope.kind == "function" and not isinstance(scope.owner, tuple)
            else scope.owner
        )
        renewed[id(scope)] = Scope(
            scope.kind,
            scope.name,
            owner,
            fresh.invocation,
            scope.doc,
            scope.arguments,
            tuple((name, table.get(id(tensor), tensor)) for name, tensor in scope.tensors),
        )
    return renewed[id(scope)]


def _replay_call(call: Call, table: dict[int, Any], scopes: tuple[Scope, ...]) -> None:
    swap = lambda tensor: table.get(id(tensor), tensor)  # noqa: E731
    args, kwargs = map_structure(swap, call.args), map_structure(swap, call.kwargs)
    operation = call.operation
    from keras2torch.layers import base

    training = call.training if call.training is not None else base._training[-1]
    try:
        specs = operation.output_spec(*args, **base._without_mask(kwargs, operation.output_spec))
    except (IndexError, TypeError, ValueError) as error:
        raise K2TError(
            f"{operation} does not fit the new input: {error}", where=trace.user_location()
        ) from error
    made = record(
        operation, args, kwargs, specs, training=training, scopes=scopes, where=call.where
    )
    for old, new in zip(call.outputs, tensors_in(made)):
        table[id(old)] = new
        new.mask = table.get(id(old.mask), old.mask) if old.mask is not None else None
    if new_call := tensors_in(made)[0].call:
        new_call.assigned = call.assigned


def _kind_of(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_kind_of, value)) + "]"
    return (
        f"the layer {type(value).__name__}"
        if isinstance(value, Layer)
        else f"a {type(value).__name__}"
    )


def _match_inputs(model: Model, inputs: Any) -> list[Any]:
    expected = model.inputs or []
    if isinstance(inputs, dict):
        by_name = {str(t.name): inputs[t.name] for t in expected if t.name in inputs}
        if len(by_name) == len(expected):
            return [by_name[str(t.name)] for t in expected]
        if isinstance(model.input_structure, dict):
            return [inputs[key] for key in model.input_structure]
        return list(by_sorted_keys(inputs).values())
    given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    given = [as_tensor(item) for item in given]
    if len(given) != len(expected):
        raise K2TError(
            f"the model {model.name!r} takes {len(expected)} inputs, {len(given)} given",
            where=trace.user_location(),
        )
    for tensor, want in zip(given, expected):
        pairs = zip(tensor.shape, want.shape)
        if len(tensor.shape) != len(want.shape) or any(a and b and a != b for a, b in pairs):
            if len(tensor.shape) == len(want.shape):
                raise K2TError(
                    f"the model {model.name!r} takes an input of shape {want.shape}, "
                    f"and is called on one of shape {tensor.shape}",
                    where=trace.user_location(),
                )
    return given


class _Shaped(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return _has_shape(value)


class _SHAPED(metaclass=_Shaped):  # noqa: N801
    """Anything with a shape and a dtype."""


def _has_shape(value: Any) -> bool:
    return hasattr(value, "shape") and isinstance(getattr(value, "shape", None), tuple)


def _data_shape(value: Any) -> Any:
    return (None, *tuple(value.shape)[1:])


def _inputs_of_shapes(shapes: Any, data: Any = None) -> Any:
    """Inputs for a shape or a structure of shapes; dtypes follow ``data``."""

    def dtype_of(value: Any) -> str:
        name = str(getattr(value, "dtype", "float32"))
        return name if name in ("int32", "int64", "uint8", "bool") else "float32"

    if isinstance(shapes, dict):
        return {
            k: _inputs_of_shapes(v, data[k] if isinstance(data, dict) else None)
            for k, v in shapes.items()
        }
    if all(n is None or isinstance(n, int) for n in shapes):
        return Input(batch_shape=(None, *tuple(shapes)[1:]), dtype=dtype_of(data))
    items = data if isinstance(data, (list, tuple)) else [None] * len(shapes)
    return [_inputs_of_shapes(shape, item) for shape, item in zip(shapes, items)]


def clear_models() -> None:
    """Forget the models of an earlier script."""
    MODELS.clear()


def _training_method(name: str, defaults: Any = None) -> Any:
    def method(self: Model, *args: Any, **kwargs: Any) -> Any:
        from keras2torch.training.record import record_call

        return record_call(self, name, args, kwargs)

    method.__name__ = name
    return method


for _name in (
    "compile fit evaluate predict fit_generator evaluate_generator predict_generator "
    "train_on_batch test_on_batch predict_on_batch predict_classes predict_proba"
).split():
    setattr(Model, _name, _training_method(_name))
