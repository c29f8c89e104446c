"""Regularisers and constraints of the model as lines of the training script."""

from __future__ import annotations

import itertools
import math
from typing import Any

from keras2torch import constraints, regularizers
from keras2torch.added import kept_tensors, kept_terms, refuse_lost_terms
from keras2torch.errors import UnsupportedError
from keras2torch.frozen import leaves_of
from keras2torch.graph import Graph
from keras2torch.module import Mapping, Module, Submodule
from keras2torch.quoting import quote
from keras2torch.weights import weight_map


def module_facts(graph: Graph, module: Module) -> dict[str, Any]:
    """What the training script must know of the module beside its ports."""
    from keras2torch.training.masks import output_masks

    refuse_lost_terms(graph)
    _refuse_doubles(module)
    added = kept_terms(module)
    return {
        "needs_torchinfo": summary_tool(graph, module) == "torchinfo",
        "has_batch_norm": _averages_variances(module),
        "masks": output_masks(graph, module),
        "parameters": lambda: _parameters(module),
        "penalties": tuple([*penalty_lines(graph, module), *added]),
        "adds_loss": bool(added),
        "kept": kept_tensors(module),
        "input_tensors": graph.inputs,
        "output_tensors": graph.outputs,
        "constraints": tuple(constraint_lines(graph, module)),
    }


def _averages_variances(module: Module) -> bool:
    """Whether a batch normalisation of torch's own learns its running statistics."""
    leaves = [leaf for member in module.members for leaf in leaves_of(member)]
    return any(
        isinstance(leaf, Submodule)
        and str(leaf.cls).startswith("nn.BatchNorm")
        and "running_var" in leaf.weights
        and not leaf.eval_mode
        for leaf in leaves
    )


def _parameters(module: Module) -> dict[str, Mapping]:
    """What every parameter is made of that Keras could train."""
    return {
        key: mapping
        for key, mapping in weight_map(module).items()
        if mapping.sources and all(weight.trainable for weight in mapping.sources)
    }


def _refuse_doubles(module: Module) -> None:
    """A Keras variable that became two torch tensors would be learnt twice (parts of one are not)."""
    keys: dict[int, list[str]] = {}
    sizes: dict[int, int] = {}
    for key, mapping in weight_map(module).items():
        if len(mapping.sources) != 1 or not mapping.trainable:
            continue
        weight = mapping.sources[0]
        keys.setdefault(id(weight), []).append(key)
        sizes[id(weight)] = sizes.get(id(weight), 0) + math.prod(mapping.shape)
        if sizes[id(weight)] > math.prod(n or 1 for n in weight.shape):
            raise UnsupportedError(
                f"{weight.path} is used beside its layer: {' and '.join(keys[id(weight)])} would be learnt apart",
                where=getattr(weight.layer, "where", None),
                fix="call the layer before its variable is used",
            )


def penalty_lines(graph: Graph, module: Module) -> list[str]:
    """One term a line: ``1e-4 * net.conv1.weight.square().sum()``."""
    lines = []
    for key, mapping in weight_map(module).items():
        for weight in mapping.sources:
            regularizer = (
                regularizers.get(weight.regularizer) if weight.regularizer is not None else None
            )
            if regularizer is None:
                continue
            if len(mapping.sources) > 1:
                raise UnsupportedError(
                    f"the regularizer of {weight.path} acts on a part of the torch tensor {key}",
                    where=getattr(weight.layer, "where", None),
                )
            lines += _terms(regularizer, f"net.{attribute_path(key)}", weight)
    return lines


def _terms(regularizer: Any, tensor: str, weight: Any) -> list[str]:
    config = regularizer.get_config()
    terms = []
    if not set(config) <= {"l1", "l2"}:
        raise UnsupportedError(
            f"the regularizer {type(regularizer).__name__} of {weight.path} has no translation yet",
            where=getattr(weight.layer, "where", None),
            fix="use keras.regularizers.L1, L2 or L1L2",
        )
    if config.get("l1"):
        terms.append(f"{quote(float(config['l1']))} * {tensor}.abs().sum()")
    if config.get("l2"):
        terms.append(f"{quote(float(config['l2']))} * {tensor}.square().sum()")
    return terms


def attribute_path(key: str) -> str:
    """A state-dict key as an attribute path: ``blocks.0.conv`` -> blocks[0].conv."""
    parts = key.split(".")
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts)[1:]


def constraint_lines(graph: Graph, module: Module) -> list[str]:
    """What is done to the weights after each step: keras/src/constraints/constraints.py.

    Raises UnsupportedError for a constraint of the program's own, or on a part of a torch tensor.
    """
    lines = []
    for key, mapping in weight_map(module).items():
        for weight in mapping.sources:
            given = weight.constraint
            constraint = constraints.get(given) if given is not None else None
            if constraint is None:
                continue
            where = getattr(weight.layer, "where", None)
            if len(mapping.sources) > 1:
                raise UnsupportedError(
                    f"the constraint of {weight.path} acts on a part of the torch tensor {key}",
                    where=where,
                )
            made = _projection(constraint, f"net.{attribute_path(key)}", mapping)
            if made is None:
                raise UnsupportedError(
                    f"the constraint {type(constraint).__name__} of {weight.path} has no translation",
                    where=where,
                    fix="use MaxNorm, MinMaxNorm, NonNeg or UnitNorm of keras.constraints",
                )
            lines += made
    return lines


def _projection(constraint: Any, tensor: str, mapping: Mapping) -> list[str] | None:
    name, settings = type(constraint).__name__, constraint.get_config()
    if name == "NonNeg":
        return [f"{tensor}.clamp_(min=0)"]
    if name not in ("MaxNorm", "MinMaxNorm", "UnitNorm"):
        return None
    dims = torch_dims(mapping, settings["axis"])
    if dims is None:
        return None
    norm = f"norm = {tensor}.square().sum(dim={quote(dims)}, keepdim=True).sqrt()"
    if name == "UnitNorm":
        return [norm, f"{tensor}.div_(norm + 1e-7)"]
    if name == "MaxNorm":
        return [
            norm,
            f"{tensor}.mul_(norm.clamp(max={quote(float(settings['max_value']))}) / (norm + 1e-7))",
        ]
    low, high = quote(float(settings["min_value"])), quote(float(settings["max_value"]))
    wanted, rate = f"norm.clamp({low}, {high})", float(settings["rate"])
    if rate != 1:
        wanted = f"({quote(rate)} * {wanted} + {quote(1 - rate)} * norm)"
    return [norm, f"{tensor}.mul_({wanted} / (norm + 1e-7))"]


def torch_dims(mapping: Mapping, axis: Any) -> int | tuple[int, ...] | None:
    """The torch dimensions that hold these axes of the Keras weight, found by trying."""
    import numpy

    shape = tuple(n or 1 for n in mapping.sources[0].shape)
    axes = tuple(int(a) % len(shape) for a in (axis if isinstance(axis, (list, tuple)) else [axis]))
    array = numpy.random.default_rng(0).random(shape)
    total = numpy.broadcast_to(array.sum(axis=axes, keepdims=True), shape)
    wanted, moved = mapping.function(total), mapping.function(array)
    for dims in itertools.combinations(range(moved.ndim), len(axes)):
        if numpy.allclose(
            numpy.broadcast_to(moved.sum(axis=dims, keepdims=True), moved.shape), wanted
        ):
            return dims[0] if len(dims) == 1 else dims
    return None


def summary_tool(graph: Graph, module: Module) -> str:
    """torchsummary where it is right (one float input, no RNN or attention parameters), else torchinfo."""
    if len(module.inputs) != 1 or not module.inputs[0].dtype.startswith("float"):
        return "torchinfo"
    return "torchsummary"
