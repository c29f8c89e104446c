"""``gym`` and ``gymnasium``: the spaces of well-known environments, where the package is not installed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from keras2torch.frontend import trace
from keras2torch.frontend.absent import Absent, Source

# Name without version -> (shape of an observation or number of states, number of actions or shape of one).
_SPACES: dict[str, tuple[Any, Any]] = {
    "CartPole": ((4,), 2),
    "MountainCar": ((2,), 3),
    "MountainCarContinuous": ((2,), (1,)),
    "Acrobot": ((6,), 3),
    "Pendulum": ((3,), (1,)),
    "LunarLander": ((8,), 4),
    "LunarLanderContinuous": ((8,), (2,)),
    "BipedalWalker": ((24,), (4,)),
    "CarRacing": ((96, 96, 3), (3,)),
    "FrozenLake": (16, 4),
    "Taxi": (500, 6),
    "Breakout": ((210, 160, 3), 4),
    "BreakoutDeterministic": ((210, 160, 3), 4),
    "Pong": ((210, 160, 3), 6),
    "PongDeterministic": ((210, 160, 3), 6),
}


def make(name: Any, *args: Any, **kwargs: Any) -> Any:
    """An environment of that name: its spaces are known, nothing else of it."""
    source = Source(f"gym.make({name!r})", trace.user_location(), "pip install gym")
    spaces = _SPACES.get(str(name).rpartition("-v")[0])
    if spaces is None:
        return Absent(source)
    observed, acted = (_space(size, source) for size in spaces)
    return Absent(source, observation_space=observed, action_space=acted)


def _space(size: Any, source: Source) -> Any:
    unknown = dict.fromkeys(
        ("high", "low"), Absent(source, size if isinstance(size, tuple) else ())
    )
    shape = {"shape": size} if isinstance(size, tuple) else {"shape": (), "n": size}
    return SimpleNamespace(sample=lambda: Absent(source), **shape, **unknown)
