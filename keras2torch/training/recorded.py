"""The base of every recording class of training: Keras's signature as annotated class attributes."""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

from keras2torch.errors import K2TError

_MISSING = inspect.Parameter.empty


class Recorded:
    """An object of Keras that only keeps its arguments.

    A subclass declares Keras's parameters as annotated attributes, in Keras's order and with Keras's
    defaults; ``inspect.signature`` of it is then Keras's own. ``TAIL`` names the parameters that a
    whole family appends, ``OLD_NAMES`` maps the spellings of Keras 1 and 2 to today's (None: accepted
    and without effect).
    """

    TAIL: ClassVar[dict[str, Any]] = {}
    OLD_NAMES: ClassVar[dict[str, str | None]] = {}
    TAKES_KEYWORDS: ClassVar[str | bool] = False  # True, or the name after ** in the signature
    __signature__: ClassVar[inspect.Signature] = inspect.Signature()

    def __init_subclass__(cls, **kwargs: Any):
        super().__init_subclass__(**kwargs)
        if not cls.__module__.startswith("keras2torch."):
            return  # a class of the user's own: it keeps its own __init__ and signature
        if "__init__" in cls.__dict__ and not inspect.get_annotations(cls):
            return  # a wrapper: it hands its base what the base declares
        own = {
            name: cls.__dict__.get(name, _MISSING)
            for name, kind in inspect.get_annotations(cls).items()
            if not str(kind).startswith("ClassVar")
        }
        tail = {name: value for name, value in cls.TAIL.items() if name not in own}
        parameters = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
            for name, default in (own | tail).items()
        ]
        if cls.TAKES_KEYWORDS:
            name = "kwargs" if cls.TAKES_KEYWORDS is True else cls.TAKES_KEYWORDS
            parameters.append(inspect.Parameter(name, inspect.Parameter.VAR_KEYWORD))
        cls.__signature__ = inspect.Signature(parameters)

    def __init__(self, *args: Any, **kwargs: Any):
        old_names = {k: v for base in reversed(type(self).__mro__) for k, v in _old(base).items()}
        for old, new in old_names.items():
            if old in kwargs and old not in self.__signature__.parameters:
                value = kwargs.pop(old)
                if new is not None:
                    kwargs.setdefault(new, value)
        try:
            bound = self.__signature__.bind(*args, **kwargs)
        except TypeError as error:
            raise K2TError(f"{type(self).__name__}: {error}") from None
        bound.apply_defaults()
        extra = bound.arguments.pop("kwargs", None) or bound.arguments.pop("params", None) or {}
        self.__dict__.update(bound.arguments)
        self.take_keywords(extra)

    def take_keywords(self, keywords: dict[str, Any]) -> None:
        """What to do with keywords that are not in the signature: an error, unless a class differs."""
        if keywords:
            raise K2TError(
                f"{type(self).__name__} got unknown arguments: {', '.join(sorted(keywords))}"
            )

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments by name, as given or by default."""
        return {
            name: getattr(self, name) for name in self.__signature__.parameters if name != "kwargs"
        }

    def get_config(self) -> dict[str, Any]:
        """The arguments, as Keras's own ``get_config`` gives them."""
        return dict(self.arguments)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Recorded:
        return cls(**config)

    def __repr__(self) -> str:
        given = [
            f"{name}={getattr(self, name)!r}"
            for name, parameter in self.__signature__.parameters.items()
            if name != "kwargs" and getattr(self, name) is not parameter.default
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def _old(cls: type) -> dict[str, str | None]:
    return cls.__dict__.get("OLD_NAMES", {})
