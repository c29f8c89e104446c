"""Attributes and classes that somebody renamed by hand, so that newly generated text uses the new names."""

from __future__ import annotations

import ast
import difflib
import re
from collections import defaultdict

_OF_SELF = r"(?<=\bself\.){}\b"
_TOKEN = re.compile(r"\w+|[^\w\s]")


def carry_renames(base: str, mine: str, theirs: str) -> tuple[str, str]:
    """``base`` and ``theirs`` with the names that ``mine`` gives to classes and to attributes of ``self``.

    A rename counts only if it is complete: nothing in ``mine`` uses the old name, nothing in ``base`` the new one.
    """
    for old, new in _renamed(_class_names(base), _class_names(mine), base, mine, r"\b{}\b").items():
        if not re.search(rf"\b{new}\b", theirs):
            base, theirs = (re.sub(rf"\b{old}\b", new, text) for text in (base, theirs))
    for name in _class_names(base):
        before, edited, after = (_class_block(text, name) for text in (base, mine, theirs))
        table = _renamed(_attributes(before), _attributes(edited), before, edited, _OF_SELF)
        for old, new in table.items():
            if new not in _attributes(after):
                base, theirs = (_rename_in(text, name, old, new) for text in (base, theirs))
    return base, theirs


def unset_attributes(text: str) -> set[str]:
    """``Class.name`` for every attribute of ``self`` that a class reads and does not set itself.

    Those of nn.Module are among them: the caller compares with a text that is known to be sound.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return set()
    found = set()
    for cls in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        inside = list(ast.walk(cls))
        own = [n for n in inside if isinstance(n, ast.Attribute) and _is_self(n.value)]
        read = {n.attr for n in own if isinstance(n.ctx, ast.Load)}
        known = {n.attr for n in own if isinstance(n.ctx, ast.Store)}
        known |= {n.name for n in inside if isinstance(n, ast.FunctionDef)}
        known |= {str(n.value) for n in inside if isinstance(n, ast.Constant)}  # register_buffer's
        found |= {f"{cls.name}.{name}" for name in read - known}
    return found


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _rename_in(text: str, name: str, old: str, new: str) -> str:
    """``self.old`` becomes ``self.new`` in one class."""
    block = _class_block(text, name)
    return text.replace(block, re.sub(_OF_SELF.format(old), new, block), 1) if block else text


def _class_names(text: str) -> set[str]:
    return set(re.findall(r"^class (\w+)", text, re.MULTILINE))


def _class_block(text: str, name: str) -> str:
    """The lines of a class; empty where there is none of that name."""
    match = re.search(rf"^class {name}\b.*(?:\n(?:[ \t].*)?)*", text, re.MULTILINE)
    return match[0] if match else ""


def _attributes(text: str) -> set[str]:
    return set(re.findall(r"\bself\.(\w+)", text))


def _renamed(
    before: set[str], after: set[str], base: str, mine: str, pattern: str
) -> dict[str, str]:
    """Old name -> new name, where every use of the one stands where the other stood."""
    gone, come = before - after, after - before
    if not gone or not come:
        return {}
    a, b = _TOKEN.findall(base), _TOKEN.findall(mine)
    pairs: dict[str, list[str]] = defaultdict(list)
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag == "replace" and i2 - i1 == j2 - j1:
            for old, new in zip(a[i1:i2], b[j1:j2]):
                if old in gone and new in come:
                    pairs[old].append(new)
    found = {}
    for old, news in pairs.items():
        uses = len(re.findall(pattern.format(old), base))
        others = [item for key, items in pairs.items() if key != old for item in items]
        if len(set(news)) == 1 and len(news) == uses and news[0] not in others:
            found[old] = news[0]
    return found
