"""Callbacks as visible inline code of the training loop, only those that the program used."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.quoting import comment, quote, to_identifier
from keras2torch.training import callbacks as keras
from keras2torch.training.data_text import quoted_lines
from keras2torch.training.record import Training


@dataclass
class CallbackText:
    """Where the inline code of callbacks goes.

    ``state`` is kept in the checkpoint, so that a resumed run decides as an unbroken one.
    """

    state: dict[str, str] = field(default_factory=dict)
    start: list[str] = field(default_factory=list)
    epoch_begin: list[str] = field(default_factory=list)
    epoch_end: list[str] = field(default_factory=list)
    before_batch: list[str] = field(default_factory=list)
    after_batch: list[str] = field(default_factory=list)
    batch_callbacks: list[str] = field(default_factory=list)  # that train_one_epoch is given
    end: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    changes_rate: bool = False
    stops: bool = False
    keeps_best: bool = False
    files: set[str] = field(default_factory=set)  # that ModelCheckpoints write

    def keep(self, name: str, start: str) -> str:
        """What stands for a number that the checkpoint keeps under ``name``, or where another has that, ``name_2``."""
        count = sum(key == name or key.startswith(f"{name}_") for key in self.state)
        key = f"{name}_{count + 1}" if count else name
        self.state[key] = start
        return f"state[{quote(key)}]"

    def call_at_batch(self, callback: str, function: str, hook: str) -> None:
        """Call a function of the program's own at every batch; ``callback`` is the object that has it."""
        if callback and callback not in self.batch_callbacks:
            self.batch_callbacks.append(callback)
        if hook == "on_train_batch_begin":
            self.before_batch.append(f"{function}(@STEP, {{}})")
        else:
            self.after_batch.append(f"{function}(@STEP, means(totals))  # waits for the device")

    def best_file(self, prefix: str) -> str:
        """best.pt, or where a ModelCheckpoint writes to that, a name with the prefix."""
        name = "best.pt"
        while name in self.files:
            name = f"{prefix}_{name}"
        return name


def lower_callbacks(training: Training, printed: list[Any], validated: bool) -> CallbackText:
    """The inline code of all callbacks of the fit(), in order; UnsupportedError for the others."""
    text = CallbackText()
    given = (training.fit.get("callbacks") if training.fit else None) or []
    if isinstance(given, keras.CallbackList):
        given = given.callbacks or []
    if not isinstance(given, (list, tuple)):
        given = [given]
    checkpoints = [c for c in given if isinstance(c, keras.ModelCheckpoint)]
    text.files = {_checkpoint_name(callback) for callback in checkpoints}
    directions = {p.name: p.direction for p in printed}
    for callback in given:
        name = type(callback).__name__
        lower = _LOWER.get(type(callback))
        if lower is None and isinstance(callback, keras.Callback) and name not in keras.REGISTRY:
            lower = _own_class
        if lower is None:
            _hole(callback, text, UnsupportedError(f"there is nothing of {name} in torch"))
            continue
        if not _is_monitored(callback, directions, validated):
            if isinstance(callback, keras.ModelCheckpoint):  # Keras then saves every epoch
                callback = keras.ModelCheckpoint(callback.filepath, save_freq=callback.save_freq)
            else:
                text.epoch_end.append(
                    f"# {name} waits for {callback.monitor}, which nothing computes: Keras only warns."
                )
                continue
        seldom = validated and training.fit.get("validation_freq") != 1  # type: ignore[union-attr]
        before = len(text.epoch_end)
        try:
            lower(callback, text, directions)
        except UnsupportedError as error:
            _hole(callback, text, error)
        if seldom and str(getattr(callback, "monitor", "")).startswith("val_"):
            _when_known(text, before, callback.monitor)
    text.end += _reload(training, checkpoints)
    if not text.keeps_best:
        first = printed[0].name  # the loss, unless a class reports something else
        monitor = f"val_{first}" if validated else first
        before = len(text.epoch_end)
        _keep_best(text, monitor, text.best_file(first))
        if validated and training.fit.get("validation_freq") != 1:  # type: ignore[union-attr]
            _when_known(text, before, monitor)
    return text


def _hole(callback: Any, text: CallbackText, error: UnsupportedError) -> None:
    """What cannot be carried: an error that quotes the program's own lines, until it is filled."""
    from keras2torch.training.own_callbacks import class_lines

    name = type(callback).__name__
    rows = [f"The callback {name} of the program is not carried: {comment(error.what)}."]
    rows.append("Write what it does into this loop, and take this statement out.")
    if own := [] if name in keras.REGISTRY else class_lines(callback):
        rows += ["In the program:", *quoted_lines(own)]
    text.start += [
        "raise NotImplementedError(",
        *(f"    {quote(row + chr(10))}" for row in rows),
        ")",
    ]


def _when_known(text: CallbackText, start: int, monitor: str) -> None:
    """Put the code of a callback under the condition that this epoch was validated."""
    body = [f"    {line}" for line in text.epoch_end[start:]]
    text.epoch_end[start:] = [f"if {quote(monitor)} in logs:", *body]


def _is_monitored(callback: Any, directions: dict[str, Any], validated: bool) -> bool:
    """Whether the number that a callback watches is there; old names of it are mended."""
    monitor = getattr(callback, "monitor", None)
    if not isinstance(monitor, str) or not getattr(callback, "save_best_only", True):
        return True
    known = [*directions, *(f"val_{name}" for name in directions if validated)]
    if monitor in ("acc", "val_acc") and monitor not in known:  # Keras before 2.3
        callback.monitor = monitor.replace("acc", "accuracy")
    return callback.monitor in known


def _better(callback: Any, directions: dict[str, Any]) -> str:
    """ "down" or "up": what the callback takes for better, as Keras decides it."""
    if callback.mode in ("min", "max"):
        return "down" if callback.mode == "min" else "up"
    name = callback.monitor.removeprefix("val_")
    direction = directions.get(name)
    if direction is None and ("acc" in name or name.startswith("fmeasure") or "auc" in name):
        return "up"
    return direction or "down"


def _improves(callback: Any, directions: dict[str, Any], best: str) -> str:
    current = f"logs[{quote(callback.monitor)}]"
    delta = abs(getattr(callback, "min_delta", 0) or 0)
    if _better(callback, directions) == "down":
        return f"{current} {f'+ {quote(delta)} ' if delta else ''}< {best}"
    return f"{current} {f'- {quote(delta)} ' if delta else ''}> {best}"


def _worst(better: str) -> str:
    return "math.inf" if better == "down" else "-math.inf"


def _keep_best(text: CallbackText, monitor: str, file: str) -> None:
    best = text.keep("best", "math.inf")
    text.keeps_best = True
    text.epoch_end += [
        f"if logs[{quote(monitor)}] < {best}:",
        f"    {best} = logs[{quote(monitor)}]",
        "    if RANK == 0 and not args.dry_run:",
        f"        save(model.state_dict(), args.out / {quote(file)})",
    ]


def _load_lines(file: str, why: str) -> list[str]:
    return [
        f"if (args.out / {file}).exists() and not args.dry_run:  # {why}",
        "    if WORLD_SIZE > 1:",
        "        dist.barrier()",
        f"    weights = torch.load(args.out / {file}, map_location=args.device)",
        "    model.load_state_dict(weights)",
    ]


def _reload(training: Training, checkpoints: list[Any]) -> list[str]:
    """What the program's load_weights() behind the last fit() does: of a checkpoint of that fit, the same."""
    last = training.fits[-1].order if training.fits else 0
    loads = [c for c in training.calls if c.method == "load_weights" and c.order > last]
    if not loads:
        return []
    path = str(loads[-1].get("filepath"))
    for callback in checkpoints:
        if str(callback.filepath) == path and "{" not in path:
            if not callback.save_best_only:
                return []  # written after the last epoch
            return _load_lines(quote(_checkpoint_name(callback)), "the program loads these weights")
    return [f"# The program goes on with other weights here: load_weights({comment(quote(path))})"]


def _early_stopping(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    better = _better(callback, directions)
    best, wait = text.keep("stopping_best", _worst(better)), text.keep("stopping_wait", "0")
    text.stops = True
    improved = [f"{best} = logs[{quote(callback.monitor)}]"]
    if callback.restore_best_weights:
        file = quote(text.best_file("stopping"))
        improved += [
            "if RANK == 0 and not args.dry_run:",
            f"    save(model.state_dict(), args.out / {file})",
        ]
        text.keeps_best = True
        text.end += _load_lines(file, "restore_best_weights")
    if callback.baseline is None:
        improved.append(f"{wait} = 0")
    else:
        sign = "<" if better == "down" else ">"
        improved += [
            f"if logs[{quote(callback.monitor)}] {sign} {quote(callback.baseline)}:  # the baseline",
            f"    {wait} = 0",
        ]
    lines = [
        f"{wait} += 1",
        f"if {_improves(callback, directions, best)}:",
        *(f"    {line}" for line in improved),
        f"elif {wait} >= {quote(callback.patience)} and epoch > 0:",
        "    stop = True",
    ]
    if callback.verbose:
        lines += [
            "    if RANK == 0:",
            '        print(f"Epoch {epoch + 1}: early stopping")',
        ]
    if callback.start_from_epoch:
        lines = [
            f"if epoch >= {quote(callback.start_from_epoch)}:",
            *(f"    {line}" for line in lines),
        ]
    text.epoch_end += [f"# EarlyStopping on {callback.monitor}", *lines]


def _checkpoint_name(callback: Any) -> str:
    name = str(callback.filepath).replace("\\", "/").rpartition("/")[2]
    for suffix in (".weights.h5", ".keras", ".hdf5", ".h5", ".ckpt", ".tf"):
        name = name.removesuffix(suffix)
    own = ("checkpoint", "weights")  # what the script itself writes
    return f"model_{name}.pt" if name in own else f"{name or 'model'}.pt"


def _model_checkpoint(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    if callback.save_freq != "epoch":
        raise UnsupportedError(
            f"ModelCheckpoint(save_freq={callback.save_freq!r}) is not carried",
            fix='use save_freq="epoch"',
        )
    name = _checkpoint_name(callback)
    file = quote(name)
    if "{" in name:
        file = f"{quote(name)}.format(epoch=epoch + 1, **logs)"
    if callback.save_best_only:
        better = _better(callback, directions)
        start = callback.initial_value_threshold
        best = text.keep("best", _worst(better) if start is None else quote(start))
        improves = _improves(callback, directions, best)
        text.keeps_best = True
        text.epoch_end += [
            f"# ModelCheckpoint: the best weights by {callback.monitor}",
            f"if {improves}:",
            f"    {best} = logs[{quote(callback.monitor)}]",
            "    if RANK == 0 and not args.dry_run:",
            f"        save(model.state_dict(), args.out / {file})",
        ]
    else:
        text.epoch_end += [
            "if RANK == 0 and not args.dry_run:  # ModelCheckpoint: the weights of every epoch",
            f"    save(model.state_dict(), args.out / {file})",
        ]


def _reduce_on_plateau(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    better = _better(callback, directions)
    best, wait = text.keep("plateau_best", _worst(better)), text.keep("plateau_wait", "0")
    text.changes_rate = True
    cooldown = text.keep("plateau_cooldown", "0") if callback.cooldown else ""
    reduce = [
        f"    {wait} += 1",
        f'    if {wait} >= {quote(callback.patience)} and logs["learning_rate"] > '
        f"{quote(callback.min_lr)}:",
        "        for group in optimizer.param_groups:",
        f'            group["lr"] = max(group["lr"] * {quote(callback.factor)}, '
        f"{quote(callback.min_lr)})",
        f"        {wait} = 0",
    ]
    lines = [
        f"# ReduceLROnPlateau on {callback.monitor}",
        'logs["learning_rate"] = optimizer.param_groups[0]["lr"]',
    ]
    if callback.cooldown:
        reduce.append(f"        {cooldown} = {quote(callback.cooldown)}")
        lines += [f"if {cooldown} > 0:", f"    {cooldown}, {wait} = {cooldown} - 1, 0"]
    lines += [
        f"if {_improves(callback, directions, best)}:",
        f"    {best}, {wait} = logs[{quote(callback.monitor)}], 0",
        f"elif {cooldown} <= 0:" if callback.cooldown else "else:",
        *reduce,
    ]
    text.epoch_end += lines


def _rate_scheduler(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    from keras2torch.training.carry import carried_function

    source, name, parameters = carried_function(callback.schedule)
    text.functions.append(source)
    text.changes_rate = True
    rate = 'optimizer.param_groups[0]["lr"]'
    call = f"{name}(epoch, {rate})" if parameters > 1 else f"{name}(epoch)"
    text.epoch_begin += [
        f"rate = float({call})  # LearningRateScheduler",
        "for group in optimizer.param_groups:",
        '    group["lr"] = rate',
    ]
    text.epoch_end.append(f'logs["learning_rate"] = {rate}')


def _csv_logger(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    name = str(callback.filename).replace("\\", "/").rpartition("/")[2]
    separator = "" if callback.separator == "," else f", delimiter={quote(callback.separator)}"
    first = 'not state["history"]'
    text.epoch_end += [
        "if RANK == 0 and not args.dry_run:  # CSVLogger",
        "    args.out.mkdir(parents=True, exist_ok=True)",
        f'    with open(args.out / {quote(name)}, "w" if {first} else "a", newline="") as file:',
        f'        writer = csv.DictWriter(file, ["epoch", *sorted(logs)]{separator})',
        f"        if {first}:",
        "            writer.writeheader()",
        '        writer.writerow({"epoch": epoch, **logs})',
    ]


def _terminate_on_nan(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    text.stops = True
    name = "loss" if "loss" in directions else next(iter(directions))
    lines = [f"if not math.isfinite(logs[{quote(name)}]):  # TerminateOnNaN"]
    if callback.raise_error:
        lines.append("    raise RuntimeError(f\"the loss is {logs['loss']}\")")
    else:
        lines += ['    print("Invalid loss, terminating training")', "    stop = True"]
    text.epoch_end += lines


def _tensorboard(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    if callback.histogram_freq or callback.write_images or callback.embeddings_freq:
        raise UnsupportedError(
            "TensorBoard histograms, images and embeddings are not carried",
            fix="leave histogram_freq, write_images and embeddings_freq at their defaults",
        )
    text.start += [
        "from torch.utils.tensorboard import SummaryWriter",
        "",
        "board = SummaryWriter(args.out) if RANK == 0 and not args.dry_run else None",
    ]
    text.epoch_end += [
        "if board:  # TensorBoard",
        "    for name, value in logs.items():",
        "        board.add_scalar(name, value, epoch)",
    ]


def _own_class(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    """A class of the program's own, carried as it stands."""
    from keras2torch.training.own_callbacks import BATCH_HOOKS, own_callback

    own = own_callback(callback)
    name = to_identifier(type(callback).__name__, "callback")
    name = name if name != type(callback).__name__ else f"{name}_callback"
    model = ":\n    model = SimpleNamespace(stop_training=False)\n"
    model += "    optimizer: torch.optim.Optimizer\n" if own.reads_optimizer else ""
    text.functions.append(
        re.sub(r"(?<=\n)(class \w+):\n|^(class \w+):\n", rf"\1\2{model}\n", own.source, count=1)
    )
    text.changes_rate |= own.sets_rate
    text.start.append(f"{name} = {own.making}")
    places = {
        "on_train_begin": (text.start, "({})"),
        "on_epoch_begin": (text.epoch_begin, "(epoch, {})"),
        "on_epoch_end": (text.epoch_end, "(epoch, logs)"),
        "on_train_end": (text.end, "({})"),
    }
    if own.reads_optimizer:
        text.epoch_begin.append(f"{name}.optimizer = optimizer")
    for hook in own.hooks:
        if hook in places:
            lines, arguments = places[hook]
            lines.append(f"{name}.{hook}{arguments}")
        else:
            text.call_at_batch(name, f"{name}.{hook}", BATCH_HOOKS[hook])
    if own.stops:
        text.stops = True
        text.epoch_end.append(f"stop = stop or {name}.model.stop_training")


def _lambda_callback(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    from keras2torch.training.carry import carried_function

    for hook in ("on_train_batch_begin", "on_train_batch_end"):
        if getattr(callback, hook) is not None:
            source, name, _ = carried_function(getattr(callback, hook), hook)
            text.functions.append(source)
            text.call_at_batch("", name, hook)
    places = {
        "on_train_begin": (text.start, "({})"),
        "on_epoch_begin": (text.epoch_begin, "(epoch, {})"),
        "on_epoch_end": (text.epoch_end, "(epoch, logs)"),
        "on_train_end": (text.end, "({})"),
    }
    for hook, (lines, arguments) in places.items():
        function = getattr(callback, hook)
        if function is None:
            continue
        source, name, _ = carried_function(function, hook)
        text.functions.append(source)
        lines.append(f"{name}{arguments}")


def _nothing(callback: Any, text: CallbackText, directions: dict[str, Any]) -> None:
    """The script has it anyway: a history, a bar, and a checkpoint of every epoch to resume from."""


_LOWER: dict[type, Any] = {
    keras.EarlyStopping: _early_stopping,
    keras.ModelCheckpoint: _model_checkpoint,
    keras.ReduceLROnPlateau: _reduce_on_plateau,
    keras.LearningRateScheduler: _rate_scheduler,
    keras.CSVLogger: _csv_logger,
    keras.TerminateOnNaN: _terminate_on_nan,
    keras.TensorBoard: _tensorboard,
    keras.History: _nothing,
    keras.ProgbarLogger: _nothing,
    keras.BaseLogger: _nothing,
    keras.BackupAndRestore: _nothing,
    keras.LambdaCallback: _lambda_callback,
}
