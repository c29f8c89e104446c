"""The training script: every text decided here, laid out by ``templates/train.py.jinja``."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from typing import Any

from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.pages import environment
from keras2torch.quoting import comment, identifier, prose, quote
from keras2torch.training.callback_text import lower_callbacks
from keras2torch.training.data import plan_data
from keras2torch.training.data_pages import data_pages, imports_of
from keras2torch.training.data_text import data_text
from keras2torch.training.imports import sorted_imports
from keras2torch.training.matrix_optimizers import fit_to_weights, group_lines
from keras2torch.training.module_info import ModuleInfo, Port
from keras2torch.training.optimizers import OptimizerText
from keras2torch.training.optimizers import get as get_optimizer
from keras2torch.training.own_step_text import lower_own_step
from keras2torch.training.phases import learning_lines, phases_of
from keras2torch.training.prediction import Prediction, title
from keras2torch.training.record import Training
from keras2torch.training.schedules import LearningRateSchedule
from keras2torch.training.step import Step, lower_step
from keras2torch.training.stream_text import stream_text, yields_weights
from keras2torch.training.summary import summary_lines, summary_package
from keras2torch.training.update import update_lines


def emit_training(training: Training | None, module: ModuleInfo) -> str:
    """Source of the training script, unformatted; K2TError names what cannot be carried exactly.

    Without a compiled loss there is nothing to train by: the script then predicts, and says so.
    """
    try:
        return _Emission(training, module).render()
    except K2TError as error:
        if error.where is None and training is not None:
            error.where = training.where
        raise


class _Emission(Prediction):
    def render(self) -> str:
        if self.training.overrides and self.module.own_step is None:
            raise UnsupportedError(
                f"the model class writes its own {', '.join(self.training.overrides)}, "
                "which is not carried into a training script",
                fix="write it into compute_loss and train_one_epoch by hand",
            )
        if self.training.compiled is None:
            return self.prediction_script()
        if self.training.has_no_targets and not (self.module.adds_loss or self.module.own_step):
            return self.prediction_script()
        self.fit = self.training.fit
        self._refuse()
        self.data = plan_data(self.training)
        self.weighted = any(part.weight for part in self.data.sets.values()) or bool(
            self.fit and self.fit.arguments.get("class_weight")
        )
        if self.data.streams:
            self.weighted = self.weighted or yields_weights(self.data)
        if self.module.own_step is not None:
            self.module = replace(self.module, penalties=())  # its loss is all that is minimised
            self.step = self._own_step()
        else:
            self.step = lower_step(self.training, self.module, self.ends, self.weighted)
        self.optimizer = get_optimizer(self.training.compiled.get("optimizer"))
        self.phases = phases_of(self.training)
        self.callbacks = lower_callbacks(self.training, self.step.printed, self.validated)
        text = self._optimizer()
        self.phases = self.phases if self._phases_agree() else []
        body = environment().get_template("train.py.jinja").render(self._context(text))
        return body.replace("@IMPORTS@", self._imports(body))

    def _own_step(self) -> Step:
        if self.weighted or not self.training.has_no_targets or self.ends.targets:
            raise UnsupportedError(
                "the model class writes its own training step, and is given targets or weights",
                fix="put what it compares into the inputs",
            )
        checked = self.validated or "test" in self.data.sets
        return lower_own_step(self.module.own_step, self.training, self.module, self.ends, checked)

    def _refuse(self) -> None:
        """What fit() and the outputs can hold that the script does not repeat."""
        if self.fit is None:
            return
        x = self.fit.arguments.get("x")
        arrays = isinstance(getattr(x, "shape", None), tuple)
        for name in ("steps_per_epoch", "validation_steps"):
            sized = name == "validation_steps" or self.fit.arguments.get("batch_size")
            if arrays and sized and self.fit.arguments.get(name):
                raise UnsupportedError(
                    f"fit({name}=) on arrays stops in the middle of them",
                    fix="leave it out, or give fewer samples",
                )
        if self.fit.get("shuffle") == "batch":
            raise UnsupportedError('fit(shuffle="batch") is not carried', fix="use shuffle=True")
        weights = [self.fit.arguments.get(name) for name in ("sample_weight", "class_weight")]
        if all(value is not None for value in weights):
            raise UnsupportedError(
                "fit() is given both sample_weight and class_weight, which Keras 3 refuses",
                fix="multiply them in sample_weight",
            )

    # The parts of the page.
    def _context(self, optimizer: OptimizerText) -> dict[str, Any]:
        step = self.step
        inputs = self.ends.inputs
        schedule = self.optimizer.learning_rate
        scheduled = isinstance(schedule, LearningRateSchedule)
        together = self.optimizer.gradient_accumulation_steps
        overwrites = self.optimizer.use_ema and self.optimizer.ema_overwrite_frequency
        numbered = scheduled or bool(optimizer.per_update or together or overwrites)
        size = sum(column.size for column in step.columns) + 1
        script = f"{self.stem}_train.py"
        helpers = self._helpers(optimizer)
        return {
            "title": title(
                f"Train {self.module.class_name} ({self.module.module_name}.py) as "
                f"{prose(self.module.source_name)} does in Keras."
            ),
            "header": self._header(),
            "commands": [
                " ".join(
                    [
                        "pip install torch numpy pkbar",
                        '"setuptools<81"',
                        summary_package(self.module),
                    ]
                    + ["matplotlib", *self._packages()]
                ),
                f"python {script}",
                f"python {script} "
                + ("" if self.phases else f"--epochs {2 * self.epochs} ")
                + "--resume",
                f"torchrun --nproc-per-node 2 {script}",
            ],
            "imports": "@IMPORTS@",
            "several": any(printed.size > 1 for printed in step.printed),
            "means_type": (
                "dict[str, Any]"
                if any(printed.size > 1 for printed in step.printed)
                else "dict[str, float]"
            ),
            "metric_names": quote(tuple(printed.name for printed in step.printed)),
            "description": quote(f"Train {self.module.class_name}."),
            "flags": self.flags(),
            "data": self._data(),
            "streams": self.data.streams,
            "first_metric": quote(step.printed[0].name),
            "class_weight": bool(self.fit and self.fit.arguments.get("class_weight")),
            "kind": "Stream" if self.data.streams else "TensorDataset",
            "draws": "random" in self.data.text or self.data.streams,
            "helpers": helpers,
            "freezes_norms": bool(self.phases) and self.freezes and self.module.has_batch_norm,
            "loss_parameters": ", ".join(
                ["net: nn.Module", "args", *(f"{name}: Tensor" for name in self.tensors)]
            ),
            "loss_doc": (
                "The loss to minimise; the batch's sums of METRICS, and its size."
                if self._plain
                else "The loss to minimise; the batch's sums that METRICS are made of, and its size."
            ),
            "loss_lines": self._loss_lines(),
            "means_lines": self._means_lines(size),
            "epoch_parameters": "net, dataset, optimizer, epoch, bar, args"
            + (", average" if self.optimizer.use_ema else "")
            + (", started" if self.phases else "")
            + "".join(f", {name}" for name in self.callbacks.batch_callbacks),
            "average": quote(self.optimizer.ema_momentum) if self.optimizer.use_ema else None,
            "shuffle": self.shuffle,
            "totals_size": "len(METRICS) + 1" if self._plain else str(size),
            "numbered": numbered,
            "first_epochs": quote(tuple(phase.first_epoch for phase in self.phases)),
            "phases": len(self.phases),
            "first_epoch": self.first_epoch,
            "update_lines": update_lines(optimizer, self.optimizer, self.module),
            "before_batch": self._at_step(self.callbacks.before_batch, numbered),
            "after_batch": self._at_step(self.callbacks.after_batch, numbered),
            "batch_callbacks": "".join(f", {name}" for name in self.callbacks.batch_callbacks),
            "predict_type": "Tensor" if len(self.step.heads) == 1 else "list[Tensor]",
            "predict_doc": self.predict_doc(),
            "predict_lines": self.predict_lines(len(inputs)),
            "class_name": identifier(self.module.class_name),
            "summary_lines": summary_lines(self.module),
            "sets": self.set_names,
            "validation": "validation_set" if self.validated else None,
            "evaluated": [(quote(label), *rest) for label, *rest in self.evaluated],
            "predicted": self.predicted or [("predictions", self.predictable)],
            "many_outputs": len(self.step.heads) > 1,
            "predict_always": bool(self.predicted),
            "optimizer_comment": optimizer.comment,
            "optimizer": self._optimizer_call(optimizer),
            "batch_norm": self.module.has_batch_norm,
            "resets_epochs": self.training.resets_epochs,
            "resets_after": self.training.resets_after,
            "callbacks": self.callbacks,
            "validation_freq": self.validation_freq(),
            "weights_file": self.module.weights_file and quote(self.module.weights_file),
            "optimizer_steps": self.module.optimizer_steps,
        }

    def _at_step(self, lines: list[str], numbered: bool) -> list[str]:
        """With the number of the batch within the epoch."""
        return [line.replace("@STEP", "step - first" if numbered else "step") for line in lines]

    def _header(self) -> list[str]:
        lines = self.module.header.splitlines()
        last = self.training.where or "?"
        calls = [] if self.phases else self.training.other_fits
        others = list(dict.fromkeys(call.where or "?" for call in calls if call.where != last))
        if calls and not others:
            lines += [
                "",
                f"The program calls fit() more than once at {prose(last)}: this is the last.",
            ]
        elif others:
            lines += [
                "",
                f"The program calls fit() several times: {prose(', '.join(others))}, {prose(last)}.",
                f"This script is the last of them, {prose(last)}.",
            ]
        return lines

    def _helpers(self, optimizer: OptimizerText) -> list[str]:
        helpers = []
        if optimizer.template:
            options = self.optimizer.arguments
            page = environment().get_template(f"optimizers/{optimizer.template}.py.jinja")
            helpers.append(page.render(options).strip())
        if optimizer.undecayed:
            helpers.append("\n".join(group_lines(optimizer, self.optimizer)))
        schedule = self.optimizer.learning_rate
        if isinstance(schedule, LearningRateSchedule):
            initial = ", initial: float" if schedule.initial() is not None else ""
            lines = [
                f"def learning_rate(step: int{initial}) -> float:",
                '    """The rate of the next update, after ``step`` of them."""',
                *(f"    {line}" for line in schedule.lower()),
            ]
            helpers.append("\n".join(lines))
        if self.module.optimizer_file:
            helpers.append(environment().get_template("load_optimizer.py.jinja").render().strip())
        if self.phases:
            helpers.append("\n".join(self._start_phase()))
        if self.module.has_batch_norm:
            page = environment().get_template("batch_variance.py.jinja")
            helpers.append(page.render().strip())
        if self.training.resets_epochs or self.training.resets_after:
            helpers.append(environment().get_template("reset_states.py.jinja").render().strip())
        if self.module.penalties:
            lines = [
                "def penalty(net) -> Tensor:",
                f'    """{_penalty_doc(self.module)}"""',
                f"    return {' + '.join(self.module.penalties)}",
            ]
            helpers.append("\n".join(lines))
        if self.module.constraints:
            lines = [
                "@torch.no_grad()",
                "def constrain(net) -> None:",
                '    """Keras\'s constraints: weights are projected after every update."""',
                *(f"    {line}" for line in self.module.constraints),
            ]
            helpers.append("\n".join(lines))
        if self.optimizer.use_ema:
            helpers.append(environment().get_template("take_average.py.jinja").render().strip())
        helpers += self.step.functions
        for name in self.step.helpers:
            page = environment().get_template(f"{name}.py.jinja")
            helpers.append(page.render().strip())
        return helpers + self.callbacks.functions

    def _phases_agree(self) -> bool:
        """Whether all phases update the weights by the same lines."""
        last, found = self.optimizer, []
        for phase in self.phases:
            self.optimizer = get_optimizer(phase.compiled.get("optimizer"))
            text = self._optimizer()
            found.append(
                (update_lines(text, self.optimizer, self.module), text.template, text.comment)
            )
        self.optimizer = last
        return all(lines == found[-1] for lines in found)

    def _start_phase(self) -> list[str]:
        """The function that freezes and compiles, as the program does before each fit()."""
        learning = learning_lines(self.phases, self.module.parameters())
        self.freezes = any(learning)
        lines = [
            "def start_phase(phase: int, model: nn.Module, args) -> torch.optim.Optimizer:",
            '    """What the program does before each fit(): what learns, and the optimizer."""',
        ]
        last = self.optimizer
        for index, (phase, rows) in enumerate(zip(self.phases, learning)):
            self.optimizer = get_optimizer(phase.compiled.get("optimizer"))
            made = self._optimizer_call(self._optimizer()).replace("args.lr", f"args.lr[{index}]")
            body = [*rows, f"return {made}"]
            where = f"  # {comment(phase.fit.where)}" if phase.fit.where else ""
            if index < len(self.phases) - 1:
                lines.append(f"    if phase == {index}:{where}")
                lines += [f"        {line}" for line in body]
            else:
                lines += [f"    {line}" for line in body]
        self.optimizer = last
        return lines

    def _optimizer(self) -> OptimizerText:
        changes = isinstance(self.optimizer.learning_rate, LearningRateSchedule)
        text = self.optimizer.lower(changes or self.callbacks.changes_rate)
        return fit_to_weights(text, self.optimizer, self.module.parameters())

    def _optimizer_call(self, text: OptimizerText) -> str:
        rate = self.optimizer.learning_rate
        if isinstance(rate, LearningRateSchedule):
            initial = rate.initial()
            lr = "args.lr" if initial is not None else "learning_rate(0)"
        else:
            lr = "args.lr"
        arguments = [f"{name}={value}" for name, value in text.arguments.items()]
        return f"{text.constructor}({', '.join([text.parameters, f'lr={lr}', *arguments])})"

    def _loss_lines(self) -> list[str]:
        lines = list(self.step.lines)
        sums = []
        for column in self.step.columns:
            sums.append(column.expression)
        count = self.ends.count
        if self._plain:
            means = [s.removeprefix(f"{count} * ") for s in sums]
            stacked = ", ".join([*means, "torch.ones_like(loss)"])
            lines.append(f"sums = {count} * torch.stack(({stacked}))")
        else:
            parts = []
            for column in self.step.columns:
                parts.append(column.expression)
            lines.append(f"count = torch.full_like(loss, {count})")
            lines.append(f"sums = torch.hstack(({', '.join([*parts, 'count'])}))")
        lines.append("return loss, sums.detach()")
        return lines

    @property
    def _plain(self) -> bool:
        """Whether every printed number is a mean over samples."""
        columns = zip(self.step.printed, self.step.columns)
        return len(self.step.printed) == len(self.step.columns) and all(
            printed.formula == f"{column.name} / count" for printed, column in columns
        )

    def _means_lines(self, size: int) -> list[str]:
        if self._plain:
            return [
                '"""The averages over all samples so far; reads the device once."""',
                "*sums, count = totals.tolist()",
                "return {name: value / count for name, value in zip(METRICS, sums, strict=True)}",
            ]
        lines = ['"""METRICS over all samples so far; reads the device once."""']
        names = [column.name for column in self.step.columns]
        if all(column.size == 1 for column in self.step.columns):
            lines.append(f"{', '.join(names)}, count = totals.tolist()")
        else:
            sizes = quote([*(column.size for column in self.step.columns), 1])
            lines.append(f"{', '.join(names)}, count = totals.cpu().split({sizes})")
        lines.append("return {")
        for printed in self.step.printed:
            formula = printed.formula
            if not all(column.size == 1 for column in self.step.columns):
                formula = f"({formula}).tolist()" if printed.size > 1 else f"float({formula})"
            lines.append(f"    {quote(printed.name)}: {formula},")
        return [*lines, "}"]

    def _data(self) -> str:
        data = self.data
        made = stream_text if data.streams else data_text
        text = made(data, self.training, self.module, self.ends, self.step, self.weighted)
        helpers = list(data.helpers)
        if data.streams:
            helpers += ["in_batches"] if "in_batches(" in text else []
            helpers += ["parts"] if "= parts(" in text else []
            helpers.append("stream:again" if "again=True" in text else "stream")
        return "\n\n\n".join([*data_pages(helpers, data.text), text])

    def _packages(self) -> list[str]:
        """What pip calls the packages that the data statements import."""
        pages = "\n".join(data_pages(self.data.helpers, self.data.text))
        lines = [*self.data.imports, *imports_of(pages)]
        lines += (
            ["import tensorboard"] if any("tensorboard" in t for t in self.callbacks.start) else []
        )
        lines += ["import safetensors"] if self.module.weights_file else []
        tops = {line.split()[1].partition(".")[0] for line in lines} - set(sys.stdlib_module_names)
        return sorted(_ON_PYPI.get(name, name) for name in tops - {"numpy", "matplotlib", "torch"})

    def _imports(self, body: str) -> str:
        """The imports that the page needs, in isort's order."""
        lines = imports_of(body)
        lines |= {"from pathlib import Path"}
        lines |= {"import numpy as np", "import pkbar  # type: ignore", "import torch"}
        lines |= {"import torch.distributed as dist", "from torch import Tensor, nn"}
        lines |= {
            "from torch.nn.parallel import DistributedDataParallel",
            f"from {identifier(self.module.module_name)} import "
            f"{identifier(self.module.class_name)}",
        }
        if "CarriedState" in body:
            lines.add(f"from {identifier(self.module.module_name)} import CarriedState")
        if "urllib.request." in body:
            lines.add("import urllib.request")
        if "SimpleNamespace(" in body:
            lines.add("from types import SimpleNamespace")
        if "AveragedModel(" in body:
            lines.add("from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn")
        if re.search(r"\bF\.", body):
            lines.add("import torch.nn.functional as F")
        return sorted_imports(lines | set(self.data.imports), self.module.module_name)


_ON_PYPI = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def _penalty_doc(module: ModuleInfo) -> str:
    if module.adds_loss:
        kept = all(
            term.endswith("added_loss") or term.startswith("sum(") for term in module.penalties
        )
        return (
            f"What the last forward {'adds' if kept else 'and the regularisers add'} to the loss."
        )
    return "Keras's regularisers: a part of the loss, and of the loss that is printed."


__all__ = ["ModuleInfo", "Port", "emit_training"]
