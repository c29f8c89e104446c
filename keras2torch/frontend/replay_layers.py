"""What a saved config's layers need beside their constructors: names, inputs, Keras 1's Merge, and errors."""

from __future__ import annotations

import re
from typing import Any

from keras2torch.errors import K2TError, SavedModelError, UnsupportedError
from keras2torch.frontend.replay_values import read_shape
from keras2torch.inputs import InputLayer
from keras2torch.layers.refusals import GONE, REFUSALS
from keras2torch.naming import snake_case
from keras2torch.registry import UnknownClassError


def mark_name(layer: Any) -> None:
    """A name that Keras gave by itself (``conv2d_3``) names nothing."""
    automatic = re.escape(snake_case(type(layer).__name__))
    layer.named = not re.fullmatch(
        rf"({automatic}|sequential|functional|model)(_\d+)?", str(layer.name)
    )


def of_keras(item: dict[str, Any]) -> bool:
    """Whether a layer can be Keras's own: one registered under its name, or of no module, is the user's."""
    if item["class_name"] == "Custom>CustomScaleLayer":
        return True  # of keras.applications in Keras 2, which registered it as a program's own
    if ">" in str(item["class_name"]):
        return False
    module = str(item.get("module") or "")
    return module.startswith(("keras", "tf_keras", "tensorflow")) or not (
        module or item.get("registered_name")
    )


def unknown(item: dict[str, Any], name: str, kind: str = "a layer") -> K2TError:
    registered = item.get("registered_name")
    if name in REFUSALS or name in GONE:
        reason, fix = (REFUSALS | GONE)[name]
        return UnsupportedError(f"the layer {name} is not translated: {reason}", fix=fix)
    return UnknownClassError(
        f"the model holds {kind} of the class {registered or name}, which is not Keras's own",
        names=(str(registered or item["class_name"]),),
        where=f"{kind.split()[1]} {str(item.get('config', {}).get('name', name))[:80]!r}",
        fix="give its source with --custom FILE.py, register it (keras2torch.register), or generate from the "
        "program that defines it",
    )


def not_held(value: Any) -> K2TError:
    """The error for what a call in a config is given by its name alone."""
    return UnsupportedError(
        f"a call in the model is given {str(value)[:80]!r}, which only its program holds",
        fix="generate from the program that makes the model",
    )


def unknown_function(kind: str, name: str, layer: str) -> K2TError:
    """The error for a function of the program's own, of which the file holds the name: ``kind`` says what it is for."""
    if name == "<lambda>":
        what, fix = f"its {kind} is a lambda, which the file does not hold", _NAME_THE_FUNCTION
    else:
        what = f"the {kind} {name} is a function, of which the file holds no more than the name"
        fix = "give its source with --custom FILE.py, or generate from the program that defines it"
    return UnsupportedError(what, where=f"layer {layer[:80]!r}", fix=fix)


_NAME_THE_FUNCTION = (
    "generate from the program that makes the model, or make the lambda a function with a name there, "
    "and give its source with --custom FILE.py"
)


def refuse_bytecode(config: dict[str, Any], layer: str) -> None:
    """Raises UnsupportedError where an argument of a layer is a lambda, as Keras 1, 2 or 3 writes it."""
    for key, value in config.items():
        kind = value.get("class_name") if isinstance(value, dict) else config.get(f"{key}_type")
        code_alone = (
            isinstance(value, dict) and kind is None and isinstance(value.get("value"), list)
        )
        if key != "output_shape" and (kind in ("__lambda__", "lambda") or code_alone):
            raise UnsupportedError(
                f"its {key} is a lambda, which the file holds as bytecode: that is never decoded or run",
                where=f"layer {layer[:80]!r}",
                fix=_NAME_THE_FUNCTION,
            )


def keras1_merge(config: dict[str, Any], branches: list[Any]) -> Any:
    """The layer that Keras 1's Merge is today; with the models that it joins where a Sequential starts with it."""
    from keras2torch.frontend.standins.layers import NAMES, merging_layer

    if config.get("mode_type", "raw") != "raw":
        raise UnsupportedError(
            "the file holds a Merge by a function as bytecode, which is never decoded or run",
            fix="generate from the program that makes the model",
        )
    keys = ("mode", "concat_axis", "dot_axes", "name")
    options = {key: config[key] for key in keys if key in config}
    layer = NAMES["Merge"](branches, **options) if branches else merging_layer(**options)
    layer.named = not re.fullmatch(r"merge(_\d+)?", str(layer.name))
    return layer


def input_layer(config: dict[str, Any]) -> InputLayer:
    given = (config.get("batch_shape"), config.get("batch_input_shape"))
    shape = next((shape for shape in given if shape is not None), None)  # of a scalar, it is empty
    if shape is None:
        raise SavedModelError("an input layer has no shape")
    layer = InputLayer(
        batch_shape=read_shape(shape),
        dtype=config.get("dtype"),
        name=config.get("name"),
        sparse=config.get("sparse"),
        ragged=config.get("ragged"),
    )
    layer.tensor.named = not re.fullmatch(
        r"(input|input_layer|.*_input|keras_tensor)(_\d+)?", str(layer.name)
    )
    return layer
