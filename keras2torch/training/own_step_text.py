"""The training step of a model class's own, as lines of ``compute_loss`` and sums over the epoch."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.ops.added_loss import twin
from keras2torch.quoting import to_identifier
from keras2torch.training.heads import Head
from keras2torch.training.module_info import ModuleInfo
from keras2torch.training.own_step import OwnStep
from keras2torch.training.record import Training
from keras2torch.training.step import Column, Ends, Printed, Step, forward_lines
from keras2torch.training.traced import first_met, function_source, reads

NAME = "losses"


def lower_own_step(
    step: OwnStep, training: Training, module: ModuleInfo, ends: Ends, checked: bool
) -> Step:
    """``checked``: whether the script evaluates, too. UnsupportedError where that would differ from training."""
    places = _places(step, module, ends)
    names = _names(step, ends)
    functions = _source(step.results, places, names)
    if checked:
        _refuse_other_checks(step, training, functions, places, names)
    used = [place for tensor, place in places if reads(step.results, tensor, places)]
    results = [names[id(tensor)] for tensor in step.results]
    lines = forward_lines(ends, module)
    if module.kept:
        lines.append("last = getattr(net, 'module', net)  # inside DDP; keeps what the loss reads")
    lines.append(f"{', '.join(results)} = {NAME}({', '.join(used)})")
    columns: list[Column] = []
    printed: list[Printed] = []
    for name, tensor in step.reported:
        variable = names[id(tensor)]
        weighted = name in step.by_samples
        label = f"{variable}_of_samples" if weighted else variable
        if label not in [column.name for column in columns]:
            columns.append(Column(label, f"{ends.count} * {variable}" if weighted else variable))
        printed.append(Printed(name, f"{label} / {'count' if weighted else 'batches'}", "down"))
    if len(step.by_samples) < len(step.reported):
        columns.append(Column("batches", "torch.ones_like(loss)"))
    heads = [
        Head(name, prediction, "", tuple(port.shape), port.permutation)
        for name, prediction, port in zip(ends.predictions, ends.predictions, module.outputs)
    ]
    return Step(lines, columns, printed, heads, functions=list(functions))


def _places(step: OwnStep, module: ModuleInfo, ends: Ends) -> list[tuple[Any, str]]:
    """What the step reads of the model, and the script's expression of it."""
    pairs = [*zip(module.input_tensors, ends.inputs), *zip(module.output_tensors, ends.predictions)]
    pairs += [(tensor, f"last.{name}") for tensor, name in module.kept]
    known = {id(tensor): place for tensor, place in pairs}
    checked = [tensor for _, tensor in step.checked or ()]
    found = first_met([*step.results, *checked], set(known))
    return [(t, known[id(twin(t, set(known)))]) for t in found if id(twin(t, set(known))) in known]


def _names(step: OwnStep, ends: Ends) -> dict[int, str]:
    """A variable for every tensor that is computed: ``loss`` for what is minimised."""
    taken = {*ends.inputs, *ends.predictions, "net", "args", "last", "sums", "count", "batches"}
    names = {id(step.loss): "loss"}
    for name, tensor in step.reported:
        variable = to_identifier(name, "value")
        names.setdefault(id(tensor), f"{variable}_" if variable in {*taken, "loss"} else variable)
    return names


def _source(results: list[Any], places: list[Any], names: dict[int, str]) -> tuple[str, ...]:
    used = [(tensor, place) for tensor, place in places if reads(results, tensor, places)]
    arguments = [place.rpartition(".")[2].removeprefix("last_") for _, place in used]
    doc = f"For a batch: {', '.join(names[id(tensor)].replace('_', ' ') for tensor in results)}."
    return function_source(NAME, [tensor for tensor, _ in used], arguments, results, doc)


def _refuse_other_checks(
    step: OwnStep,
    training: Training,
    functions: tuple[str, ...],
    places: list[Any],
    names: dict[int, str],
) -> None:
    if "train_step" not in training.overrides:
        return
    if step.checked is None:
        raise UnsupportedError(
            "the model class writes its own train_step and no test_step, and evaluates",
            fix="write test_step, or leave out validation data and evaluate()",
        )
    ours, theirs = dict(step.reported), dict(step.checked)
    same = ours.keys() == theirs.keys()
    if same:
        renamed = {id(theirs[name]): names[id(ours[name])] for name in ours}
        results = {id(tensor): tensor for tensor in theirs.values()}
        same = _source(list(results.values()), places, renamed) == functions
    if not same:
        raise UnsupportedError(
            "train_step and test_step of the model class compute different results",
            fix="write one function for both, or write evaluate by hand",
        )
