"""Vocabularies that lookups learnt from data: .keras files keep them beside the config, as lines of text."""

from __future__ import annotations

from keras2torch.errors import SavedModelError
from keras2torch.frontend.archive import SavedModel
from keras2torch.frontend.saved_bytes import quoted
from keras2torch.frontend.saved_weights import AttributeWeights


def add_vocabularies(saved: SavedModel) -> None:
    """Put what ``assets/`` holds into the configs of the IntegerLookups that name no vocabulary.

    Raises SavedModelError where it is no list of whole numbers.
    """
    learnt = [name for name in saved.assets if name.endswith("/vocabulary.txt")]
    weights = saved.weights if learnt and saved.has_weights else None
    if not isinstance(weights, AttributeWeights):
        return
    for path, layer in saved.tree().leaves():
        if layer.class_name == "IntegerLookup" and layer.config.get("vocabulary") is None:
            slot = weights.slot(path)
            name = f"assets{slot.path}/vocabulary.txt" if slot is not None else None
            if name in learnt:
                layer.config["vocabulary"] = _whole_numbers(saved, name)


def _whole_numbers(saved: SavedModel, name: str) -> list[int]:
    try:
        return [int(line) for line in saved.read_asset(name).decode().split("\n")]
    except ValueError as error:
        raise SavedModelError(f"{saved.name}: {quoted(name)} holds no whole numbers") from error
