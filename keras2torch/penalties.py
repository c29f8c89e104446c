"""Regularisers and constraints of the model as lines of the training script."""

from __future__ import annotations

from typing import Any

from keras2torch import regularizers
from keras2torch.errors import UnsupportedError
from keras2torch.graph import Graph
from keras2torch.module import Module
from keras2torch.quoting import quote
from keras2torch.weights import weight_map


def module_facts(graph: Graph, module: Module) -> dict[str, Any]:
    """What the training script must know of the module beside its ports."""
    return {
        "needs_torchinfo": summary_tool(graph, module) == "torchinfo",
        "penalties": tuple(penalty_lines(graph, module)),
        "constraints": tuple(constraint_lines(graph, module)),
    }


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
            lines += _terms(regularizer, f"net.{_attribute(key)}", weight)
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


def _attribute(key: str) -> str:
    """A state-dict key as an attribute path: ``blocks.0.conv`` -> blocks[0].conv."""
    parts = key.split(".")
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts)[1:]


def constraint_lines(graph: Graph, module: Module) -> list[str]:
    """What is done to the weights after each step."""
    for mapping in weight_map(module).values():
        for weight in mapping.sources:
            if weight.constraint is not None:
                raise UnsupportedError(
                    f"the constraint on {weight.path} has no translation yet",
                    where=getattr(weight.layer, "where", None),
                    fix="remove the constraint",
                )
    return []


def summary_tool(graph: Graph, module: Module) -> str:
    """torchsummary where it is right (one float input, no RNN or attention parameters), else torchinfo."""
    if len(module.inputs) != 1 or not module.inputs[0].dtype.startswith("float"):
        return "torchinfo"
    return "torchsummary"
