"""``keras.callbacks``: recorded here, written as visible inline code where the program used them."""

from __future__ import annotations

from typing import Any, ClassVar

from keras2torch.training.recorded import Recorded


class Callback(Recorded):
    """Base of the callbacks, and of those that a program writes itself."""

    model: Any

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.model = None
        self.params: Any = None

    def set_params(self, params: Any) -> None:
        self.params = params

    def set_model(self, model: Any) -> None:
        self.model = model


def _no_parameters(cls: type) -> None:
    import inspect

    cls.__signature__ = inspect.Signature()  # type: ignore[attr-defined]


_no_parameters(Callback)


class EarlyStopping(Callback):
    monitor: str = "val_loss"
    min_delta: float = 0
    patience: int = 0
    verbose: int = 0
    mode: str = "auto"
    baseline: float | None = None
    restore_best_weights: bool = False
    start_from_epoch: int = 0


class ModelCheckpoint(Callback):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"period": None, "options": None}
    filepath: Any
    monitor: str = "val_loss"
    verbose: int = 0
    save_best_only: bool = False
    save_weights_only: bool = False
    mode: str = "auto"
    save_freq: Any = "epoch"
    initial_value_threshold: float | None = None


class ReduceLROnPlateau(Callback):
    TAKES_KEYWORDS: ClassVar[str | bool] = True
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"epsilon": "min_delta"}
    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = 10
    verbose: int = 0
    mode: str = "auto"
    min_delta: float = 0.0001
    cooldown: int = 0
    min_lr: float = 0.0


class LearningRateScheduler(Callback):
    schedule: Any
    verbose: int = 0


class CSVLogger(Callback):
    filename: Any
    separator: str = ","
    append: bool = False


class TerminateOnNaN(Callback):
    raise_error: bool = False


class TensorBoard(Callback):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {
        "batch_size": None,
        "write_grads": None,
        "embeddings_layer_names": None,
        "embeddings_data": None,
    }
    log_dir: Any = "logs"
    histogram_freq: int = 0
    write_graph: bool = True
    write_images: bool = False
    write_steps_per_second: bool = False
    update_freq: Any = "epoch"
    profile_batch: Any = 0
    embeddings_freq: int = 0
    embeddings_metadata: Any = None


class LambdaCallback(Callback):
    TAKES_KEYWORDS: ClassVar[str | bool] = True
    OLD_NAMES: ClassVar[dict[str, str | None]] = {
        "on_batch_begin": "on_train_batch_begin",
        "on_batch_end": "on_train_batch_end",
    }
    on_epoch_begin: Any = None
    on_epoch_end: Any = None
    on_train_begin: Any = None
    on_train_end: Any = None
    on_train_batch_begin: Any = None
    on_train_batch_end: Any = None

    def take_keywords(self, keywords: dict[str, Any]) -> None:
        """Further hooks (``on_test_begin`` ...), which training does not reach."""


class BackupAndRestore(Callback):
    backup_dir: Any
    save_freq: Any = "epoch"
    double_checkpoint: bool = False
    delete_checkpoint: bool = True


class SwapEMAWeights(Callback):
    swap_on_epoch: bool = False


class RemoteMonitor(Callback):
    root: str = "http://localhost:9000"
    path: str = "/publish/epoch/end/"
    field: str = "data"
    headers: Any = None
    send_as_json: bool = False


class OrbaxCheckpoint(Callback):
    directory: Any
    monitor: str = "val_loss"
    verbose: int = 0
    save_best_only: bool = False
    mode: str = "auto"
    save_freq: Any = "epoch"
    initial_value_threshold: float | None = None
    max_to_keep: int = 1
    save_on_background: bool = True
    save_weights_only: bool = False


class History(Callback):
    """What ``fit`` returns; ``history`` maps a name to one value per epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []


class ProgbarLogger(Callback):
    OLD_NAMES: ClassVar[dict[str, str | None]] = {"count_mode": None, "stateful_metrics": None}


class BaseLogger(Callback):
    """Of Keras 1 and 2; Keras has no such class today."""


class CallbackList(Callback):
    TAKES_KEYWORDS: ClassVar[str | bool] = "params"
    callbacks: Any = None
    add_history: bool = False
    add_progbar: bool = False
    model: Any = None

    def take_keywords(self, keywords: dict[str, Any]) -> None:
        """``epochs``, ``steps`` and the like: the script has its own."""


_no_parameters(ProgbarLogger)
_no_parameters(BaseLogger)

REGISTRY: dict[str, type] = {
    cls.__name__: cls
    for cls in (
        Callback,
        CallbackList,
        EarlyStopping,
        ModelCheckpoint,
        ReduceLROnPlateau,
        LearningRateScheduler,
        CSVLogger,
        TerminateOnNaN,
        TensorBoard,
        LambdaCallback,
        BackupAndRestore,
        SwapEMAWeights,
        RemoteMonitor,
        OrbaxCheckpoint,
        History,
        ProgbarLogger,
    )
}
