"""What the networks of keras.applications share: their signatures, inputs, heads and weight files.

Source: keras/src/applications/imagenet_utils.py of Keras 3.15.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from keras2torch import config
from keras2torch.errors import K2TError
from keras2torch.frontend import trace
from keras2torch.frontend.recording import note
from keras2torch.graph import Constant, Shape, Tensor, Weight
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY
from keras2torch.models import Functional


class _Layers:
    """``layers.Conv2D`` and the like, out of the registry."""

    def __getattr__(self, name: str) -> Any:
        return REGISTRY[name]


layers = _Layers()

STANDARD = (
    "include_top=True, weights='imagenet', input_tensor=None, input_shape=None, pooling=None, classes=1000, "
    "classifier_activation='softmax'"
)
CONV_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 2.0, "mode": "fan_out", "distribution": "truncated_normal"},
}
DENSE_INITIALIZER = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0 / 3.0, "mode": "fan_out", "distribution": "uniform"},
}


def network(name: str, signature: str, build: Callable[[Any], Any]) -> Callable[..., Any]:
    """The public function ``name``, with Keras's own ``signature``; ``build`` gets the arguments as attributes."""
    parameters = _parameters(signature)

    def function(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = parameters.bind(*args, **kwargs)
        except TypeError as error:
            raise K2TError(
                f"keras.applications.{name}: {error}", where=trace.user_location()
            ) from None
        bound.apply_defaults()
        return build(SimpleNamespace(**bound.arguments))

    function.__name__ = function.__qualname__ = name
    function.__signature__ = parameters  # type: ignore[attr-defined]
    return function


def _parameters(text: str) -> inspect.Signature:
    arguments = ast.parse(f"def f({text}): pass").body[0].args  # type: ignore[attr-defined]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    return inspect.Signature(
        [inspect.Parameter(a.arg, kind, default=d) for a, d in zip(arguments.args, defaults)]
    )


def channel_axis() -> int:
    """The axis of the channels in an image tensor."""
    return 1 if config.image_data_format == "channels_first" else -1


def channels(x: Any) -> int:
    """How many channels a tensor has."""
    return int(x.shape[channel_axis()])


def image_size(x: Any) -> Shape:
    """Height and width of an image tensor."""
    return x.shape[2:4] if channel_axis() == 1 else x.shape[1:3]


def batch_norm(**options: Any) -> Any:
    """BatchNormalization over the channels."""
    return layers.BatchNormalization(axis=channel_axis(), **options)


def concatenate(tensors: list[Any], name: str | None = None) -> Any:
    """The channels of several tensors."""
    return layers.Concatenate(axis=channel_axis(), name=name)(tensors)


def correct_pad(x: Any, kernel_size: int) -> Any:
    """Padding in front of a "valid" convolution with stride 2."""
    half = kernel_size // 2
    return tuple((half - (1 if n is None else 1 - n % 2), half) for n in image_size(x))


def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of ``divisor`` next to ``value``, at least 90 % of it."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def image_input(options: Any, default: int | None, smallest: int = 32) -> Any:
    """The input tensor: the one given, or a new one of the shape given.

    Without a shape, the head wants ``default`` pixels; features are of any size.
    """
    if options.input_tensor is not None:
        return options.input_tensor
    first = channel_axis() == 1
    shape = options.input_shape
    if shape is None:
        size = default if options.include_top else None
        shape = (3, size, size) if first else (size, size, 3)
    shape = tuple(shape)
    if len(shape) != 3:
        raise K2TError(f"input_shape={shape} should be three integers", where=trace.user_location())
    sides = shape[1:] if first else shape[:2]
    if any(n is not None and n < smallest for n in sides):
        raise K2TError(
            f"the input of this network should be at least {smallest} by {smallest} pixels: {shape} given",
            where=trace.user_location(),
        )
    return Input(shape)


def finish(
    options: Any,
    image: Any,
    x: Any,
    files: tuple[str, str],
    names: tuple[Any, Any] = (None, None),
    top: str | None = "avg_pool",
) -> Any:
    """Head or pooling, and the model. ``names`` are those of the two poolings, ``top`` that of the head's."""
    if options.include_top:
        x = predictions(options, layers.GlobalAveragePooling2D(name=top)(x))
    else:
        x = pooled(options, x, names)
    return finished(options, image, x, files)


def predictions(options: Any, x: Any, **dense: Any) -> Any:
    """The classifier."""
    activation = options.classifier_activation
    return layers.Dense(options.classes, activation=activation, name="predictions", **dense)(x)


def pooled(options: Any, x: Any, names: tuple[Any, Any] = (None, None)) -> Any:
    """Features as ``pooling`` has them."""
    if options.pooling == "avg":
        return layers.GlobalAveragePooling2D(name=names[0])(x)
    if options.pooling == "max":
        return layers.GlobalMaxPooling2D(name=names[1])(x)
    return x


def finished(options: Any, image: Any, x: Any, files: tuple[str, str] | None) -> Any:
    """The model from ``image`` to ``x``, with its weights if they are here. ``files``: with and without head."""
    model = Functional(
        _sources(image) if options.input_tensor is not None else image, x, name=options.name
    )
    model.named = True
    path = options.weights
    if path == "imagenet" and files is not None:
        path = Path.home() / ".keras" / "models" / files[0 if options.include_top else 1]
    if path is not None:
        _load(model, Path(path), options.weights == "imagenet")
    return model


def _load(model: Any, path: Path, imagenet: bool) -> None:
    from keras2torch.frontend.saved_attach import attach_file

    if path.is_file():
        attach_file(model, path)
        return
    where = "Keras's cache (~/.keras/models)" if imagenet else "the place it is asked for"
    note(
        f"{trace.user_location()}: the weights of {model.name} are not here: put {path.name} into {where} and "
        "generate again, else the network starts from random weights"
    )


def _sources(tensor: Any) -> Any:
    """The inputs that a tensor comes from."""
    found: dict[int, Tensor] = {}
    pending, seen = [tensor], set()
    while pending:
        current = pending.pop()
        if id(current) in seen or isinstance(current, (Constant, Weight)):
            continue
        seen.add(id(current))
        if current.call is None:
            found[id(current)] = current
        else:
            pending.extend(current.call.inputs)
    inputs = list(found.values())
    return inputs[0] if len(inputs) == 1 else inputs
