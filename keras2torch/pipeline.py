"""The pipeline on one screen: source -> model -> Graph -> Module -> passes -> text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from keras2torch import weights as weight_tools
from keras2torch.added import with_added_losses, with_kept_tensors
from keras2torch.describe import WIDTH, dated, describe, input_names, logits, precision
from keras2torch.emit import emit_module, format_source
from keras2torch.errors import InternalError, K2TError
from keras2torch.graph import Graph
from keras2torch.header import header_lines, sign
from keras2torch.lower import lower
from keras2torch.module import Mapping, Module
from keras2torch.moments import optimizer_tensors
from keras2torch.naming import with_capitals
from keras2torch.passes import run_passes
from keras2torch.penalties import module_facts
from keras2torch.quoting import to_class_name, to_identifier
from keras2torch.source import Source, open_source
from keras2torch.training.emit import ModuleInfo, emit_training
from keras2torch.training.own_step import own_step
from keras2torch.training.record import record

# What a fault of our own raises: told as such, without a traceback.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    SyntaxError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Port:
    """One input or output: Keras's name, shape and dtype, how torch's axes lie, what predict() still applies.

    ``permutation`` takes Keras axes to torch's: torch dimension i is Keras axis ``permutation[i]`` (None: the same).
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    permutation: tuple[int, ...] | None = None
    activation: str | None = None


@dataclass
class Generated:
    """What ``generate`` gives: the two sources, the ports, and the weights where the source holds any."""

    name: str
    class_name: str
    model_draft: str = field(repr=False)  # not signed yet, see header.sign
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    notes: list[str] = field(default_factory=list)
    module: Module | None = field(default=None, repr=False)
    graph: Graph | None = field(default=None, repr=False)
    source: Source | None = field(default=None, repr=False)

    @cached_property
    def model_source(self) -> str:
        """The text of the module."""
        return sign(self.model_draft, self.source)

    @cached_property
    def train_source(self) -> str:
        """The training script. Raises K2TError where something of compile() or fit() has no exact translation."""
        return sign(self.train_draft, self.source)

    @cached_property
    def train_draft(self) -> str:
        """The training script, not signed yet."""
        assert self.source is not None
        graph, module, model = self.graph, self.module, self.source.model
        assert graph is not None and module is not None
        # Keras goes on from the weights in the file, and so does the script.
        given = f"{self.name}.safetensors" if weight_tools.has_weights(self.weight_map) else None
        return self._script(
            lambda: (
                record(model),
                {
                    **module_facts(graph, module),
                    "weights_file": given,
                    "optimizer_file": self.optimizer_map and f"{self.name}_optimizer.safetensors",
                    "optimizer_steps": self.moments.steps if self.optimizer_map else 0,
                    "own_step": own_step(model),
                },
            )
        )

    def prediction_draft(self, reason: str) -> str:
        """A script that only predicts, and says why: for a model whose training cannot be carried over."""
        return self._script(lambda: (None, {"untrainable": reason}))

    def _script(self, facts: Callable[[], tuple[Any, dict[str, Any]]]) -> str:
        assert self.source is not None and self.graph is not None
        try:
            training, more = facts()
            info = ModuleInfo(
                module_name=f"{self.name}_model",
                class_name=self.class_name,
                source_name=self.source.name,
                header=header_lines(self.source, f"{self.name}_train.py"),
                inputs=self.inputs,
                outputs=self.outputs,
                argument_names=tuple(input_names(self.graph)),
                **more,
            )
            return format_source(emit_training(training, info))
        except _FAULTS as error:
            raise InternalError(f"{type(error).__name__}: {error}") from error

    @cached_property
    def weight_map(self) -> dict[str, Mapping]:
        """State-dict key -> the Keras weights it is made of."""
        return weight_tools.weight_map(self.module) if self.module is not None else {}

    @property
    def moments(self) -> Any:
        """The state of the optimizer in the source; None where it holds none."""
        return self.source and self.source.model.__dict__.get("moments")

    @cached_property
    def optimizer_map(self) -> dict[str, Mapping]:
        """What the training script's optimizer goes on with; {} where there is nothing, or a note says why not."""
        if self.moments is None or self.source is None:
            return {}
        try:
            training = record(self.source.model)
            if training is None or training.compiled is None:
                return {}
            identifier = training.compiled.get("optimizer")
            return optimizer_tensors(self.weight_map, self.moments, identifier)
        except K2TError as error:
            from keras2torch.frontend.saved_moments import fresh_optimizer

            self.notes.append(fresh_optimizer(str(error)))
            return {}

    @cached_property
    def weights(self) -> dict[str, Any]:
        """{state-dict key: array}, complete for ``load_state_dict(strict=True)``; {} without weights."""
        if not weight_tools.has_weights(self.weight_map):
            return {}
        return dict(weight_tools.arrays(self.weight_map))

    def write(self, directory: str | Path, *, force: bool = False) -> list[Path]:
        """Write ``<name>_model.py``, ``<name>_train.py`` and the weights; all or nothing.

        Raises K2TError where a file is there that somebody edited (unless ``force``).
        """
        from keras2torch.write import write_all

        return write_all(self, Path(directory), force=force)


def generate(
    source: Any,
    *,
    name: str | None = None,
    model: str | None = None,
    custom: str | Path | None = None,
    weights: str | Path | None = None,
) -> Generated:
    """Translate ``source``: a path, a recorded model, a live ``keras.Model``, or the text of its ``to_json()``.

    ``model`` picks one of several models of a script; ``name`` is the stem of the files; ``custom`` is
    the program with the custom layers of a saved or live model; ``weights`` a weights file beside a script.
    Raises K2TError for everything that the input can be wrong in.
    """
    try:
        return _generate(open_source(source, model=model, custom=custom, weights=weights), name)
    except RecursionError:
        raise K2TError("the model is nested too deeply to be translated") from None
    except _FAULTS as error:
        raise InternalError(f"{type(error).__name__}: {error}") from error


def _generate(source: Source, name: str | None) -> Generated:
    graph = source.model.graph
    graph.check()
    module = lower(_with_losses(graph, source.model))
    activations = logits(module, source.model)
    module = run_passes(module)
    stem = to_identifier(name or source.stem, "model")
    class_name = _class_name(name, source)
    rename_root(module, class_name)
    ports_in, ports_out = _ports(graph, module, activations)
    names = input_names(graph)
    doc = describe(class_name, ports_in, ports_out)
    if source.path is not None and source.path.suffix in (".py", ".ipynb"):
        source.notes += filter(None, [dated(graph)])
    rounded = precision(graph)
    if rounded is not None:
        source.notes.append(rounded)
        doc += ["", *textwrap.wrap(rounded, WIDTH)]
    model_draft = emit_module(
        module,
        header=header_lines(source, f"{stem}_model.py"),
        doc=doc,
        input_names=names,
    )
    return Generated(
        stem,
        module.cls.name,  # type: ignore[union-attr]
        model_draft,
        ports_in,
        ports_out,
        source.notes,
        module,
        graph,
        source,
    )


def _with_losses(graph: Graph, model: Any) -> Graph:
    """Of a model that is trained, also what its layers and losses need of ``forward``."""
    if not any(call.method == "compile" for call in model.training_calls):
        return graph
    return with_kept_tensors(with_added_losses(graph, model), model)


def rename_root(module: Module, name: str) -> None:
    """Give the root class its name; a child class of that name keeps it with a number."""
    from keras2torch.module import classes_of

    assert module.cls is not None
    others = {cls.name for cls in classes_of(module) if cls is not module.cls}
    module.cls.name = name if name not in others else f"{name}Model"


def _class_name(name: str | None, source: Source) -> str:
    """As asked, else the user's own class, the model's name, the file's stem."""
    model = source.model
    own = None if type(model).__module__.startswith("keras2torch.") else type(model).__name__
    given = model.name if getattr(model, "named", False) else None
    stem = (
        None if re.fullmatch(r"(functional|sequential|model)(_\d+)?", source.stem) else source.stem
    )
    return to_class_name(name or own or with_capitals(given or stem or "Net"))


def _ports(
    graph: Graph, module: Module, activations: list[str | None]
) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    def permutation(axes: tuple[int, ...]) -> tuple[int, ...] | None:
        return None if axes == tuple(range(len(axes))) else axes

    inputs = tuple(
        Port(str(tensor.name), tensor.shape, tensor.dtype, permutation(value.axes))
        for tensor, value in zip(graph.inputs, module.inputs)
    )
    outputs = tuple(
        Port(_output_name(tensor), tensor.shape, tensor.dtype, permutation(value.axes), activation)
        for tensor, value, activation in zip(graph.outputs, module.outputs, activations)
    )
    return inputs, outputs


def _output_name(tensor: Any) -> str:
    if tensor.call is None:
        return str(tensor.name)
    return tensor.producer or getattr(tensor.call.operation, "name", "output")
