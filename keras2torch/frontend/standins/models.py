"""Names of ``keras.models``."""

from __future__ import annotations

import os
from typing import Any

from keras2torch.frontend import recording, trace
from keras2torch.frontend.absent import Absent, Source, is_absent
from keras2torch.frontend.sandbox import missing_file
from keras2torch.inputs import Input
from keras2torch.models import MODELS, Functional, Model
from keras2torch.sequential import Sequential


def load_model(filepath: Any, custom_objects: Any = None, **kwargs: Any) -> Any:
    """The model that the script has saved there, or the file's; else what it would give is not known."""
    model = (
        None if is_absent(filepath) else recording.saved(filepath) or _checkpointed(str(filepath))
    )
    if model is not None:
        return model
    if is_absent(filepath) or not os.path.exists(filepath):
        return missing_file(filepath, "load_model")
    from keras2torch.frontend.saved import read_saved

    notes: list[str] = []
    model = read_saved(os.fspath(filepath), notes=notes, custom=custom_objects)
    for text in notes:
        recording.note(text)
    return model


def _checkpointed(path: str) -> Any:
    """The model that was trained with a ModelCheckpoint for that file."""
    models: list[Any] = MODELS
    for model in models:
        for call in model.training_calls:
            callbacks = call.arguments.get("callbacks")
            for callback in callbacks if isinstance(callbacks, (list, tuple)) else ():
                if str(getattr(callback, "filepath", None)) == path:
                    return model
    return None


def _from_text(text: Any, custom_objects: Any = None) -> Any:
    """The model that the script itself has turned into this text."""
    model = recording.saved(text)
    fix = "give the file itself to k2t"
    where = trace.user_location()
    return Absent(Source("a model's configuration", where, fix)) if model is None else model


def clone_model(
    model: Any, input_tensors: Any = None, clone_function: Any = None, **kwargs: Any
) -> Any:
    """A model like ``model`` with weights of its own: a stand-in (for the target network of a DQN, say)."""
    if is_absent(model):
        return model
    fix = "make the second model with the function that made the first"
    return Absent(Source("clone_model()", trace.user_location(), fix, known=False))


def save_model(model: Any, filepath: Any = None, *args: Any, **kwargs: Any) -> None:
    """As ``model.save``."""
    recording.save(filepath, model)


NAMES: dict[str, Any] = {
    "Model": Model,
    "Functional": Functional,
    "Network": Functional,  # Keras 2's base classes
    "Container": Functional,
    "Sequential": Sequential,
    "Graph": Absent(Source("keras.models.Graph", known=False)),
    "Input": Input,
    "load_model": load_model,
    "model_from_json": _from_text,
    "model_from_yaml": _from_text,
    "model_from_config": _from_text,
    "clone_model": clone_model,
    "save_model": save_model,
}
