"""``load_data`` and ``to_tensors`` of a script whose batches are made while it trains, as text."""

from __future__ import annotations

import ast
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import quote
from keras2torch.training.data import Data, DataSet
from keras2torch.training.data_text import (
    WEIGHTS,
    class_weight_table,
    hole,
    input_rows,
    set_names,
    target_row,
    weight_row,
)


def stream_text(
    data: Data, training: Any, module: Any, ends: Any, step: Any, weighted: bool
) -> str:
    """Both functions: the sets as streams of batches, then one batch of arrays as tensors."""
    sets = [_stream(data, training, name) for name in data.made]
    count = len(sets)
    returns = (
        [f"return ({sets[0]},)"] if count == 1 else ["return (", *(f"    {s}," for s in sets), ")"]
    )
    made = [*data.statements, *returns] if data.reason is None else hole(data)
    lines = [
        f"def load_data(args) -> tuple[{', '.join(['Stream'] * count)}]:",
        f'    """{set_names(data.made)}, in batches as the program makes them."""',
        *(f"    {line}" for line in made),
        "",
        "",
        *_to_tensors(data, training, module, ends, step, weighted),
    ]
    return "\n".join(lines)


def yields_weights(data: Data) -> bool:
    """Whether the program's own generators or data sets give (x, y, weights)."""
    given: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(data.text)):
        if isinstance(node, (ast.Yield, ast.Return)):
            given.append(node.value)
        elif isinstance(node, ast.Lambda):
            given.append(node.body)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("from_tensor_slices"):
            given += node.args
    return any(isinstance(value, ast.Tuple) and len(value.elts) == 3 for value in given)


def _stream(data: Data, training: Any, role: str) -> str:
    part = data.sets[role]
    if part.batches is None:
        return f"Stream(in_batches({_size(training)}, {_arrays(part)}))"
    arguments = [part.batches]
    if part.steps is not None:
        arguments.append(part.steps if part.steps.isdigit() else f"int({part.steps})")
    if role != "train" and part.steps is not None:
        arguments.append("again=True")  # evaluate() starts from the first batch
    if role == "train" and training.fit.get("shuffle") and "pydataset" in data.helpers:
        arguments.append("seed=args.seed")
    return f"Stream({', '.join(arguments)})"


def _arrays(part: DataSet) -> str:
    if len(part.inputs) != 1 or len(part.targets) != 1:
        raise UnsupportedError(
            "arrays for several inputs or outputs beside a generator are not carried",
            fix="make them with a generator, too",
        )
    return ", ".join([*part.inputs, *part.targets, *([part.weight] if part.weight else [])])


def _size(training: Any) -> int:
    fit = training.fit
    given = fit.arguments.get("validation_batch_size") or fit.arguments.get("batch_size")
    return int(given) if isinstance(given, int) else 32


def _to_tensors(
    data: Data, training: Any, module: Any, ends: Any, step: Any, weighted: bool
) -> list[str]:
    class_weight = training.fit.arguments.get("class_weight")
    given = weighted and not class_weight
    body = []
    left = [ends.inputs[0] if len(ends.inputs) == 1 else "inputs"]
    left.append(ends.targets[0] if len(ends.targets) == 1 else "targets")
    if ends.targets:
        body.append(f"{', '.join([*left, *(['*given'] if given else [])])} = batch")
    else:
        body.append(f"{left[0]} = batch[0] if isinstance(batch, (tuple, list)) else batch")
    if len(ends.inputs) > 1:
        names = quote(tuple(training.input_names))
        body.append(f"{', '.join(ends.inputs)} = parts(inputs, {names})")
    if len(ends.targets) > 1:
        names = quote(tuple(training.output_names))
        body.append(f"{', '.join(ends.targets)} = parts(targets, {names})")
    if class_weight:
        table = class_weight_table(class_weight, ends.targets[0], step.heads[0])
        body += [f"weight = np.ones(len({ends.targets[0]}))", "if learning:"]
        body += [f"    {line}" for line in table]
    elif given:
        body.append(f"weight = given[0] if given else np.ones(len({ends.inputs[0]}))")
    windows = bool({"timeseries", "timeseries_generator"} & set(data.helpers))
    rows = input_rows(ends.inputs, module.inputs, windows=windows)
    rows += [f"{target_row(head)}," for head in step.heads if ends.targets]
    if weighted:
        own = weight_row(step.heads, training.weighs_outputs)
        rows.append(f"{own if given else WEIGHTS},")
    learning = ", learning: bool = False" if class_weight else ""
    return [
        f"def to_tensors(batch: Any{learning}) -> tuple[Tensor, ...]:",
        '    """One batch of the program\'s, in the layout and types of the model."""',
        *(f"    {line}" for line in body),
        "    return (",
        *(f"        {row}" for row in rows),
        "    )",
    ]
