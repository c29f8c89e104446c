"""What goes wrong with an input: one message that says what, where and how to mend it."""

from __future__ import annotations


class K2TError(Exception):
    """Base of every error that a bad input can cause.

    ``what`` says what happened (what was expected, what was received), ``where`` names a
    ``file:line`` or a layer, and ``fix`` tells the user what to do about it.
    """

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None):
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        what = _clear(self.what, 1600)
        lines = [f"{_clear(self.where, 300)}: {what}" if self.where else what]
        if self.fix:
            lines.append(f"  fix: {_clear(self.fix, 1000)}")
        return "\n".join(lines)


def _clear(text: str, limit: int) -> str:
    """Text that may hold pieces of the input: not without end, nothing in it that steers a terminal."""
    text = text if len(text) <= limit else f"{text[: limit - 4]} ..."
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


class UnsupportedError(K2TError):
    """The input is sound Keras, but there is no exact translation of it (yet)."""


class ScriptError(K2TError):
    """The user's script could not be run to the point where its model is known."""


class SavedModelError(K2TError):
    """A saved model is damaged, hostile, or of a kind that is not read."""


class ShapeError(K2TError):
    """Shapes that do not fit together."""


class InternalError(K2TError):
    """keras2torch itself went wrong: a fault to report, not one of the input's."""

    def __init__(self, what: str):
        super().__init__(
            f"keras2torch failed on this model ({what[:500]})",
            fix="please report it with the program that shows it",
        )
