"""Downloads that every tutorial makes, as far as their form is known: nothing is downloaded."""

from __future__ import annotations

import io
import string
from typing import Any

from keras2torch.frontend.absent import Absent, Source
from keras2torch.frontend.recording import note

# Folder, as it is unpacked -> its classes.
FOLDERS = {
    "flower_photos": "daisy dandelion roses sunflowers tulips",
    "cats_and_dogs_filtered/train": "cats dogs",
    "cats_and_dogs_filtered/validation": "cats dogs",
    "PetImages": "Cat Dog",
    "horse-or-human": "horses humans",
    "rps": "paper rock scissors",
    "mini_speech_commands": "down go left no right stop up yes",
}
_LETTERS = string.ascii_lowercase
# The characters of Shakespeare's and (in small letters) Nietzsche's texts, from which models of letters are made.
_SHAKESPEARE = "\n !$&',-.3:;?" + _LETTERS.upper() + _LETTERS
_NIETZSCHE = "\n !\"'(),-." + string.digits + ":;=?[]_" + _LETTERS + "äæéë"
_REPEATS = 50


def classes_of(folder: str) -> list[str] | None:
    """The names of the sub-folders of a well-known folder."""
    path = folder.replace("\\", "/").rstrip("/")
    for known, names in FOLDERS.items():
        if path == known or path.endswith("/" + known):
            return names.split()
    return None


def opened(path: str, mode: str, source: Source) -> Any:
    """What ``open`` gives for a well-known text: a made-up text of the same characters; None for other files."""
    name = path.replace("\\", "/").rpartition("/")[2]
    if name == "shakespeare.txt":
        text = _SHAKESPEARE * _REPEATS
        _tell(name, len(_SHAKESPEARE))
        return io.BytesIO(text.encode()) if "b" in mode else io.StringIO(text)
    if name == "nietzsche.txt":  # which capitals there are is not known
        read = Absent(source, lower=lambda: _NIETZSCHE * _REPEATS)
        _tell(name, len(_NIETZSCHE))
        read.decode = lambda *args, **kwargs: read
        return Absent(source, read=lambda *args: read)
    return None


def _tell(name: str, characters: int) -> None:
    note(
        f"{name!r} is taken to be the text of the tutorials, of {characters} characters; put your own beside "
        "the program if it is another"
    )
