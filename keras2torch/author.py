"""The author's own API: ``from keras2torch import Input, Dense, Conv2d, Flatten, Model``.

The same recording classes as a Keras program's, which take torch's objects too::

    inputs = Input((1, 28, 28), data_format="channels_first")
    x = Conv2d(25, (3, 3), padding=3, activation=nn.ReLU())(inputs)
    x = Flatten()(x)
    outputs = Dense(10)(x)
    model = Model(inputs, outputs, device="cpu")
    model.compile(optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss())
    model.fit(x_train, y_train, epochs=5)

Run by Python, ``fit`` trains the generated module; run by ``k2t generate``, it is only recorded.
"""

from __future__ import annotations

import warnings
from typing import Any

from keras2torch import models, sequential
from keras2torch.errors import K2TError
from keras2torch.frontend import recording
from keras2torch.graph import Tensor
from keras2torch.inputs import Input as RecordedInput
from keras2torch.layers import REGISTRY
from keras2torch.layers.activations import activation_name


def Input(  # noqa: N802
    shape: Any, batch_size: int | None = None, data_format: str | None = None, **kwargs: Any
) -> Tensor:
    """A model input of ``shape`` without the batch axis; ``data_format="channels_first"`` for (C, H, W)."""
    tensor = RecordedInput(shape, batch_size, **kwargs)
    tensor.data_format = data_format  # type: ignore[attr-defined]
    return tensor


def _data_format(tensor: Tensor) -> str | None:
    """The data format that the input behind ``tensor`` was given."""
    seen: set[int] = set()
    pending = [tensor]
    while pending:
        current = pending.pop()
        found = getattr(current, "data_format", None)
        if found is not None:
            return str(found)
        if current.call is not None and id(current.call) not in seen:
            seen.add(id(current.call))
            pending.extend(current.call.inputs)
    return None


class _Spatial:
    """A Keras layer under torch's name: integer padding, and the input's data format by default."""

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        fields = self._fields  # type: ignore[attr-defined]
        if fields.get("data_format") is None and isinstance(inputs, Tensor):
            self.data_format = _data_format(inputs)
        padding = fields.get("padding")
        if isinstance(padding, (int, tuple, list)) and not isinstance(padding, bool):
            self.padding = "valid"
            self._amount = padding
        amount = self.__dict__.get("_amount")
        if amount:
            rank = len(inputs.shape) - 2
            each = (amount,) * rank if isinstance(amount, int) else tuple(amount)
            pad = REGISTRY[f"ZeroPadding{rank}D"]
            if rank == 1:
                layer = pad(each[0])
            else:
                layer = pad(each, data_format=fields.get("data_format"))
            inputs = layer(inputs)
        return super().__call__(inputs, **kwargs)  # type: ignore[misc]


def _named_like_torch(name: str, keras: str) -> type:
    return type(
        name,
        (_Spatial, REGISTRY[keras]),
        {"__module__": __name__, "__doc__": f"{keras}; padding may be an integer."},
    )


def _layers() -> dict[str, type]:
    table = dict(REGISTRY)
    for keras in list(REGISTRY):
        if keras[-2:] in ("1D", "2D", "3D") and "Conv" in keras:
            lower = keras[:-1] + "d"
            table.setdefault(lower, _named_like_torch(lower, keras))
    for name, keras in {
        "MaxPool": "MaxPooling",
        "AvgPool": "AveragePooling",
        "BatchNorm": "BatchNormalization",
    }.items():
        for rank in (1, 2, 3):
            target = keras if keras in REGISTRY else f"{keras}{rank}D"
            if target in REGISTRY:
                cls = (
                    REGISTRY[target]
                    if target == keras
                    else _named_like_torch(f"{name}{rank}d", target)
                )
                table.setdefault(f"{name}{rank}d", cls)
    if "Dense" in REGISTRY:
        table.setdefault("Linear", REGISTRY["Dense"])
    return table


class _Trains:
    """What the author's models can do beside being recorded: hold parameters, train, predict."""

    _runtime: Any = None

    def parameters(self) -> Any:
        """The parameters of the generated module, for a torch optimizer."""
        return self.runtime.net.parameters()

    @property
    def runtime(self) -> Any:
        """The generated module, made once."""
        if self._runtime is None:
            from keras2torch.runtime import Runtime

            self._runtime = Runtime(self)
        return self._runtime

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Takes Keras's names and objects, or torch's."""
        from keras2torch.torch_objects import keras_loss, keras_optimizer

        self._torch = (optimizer, loss)
        model: Any = self
        _warn_of_relu(model, loss)
        metrics = (
            ["accuracy"] if metrics is None and type(loss).__name__ in _CLASSIFIES else metrics
        )
        models.Model.compile(  # type: ignore[attr-defined]
            model, keras_optimizer(optimizer), keras_loss(loss, model), metrics=metrics, **kwargs
        )

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Print torchsummary's table of the generated module."""
        if recording.current() is None:
            self.runtime.summary()


_CLASSIFIES = ("CrossEntropyLoss", "NLLLoss", "BCELoss", "BCEWithLogitsLoss")


def _warn_of_relu(model: Any, loss: Any) -> None:
    """A ReLU before a cross-entropy kills gradients; it is kept, since the program says so."""
    if type(loss).__name__ not in ("CrossEntropyLoss", "BCEWithLogitsLoss"):
        return
    for tensor in model.outputs or []:
        last: Any = tensor.call.operation if tensor.call else None
        given = getattr(last, "activation", None)
        name = activation_name(given) or type(given).__name__.lower()
        if name == "relu":
            warnings.warn(
                f"the layer {last.name!r} applies ReLU before {type(loss).__name__}, which takes logits: "
                "negative logits are cut off; give the last layer no activation",
                stacklevel=3,
            )


def _method(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if recording.current() is not None:
            return getattr(models.Model, name)(self, *args, **kwargs)
        return getattr(self.runtime, name)(*args, **kwargs)

    method.__name__ = name
    return method


for _name in "fit evaluate predict fit_generator evaluate_generator predict_generator".split():
    setattr(_Trains, _name, _method(_name))


class Model(_Trains, models.Model):
    """``Model(inputs, outputs, device)``."""


class Sequential(_Trains, sequential.Sequential):
    """``Sequential([Input(...), ...])``."""

    def __init__(self, layers: Any = None, device: Any = None, name: str | None = None):
        sequential.Sequential.__init__(self, layers, name=name)
        self.device = device


globals().update({name: cls for name, cls in _layers().items() if name not in globals()})

__all__ = ["Input", "K2TError", "Model", "Sequential"]
