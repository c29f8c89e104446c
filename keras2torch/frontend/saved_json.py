"""JSON from strangers: parsed strictly, in bounded time and memory."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from keras2torch.errors import SavedModelError
from keras2torch.frontend.saved_bytes import quoted

MAX_BYTES = 32 << 20
"""Larger than any config met in practice; a parsed document takes up to 25 times its text."""
MAX_CONTAINERS = 1_000_000
MAX_ITEMS = 3_000_000
MAX_DEPTH = 200
"""Nested models take about five levels each."""
MAX_DIGITS = 40


def parse_json(data: bytes | str, what: str) -> Any:
    """Parse ``data``; ``what`` names it in the SavedModelError that anything unsound raises.

    Refused are text that is not UTF-8, duplicate keys (two readers could disagree about which
    counts), NaN and infinities, unpaired surrogates, and documents too large or too deep.
    """
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise SavedModelError(f"{what} has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    # Checked on the bytes, before the parser spends memory on them. Brackets and commas inside
    # strings count too: the limits are far above what real configs hold.
    containers = data.count(b"[") + data.count(b"{")
    if containers > MAX_CONTAINERS or data.count(b",") > MAX_ITEMS:
        raise SavedModelError(f"{what} has too many values to be a model's configuration")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SavedModelError(f"{what} is not UTF-8 text: {error.reason}") from None

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise SavedModelError(f"{what} has the key {quoted(twice)} twice in one object")
        return result

    def constant(name: str) -> NoReturn:
        raise SavedModelError(f"{what} holds {name}, which is not JSON and not a usable number")

    def real(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise SavedModelError(f"{what} holds the number {digits[:40]}, which is infinite")
        return value

    def integer(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise SavedModelError(f"{what} holds an integer of {len(digits)} digits")
        return int(digits)

    try:
        value = json.loads(
            text,
            object_pairs_hook=unique,
            parse_constant=constant,
            parse_float=real,
            parse_int=integer,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SavedModelError(f"{what} is not valid JSON: {error.msg} ({where})") from None
    except RecursionError:
        raise SavedModelError(f"{what} is nested too deeply") from None
    _check_tree(value, what)
    return value


def _check_tree(value: Any, what: str) -> None:
    """Bound the depth, so that later code may recurse, and require every string to be text."""
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise SavedModelError(f"{what} is nested more than {MAX_DEPTH} levels deep")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not item.isascii():
                try:
                    item.encode("utf-8")
                except UnicodeEncodeError:
                    raise SavedModelError(f"{what} holds an unpaired surrogate") from None
        level = below
