"""A saved model file -> a recorded model, with its weights read from the file when they are asked for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from keras2torch import config
from keras2torch.errors import K2TError, SavedModelError
from keras2torch.frontend.archive import SavedModel, open_saved, saved_config
from keras2torch.frontend.replay import Replayer
from keras2torch.frontend.saved_attach import attach
from keras2torch.frontend.saved_json import parse_json
from keras2torch.frontend.saved_moments import fresh_optimizer, read_moments
from keras2torch.layers.operation import clear_names
from keras2torch.limits import MOST_RECORDED, MOST_STEPS, at_most, too_many
from keras2torch.models import Model
from keras2torch.registry import with_registered


def read_saved(
    path: str | os.PathLike[str], *, notes: list[str], custom: dict[str, Any] | None = None
) -> Model:
    """Record the model of a .keras, .h5 or .json file again.

    The file stays open for its weights as long as the model lives. Raises SavedModelError for what is
    damaged or hostile, UnsupportedError for what has no translation.
    """
    path = Path(path)
    return _read(open_saved(path), path.name, path.parent, notes, custom)


def read_json(text: str, *, notes: list[str], custom: dict[str, Any] | None = None) -> Model:
    """The same for the text of ``model.to_json()``."""
    name = "the JSON"
    saved = saved_config(parse_json(text, name), name)
    return _read(contextlib.nullcontext(saved), name, Path.cwd(), notes, custom)


def _read(
    opening: contextlib.AbstractContextManager[SavedModel],
    name: str,
    folder: Path,
    notes: list[str],
    custom: dict[str, Any] | None,
) -> Model:
    stack = contextlib.ExitStack()
    try:
        saved = stack.enter_context(opening)
        model = with_registered(lambda known: _replay(saved, known), custom or {}, folder)
        _compile(model, saved, notes)
    except K2TError:
        stack.close()
        raise
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        AssertionError,
        OverflowError,
    ) as error:
        # A config that is no config: the replay trusts its form, and the file does not deserve it.
        stack.close()
        raise SavedModelError(
            f"the config in {name} is damaged: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    model.__dict__["_archive"] = stack  # open as long as the model lives
    return model


def _replay(saved: SavedModel, custom: dict[str, Any]) -> Model:
    if saved.config is None:
        raise SavedModelError(
            f"{saved.name} holds weights only, without the model they belong to",
            fix="k2t generate model.py --weights FILE",
        )
    version = saved.keras_version[0] if saved.keras_version else 3
    config.keras_version, config.keras_release = version, saved.keras_version
    clear_names()
    if saved.assets:
        from keras2torch.frontend.saved_vocabularies import add_vocabularies

        add_vocabularies(saved)
    with at_most(MOST_RECORDED):
        model = Replayer(version=version, custom=custom).model(saved.config)
    if model.outputs is not None and len(model.graph.calls) > MOST_STEPS:
        raise too_many()
    if saved.has_weights:
        attach(model, saved.weights, ())
    return model


def _compile(model: Model, saved: SavedModel, notes: list[str]) -> None:
    """Record compile() with the settings in the file, where they can be read."""
    if not saved.training_config:
        return
    from keras2torch.frontend.compiled import compile_arguments

    try:
        model.compile(**compile_arguments(saved.training_config))
    except K2TError as error:
        notes.append(f"the compile settings in the file are left out: {error}")
    state = saved.optimizer
    if state is None or not state.iterations:
        return
    try:
        model.__dict__["moments"] = read_moments(model, saved, state)
    except K2TError as error:
        notes.append(fresh_optimizer(str(error)))
