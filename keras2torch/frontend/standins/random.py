"""Seeds of ``keras.random`` and ``tf.random``: nothing is drawn while recording."""

from __future__ import annotations

from typing import Any


class SeedGenerator:
    """keras.random.SeedGenerator."""

    def __init__(self, seed: Any = None, name: Any = None, **kwargs: Any):
        self.seed = seed

    def next(self, ordered: bool = True) -> int:
        return 0

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


def set_seed(seed: Any) -> None:
    """The training script takes --seed."""


set_random_seed = set_seed
