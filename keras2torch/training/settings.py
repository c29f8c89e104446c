"""What the calls of ``fit`` fix: epochs, batch size, data sets, the script's flags."""

from __future__ import annotations

from typing import Any

from keras2torch.quoting import quote
from keras2torch.training.module_info import ModuleInfo
from keras2torch.training.optimizers import get as get_optimizer
from keras2torch.training.record import Training
from keras2torch.training.schedules import LearningRateSchedule
from keras2torch.training.step import Step, names_of_ends


def _argument_lines(flag: str) -> list[str]:
    """A call of ``add_argument`` as black sets it: what is set already costs it half the time."""
    line = f"parser.add_argument({flag})"
    return [line] if len(line) <= 96 else ["parser.add_argument(", f"    {flag}", ")"]


class Settings:
    """Those of one script. ``data``, ``fit``, ``step``, ``phases`` and the like are set as it is made."""

    data: Any
    fit: Any
    step: Step
    phases: Any
    optimizer: Any
    weighted: bool

    def __init__(self, training: Training | None, module: ModuleInfo):
        self.module = module
        self.training = training or Training(None, (), (), (), (), (), ())
        self.ends = names_of_ends(self.training, module)

    @property
    def validated(self) -> bool:
        return "validation" in self.data.sets or self.data.split is not None

    @property
    def stem(self) -> str:
        return self.module.module_name.removesuffix("_model")

    @property
    def epochs(self) -> int:
        return int(self.fit.get("epochs")) if self.fit else 1

    @property
    def first_epoch(self) -> int:
        if self.phases:
            return self.phases[0].first_epoch
        return int(self.fit.get("initial_epoch")) if self.fit else 0

    @property
    def batch_size(self) -> int:
        fit = self.fit
        if self.data.batch_size is not None:
            return self.data.batch_size
        if fit is None:
            return 32
        given = fit.arguments.get("batch_size")
        if given is None:
            steps: Any = fit.arguments.get("steps_per_epoch")
            x: Any = fit.arguments.get("x")
            if steps and hasattr(x, "__len__") and hasattr(x, "shape"):
                return -(-len(x) // int(steps))
        return int(given) if given else 32

    @property
    def shuffle(self) -> bool:
        if self.data.shuffles is not None:
            return self.data.shuffles
        return bool(self.fit.get("shuffle")) if self.fit else True

    @property
    def tensors(self) -> list[str]:
        names = [*self.ends.inputs, *self.ends.targets]
        return [*names, "weight"] if self.weighted else names

    @property
    def set_names(self) -> list[str]:
        names = ["train_set"] + (["validation_set"] if self.validated else [])
        return [
            *names,
            *(self._variable(role) for kind in ("test", "new") for role in self._own(kind)),
        ]

    def _own(self, kind: str) -> list[str]:
        return [role for role in self.data.made if role.partition("_")[0] == kind]

    def _variable(self, role: str) -> str:
        """``test_set``; ``test_set_2`` where there are several."""
        kind = role.partition("_")[0]
        own = self._own(kind)
        number = own.index(role) + 1 if role in own else 1
        return f"{kind}_set_{number}" if number > 1 else f"{kind}_set"

    def _sets_of(self, kind: str) -> list[str]:
        roles = [role for role in self.data.sets if role.partition("_")[0] == kind]
        return [self._variable(self.data.set_of(role)) for role in roles]

    @property
    def evaluated(self) -> list[tuple[str, str, int | None]]:
        """The sets that are evaluated in the end: what the line of results is called, the variable, the batch size.

        The size is None where it changes nothing.
        """
        names = self._sets_of("test")
        labels = [name.replace("_set", "").replace("_", " ") for name in names]
        sizes = [self.data.sizes.get(role, 32) for role in self.data.sets if role[:4] == "test"]
        matters = self.step.by_batch and not self.data.streams
        return [
            (label, name, size if matters and size != self.batch_size else None)
            for label, name, size in zip(["test"] if len(names) == 1 else labels, names, sizes)
        ]

    @property
    def predicted(self) -> list[tuple[str, str]]:
        """The files of predictions, each with the set that they are made from."""
        names = self._sets_of("new")
        if len(names) == 1:
            return [("predictions", names[0])]
        return [(f"predictions_{i}", name) for i, name in enumerate(names, 1)]

    @property
    def predictable(self) -> str:
        """The set that --predict takes where the program's own calls of predict() are not carried."""
        tests = self._sets_of("test")
        return tests[-1] if tests else "validation_set" if self.validated else "train_set"

    def flags(self) -> list[str]:
        rate = self.optimizer.learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = rate.initial()
        flags = []
        if self.data.keys:
            flags.append(
                f'"--data", default={quote(self.stem + ".npz")}, '
                f"help={quote('npz file with ' + ', '.join(self.data.keys))}"
            )
        if self.module.weights_file:
            flags.append(
                f'"--weights", default=str(Path(__file__).with_name({quote(self.module.weights_file)})), '
                'help="where to start from; an empty string: from scratch"'
            )
        if self.module.optimizer_file:
            flags.append(
                f'"--optimizer", default=str(Path(__file__).with_name({quote(self.module.optimizer_file)})), '
                'help="the optimizer\'s state to go on from; an empty string: afresh"'
            )
        if self.phases:
            count = len(self.phases)
            each = quote([phase.epochs for phase in self.phases])
            flags.append(
                f'"--epochs", type=int, nargs={count}, default={each}, '
                'metavar="N", help="where each phase ends"'
            )
        else:
            flags.append(f'"--epochs", type=int, default={quote(self.epochs)}')
        if not self.data.streams:
            flags.append(
                f'"--batch-size", type=int, default={quote(self.batch_size)}, '
                'help="over all processes together"'
            )
        if self.phases:
            rates = [
                float(get_optimizer(phase.compiled.get("optimizer")).learning_rate)
                for phase in self.phases
            ]
            flags.append(
                f'"--lr", type=float, nargs={len(rates)}, default={quote(rates)}, metavar="LR"'
            )
        elif rate is not None:
            flags.append(f'"--lr", type=float, default={quote(float(rate))}')
        flags += [
            '"--seed", type=int, default=0',
            '"--device", type=torch.device, default=default_device()',
            f'"--out", type=Path, default=Path({quote("runs/" + self.stem)}), '
            'help="where results go"',
            '"--resume", action="store_true", help="go on from OUT/checkpoint.pt"',
            '"--amp", action="store_true", help="bfloat16 autocast"',
            '"--compile", action="store_true", help="torch.compile the model"',
            '"--dry-run", action="store_true", help="one batch of each phase, no files"',
            '"--summary", action="store_true", help="print the layers and stop"',
            '"--plot", action="store_true", help="draw the curves: OUT/history.png"',
        ]
        if not self.predicted:
            flags.append('"--predict", action="store_true", help="write OUT/predictions.npy"')
        return [line for flag in flags for line in _argument_lines(flag)]

    def validation_freq(self) -> str | None:
        freq = self.fit.get("validation_freq") if self.fit else 1
        if freq == 1 or not self.validated:
            return None
        if isinstance(freq, int):
            return f"(epoch + 1) % {freq} == 0"
        return f"epoch + 1 in {quote(list(freq))}"
