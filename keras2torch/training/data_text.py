"""``load_data`` and ``to_dataset`` of the training script, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from keras2torch.quoting import comment, identifier, quote
from keras2torch.training.data import Data, DataSet


def data_text(data: Data, training: Any, module: Any, ends: Any, step: Any, weighted: bool) -> str:
    """Both functions: the arrays of all sets, then one set of arrays as a TensorDataset."""
    fit = training.fit
    class_weight = fit.arguments.get("class_weight") if fit else None
    lines = _load_data(data, ends, step, class_weight)
    return "\n".join([*lines, "", "", *_to_dataset(data, module, ends, step, weighted, training)])


def _load_data(data: Data, ends: Any, step: Any, class_weight: Any) -> list[str]:
    sets = dict(data.sets)
    train = sets["train"]
    body: list[str] = []
    if data.keys:
        body += hole(data) if data.reason else []
        keys = [identifier(key) for key in data.keys]
        reads = ", ".join(f"data[{quote(key)}]" for key in keys)
        body += ["with np.load(args.data) as data:", f"    {', '.join(keys)} = {reads}"]
    body += data.statements
    if class_weight:
        body += class_weight_table(class_weight, train.targets[0], step.heads[0])
        train = DataSet(train.inputs, train.targets, "weight")
    made = {"train": _set(train)}
    if data.split is not None:
        body += [
            f"split = int(len({train.inputs[0]}) * (1.0 - {quote(data.split)}))"
            "  # Keras takes the last part",
        ]
        made["train"] = _set(train, "[:split]")
        made["validation"] = _set(sets["train"], "[split:]")  # classes weigh in training alone
    elif "validation" in sets:
        made["validation"] = _set(sets["validation"])
    for role in data.made:
        if role.startswith(("test", "new")):
            made[role] = _set(sets[role])
    count = len(made)
    annotation = f"tuple[{', '.join(['TensorDataset'] * count)}]"
    doc = f'"""{set_names(made)}."""'
    result = list(made.values())
    returns = (
        [f"return (to_dataset({result[0]}),)"]
        if count == 1
        else ["return (", *(f"    to_dataset({text})," for text in result), ")"]
    )
    return [
        f"def load_data(args) -> {annotation}:",
        f"    {doc}",
        *(f"    {line}" for line in [*body, *returns]),
    ]


def set_names(roles: Iterable[str]) -> str:
    """ "The training, the validation and the test set": for a docstring."""
    names = {"train": "training", "validation": "validation", "test": "test"}
    kinds = [names[role] for role in roles if role in names]
    kinds = [*kinds[:-2], " and the ".join(kinds[-2:])]
    text = f"The {', the '.join(kinds)} set"
    text += ", what else is evaluated" if any(r.startswith("test_") for r in roles) else ""
    return text + (", what is predicted from" if any(r.startswith("new") for r in roles) else "")


def class_weight_table(class_weight: Any, label: str, head: Any) -> list[str]:
    """``weight``: what the class of every sample weighs."""
    labels = f"{label}.reshape(-1)" if head.sparse else f"{label}.argmax(axis=-1)"
    if head.shape[-1] == 1:
        labels = f"{label}.reshape(-1).astype(int)"
    weights = {int(k): float(v) for k, v in class_weight.items()}
    return [
        f"class_weight = {quote(weights)}",
        f"weight = np.array([class_weight.get(int(label), 1.0) for label in {labels}])",
    ]


def hole(data: Data) -> list[str]:
    """What cannot be carried: an error that quotes the program's own lines, until it is filled."""
    why = f"The program's own data statements are not carried: {data.reason}."
    text = textwrap.wrap(comment(why), 90)
    text.append("Write them here" + (", or put the arrays into --data." if data.keys else "."))
    if data.quoted:
        text += ["In the program:", *quoted_lines(data.quoted)]
    quoted = [f"    {quote(line + chr(10))}" for line in text]
    lines = ["raise NotImplementedError(", *quoted, ")"]
    if data.keys:
        return ["if not Path(args.data).exists():", *(f"    {line}" for line in lines)]
    return lines


def quoted_lines(lines: Iterable[str]) -> list[str]:
    """Lines of the program's for a message, one step in."""
    return [" " * (4 + len(line) - len(line.lstrip())) + comment(line) for line in lines]


def _set(part: DataSet, piece: str = "") -> str:
    expressions = [*part.inputs, *part.targets, *([part.weight] if part.weight else [])]
    return ", ".join(f"{_wrapped(text, piece)}{piece}" for text in expressions)


def _wrapped(text: str, piece: str) -> str:
    return text if not piece or text.isidentifier() else f"({text})"


def _to_dataset(
    data: Data, module: Any, ends: Any, step: Any, weighted: bool, training: Any
) -> list[str]:
    parameters = [f"{name}: np.ndarray" for name in (*ends.inputs, *ends.targets)]
    rows = input_rows(ends.inputs, module.inputs, training.input_ranks)
    for head in step.heads if ends.targets else ():
        rows.append(f"{target_row(head)},")
    if weighted:
        parameters.append("weight: np.ndarray | None = None")
        columns = f", {len(step.heads)}" if training.weighs_outputs else ""
        count = f"len({ends.inputs[0]})"
        own = any(part.weight for part in data.sets.values())  # beside those of the classes
        given = weight_row(step.heads, training.weighs_outputs) if own else WEIGHTS
        rows.append(f"torch.ones({count}{columns}) if weight is None else {given},")
    doc = '    """Keras\'s arrays as tensors, in the layout and types of the model."""'
    if ends.targets and any(role.startswith("new") for role in data.made):
        return _to_dataset_or_inputs(parameters, rows, doc, ends)
    return [
        f"def to_dataset({', '.join(parameters)}) -> TensorDataset:",
        doc,
        "    return TensorDataset(",
        *(f"        {row}" for row in rows),
        "    )",
    ]


def _to_dataset_or_inputs(parameters: list[str], rows: list[str], doc: str, ends: Any) -> list[str]:
    """The function where there are inputs without targets: those that are only predicted from."""
    count = len(ends.inputs)
    optional = [f"{p} | None = None" if p.endswith("np.ndarray") else p for p in parameters[count:]]
    return [
        f"def to_dataset({', '.join([*parameters[:count], *optional])}) -> TensorDataset:",
        doc,
        "    inputs = (",
        *(f"        {row}" for row in rows[:count]),
        "    )",
        f"    if {' or '.join(f'{name} is None' for name in ends.targets)}:",
        "        return TensorDataset(*inputs)",
        "    return TensorDataset(",
        "        *inputs,",
        *(f"        {row}" for row in rows[count:]),
        "    )",
    ]


def input_rows(
    names: tuple[str, ...], ports: Any, ranks: tuple[int | None, ...] = (), windows: bool = False
) -> list[str]:
    """One conversion a line: an array of Keras's as a tensor for ``forward``.

    ``ranks`` are those of the program's arrays, where known: Keras adds a last axis of one.
    ``windows``: of a series, which may have one axis only.
    """
    rows = []
    for i, (name, port) in enumerate(zip(names, ports)):
        dtype = "torch.float32" if port.dtype.startswith("float") else "torch.int64"
        text = f"torch.tensor({name}, dtype={dtype})"
        lacks_axis = port.shape[-1] == 1 and len(port.shape) > 1
        if lacks_axis and i < len(ranks) and ranks[i] == len(port.shape) - 1:
            text += "[..., None]"
        elif lacks_axis and windows and all(port.shape[1:]):
            text += f".reshape(-1, {', '.join(map(str, port.shape[1:]))})"
        order = port.permutation
        if order is None or tuple(order) == tuple(range(len(order))):
            rows.append(f"{text},")
        else:
            text += f".permute({', '.join(map(str, order))}).contiguous()"
            rows.append(f"{text},  # channels first")
    return rows


WEIGHTS = "torch.tensor(weight, dtype=torch.float32)"


def weight_row(heads: Any, by_output: bool) -> str:
    """The sample weights, one for each loss that Keras computes: (N, 1) weighs as (N,)."""
    text = WEIGHTS
    ranks = {max(head.rank - 1, 1) for head in heads}
    if ranks == {1}:
        return f"{text}.reshape(len(weight), {len(heads)})" if by_output else f"{text}.reshape(-1)"
    if len(ranks) == 1 and not by_output:
        return f"{text}.reshape(np.shape(weight)[:{ranks.pop()}])"
    return text


def target_row(head: Any) -> str:
    """A target as Keras's loss would see it: class indices, or numbers of the prediction's shape."""
    if head.sparse:
        text = f"torch.tensor({head.target}, dtype=torch.int64)"
        inner = head.shape[1:-1]
        if head.target_shape is not None and len(head.target_shape) == head.rank - 1:
            return text
        if not inner:
            return f"{text}.reshape(-1)"
        return f"{text}.reshape(len({head.target}), {', '.join(str(n or -1) for n in inner)})"
    text = f"torch.tensor({head.target}, dtype=torch.float32)"
    if head.target_shape is not None and len(head.target_shape) < head.rank and head.shape[-1] != 1:
        return text  # fewer axes, as a loss of the program's own may want it
    if head.target_shape is None or len(head.target_shape) != head.rank:
        if all(head.shape[1:]):
            text += f".reshape(-1, {', '.join(map(str, head.shape[1:]))})"
        elif head.shape[-1] == 1:
            text += f".reshape(*{head.target}.shape[:{head.rank - 1}], 1)"
    order = head.permutation
    if order is not None and tuple(order) != tuple(range(len(order))):
        text += f".permute({', '.join(map(str, order))}).contiguous()"
    return text
