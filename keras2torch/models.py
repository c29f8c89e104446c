"""Model, Functional and subclassed, as a recording class."""

from __future__ import annotations

import itertools
from typing import Any

from keras2torch.errors import K2TError, ScriptError
from keras2torch.frontend import recording, trace
from keras2torch.frontend.absent import find_absent, refuse_absent
from keras2torch.graph import (
    Constant,
    Graph,
    Scope,
    by_sorted_keys,
    map_structure,
    relative_scopes,
    tensors_in,
)
from keras2torch.inputs import SHAPED, InputView, data_shape, has_shape, inputs_of_shapes
from keras2torch.layers.base import Layer
from keras2torch.layers.operation import as_tensor
from keras2torch.replays import renew, replay_call

_events = itertools.count()
MODELS: list[Model] = []
"""Every model made since the last ``clear_models``, in order."""


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
            runs={},  # by the inputs (their ids) of a run of the graph: its tensors
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
        found: dict[int, Any] = {id(t): InputView(t) for t in graph.inputs}
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
        from keras2torch.added import with_added_losses

        outer = trace.user_scopes() + (self.new_scope(),)
        graph = with_added_losses(self.graph, self)
        inner = relative_scopes(graph)
        renewed: dict[int, Scope] = {}
        for call in graph.calls:
            scopes = tuple(renew(scope, renewed, table) for scope in inner(call))
            replay_call(call, table, outer + scopes)
        alike = not any(_keeps_statistics(call.operation) for call in graph.calls)
        key = tuple(id(tensor if tensor.same is None else tensor.same) for tensor in given)
        earlier = self.runs.setdefault(key, table) if alike else table
        for tensor in graph.tensors:
            new = table.get(id(tensor), tensor)
            if new is not tensor:
                new.terms += tuple(table.get(id(term), term) for term in tensor.terms)
                _make_twins(earlier[id(tensor)], new)
                if alike and key == tuple(map(id, self.inputs or [])):
                    _make_twins(tensor, new)
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
            self._from_call(inputs_of_shapes(input_shape))

    def _from_call(self, inputs: Any) -> None:
        self.built = True
        if self.outputs is None:
            inputs = by_sorted_keys(inputs)
            outputs = by_sorted_keys(self._traced_outputs(inputs))
            inputs = list(inputs) if isinstance(inputs, _Arguments) else inputs
            self.input_structure, self.inputs = inputs, tensors_in(inputs)
            self.output_structure, self.outputs = outputs, tensors_in(outputs)

    def _traced_outputs(self, inputs: Any) -> Any:
        """What ``call`` returns; of a class that has a ``train_step`` alone, what its layers give there."""
        from keras2torch.training import own_step

        if own_step.is_all(self):
            return own_step.start_from_step(self, inputs)
        return self(*inputs) if isinstance(inputs, _Arguments) else self(inputs)

    def build_from_data(self, data: Any) -> None:
        """Give a model without inputs the shapes of the data that it is trained on."""
        if self.outputs is not None or data is None:
            return
        own = not type(self).__module__.startswith("keras2torch.")
        alone = own and type(self).call is Model.call  # all is done by its train_step
        if hasattr(type(data), "batch_specs") or hasattr(type(data), "__next__"):
            from keras2torch.frontend.standins.data import fed_by

            data, given = fed_by(data), data
            self.input_source = find_absent(given if data is None else data)
        shapes = map_structure(data_shape, data, leaf=SHAPED)
        if shapes is not data or isinstance(data, SHAPED):
            try:
                self._from_call(inputs_of_shapes(shapes, data))
            except K2TError:
                if not alone:  # else it is told where a model is chosen
                    raise

    # Training: recorded only.
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        data = args[0] if args else kwargs.get("inputs")
        alone = self.outputs is None and not self.built
        if alone and self.user_defined and len(args) > 1 and all(map(_is_data, args)):
            inputs = [
                inputs_of_shapes(map_structure(data_shape, arg, leaf=SHAPED), arg) for arg in args
            ]
            self._from_call(_Arguments(inputs))
        elif self.outputs is None and _symbolic(args, kwargs) == [] and _is_data(data):
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

    export = reset_metrics = save_weights

    def reset_states(self) -> None:
        """A training script starts the recurrent states anew at the same time."""
        from keras2torch.training.calls import note_reset

        note_reset(self)

    reset_state = reset_states

    def load_weights(self, filepath: Any = None, *args: Any, **kwargs: Any) -> None:
        """Of a model that was trained: the training script does so, too, where it wrote the file."""
        from keras2torch.training.record import record_call

        if any(call.method in ("fit", "fit_generator") for call in self.training_calls):
            record_call(self, "load_weights", (filepath,), {})

    def to_json(self, **kwargs: Any) -> str:
        """A text that ``model_from_json`` knows this model by."""
        text = f'{{"class_name": "{type(self).__name__}", "made": {self.made}}}'
        recording.save(text, self)
        return text

    to_yaml = to_json


class Functional(Model):
    """The class name in saved configs."""


def _make_twins(first: Any, second: Any) -> None:
    """Two tensors that runs of one model on the same inputs made."""
    if first is not second:
        second.same = first if first.same is None else first.same
        first.twins, second.twins = (*first.twins, second), (*second.twins, first)


def _keeps_statistics(operation: Any) -> bool:
    """Whether a second run on the same values would change more than the first."""
    return any(not weight.trainable for weight in getattr(operation, "weights", ()))


def _symbolic(*values: Any) -> list[Any]:
    return [tensor for tensor in tensors_in(values) if not isinstance(tensor, Constant)]


def _is_data(value: Any) -> bool:
    """Whether it is an array, or a structure of arrays."""
    if isinstance(value, (list, tuple)) and value:
        return all(map(_is_data, value))
    return has_shape(value)


class _Arguments(list):
    """Inputs that a subclassed model's call takes as separate arguments."""


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
