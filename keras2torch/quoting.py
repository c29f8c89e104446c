"""The only way from input into generated text: values, names and prose each have one door."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from keras2torch.errors import K2TError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def quote(value: Any) -> str:
    """Python source of a plain value: None, bool, number, string, bytes, and containers of these.

    Raises K2TError for anything else, so that no object's ``__repr__`` ever becomes code.
    """
    if value is None or value is Ellipsis or isinstance(value, bool):
        return "..." if value is Ellipsis else repr(value)
    if type(value) in (str, bytes):
        return _string(value)
    if type(value) is int:
        return repr(value)
    if type(value) is float:
        return _float(value)
    if isinstance(value, tuple):
        inner = ", ".join(quote(item) for item in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return "[" + ", ".join(quote(item) for item in value) + "]"
    if isinstance(value, slice):
        return f"slice({quote(value.start)}, {quote(value.stop)}, {quote(value.step)})"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quote(k)}: {quote(v)}" for k, v in value.items()) + "}"
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a numpy scalar
        return quote(value.item())
    if isinstance(value, (int, float, str)):  # subclasses: an IntEnum, numpy's str_
        base = next(kind for kind in (int, float, str) if isinstance(value, kind))
        return quote(base(value))
    raise K2TError(f"a value of type {type(value).__name__} cannot be written as source")


def _string(value: str | bytes) -> str:
    """Python's own ``repr``, in double quotes where that needs no more escapes, as black has it."""
    text = repr(value)
    return text if '"' in text else text.replace("'", '"')


def _float(value: float) -> str:
    if math.isnan(value):
        return 'float("nan")'
    if math.isinf(value):
        return 'float("inf")' if value > 0 else 'float("-inf")'
    text = repr(value)
    if value != 0 and (abs(value) < 1e-2 or abs(value) >= 1e6):  # 1e-3 reads better than 0.001
        mantissa, exponent = f"{value:.16e}".split("e")
        for digits in range(17):
            short = f"{value:.{digits}e}"
            if float(short) == value:
                mantissa, exponent = short.split("e")
                short = f"{mantissa}e{int(exponent)}"
                return short if len(short) <= len(text) else text
    return text


def is_identifier(text: str) -> bool:
    """Whether ``text`` is a plain ASCII Python name, not a keyword and not a dunder."""
    return (
        isinstance(text, str)
        and bool(_IDENTIFIER.match(text))
        and not keyword.iskeyword(text)
        and text not in ("True", "False", "None")
        and not (text.startswith("__") and text.endswith("__"))
    )


def identifier(text: str) -> str:
    """``text`` itself, checked to be a name that may stand in source; K2TError if it is not."""
    if not is_identifier(text):
        raise K2TError(f"{text!r} is not a usable Python name")
    return text


def to_identifier(text: str, fallback: str = "layer") -> str:
    """The nearest lower-case Python name to any text: ``Conv 1/a`` becomes ``conv_1_a``."""
    text = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    text = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_").lower()[:60].rstrip("_")
    if text[:1].isdigit():
        text = f"{fallback}_{text}"
    if not text:
        return fallback
    return text if is_identifier(text) else f"{text}_"


def to_class_name(text: str, fallback: str = "Net") -> str:
    """CamelCase from any text, keeping capitals that are there: ``small_resnet`` -> SmallResnet."""
    text = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode()
    words = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]
    name = "".join(word[0].upper() + word[1:] for word in words)[:60]
    if not name or name[0].isdigit():
        name = fallback + name
    return name if is_identifier(name) else f"{name}_"


def comment(text: str) -> str:
    """``text`` as one line that is safe behind a ``#``: no line breaks, no control characters."""
    text = unicodedata.normalize("NFC", str(text))
    text = "".join(c if c.isprintable() else " " for c in text)
    return re.sub(r"\s+", " ", text).strip()


def prose(text: str) -> str:
    """``text`` as lines that are safe inside a triple-quoted docstring."""
    lines = []
    for line in str(text).splitlines():
        line = "".join(c if c.isprintable() else " " for c in line).rstrip()
        lines.append(line.replace("\\", "/").replace('"""', "'''"))
    text = "\n".join(lines)
    return text[:-1] + "'" if text.endswith('"') else text
