"""Several calls of fit() as phases of one script: frozen, compiled and trained; unfrozen, compiled, trained."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace

from keras2torch.module import Mapping
from keras2torch.penalties import attribute_path
from keras2torch.training import optimizers
from keras2torch.training.calls import TrainingCall
from keras2torch.training.data import argument_nodes
from keras2torch.training.record import Training, same_values
from keras2torch.training.schedules import LearningRateSchedule
from keras2torch.training.syntax import used_names


@dataclass(frozen=True)
class Phase:
    """One call of fit() (or equal ones, one after the other), and the compile() before it."""

    fit: TrainingCall
    compiled: TrainingCall

    @property
    def first_epoch(self) -> int:
        return int(self.fit.get("initial_epoch"))

    @property
    def epochs(self) -> int:
        return int(self.fit.get("epochs"))


def phases_of(training: Training) -> list[Phase]:
    """The phases of a program that compiles before every one of them; [] where they differ in more.

    They may differ in what is frozen, in the optimizer and its rate, and in the number of epochs.
    """
    found: list[Phase] = []
    for call in training.fits:
        compiled = training.compiled_before(call)
        if compiled is None:
            return []
        if found and found[-1].compiled is compiled:
            if found[-1].fit.frozen != call.frozen or not _alike(found[-1].fit, call):
                return []
            more = int(call.get("epochs")) - int(call.get("initial_epoch"))
            arguments = {**found[-1].fit.arguments, "epochs": found[-1].epochs + more}
            found[-1] = replace(found[-1], fit=replace(found[-1].fit, arguments=arguments))
        else:
            found.append(Phase(call, compiled))
    if len(found) < 2 or not all(_joins(found[-1], phase) for phase in found):
        return []
    return found


def _alike(first: TrainingCall, second: TrainingCall) -> bool:
    """Whether two fits differ in nothing but the number of epochs, by value or as they are written."""
    ignored = {"epochs", "initial_epoch", "verbose"}
    names = (set(first.arguments) | set(second.arguments)) - ignored

    def same(name: str) -> bool:
        values = first.arguments.get(name), second.arguments.get(name)
        if name == "callbacks":
            return repr(values[0] or None) == repr(values[1] or None)
        return same_values(*values) or _same_text(name, first, second)

    return all(map(same, names))


def _same_text(name: str, first: TrainingCall, second: TrainingCall) -> bool:
    """Whether an argument is written alike in two calls, and nothing in it is made anew between them."""
    nodes = [argument_nodes(call).get(name) for call in (first, second)]
    if None in nodes or first.line is None or second.line is None or first.line >= second.line:
        return False
    if first.source is None or ast.unparse(nodes[0]) != ast.unparse(nodes[1]):  # type: ignore[arg-type]
        return False
    used = used_names(nodes[0])  # type: ignore[arg-type]
    return not any(
        isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and node.id in used
        and first.line < node.lineno <= second.line
        for node in ast.walk(ast.parse(first.source))
    )


def _joins(last: Phase, phase: Phase) -> bool:
    if not _alike(last.fit, phase.fit):
        return False
    names = ("loss", "loss_weights", "metrics", "weighted_metrics")
    if any(repr(last.compiled.get(n)) != repr(phase.compiled.get(n)) for n in names):
        return False
    optimizer = optimizers.get(phase.compiled.get("optimizer"))
    scheduled = isinstance(optimizer.learning_rate, LearningRateSchedule)
    return not scheduled and not optimizer.use_ema and not optimizer.gradient_accumulation_steps


def learning_lines(phases: list[Phase], parameters: dict[str, Mapping]) -> list[list[str]]:
    """Per phase: what learns and what does not, of that which is not the same in all phases.

    ``parameters`` maps every trainable state-dict key to what it is made of.
    """
    frozen = [
        {k for k, m in parameters.items() if any(id(w) in phase.fit.frozen for w in m.sources)}
        for phase in phases
    ]
    varying = frozen[0].union(*frozen) - frozen[0].intersection(*frozen)
    lines = []
    for keys in frozen:
        rows = [f"{path}.requires_grad_(False)" for path in _paths(keys & varying, parameters)]
        rows += [f"{path}.requires_grad_(True)" for path in _paths(varying - keys, parameters)]
        lines.append(rows)
    return lines


def _paths(keys: set[str], all_keys: Iterable[str]) -> list[str]:
    """As few modules as hold these parameters and no others."""
    found: list[str] = []
    for key in [key for key in all_keys if key in keys]:
        parts = key.split(".")
        for length in range(1, len(parts) + 1):
            prefix = ".".join(parts[:length])
            inside = {k for k in all_keys if k == prefix or k.startswith(f"{prefix}.")}
            if inside <= keys:
                path = f"model.{attribute_path(prefix)}"
                found += [path] if path not in found else []
                break
    return found
