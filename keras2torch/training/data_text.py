"""``load_data`` and ``to_dataset`` of the training script, as text."""

from __future__ import annotations

import textwrap
from typing import Any

from keras2torch.quoting import comment, identifier, quote
from keras2torch.training.data import Data, DataSet


def data_text(data: Data, training: Any, module: Any, ends: Any, step: Any, weighted: bool) -> str:
    """Both functions: the arrays of all sets, then one set of arrays as a TensorDataset."""
    fit = training.fit
    class_weight = fit.arguments.get("class_weight") if fit else None
    lines = _load_data(data, ends, step, class_weight)
    return "\n".join([*lines, "", "", *_to_dataset(module, ends, step, weighted, training)])


def _load_data(data: Data, ends: Any, step: Any, class_weight: Any) -> list[str]:
    names = {"train": "training", "validation": "validation", "test": "test"}
    sets = dict(data.sets)
    train = sets["train"]
    body: list[str] = []
    if data.keys:
        keys = [identifier(key) for key in data.keys]
        reads = ", ".join(f"data[{quote(key)}]" for key in keys)
        body += ["with np.load(args.data) as data:", f"    {', '.join(keys)} = {reads}"]
    if data.reason:
        text = f"The program's own data statements are not carried: {comment(data.reason)}."
        body[:0] = [f"# {line}" for line in textwrap.wrap(text, 92)]
    body += data.statements
    if class_weight:
        label = train.targets[0]
        labels = f"{label}.reshape(-1)" if step.heads[0].sparse else f"{label}.argmax(axis=-1)"
        if step.heads[0].shape[-1] == 1:
            labels = f"{label}.reshape(-1).astype(int)"
        weights = {int(k): float(v) for k, v in class_weight.items()}
        body += [
            f"class_weight = {quote(weights)}",
            f"weight = np.array([class_weight.get(int(label), 1.0) for label in {labels}])",
        ]
        train = DataSet(train.inputs, train.targets, "weight")
    made = {"train": _set(train)}
    if data.split is not None:
        body += [
            f"split = int(len({train.inputs[0]}) * (1.0 - {quote(data.split)}))"
            "  # Keras takes the last part",
        ]
        made["train"] = _set(train, "[:split]")
        made["validation"] = _set(train, "[split:]")
    elif "validation" in sets:
        made["validation"] = _set(sets["validation"])
    if "test" in sets and sets["test"] != sets.get("validation"):
        made["test"] = _set(sets["test"])
    kinds = [names[name] for name in made]
    kinds = [*kinds[:-2], " and the ".join(kinds[-2:])]
    count = len(made)
    annotation = f"tuple[{', '.join(['TensorDataset'] * count)}]"
    doc = f'"""The {", the ".join(kinds)} set."""'
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


def _set(part: DataSet, piece: str = "") -> str:
    expressions = [*part.inputs, *part.targets, *([part.weight] if part.weight else [])]
    return ", ".join(f"{_wrapped(text, piece)}{piece}" for text in expressions)


def _wrapped(text: str, piece: str) -> str:
    return text if not piece or text.isidentifier() else f"({text})"


def _to_dataset(module: Any, ends: Any, step: Any, weighted: bool, training: Any) -> list[str]:
    parameters = [f"{name}: np.ndarray" for name in (*ends.inputs, *ends.targets)]
    rows = input_rows(ends.inputs, module.inputs, training.input_ranks)
    for head in step.heads:
        rows.append(f"{_target(head)},")
    if weighted:
        parameters.append("weight: np.ndarray | None = None")
        count = f"len({ends.inputs[0]})"
        rows.append(
            f"torch.ones({count}) if weight is None "
            "else torch.tensor(weight, dtype=torch.float32),"
        )
    return [
        f"def to_dataset({', '.join(parameters)}) -> TensorDataset:",
        '    """Keras\'s arrays as tensors, in the layout and types of the model."""',
        "    return TensorDataset(",
        *(f"        {row}" for row in rows),
        "    )",
    ]


def input_rows(names: tuple[str, ...], ports: Any, ranks: tuple[int | None, ...] = ()) -> list[str]:
    """One conversion a line: an array of Keras's as a tensor for ``forward``.

    ``ranks`` are those of the program's arrays, where known: Keras adds a last axis of one.
    """
    rows = []
    for i, (name, port) in enumerate(zip(names, ports)):
        dtype = "torch.float32" if port.dtype.startswith("float") else "torch.int64"
        text = f"torch.tensor({name}, dtype={dtype})"
        lacks_axis = port.shape[-1] == 1 and len(port.shape) > 1
        if lacks_axis and i < len(ranks) and ranks[i] == len(port.shape) - 1:
            text += "[..., None]"
        order = port.permutation
        if order is None or tuple(order) == tuple(range(len(order))):
            rows.append(f"{text},")
        else:
            text += f".permute({', '.join(map(str, order))}).contiguous()"
            rows.append(f"{text},  # channels first")
    return rows


def _target(head: Any) -> str:
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
