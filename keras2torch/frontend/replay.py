"""A model's saved config -> the same constructors and calls that a script makes.

Reads the configs of Keras 3 (nodes with ``__keras_tensor__`` leaves) and of Keras 2 (nested lists, TFOpLambda).
Formats: ``shared`` facts on saved models, and keras/src/models/functional.py (``functional_from_config``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from keras2torch.errors import SavedModelError, UnsupportedError
from keras2torch.frontend.replay_calls import Calls, NotYetError, OneValue, same_shape
from keras2torch.frontend.replay_layers import (
    input_layer,
    keras1_merge,
    mark_name,
    not_held,
    of_keras,
    refuse_bytecode,
    unknown,
    unknown_function,
)
from keras2torch.frontend.replay_values import (
    class_of,
    index_of,
    is_reference,
    read_list,
    read_name,
    read_shape,
    read_shapes,
)
from keras2torch.graph import Constant, tensors_in
from keras2torch.inputs import InputLayer
from keras2torch.layers import REGISTRY, Layer
from keras2torch.layers.activations import activation_name
from keras2torch.layers.operation import call_parameters
from keras2torch.models import Functional, Model
from keras2torch.ops import OPS
from keras2torch.ops.symbolic_shape import SymbolicShape
from keras2torch.sequential import Sequential

_MODELS = {"Functional", "Model", "Sequential"}
_MAX_DEPTH = 64


@dataclass
class Replayer:
    """Rebuilds models from configs. ``version`` is Keras's major version; ``custom`` the user's own classes."""

    version: int = 3
    custom: dict[str, Any] = field(default_factory=dict)

    def model(self, config: dict[str, Any], depth: int = 0) -> Model:
        """The model that ``{"class_name": ..., "config": ...}`` describes. Raises SavedModelError."""
        if depth > _MAX_DEPTH:
            raise SavedModelError("models are nested more than 64 deep")
        name, inner = class_of(config), config.get("config")
        if not isinstance(inner, (dict, list)):
            raise SavedModelError(f"the config of the {name} model is no object")
        if name == "Sequential":
            return self._sequential(inner, depth)
        if name in _MODELS or (
            isinstance(inner, dict) and "layers" in inner and "output_layers" in inner
        ):
            assert isinstance(inner, dict)
            return self._functional(inner, depth)
        own = self._own_class(name, config)
        if own is not None and issubclass(own, Model):
            return self._subclassed(own, config)
        raise UnsupportedError(
            f"the saved model is of the class {name}, whose own call() is not in the file",
            fix="give its source with --custom FILE.py, or generate from the program that makes it",
        )

    def _own_class(self, name: str, item: dict[str, Any]) -> Any:
        """The user's class of that name, or of the name it is registered under; None: there is none."""
        registered = str(item.get("registered_name") or item["class_name"])
        return self.custom.get(name) or self.custom.get(registered)

    def _subclassed(self, cls: Any, item: dict[str, Any]) -> Model:
        """A model whose call() is the user's, run on inputs of the shapes that it was built with."""
        config = item["config"]
        if not isinstance(config, dict):
            raise SavedModelError(f"the config of the {cls.__name__} model is no object")
        arguments = {k: self.value(v) for k, v in config.items() if k not in _IGNORED}
        model = _made(cls, arguments)
        mark_name(model)
        built = item.get("build_config")
        shape = built.get("input_shape") if isinstance(built, dict) else None
        if model.outputs is None and shape:
            model.build(read_shapes(shape))
        if model.outputs is None:
            raise UnsupportedError(
                f"the file does not hold the shapes on which the model of the class {cls.__name__} runs",
                fix="save it as a .keras file once it was called, or generate from the program that makes it",
            )
        return model

    # Sequential.
    def _sequential(self, config: Any, depth: int) -> Sequential:
        layers = config if isinstance(config, list) else read_list(config, "layers")
        name = config.get("name") if isinstance(config, dict) else None
        model = Sequential(name=read_name(name))
        mark_name(model)
        for item in layers:
            model.add(self.layer(item, depth + 1))
        if model.outputs is None and isinstance(config, dict) and config.get("build_input_shape"):
            model.build(read_shape(config["build_input_shape"]))
        return model

    # Functional.
    def _functional(self, config: dict[str, Any], depth: int) -> Functional:
        made: dict[str, Any] = {}
        calls: dict[str, list[Any]] = {}
        pending: list[tuple[str, Any]] = []
        for item in read_list(config, "layers"):
            name = read_name(
                item.get("name") or item.get("config", {}).get("name")
                if isinstance(item, dict)
                else None
            )
            if name is None or name in made:
                raise SavedModelError(f"a layer has no name of its own ({name!r})")
            layer = self.layer(item, depth + 1)
            if isinstance(layer, Layer) and layer.name != name:
                layer.name = name  # Keras 1 and 2 keep a nested Sequential's name beside its config
            made[name] = layer
            calls[name] = []
            if isinstance(layer, InputLayer):
                calls[name].append(layer.tensor)
                continue
            pending += [(name, node) for node in self._nodes(item)]
        state = Calls(made, calls, self.version)
        while pending:
            later = []
            blocked: set[str] = set()
            for name, node in pending:
                if name in blocked:  # the calls of one layer keep their order
                    later.append((name, node))
                    continue
                try:
                    args, kwargs = self._arguments(node, state)
                except NotYetError:
                    blocked.add(name)
                    later.append((name, node))
                    continue
                calls[name].append(self._call(made[name], args, kwargs))
            if len(later) == len(pending):
                raise SavedModelError(
                    f"the layer {later[0][0]!r} depends on itself, or on a layer that the file does not hold"
                )
            pending = later
        inputs = state.structure(config.get("input_layers"))
        outputs = state.structure(config.get("output_layers"))
        model = Functional(inputs=inputs, outputs=outputs, name=read_name(config.get("name")))
        mark_name(model)
        return model

    def _nodes(self, item: dict[str, Any]) -> list[Any]:
        nodes = item.get("inbound_nodes", [])
        if not isinstance(nodes, list):
            raise SavedModelError("inbound_nodes is no list")
        if nodes and class_of(item) in ("TFOpLambda", "SlicingOpLambda") and is_reference(nodes[0]):
            return [[node] for node in nodes]  # one nesting less
        return nodes

    def _arguments(self, node: Any, state: Calls) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if isinstance(node, dict) and node.keys() <= {"args", "kwargs"}:  # Keras 3
            args = self.value(node.get("args", []), state)
            return tuple(args), dict(self.value(node.get("kwargs", {}), state))
        if not isinstance(node, (list, dict)) or not node:
            raise SavedModelError("a node of the model is no list")
        kwargs: dict[str, Any] = {}
        if isinstance(node, list) and not isinstance(node[0], list):
            node = [node]
        tensors = self._referred(node, state, kwargs)
        return (tensors[0] if isinstance(node, list) and len(node) == 1 else tensors,), kwargs

    def _referred(self, item: Any, state: Calls, kwargs: dict[str, Any]) -> Any:
        """What Keras 2's references stand for, in lists and dicts; the arguments beside them go to ``kwargs``."""
        if is_reference(item):
            if len(item) > 3:
                kwargs.update({k: self._keras2_value(v, state) for k, v in item[3].items()})
            is_constant = item[0] == "_CONSTANT_VALUE"
            return Constant(item[2]) if is_constant else state.tensor(item[:3])
        if isinstance(item, dict):
            return {key: self._referred(inner, state, kwargs) for key, inner in item.items()}
        if isinstance(item, list) and all(isinstance(inner, list) for inner in item):
            return [self._referred(inner, state, kwargs) for inner in item]
        raise SavedModelError(f"{str(item)[:80]!r} is no reference to a layer's output")

    def _keras2_value(self, value: Any, state: Calls) -> Any:
        """An extra argument of a Keras 2 node: a reference where it looks like one and names a layer."""
        if isinstance(value, list) and len(value) == 3 and value[0] == "_CONSTANT_VALUE":
            return value[2]
        if (
            isinstance(value, list)
            and len(value) == 3
            and isinstance(value[0], str)
            and value[0] in state.calls
        ):
            return state.tensor(value)
        if isinstance(value, dict) and set(value) >= {"start", "stop", "step"}:
            return slice(*(self._keras2_value(value[k], state) for k in ("start", "stop", "step")))
        if isinstance(value, dict) and value.get("class_name") == "__ellipsis__":
            return ...
        if isinstance(value, list):
            return [self._keras2_value(item, state) for item in value]
        if isinstance(value, dict) and "class_name" not in value:
            return {k: self._keras2_value(v, state) for k, v in value.items()}
        return self.value(value, state)

    def _call(self, layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not isinstance(layer, Layer):
            return layer(args, kwargs)
        # Keras notes call()'s defaults in the node: training=False there does not mean frozen.
        keeps = isinstance(layer, Model) or type(layer).__name__ == "BatchNormalization"
        default = getattr(layer, "training_default", False)
        if kwargs.get("training") is None or (kwargs["training"] is default and not keeps):
            kwargs.pop("training", None)
        if not layer.user_defined and not isinstance(layer, Model):
            known = call_parameters(type(layer).lower).parameters
            for name in [
                n for n, v in kwargs.items() if n not in known and n != "training" and not v
            ]:
                kwargs.pop(name)
            if "mask" not in known:
                kwargs.pop("mask", None)
        elif kwargs.get("mask") is None:
            kwargs.pop("mask", None)
        return layer(*args, **kwargs)

    # Values.
    def value(self, value: Any, state: Calls | None = None, depth: int = 0) -> Any:
        """A value of a config or of a node's arguments, with its special classes resolved."""
        if depth > _MAX_DEPTH:
            raise SavedModelError("a value in the config is nested more than 64 deep")
        if isinstance(value, (list, tuple)):
            return type(value)(self.value(item, state, depth + 1) for item in value)
        if not isinstance(value, dict):
            return value
        name = value.get("class_name")
        config = value.get("config")
        if name is None:
            return {k: self.value(v, state, depth + 1) for k, v in value.items()}
        if name == "__keras_tensor__":
            if state is None or not isinstance(config, dict):
                raise SavedModelError("a tensor stands where none can be")
            return same_shape(state.tensor(config.get("keras_history")), config)
        if name == "__tuple__":
            return tuple(
                self.value(item, state, depth + 1) for item in value.get("items") or config or []
            )
        if name in ("__tensor__", "__numpy__"):
            import numpy

            assert isinstance(config, dict)
            return Constant(numpy.array(config.get("value"), dtype=str(config.get("dtype"))))
        if name == "__slice__":
            assert isinstance(config, dict)
            return slice(
                *(self.value(config.get(k), state, depth + 1) for k in ("start", "stop", "step"))
            )
        if name == "__ellipsis__":
            return ...
        if name == "__lambda__":
            raise UnsupportedError(
                "a lambda is held as bytecode, which is never decoded or run",
                fix="generate from the program that makes the model, or make it a layer of its own",
            )
        if name == "function":
            own = self._function(config)
            if state is not None and not callable(own):
                raise not_held(config)
            return own
        if name in _MODELS:  # inside TimeDistributed
            return self.layer(value, depth)
        if str(name) in REGISTRY and str(value.get("module", "keras.layers")).startswith(
            ("keras.layers", "keras.src.layers", "tf_keras", "keras.engine")
        ):
            return self.layer(value, depth)
        if isinstance(config, dict) and {"name", "trainable"} <= set(
            config
        ):  # the user's own layer
            return self.layer(value, depth)
        own = self._own_class(str(name), value)
        if isinstance(own, type) and isinstance(config, dict):  # an initializer or the like
            return _made(own, {k: self.value(v, state, depth + 1) for k, v in config.items()})
        if not str(value.get("module") or "keras").startswith(_OF_KERAS):
            raise unknown(value, str(name), "an object")
        if state is not None:
            raise not_held(config or name)
        return value  # initializers, regularizers, policies: resolved where they are used

    # Layers.
    def layer(self, item: Any, depth: int = 0) -> Any:
        """A layer, a model, or (for an operation) a function that records one call of it."""
        if not isinstance(item, dict):
            raise SavedModelError("a layer of the model is no object")
        name = class_of(item)
        config = item.get("config", {})
        if name in _MODELS:
            model = self.model(item, depth)
            if isinstance(config, dict) and config.get("trainable") is False:
                model._trainable = False
            return model
        if not isinstance(config, dict):
            raise SavedModelError(f"the config of a {name} layer is no object")
        module = str(item.get("module") or "")
        if ".ops" in module or module.startswith("keras.src.random"):
            return self._operation(name, config)
        if (
            self.version >= 3
            and not module
            and self._may_be_operation(name, config, item.get("inbound_nodes"))
        ):
            return self._operation(name, config)
        if name in ("TFOpLambda", "SlicingOpLambda"):
            return self._tf_operation(config)
        if name == "Merge" and name not in self.custom:
            return keras1_merge(
                config, [self.layer(x, depth + 1) for x in config.get("layers") or ()]
            )
        if self.version < 3 and name in ("GRU", "GRUCell"):
            config = {"reset_after": False, **config}  # which Keras 1, and 2 at first, did not have
        own = self._own_class(name, item)
        if own is not None:
            cls = own
        elif name in REGISTRY and of_keras(item):
            cls = REGISTRY[name]
        elif name in ("InputLayer",):
            cls = InputLayer
        else:
            raise unknown(item, name)
        label = str(config.get("name", name))
        refuse_bytecode(config, label)
        arguments = {
            k: self.value(v, None, depth + 1) for k, v in config.items() if k not in _IGNORED
        }
        for key, value in arguments.items():
            if isinstance(value, str) and ("activation" in key or (name, key) == _OF_LAMBDA):
                arguments[key] = function = self._function(value)
                if own is None and not callable(function) and activation_name(function) is None:
                    raise unknown_function(key, function, label)
        if cls is InputLayer:
            return input_layer(arguments)
        for key in [
            k
            for k, v in arguments.items()
            if v is None and k not in cls.fields and k not in cls.base_arguments
        ]:
            arguments.pop(key)
        layer = _made(cls, arguments)
        mark_name(layer)
        return layer

    def _may_be_operation(self, name: str, config: dict[str, Any], nodes: Any) -> bool:
        """Whether the name can only mean an operation: HDF5 files of Keras 3 do not say where a class is from.

        Some are called like a layer, which has a ``trainable`` if Keras wrote it, other arguments, or takes one list.
        """
        if "trainable" in config or name in self.custom or _operation(name) is None:
            return False
        if name not in REGISTRY:
            return True
        first = nodes[0] if isinstance(nodes, list) and nodes else None
        one_by_one = isinstance(first, dict) and len(first.get("args", ())) > 1
        layer = REGISTRY[name]
        return one_by_one or not set(config) <= {*layer.fields, *layer.base_arguments}

    def _function(self, name: Any) -> Any:
        """The user's function of that name ("package>name"), or the name itself."""
        own = self.custom.get(str(name).rpartition(">")[2])
        return own if own is not None and not isinstance(own, type) else name

    def _operation(self, name: str, config: dict[str, Any]) -> Callable[..., Any]:
        function = operation(name)
        fixed = {
            k: self.value(v)
            for k, v in config.items()
            if k not in ("name", "dtype") or (k == "dtype" and isinstance(v, str))
        }

        for key, value in config.items():
            if _is_unknown(value, fixed.get(key)):
                raise UnsupportedError(
                    f"the operation {name} takes a function or another object, which only its program holds",
                    fix="generate from the program that makes the model",
                )

        def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if getattr(function, "refuses", False):
                return function(*args, **fixed, **kwargs)
            known = _parameters(function)
            given = {k: v for k, v in fixed.items() if k in known}
            dropped = {k: v for k, v in fixed.items() if k not in known and v not in (None, False)}
            if dropped:
                raise UnsupportedError(
                    f"the operation {name} has an argument {next(iter(dropped))!r} that is not known"
                )
            many = [p for p in known.values() if p.kind is p.VAR_POSITIONAL]
            if many:  # einsum's operands, meshgrid's vectors
                lead = [
                    given.pop(p.name)
                    for p in known.values()
                    if p.name in given and p.default is p.empty
                ]
                return function(*lead, *args, **given, **kwargs)
            # Constructor arguments first, then those of the call; the op's signature has both by name.
            free = [k for k in known if k not in given]
            if name == "GetItem" and isinstance(args[1], list):  # JSON has no tuples
                args = (args[0], tuple(args[1]))
            positional = dict(zip(free, args))
            return function(**{**given, **positional, **kwargs})

        return call

    def _tf_operation(self, config: dict[str, Any]) -> Callable[..., Any]:
        path = str(config.get("function", "__operators__.getitem")).removeprefix("compat.v1.")
        names = (f"tf.{path}", path, f"tf.{path.rpartition('.')[2]}")
        function = next((OPS[name] for name in names if name in OPS), None)
        if "getitem" in path or "strided_slice" in path:
            return lambda args, kwargs: OneValue(args[0][index_of(kwargs)])
        if function is None:
            raise UnsupportedError(
                f"the TensorFlow function tf.{path} has no translation",
                fix="generate from the program that makes the model, with this step written otherwise",
            )
        known, is_vector = _parameters(function), path.rpartition(".")[2] in ("shape", "shape_v2")

        def call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if path == "einsum" and all(isinstance(x, Constant) for x in tensors_in(args)):
                raise UnsupportedError(
                    "Keras 2 wrote a call of tf.einsum without its tensors",
                    fix="generate from the program that makes the model",
                )
            free = (k for k, v in kwargs.items() if k in known or not (v is None or v is False))
            result = function(*args, **{k: kwargs[k] for k in free})
            is_one = is_vector or isinstance(result, (int, float, SymbolicShape))
            return OneValue(result) if is_one else result

        return call


_IGNORED = {
    *("shared_object_id", "batch_input_shape_", "build_config", "quantization_config"),
    *("lora_rank", "lora_alpha"),  # what LoRA has learnt is saved within the kernels
}


_OF_LAMBDA = ("Lambda", "function")
_OF_KERAS = ("keras", "tf_keras", "tensorflow", "builtins")


def _made(cls: Any, arguments: dict[str, Any]) -> Any:
    """The object of a config, by a way of the class's own where it has one."""
    return cls.from_config(arguments) if "from_config" in cls.__dict__ else cls(**arguments)


def _is_unknown(value: Any, read: Any) -> bool:
    """Whether a value in an operation's config, or one in it, was read as no more than the name of an object."""
    if isinstance(value, (list, tuple)) and isinstance(read, (list, tuple)):
        return any(_is_unknown(*pair) for pair in zip(value, read))
    if not isinstance(value, dict) or callable(read):
        return False
    is_function = value.get("class_name") in ("function", "__lambda__")
    return is_function or (isinstance(read, dict) and "class_name" in read)


def operation(name: str) -> Callable[..., Any]:
    """The function for a Keras operation's class name: ``ExpandDims`` -> keras.ops.expand_dims."""
    function = _operation(name)
    if function is None:
        raise UnsupportedError(f"the operation {name} has no translation")
    return function


def _operation(name: str) -> Callable[..., Any] | None:
    from keras2torch import ops

    special = getattr(ops, "OPERATION_CLASSES", {})
    if name in special:
        return OPS[special[name]]
    flat = name.lower()
    for path, function in OPS.items():
        if path.startswith("keras.ops.") and path.rpartition(".")[2].replace("_", "") == flat:
            return function
    return None


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """The arguments of a function on tensors, by name."""
    return dict(inspect.signature(function).parameters)
