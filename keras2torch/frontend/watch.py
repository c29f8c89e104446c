"""A limit on the time that a script runs: most of what follows its last model is training."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any

from keras2torch.models import MODELS

WITHOUT_MODEL = 60.0
"""Seconds until a script that has made no model is stopped."""
AFTER_MODEL = 20.0
"""Seconds without a new model or a new compile(), once there is one: preparing data may take a while."""
IMPORTING = 120.0
"""The same while a module is being imported, which must not be broken off half-way."""
IN_TRAINING_LOOP = 1.0
"""The same, while the script trains batch by batch."""


class Stopped(BaseException):
    """Raised in the script's thread when its time is over."""


class Watch:
    """Context that raises ``Stopped`` in the thread that entered it."""

    def __enter__(self) -> Watch:
        self.thread = threading.get_ident()
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self._run, daemon=True)
        self.watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        while True:
            try:
                self.watcher.join()
                return
            except Stopped:  # sent just before the end
                continue

    def _run(self) -> None:
        seen, since, batches = _progress(), _Clock(), _batches()
        while not self.over.wait(0.1):
            progress = _progress()
            if progress != seen:
                seen, since, batches = progress, _Clock(), _batches()
            elapsed = since.seconds()
            if elapsed > self._limit(progress, batches) and (
                elapsed > IMPORTING or not self._imports()
            ):
                self._stop()

    @staticmethod
    def _limit(progress: tuple[int, int], batches: int) -> float:
        if not any(progress):
            return WITHOUT_MODEL
        return IN_TRAINING_LOOP if _batches() - batches > 50 else AFTER_MODEL

    def _imports(self) -> bool:
        """Whether the script's thread is inside an import."""
        frame = sys._current_frames().get(self.thread)
        while frame is not None:
            if frame.f_globals.get("__name__") == "importlib._bootstrap":
                return True
            frame = frame.f_back
        return False

    def _stop(self) -> None:
        import ctypes

        thread, error = ctypes.c_ulong(self.thread), ctypes.py_object(Stopped)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)


class _Clock:
    """Seconds of work since it was made: waiting counts half, as a busy machine is none of the script's doing."""

    def __init__(self) -> None:
        self.work, self.wall = time.process_time(), time.monotonic()

    def seconds(self) -> float:
        return max(time.process_time() - self.work, (time.monotonic() - self.wall) / 2)


def _progress() -> tuple[int, int]:
    models: list[Any] = list(MODELS)
    return len(models), sum(1 for model in models if model.training_calls)


def _batches() -> int:
    return sum(len(model.training_calls) for model in list(MODELS))
