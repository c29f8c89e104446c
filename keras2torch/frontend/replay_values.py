"""The values of a saved config, checked: shapes, names, lists, references."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import SavedModelError


def read_shape(value: Any) -> tuple[int | None, ...]:
    if not isinstance(value, (list, tuple)) or not all(
        n is None or (isinstance(n, int) and 0 <= n < 2**31) for n in value
    ):
        raise SavedModelError(f"{str(value)[:80]!r} is no shape")
    return tuple(value)


def read_shapes(value: Any) -> Any:
    """One shape, or a list or a dict of them."""
    if isinstance(value, dict):
        return {key: read_shapes(item) for key, item in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, list) for item in value):
        return [read_shapes(item) for item in value]
    return read_shape(value)


def class_of(item: dict[str, Any]) -> str:
    name = item.get("class_name")
    if not isinstance(name, str):
        raise SavedModelError("an object of the config has no class name")
    return name.rpartition(">")[2]


def read_list(config: dict[str, Any], key: str) -> list[Any]:
    value = config.get(key)
    if not isinstance(value, list):
        raise SavedModelError(f"the model's {key!r} is no list")
    return value


def read_name(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise SavedModelError(f"{str(value)[:80]!r} is no name")


def is_reference(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) >= 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and (isinstance(value[2], int) or value[0] == "_CONSTANT_VALUE")
        and (len(value) == 3 or isinstance(value[3], dict))
    )


def index_of(arguments: dict[str, Any]) -> Any:
    """The index that Keras 2 notes for ``x[...]``, or the one that ``tf.strided_slice`` is given.

    Raises SavedModelError where there is none.
    """
    if "slice_spec" in arguments:
        return _tuples(arguments["slice_spec"])
    begin, end = arguments.get("begin"), arguments.get("end")
    if not isinstance(begin, list) or not isinstance(end, list):
        raise SavedModelError("a slice of a tensor has no bounds")
    strides = arguments.get("strides") or [1] * len(begin)

    def masked(name: str, axis: int) -> bool:
        return bool(int(arguments.get(f"{name}_mask") or 0) >> axis & 1)

    index: list[Any] = []
    for axis, (first, last, step) in enumerate(zip(begin, end, strides, strict=True)):
        if masked("ellipsis", axis):
            index.append(...)
        elif masked("new_axis", axis):
            index.append(None)
        elif masked("shrink_axis", axis):
            index.append(first)
        else:
            first = None if masked("begin", axis) else first
            index.append(slice(first, None if masked("end", axis) else last, step))
    return tuple(index)


def _tuples(spec: Any) -> Any:
    if isinstance(spec, list):
        return tuple(_tuples(item) for item in spec)
    return spec
