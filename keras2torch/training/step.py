"""Losses and metrics of all outputs, as lines of ``compute_loss`` and sums over the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.quoting import quote, to_identifier
from keras2torch.training import metrics
from keras2torch.training.heads import Head
from keras2torch.training.losses import Loss, TorchLoss
from keras2torch.training.masks import OutputMask
from keras2torch.training.module_info import ModuleInfo
from keras2torch.training.record import Training


@dataclass
class Column:
    """A number summed on the device over the epoch: its variable, the batch's sum, its length."""

    name: str
    expression: str
    size: int = 1


@dataclass
class Printed:
    """What is printed: its name in the history, its formula from the sums, and how many numbers it is."""

    name: str
    formula: str
    direction: str | None = None
    size: int = 1


@dataclass
class Step:
    """The loss, the metrics, and how they are summed."""

    lines: list[str]
    columns: list[Column]
    printed: list[Printed]
    heads: list[Head]
    helpers: list[str] = field(default_factory=list)  # pages in templates
    functions: list[str] = field(default_factory=list)  # sources
    by_batch: bool = False  # whether an average depends on how the samples are put into batches


@dataclass(frozen=True)
class Ends:
    """The variables of inputs, predictions and targets in the script."""

    inputs: tuple[str, ...]
    predictions: tuple[str, ...]
    targets: tuple[str, ...]

    @property
    def count(self) -> str:
        """The expression of the batch's size."""
        return f"len({(self.targets or self.inputs)[0]})"


_TAKEN = {
    *"net args loss sums weight count batch order model dataset optimizer p q t error sign".split(),
    *"mask kept counted binary chosen true positives negatives log_p smoothed step steps bar np torch dist nn".split(),
}


def names_of_ends(training: Training, module: ModuleInfo) -> Ends:
    """Readable, distinct variable names for all tensors of a batch."""
    taken = set(_TAKEN)

    def free(name: str) -> str:
        name = to_identifier(name, "value")
        if name in taken:
            name = f"{name}_"
        base, n = name, 2
        while name in taken:
            name, n = f"{base}{n}", n + 1
        taken.add(name)
        return name

    names = module.argument_names or tuple(port.name for port in module.inputs)
    inputs = tuple(free(name) for name in names)
    try:
        found = training.losses()
    except K2TError:
        found = [None] * len(module.outputs)
    if len(found) != len(module.outputs):  # nothing compiled, or a loss per part of the outputs
        found = [None] * len(module.outputs)
    predictions, targets = [], []
    for port, loss in zip(module.outputs, found):
        single = len(module.outputs) == 1
        logits = port.activation is not None or getattr(loss, "from_logits", False)
        kind = "logits" if logits else "prediction"
        aim = "label" if loss is not None and loss.takes else "target"
        stem = "" if single else f"{to_identifier(port.name)}_"
        predictions.append(free(port.name if module.own_step and not single else f"{stem}{kind}"))
        targets.append(free(f"{stem}{aim}"))
    if (module.adds_loss or module.own_step) and not any(found):
        targets = []
    return Ends(inputs, tuple(predictions), tuple(targets))


def lower_step(training: Training, module: ModuleInfo, ends: Ends, weighted: bool) -> Step:
    """Losses and metrics of all outputs as lines of ``compute_loss``."""
    found = training.losses()
    compiled = training.compiled
    assert compiled is not None
    kept = tuple((tensor, f"last.{name}") for tensor, name in module.kept)
    kept += tuple(zip(module.input_tensors, ends.inputs))
    heads = [
        Head(
            name=training.output_names[i],
            prediction=ends.predictions[i],
            target=ends.targets[i] if ends.targets else "",
            shape=tuple(port.shape),
            permutation=port.permutation,
            activation=port.activation,
            target_shape=training.target_shape(i),
            weight=f"weight[:, {i}]" if training.weighs_outputs else "weight" if weighted else None,
            sparse=_is_sparse(found[i], training.target_shape(i), tuple(port.shape)),
            kept=kept,
        )
        for i, port in enumerate(module.outputs)
    ]
    lines = forward_lines(ends, module)
    if module.kept:
        lines.append("last = getattr(net, 'module', net)  # inside DDP; keeps what the loss reads")
    many = sum(loss is not None for loss in found) > 1
    weights = _loss_weights(training, compiled.get("loss_weights"), heads)
    terms, columns, printed = [], [], []
    functions: list[str] = []
    helpers: list[str] = []
    by_batch = False
    count = ends.count
    for i, (head, loss, factor) in enumerate(zip(heads, found, weights)):
        if loss is None:
            continue
        if mask := (module.masks[i] if module.masks else None):
            _add_functions(functions, mask.sources)
            name = _mask_name(head, len(heads))
            heads[i] = replace(head, counted=name.replace("mask", "counted"))
            more, head = _masked(heads[i], name, loss, mask, ends)
            lines += more
        by_batch = by_batch or mask is not None or loss.by_batch(head)
        lines += loss.setup(head)
        helpers += [f"losses/{page}" for page in loss.templates()]
        _add_functions(functions, loss.functions(head))
        name = f"{to_identifier(head.name)}_loss" if many else "loss"
        lines.append(f"{name} = {loss.reduced(head)}")
        terms.append(name if factor in (None, 1) else f"{quote(factor)} * {name}")
        if many:
            columns.append(Column(name, f"{count} * {name}"))
            printed.append(Printed(f"{head.name}_loss", f"{name} / count", "down"))
    if terms and (many or terms != ["loss"]):
        lines.append(f"loss = {' + '.join(terms)}")
    if module.penalties:
        before = "loss + " if terms else ""
        lines.append(f"loss = {before}penalty(getattr(net, 'module', net))  # inside DDP")
    columns.insert(0, Column("loss", f"{count} * loss"))
    printed.insert(0, Printed("loss", "loss / count", "down"))
    step = Step(lines, columns, printed, heads, helpers, functions, by_batch)
    _lower_metrics(training, step, compiled.get("metrics"), ends, weighted=False)
    _lower_metrics(training, step, compiled.get("weighted_metrics"), ends, weighted=weighted)
    return step


def _mask_name(head: Head, count: int) -> str:
    return "mask" if count == 1 else f"{to_identifier(head.name)}_mask"


def _masked(
    head: Head, name: str, loss: Loss, mask: OutputMask, ends: Ends
) -> tuple[list[str], Head]:
    """The mask, and the head with the weights that Keras gives the loss by it."""
    kept = name.replace("mask", "kept")
    inputs = ", ".join(ends.inputs[i] for i in mask.inputs)
    lines = [f"{name} = {mask.name}({inputs}).float()"]
    scale = f" * ({name}.numel() / {name}.sum().clamp(min=1))"
    if loss.reduction not in ("sum_over_batch_size", "mean", "auto"):
        scale = ""
    weight = f" * {head.weight}.reshape(len({head.weight}), -1)" if head.weight else ""
    lines.append("# Keras averages the loss over the steps that count.")
    lines.append(f"{kept} = {name}{scale}{weight}")
    lines.append("# Its metrics (on JAX) know the mask in evaluation only.")
    lines.append(f"{head.counted} = torch.ones_like({name}) if net.training else {name}")
    return lines, replace(head, weight=kept)


def _is_sparse(
    loss: Loss | None, target: tuple[int | None, ...] | None, shape: tuple[int | None, ...]
) -> bool:
    if isinstance(loss, TorchLoss):
        return loss.is_sparse and (target is None or len(target) < len(shape))
    return loss is not None and loss.sparse


def forward_lines(ends: Ends, module: ModuleInfo) -> list[str]:
    """The prediction: in bfloat16 with --amp, then in float32."""
    inputs = ", ".join(ends.inputs)
    outputs = ", ".join(ends.predictions)
    if not ends.targets and not module.own_step:  # nothing is compared with the outputs
        return [
            "with torch.autocast(args.device.type, torch.bfloat16, enabled=args.amp):",
            f"    net({inputs})",
        ]
    if len(ends.predictions) == 1:
        forward = f"{outputs} = net({inputs}).float()"
    else:
        forward = f"{outputs} = (output.float() for output in net({inputs}))"
    return [
        "with torch.autocast(args.device.type, torch.bfloat16, enabled=args.amp):",
        f"    {forward}",
    ]


def _loss_weights(training: Training, given: Any, heads: list[Head]) -> list[Any]:
    if given is None:
        return [None] * len(heads)
    if isinstance(given, (int, float)):
        return [given] * len(heads)
    return training.per_output(given, "loss_weights")


def _lower_metrics(training: Training, step: Step, given: Any, ends: Ends, weighted: bool) -> None:
    """Append the columns and printed numbers of ``metrics`` or ``weighted_metrics``."""
    if not given or not ends.targets:
        return
    heads = step.heads
    count = ends.count
    if len(heads) == 1:
        flat: list[Any] = []
        for value in given.values() if isinstance(given, dict) else given:
            flat += value if isinstance(value, (list, tuple)) else [value]
        per_head: list[Any] = [flat]
    else:
        per_head = training.per_output(given, "metrics")
    taken = {printed.name for printed in step.printed}
    for head, wanted in zip(heads, per_head):
        for one in wanted if isinstance(wanted, (list, tuple)) else [wanted]:
            if one is None:
                continue
            metric = metrics.get(one, head)
            name = metric.name or "metric"
            if len(heads) > 1:
                name = f"{head.name}_{name}"
            if name in taken and weighted:
                name = f"weighted_{name}"
            base, n = name, 1
            while name in taken:
                name, n = f"{base}_{n}", n + 1
            taken.add(name)
            variable = to_identifier(name, "metric")
            _lower_metric(step, metric, head, name, variable, count, weighted)


def _lower_metric(
    step: Step,
    metric: metrics.Metric,
    head: Head,
    name: str,
    variable: str,
    count: str,
    weighted: bool,
) -> None:
    if not weighted:
        head = replace(head, weight=None)  # Keras does not weigh them
    step.lines += [line for line in metric.setup(head) if not _holds(step.lines, line)]
    statistics = metric.statistics(head)
    if head.counted is not None and statistics is None:
        weight = f" * {head.weight}.reshape(len({head.weight}), -1)" if weighted else ""
        head = replace(head, weight=f"({head.counted}{weight})" if weight else head.counted)
        weighted = True
    _add_functions(step.functions, metric.functions(head))
    if any(source.startswith(f"def {variable}(") for source in step.functions):
        variable = f"{variable}_value"
    pages = [f"metrics/{page}" for page in metric.templates(head)]
    step.helpers += [page for page in pages if page not in step.helpers]
    step.by_batch = step.by_batch or metric.by_batch(head)
    if statistics is not None:
        if weighted and not metric.weighs:
            raise UnsupportedError(f"{name} as a weighted metric is not carried")
        names = [f"{variable}_{statistic.name}" for statistic in statistics]
        for label, statistic in zip(names, statistics):
            step.lines.append(f"{label} = {statistic.expression}")
            step.columns.append(Column(label, label, statistic.size))
        formula = metric.formula(names, head)
        step.printed.append(Printed(name, formula, metric.direction, metric.results(head)))
        return
    if weighted:
        step.lines.append(f"{variable} = {metric.each(head)}")
        weight = metric.weight(head)
        step.columns.append(Column(variable, f"({variable} * {weight}).sum()"))
        step.columns.append(Column(f"{variable}_weight", f"{weight}.sum()"))
        formula = f"{variable} / {variable}_weight"
    else:
        step.lines.append(f"{variable} = {metric.mean(head)}")
        step.columns.append(Column(variable, f"{count} * {variable}"))
        formula = f"{variable} / count"
    step.printed.append(Printed(name, formula, metric.direction))


def _add_functions(known: list[str], more: tuple[str, ...]) -> None:
    """Append sources; UnsupportedError where two different functions have one name."""
    heads = {source.partition("(")[0]: source for source in known}
    for source in more:
        name = source.partition("(")[0]
        if name in heads and heads[name] != source:
            raise UnsupportedError(f"two functions are called {name.removeprefix('def ')}")
        if name not in heads:
            known.append(source)
            heads[name] = source


def _holds(lines: list[str], line: str) -> bool:
    """Whether an assignment has been made and its variables still hold what it gave them."""
    target = line.partition(" = ")[0]
    made = [other for other in lines if other.partition(" = ")[0] == target]
    return bool(made) and made[-1] == line
