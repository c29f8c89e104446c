"""The words around a model: docstrings, names of inputs, and which final activation is left to predict()."""

from __future__ import annotations

import itertools
import re
import textwrap
from typing import Any

from keras2torch.graph import Graph
from keras2torch.layers.activations import activation_name
from keras2torch.module import Module, Submodule, Value, parts_of
from keras2torch.naming import is_generic
from keras2torch.quoting import prose, to_identifier

_BATCH = "N"
WIDTH = 92  # of a line of a docstring


def logits(module: Module, model: Any) -> list[str | None]:
    """Take the final softmax/sigmoid off outputs whose compiled loss wants probabilities.

    Returns, for each output, what predict() still has to apply.
    """
    from keras2torch.training.record import stripped_activations

    wanted = stripped_activations(model, model.outputs)
    applied: list[str | None] = []
    users = module.users()
    for index, activation in enumerate(wanted):
        value = module.outputs[index]
        source = _before(value, activation) if activation else None
        if source is None or users.get(id(value)) or module.outputs.count(value) > 1:
            applied.append(None)
            continue
        assert value.node is not None
        users[id(source)].remove(value.node)
        source.hint = source.hint or value.hint
        module.outputs[index] = source
        module.nodes = [node for node in module.nodes if node is not value.node]
        applied.append(activation)
    return applied


def _before(value: Value, activation: str | None) -> Value | None:
    """The input of a final activation over the last Keras axis; None if the value is something else."""
    node = value.node
    if node is None or node.kind != "function":
        return None
    if activation == "softmax" and node.target == "F.softmax":
        last = len(value.axes) - 1
        if value.axes[node.kwargs["dim"]] == last:
            return node.args[0]
    if activation == "sigmoid" and node.target == "torch.sigmoid":
        return node.args[0]
    return None


def input_names(graph: Graph) -> list[str]:
    """Names for the arguments of ``forward``: the program's, else ``x``."""
    chosen: list[str] = []
    for tensor in graph.inputs:
        given = []
        if getattr(tensor, "named", False):
            given.append(to_identifier(str(tensor.name)))
        if getattr(tensor, "variable", None):
            given.append(to_identifier(tensor.variable))  # type: ignore[attr-defined]
        numbered = [n for n in given[:1] if len(graph.inputs) > 2 and re.fullmatch(r"[a-z]\d+", n)]
        usable = [n for n in given if not is_generic(n)] or numbered  # c1, c2 ... of a table
        name = next((n for n in usable if n not in chosen), None)
        if name is None:
            name = "image" if _is_image(tensor.shape) and "image" not in chosen else "x"
            if name in chosen:
                name = next(
                    n for n in ["y", "z", *(f"input_{i}" for i in range(99))] if n not in chosen
                )
        chosen.append(name)
    return chosen


def _is_image(shape: tuple[int | None, ...]) -> bool:
    return len(shape) == 4 and (shape[-1] in (1, 3, 4) or shape[1] in (1, 3))


def describe(class_name: str, inputs: Any, outputs: Any) -> list[str]:
    """The first line of the file's docstring, then the lines of the class's."""
    taken = _listed([_port(port) for port in inputs])
    given = _listed([_port(port, True) for port in outputs])
    title = f"{class_name}: {taken} to {given}."
    if len(title) > WIDTH:
        title = f"{class_name}: {_count(inputs, 'input')} to {_count(outputs, 'output')}."
    return [title, *textwrap.wrap(f"{_capital(taken)} in, {given} out.", WIDTH)]


def first_sentence(doc: str) -> list[str]:
    """What a docstring of the program's says first, in one or two lines; nothing where that is a list of arguments."""
    paragraph = doc.strip().partition("\n\n")[0]
    lines = [line.strip() for line in paragraph.splitlines()]
    if not lines or _HEADING.fullmatch(lines[0]):
        return []
    sentence = re.split(r"(?<=[.!?])\s", " ".join(lines))[0]
    wrapped = textwrap.wrap(prose(sentence), WIDTH)
    return wrapped if len(wrapped) <= 2 else [prose(lines[0])]


_HEADING = re.compile(
    r"(arg(ument)?s|param(eter)?s|input[ _]shape|inputs?|returns?|references?|examples?|usage)\b.{0,3}",
    re.IGNORECASE,
)


def _listed(ports: list[str]) -> str:
    """Three and more equal ones in a row with their number."""
    runs = [(text, len(list(run))) for text, run in itertools.groupby(ports)]
    return ", ".join(
        f"{count} x {text}" if count > 2 else ", ".join([text] * count) for text, count in runs
    )


def precision(graph: Graph) -> str | None:
    """What is to be known of a model that Keras rounds to half floats; None of any other."""
    policies = {getattr(call.operation, "low_precision", None): None for call in graph.calls}
    policies.pop(None, None)
    if not policies:
        return None
    return (
        f"Keras rounds to half floats (policy {', '.join(policies)}). This computes in float32, "  # type: ignore[arg-type]
        "and in half floats under torch.autocast."
    )


def dated(graph: Graph) -> str | None:
    """What a program's layers compute since Keras 3 that they did not before; None: nothing."""
    for call in graph.calls:
        for place in ("activation", "recurrent_activation"):
            if activation_name(getattr(call.operation, place, None)) == "hard_sigmoid":
                return (
                    "hard_sigmoid is that of Keras 3, relu6(x + 3) / 6; Keras 1 and 2 (TensorFlow up to 2.15) "
                    "computed clip(0.2 * x + 0.5, 0, 1): for weights trained with these, use a saved model"
                )
    return None


def correspondence(module: Module) -> list[str]:
    """Which blocks of Keras's layer names the members of the root hold, where its names differ."""
    parts = []
    for member in module.members:
        if not isinstance(member, Submodule):
            continue
        blocks = [item for item in parts_of(member) if item.body is not None and item.hints]
        names = [item.hints[0] for item in blocks if _found(item)]
        if len(names) == 1 and set(str(member.name).split("_")) <= set(names[0].split("_")):
            continue  # a name with a word less tells itself
        if names:
            several = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
            parts.append(f"{member.name} is {several}")
    return textwrap.wrap(prose(f"Keras's names: {', '.join(parts)}."), WIDTH) if parts else []


def _found(sub: Submodule) -> bool:
    """Whether a block was found by the names of a saved model's layers."""
    scope = sub.body.scope if sub.body is not None else None
    return scope is not None and scope.kind == "pattern" and any(map(str.isdigit, scope.name))


def _count(ports: Any, word: str) -> str:
    return f"{len(ports)} {word}{'' if len(ports) == 1 else 's'}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _port(port: Any, out: bool = False) -> str:
    axes = port.permutation or tuple(range(len(port.shape)))
    sizes = [
        _BATCH if axis == 0 else "?" if port.shape[axis] is None else str(port.shape[axis])
        for axis in axes
    ]
    shape = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
    if port.activation == "softmax":
        return f"class logits {shape}"
    if port.activation == "sigmoid":
        return f"logits {shape}"
    if not out and _is_image(port.shape):
        return f"images {shape}"
    if not out and port.dtype.startswith("int"):
        return f"integers {shape}"
    return f"{'outputs' if out else 'inputs'} {shape}"
