"""The real Keras model: loading, running, gradients on whichever backend is installed."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from keras2torch.errors import K2TError
from keras2torch.pipeline import Generated
from keras2torch.verify.samples import Case

_PACKAGES = {"jax": "jax", "tensorflow": "tensorflow", "torch": "torch"}

_ROUNDING = {"float16": 5e-3, "bfloat16": 4e-2}  # ten units in the last place


def find_keras() -> Any:
    """Real Keras, on an installed backend and the CPU. Raises KerasMissingError."""
    from keras2torch.verify import KerasMissingError

    if "keras" not in sys.modules:
        if find_spec("keras") is None:
            raise KerasMissingError("Keras is not installed", fix="pip install keras jax")
        os.environ.setdefault("KERAS_BACKEND", _backend())
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # compiling costs the most
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import keras
    except ImportError as error:
        raise KerasMissingError(
            f"Keras cannot be imported ({error})", fix="pip install jax"
        ) from None
    return keras


def _backend() -> str:
    """The backend of the user's settings where it is installed, else the first that is."""
    from keras2torch.verify import KerasMissingError

    settings = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "keras.json"
    wanted = []
    try:
        wanted.append(json.loads(settings.read_text(encoding="utf-8"))["backend"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    for backend in [*wanted, *_PACKAGES]:
        if backend in _PACKAGES and find_spec(_PACKAGES[backend]) is not None:
            return backend
    raise KerasMissingError("Keras has no backend here", fix="pip install jax")


def load(path: Path, custom: str | Path | None) -> Any:
    """The model in a file. Raises K2TError where the installed Keras cannot load it."""
    keras = find_keras()
    objects = _custom_objects(keras, Path(custom)) if custom is not None else {}
    try:
        with keras.utils.custom_object_scope(objects):
            if path.suffix == ".json":
                return keras.models.model_from_json(path.read_text(encoding="utf-8"))
            return keras.models.load_model(path, compile=False)
    except Exception as error:  # whatever Keras raises: the user is told
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise K2TError(
            f"the installed Keras {keras.__version__} cannot load it: {told[0][:300]}",
            where=path.name,
            fix="verify with the Keras version that wrote it, or save it again with this one",
        ) from error


def _custom_objects(keras: Any, path: Path) -> dict[str, Any]:
    """The classes and functions that a file defines."""
    import runpy

    try:
        names = runpy.run_path(str(path), run_name=path.stem)
    except Exception as error:  # of the user's own program
        raise K2TError(f"{type(error).__name__}: {error}", where=path.name) from error
    return {k: v for k, v in names.items() if callable(v) and not k.startswith("_")}


def randomise(model: Any, seed: int) -> None:
    """Weights that leave nothing at 0 or 1, so that a fault shows; values keep their size from layer to layer."""
    import numpy

    rng = numpy.random.default_rng(seed)
    for variable in model.weights:
        shape = tuple(variable.shape)
        if not str(variable.dtype).startswith("float"):
            continue
        reduced = shape[:-2] if "depthwise" in variable.path else shape[:-1]
        spread = max(1.0, float(numpy.prod(reduced))) ** -0.5 if len(shape) > 1 else 0.5
        value = rng.normal(0, spread, shape)
        if variable.path.endswith(("variance", "gamma", "scale")):
            value = 0.5 + numpy.abs(value)
        variable.assign(value)


def compute_in_float32(model: Any) -> Any:
    """The model, its layers computing as the module does: else half floats' rounding hides small faults."""
    for layer in model._flatten_layers():
        policy = getattr(layer, "dtype_policy", None)
        if getattr(policy, "compute_dtype", None) in _ROUNDING:
            with contextlib.suppress(AttributeError):  # Keras 2 has no setter
                layer.dtype_policy = "float32"
    return model


class KerasSide:
    """A real model, run in inference mode."""

    def __init__(self, model: Any, result: Generated):
        self.keras = find_keras()
        self.model = model
        self.input_names = [port.name for port in result.inputs]
        self.output_names = [port.name for port in result.outputs]
        self.backend = self.keras.backend.backend()
        self.last_error = ""
        self._gradient: Any = None

    @property
    def description(self) -> str:
        return f"Keras {self.keras.__version__} ({self.backend})"

    @property
    def rounding(self) -> float:
        """How far half floats in the model may take it from float32, relative to its largest values."""
        used = {layer.compute_dtype for layer in self.model._flatten_layers()}
        used |= {str(variable.dtype) for variable in self.model.weights}
        return max((_ROUNDING[dtype] for dtype in used & set(_ROUNDING)), default=0.0)

    def run_where_it_fits(self, cases: list[Case]) -> tuple[Case, list[Any]] | None:
        """The first of the cases that Keras accepts, and its outputs; None: it takes none."""
        for case in cases:
            try:
                return case, self.run(case)
            except Exception as error:  # a size that the model's own layers refuse
                self.last_error = str(error).strip().partition("\n")[0][:300]
        return None

    def run(self, case: Case) -> list[Any]:
        """The outputs as arrays, in the order of the model's outputs."""
        return [self._array(output) for output in self._outputs(case)]

    def _array(self, value: Any) -> Any:
        import numpy

        return numpy.asarray(self.keras.ops.convert_to_numpy(value))

    # The order of inputs and outputs is that of the generated module: by name, else as the model lists them.
    def _given(self, arrays: list[Any]) -> Any:
        """The arrays in the structure that the model takes, as a batch that is the first one."""
        model = self.model
        if self.backend != "jax":  # where what runs changes nothing in the model
            for layer in model._flatten_layers():
                if getattr(layer, "stateful", False) and hasattr(layer, "reset_state"):
                    layer.reset_state()
        structure = getattr(model, "_inputs_struct", None)
        if structure is None or not isinstance(structure, (dict, list, tuple)):
            return arrays[0] if len(arrays) == 1 else arrays
        tensors = self.keras.tree.flatten(structure)
        places = _places([t.name for t in tensors], self.input_names)
        if places is None and isinstance(structure, dict):
            return dict(zip(structure, arrays))
        ordered = arrays if places is None else [arrays[place] for place in places]
        return self.keras.tree.pack_sequence_as(structure, ordered)

    def _in_order(self, outputs: Any) -> list[Any]:
        """What the model returns, as forward() orders it."""
        flat = self.keras.tree.flatten(outputs)
        tensors = getattr(self.model, "outputs", None) or []
        names = [t._keras_history.operation.name for t in tensors]
        places = _places(self.output_names, names)
        if places is not None and len(names) == len(flat):
            return [flat[place] for place in places]
        if isinstance(outputs, dict):
            return [item for value in outputs.values() for item in self.keras.tree.flatten(value)]
        return flat

    # Running.
    def _outputs(self, case: Case) -> list[Any]:
        if self.backend == "jax":
            import jax

            return jax.jit(self._stateless)(*self._state(), case.arrays)
        with self._without_gradients():
            return self._in_order(self.model(self._given(case.arrays), training=False))

    def _without_gradients(self) -> Any:
        if self.backend != "torch":
            return contextlib.nullcontext()
        import torch

        return torch.no_grad()

    def _stateless(self, trainable: Any, fixed: Any, arrays: list[Any]) -> list[Any]:
        given = self._given(arrays)
        return self._in_order(self.model.stateless_call(trainable, fixed, given, training=False)[0])

    def _state(self) -> tuple[list[Any], list[Any]]:
        model = self.model
        return (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )

    # Layer by layer.
    def layer_outputs(self, case: Case) -> dict[tuple[tuple[str, ...], int], list[Any]]:
        """(names of the layers around a layer and its own, how many calls before) -> the arrays it returns."""
        found: dict[tuple[tuple[str, ...], int], list[Any]] = {}

        def run(*state: Any) -> Any:
            found.clear()
            with _watching(self.keras, self.model, found):
                if state:
                    self._stateless(*state)
                else:
                    self.model(self._given(case.arrays), training=False)
            return list(found.values())

        if self.backend == "jax":
            import jax

            values = jax.jit(run)(*self._state(), case.arrays)
        else:
            with self._without_gradients():
                values = run()
        return {
            key: [self._array(output) for output in outputs]
            for key, outputs in zip(list(found), values)
        }

    # Gradients of the outputs times given factors.
    def gradients(self, case: Case, factors: list[Any]) -> tuple[dict[int, Any], dict[int, Any]]:
        """{index of an input: gradient}, {id of a variable: gradient}, as arrays, zero where nothing depends."""
        floats = [i for i, array in enumerate(case.arrays) if array.dtype.kind == "f"]
        variables = self.model.trainable_variables
        compute = {"jax": self._jax_gradients, "tensorflow": self._tensorflow_gradients}
        try:
            by_input, by_variable = compute.get(self.backend, self._torch_gradients)(
                case.arrays, floats, factors
            )
        except Exception as error:  # of the backend: some cannot differentiate every layer
            told = str(error).strip().partition("\n")[0] or type(error).__name__
            raise K2TError(
                f"Keras on {self.backend} cannot compute the gradients: {told[:300]}",
                fix="choose another backend by KERAS_BACKEND, or leave out --grads",
            ) from error
        return (
            {i: self._array(g) for i, g in zip(floats, by_input)},
            {id(v): self._array(g) for v, g in zip(variables, by_variable)},
        )

    def _total(self, outputs: list[Any], factors: list[Any]) -> Any:
        """The sum of the float outputs, each times its factor (None: left out)."""
        pairs = [(o, f) for o, f in zip(outputs, factors) if f is not None]
        ops = self.keras.ops  # whose product also takes a numpy array beside a torch tensor
        return sum(ops.sum(ops.multiply(output, factor)) for output, factor in pairs)

    def _jax_gradients(self, arrays: list[Any], floats: list[int], factors: list[Any]) -> Any:
        import jax

        trainable, fixed = self._state()

        def total(given: Any, weights: Any, arrays: list[Any], factors: list[Any]) -> Any:
            full = _with(arrays, floats, given)
            return self._total(self._stateless(weights, fixed, full), factors)

        if self._gradient is None:  # compiled once for each shape
            self._gradient = jax.jit(jax.grad(total, argnums=(0, 1)))
        return self._gradient([arrays[i] for i in floats], trainable, arrays, factors)

    def _tensorflow_gradients(
        self, arrays: list[Any], floats: list[int], factors: list[Any]
    ) -> Any:
        import tensorflow

        given = [tensorflow.convert_to_tensor(arrays[i]) for i in floats]
        weights = [v.value for v in self.model.trainable_variables]
        with tensorflow.GradientTape() as tape:
            tape.watch(given)
            outputs = self.model(self._given(_with(arrays, floats, given)), training=False)
            total = self._total(self._in_order(outputs), factors)
        zero = tensorflow.UnconnectedGradients.ZERO
        found = tape.gradient(total, [*given, *weights], unconnected_gradients=zero)
        found = [tensorflow.convert_to_tensor(gradient) for gradient in found]  # of lookups, too
        return found[: len(given)], found[len(given) :]

    def _torch_gradients(self, arrays: list[Any], floats: list[int], factors: list[Any]) -> Any:
        import torch

        given = [torch.from_numpy(arrays[i]).requires_grad_() for i in floats]
        weights = [v.value for v in self.model.trainable_variables]
        outputs = self.model(self._given(_with(arrays, floats, given)), training=False)
        total = self._total(self._in_order(outputs), factors)
        found = torch.autograd.grad(
            total, [*given, *weights], allow_unused=True, materialize_grads=True
        )
        return found[: len(given)], found[len(given) :]


@contextlib.contextmanager
def _watching(keras: Any, model: Any, found: dict[Any, list[Any]]) -> Iterator[None]:
    """Put into ``found`` what each layer inside the model returns while the block runs."""
    watched = []
    loops = (keras.layers.RNN, keras.layers.TimeDistributed)  # what runs inside of them stays there

    def watch(layer: Any, path: tuple[str, ...]) -> None:
        for inner in layer._flatten_layers(include_self=False, recursive=False):
            here = (*path, inner.name)
            if not isinstance(getattr(inner, "activation", None), keras.layers.Layer):
                watched.append(inner)  # else the recorded layer ends before that activation
                object.__setattr__(inner, "call", keeping(inner.call, here))
            if not isinstance(inner, loops):
                watch(inner, here)

    def keeping(call: Any, path: tuple[str, ...]) -> Any:
        times = itertools.count()

        @functools.wraps(call)
        def kept(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            found[path, next(times)] = keras.tree.flatten(outputs)
            return outputs

        return kept

    watch(model, ())
    try:
        yield
    finally:
        for layer in watched:
            layer.__dict__.pop("call", None)


def _with(arrays: list[Any], places: list[int], values: list[Any]) -> list[Any]:
    full = list(arrays)
    for place, value in zip(places, values):
        full[place] = value
    return full


def _places(wanted: list[str], names: list[str]) -> list[int] | None:
    """Where each wanted name stands among ``names``; None where they are not the same names."""
    if sorted(wanted) != sorted(names) or len(set(names)) != len(names):
        return None
    return [names.index(name) for name in wanted]
