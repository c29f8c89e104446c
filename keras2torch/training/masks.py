"""Masks that an output carries: the time steps that Keras leaves out of its loss, as a function of the inputs."""

from __future__ import annotations

from dataclasses import dataclass

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Constant, Graph, Tensor, Weight
from keras2torch.module import Module
from keras2torch.quoting import to_identifier


@dataclass(frozen=True)
class OutputMask:
    """A function of some of the model's inputs (by position) that is true at the steps that count."""

    name: str
    inputs: tuple[int, ...]
    sources: tuple[str, ...]


def output_masks(graph: Graph, module: Module) -> tuple[OutputMask | None, ...]:
    """Per output its mask, or None. Raises UnsupportedError for one that needs weights."""
    return tuple(
        _mask(graph, module, tensor) if tensor.mask is not None else None
        for tensor in graph.outputs
    )


def _mask(graph: Graph, module: Module, output: Tensor) -> OutputMask:
    from keras2torch.expressions import forward_lines
    from keras2torch.helpers import helper_sources
    from keras2torch.lower import lower
    from keras2torch.passes import run_passes

    assert output.mask is not None
    try:
        used = _inputs_of(output.mask, graph)
        tensors = [graph.inputs[i] for i in used]
        made = run_passes(lower(Graph.between(tensors, [output.mask], "mask")))
    except K2TError as error:
        raise _unfit(output) from error
    plain = [*made.inputs, *made.outputs, *(module.inputs[i] for i in used)]
    if made.members or not all(value.in_keras_order for value in plain):
        raise _unfit(output)
    names = [to_identifier(str(tensor.name), "x") for tensor in tensors]
    for value, name in zip(made.inputs, names):
        value.name = name
    _, lines, _ = forward_lines(made, [])
    own = "mask_of" if len(graph.outputs) == 1 else f"mask_of_{to_identifier(str(output.name))}"
    text = [
        f"def {own}({', '.join(f'{name}: Tensor' for name in names)}) -> Tensor:",
        '    """True at the time steps that Keras counts."""',
        *(f"    {line}" for line in lines),
    ]
    return OutputMask(own, used, (*helper_sources("\n".join(lines)), "\n".join(text)))


def _inputs_of(tensor: Tensor, graph: Graph) -> tuple[int, ...]:
    """The positions of the inputs that a tensor is made of."""
    places = {id(x): i for i, x in enumerate(graph.inputs)}
    found, seen, pending = set(), set(), [tensor]
    while pending:
        one = pending.pop()
        if id(one) in places:
            found.add(places[id(one)])
        elif id(one) not in seen and not isinstance(one, (Weight, Constant)) and one.call:
            seen.add(id(one))
            pending += one.call.inputs
    return tuple(sorted(found))


def _unfit(output: Tensor) -> UnsupportedError:
    return UnsupportedError(
        f"the output {output.name!r} carries a mask, by which Keras weights the loss; "
        "the training script cannot make it of the inputs alone",
        where=output.call.where if output.call else None,
        fix="end the model in a layer that drops the mask, or give fit() sample weights",
    )
