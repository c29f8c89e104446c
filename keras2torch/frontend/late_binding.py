"""Variables that the function of a Lambda reads, and that the script changes after the call.

A loop's ``Lambda(lambda x: x[:, i])`` is the usual case. Since TensorFlow 2, Keras runs the function in each
run of the model and so with the variable's last value; before, it ran it once, at the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from keras2torch import config
from keras2torch.errors import UnsupportedError
from keras2torch.frontend.recording import note
from keras2torch.graph import tensors_in


@dataclass(frozen=True)
class Read:
    """A call of a Lambda, and what its function reads from around it."""

    layer: str
    function: Callable[..., Any]
    variables: dict[str, Any]
    outputs: Any
    where: str | None

    def changed(self) -> list[str]:
        """The variables that have another value by now."""
        now = plain_variables(self.function) if self.variables else {}
        return [n for n, value in self.variables.items() if n in now and now[n] != value]


def plain_variables(function: Callable[..., Any]) -> dict[str, Any]:
    """The numbers, strings and tuples that ``function`` reads from around it, by name."""
    code = getattr(function, "__code__", None)
    if code is None:
        return {}
    around = function.__globals__
    found = {name: around[name] for name in _globals(code) if name in around}
    for name, cell in zip(code.co_freevars, function.__closure__ or ()):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    return {name: value for name, value in found.items() if _is_plain(value)}


def _globals(code: Any) -> Iterator[str]:
    """The global variables that a function reads, with the functions inside it."""
    import dis

    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_GLOBAL":
            yield instruction.argval
        if hasattr(instruction.argval, "co_code"):
            yield from _globals(instruction.argval)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return type(value) in (int, float, bool, str)


def refuse_changed(model: Any, reads: list[Read]) -> None:
    """Raise UnsupportedError where a Lambda of ``model`` reads a variable that has changed since its call.

    A program for the Keras of TensorFlow 1 is told so in a note: there, the value at the call counts.
    """
    changed = [(read, name) for read in reads for name in read.changed()]
    tensors = _tensors(model) if changed else set()
    for read, name in changed:
        if not tensors.intersection(map(id, tensors_in(read.outputs))):
            continue  # of another model
        told = (
            f"Lambda {read.layer!r}: its function reads {name!r}, which is {read.variables[name]!r} "
            f"at the call and {plain_variables(read.function)[name]!r} at the end"
        )
        if config.before_tensorflow_2:
            note(f"{told}; as in Keras 1.0 to 2.3, the call's value counts")
            continue
        raise UnsupportedError(
            f"{told}, and Keras would compute with the last value",
            where=read.where,
            fix=f"bind the value that is meant: lambda x, {name}={name}: ...",
        )


def _tensors(model: Any) -> set[int]:
    """The tensors in the graph of a model and of those inside it, by identity."""
    found: set[int] = set()
    for layer in model.layers:
        if getattr(layer, "outputs", None) and hasattr(layer, "graph"):
            found |= _tensors(layer)
    return found.union(id(tensor) for call in model.graph.calls for tensor in call.outputs)
