"""What the values of one ``forward`` are called: by the program, by their role, or x along the main line."""

from __future__ import annotations

import re
from collections import Counter

from keras2torch.module import Module, Node, Submodule, Value
from keras2torch.naming import is_generic
from keras2torch.quoting import to_identifier

_ROLES = set(
    "shortcut skip attention mlp gate stem encoder decoder head embedding features tower memory".split()
)
_RESULTS = {"mean": ["mean"], "sum": ["total"], "F.softmax": ["weights"], "torch.cat": ["merged"]}
_NEVER = set("self torch nn F math np Tensor".split())


class LocalNames:
    """The names given so far in one body. A name is free again when its value is read no more."""

    def __init__(self, body: Module):
        self.body = body
        self.users = body.users()
        self.remaining: Counter[int] = Counter()  # readings to come, by the value's id
        for node in body.nodes:
            self.remaining.update(id(v) for v in node.inputs)
        self.remaining.update(id(v) for v in body.outputs)
        self.names: dict[int, str] = {}
        self.holder: dict[str, int] = {}
        self.given = set(map(id, body.outputs))
        self.taken: dict[str, int] = {}  # by base: below this number, for good
        self.of_loss = _only_kept(body, self.users)

    def take(self, value: Value, name: str) -> str:
        self.names[id(value)] = name
        self.holder[name] = id(value)
        return name

    def free(self, name: str) -> bool:
        holder = self.holder.get(name)
        return (holder is None or self.remaining[holder] <= 0) and name not in _NEVER

    def name_for(self, value: Value, node: Node) -> str:
        """What a formula calls it; the program's variable; x along the main line; what the value is."""
        if value.name and self.free(value.name):
            return self.take(value, value.name)
        hint = to_identifier(value.hint) if value.hint else ""
        if hint and not is_generic(hint) and self.free(hint):
            return self.take(value, hint)
        if id(node) in self.of_loss:
            for name in filter(self.free, ("loss", "term")):
                return self.take(value, name)
        beside = self.goes_beside(value, node)
        candidates = ["skip"] if beside else self.candidates(node)
        role = next((n for n in candidates if n.startswith(("branch", "shortcut"))), None)
        if role is not None and self.free(role):
            return self.take(value, role)
        if self.free("x") and not value.scalar and not beside:
            return self.take(value, "x")
        for name in candidates:
            if self.free(name):
                return self.take(value, name)
        return self.take(value, self.numbered(candidates[0]))

    def numbered(self, base: str) -> str:
        """The first free one of ``base2``, ``base3``..."""
        number = self.taken.get(base, 2)
        while self.holder.get(f"{base}{number}") in self.given:  # by what is returned, to the end
            number += 1
        self.taken[base] = number
        while not self.free(f"{base}{number}"):
            number += 1
        return f"{base}{number}"

    def goes_beside(self, value: Value, node: Node) -> bool:
        """Of several results of a block, one that is read later than the next step, which reads another."""
        target = node.target
        if len(node.outputs) == 1 or not isinstance(target, Submodule) or target.body is None:
            return False
        index = self.body.nodes.index(node) + 1
        after = self.body.nodes[index].inputs if index < len(self.body.nodes) else []
        main = [other for other in node.outputs if any(other is read for read in after)]
        return len(main) == 1 and main[0] is not value and value not in self.body.outputs

    def candidates(self, node: Node) -> list[str]:
        """Names by role: what made the value, and what it is for."""
        target = node.target
        names = []
        if isinstance(target, Submodule) and target.name:
            base = re.sub(r"\d+\Z", "", target.name)
            if base.partition("_")[0] == "shortcut":
                names.append("shortcut")
            elif base.rpartition("_")[2] in _ROLES or re.fullmatch(r"branch\d+[a-z]?", target.name):
                names.append(target.name)
        names += self.purpose(node)
        if node.kind == "size":
            names += ["size", "batch", "length"]
        names += _RESULTS.get(target, []) if isinstance(target, str) else []
        return [*names, "out", "features", "y", "z"]

    def purpose(self, node: Node) -> list[str]:
        """``branch2`` of what is concatenated, ``scale`` of what multiplies."""
        value = node.output
        for _ in range(4):
            readers = self.users.get(id(value), [])
            if len(readers) != 1:
                return []
            reader = readers[0]
            if reader.target == "torch.cat" and len(reader.inputs) > 2:
                return [f"branch{reader.inputs.index(value) + 1}"]
            if reader.kind == "operator" and reader.target == "*" and value is reader.inputs[-1]:
                return ["scale"] if len(reader.inputs) > 1 else []
            if len(reader.inputs) != 1:
                return []
            value = reader.output
        return []

    def item_name(self, value: Value, carried: str) -> str:
        """What one run of a loop adds to a list: the program's word, else ``skip``."""
        hint = to_identifier(value.hint) if value.hint else ""
        words = [] if not hint or is_generic(hint) or hint.endswith("s") else [hint]
        for word in [*words, "skip", "output", "item"]:
            if word != carried and self.free(word) and self.free(f"{word}s"):
                return word
        return self.name_for(value, self.body.nodes[0])

    def input_name(self, value: Value, index: int) -> str:
        """The program's word for an input of ``forward``, else x, y or z."""
        hint = to_identifier(value.hint) if value.hint else ""
        for word in (*([hint] if hint and hint not in _NEVER else []), "x", "y", "z"):
            if word not in self.holder:
                return word
        return f"input_{index}"


def _only_kept(body: Module, users: dict[int, list[Node]]) -> set[int]:
    """The nodes (by id) that make nothing but what the module keeps after ``forward``."""
    found: set[int] = set()
    for node in reversed(body.nodes):
        readers = [reader for value in node.outputs for reader in users.get(id(value), [])]
        given = any(value in body.outputs for value in node.outputs)
        if node.kind == "keep" or (readers and not given and all(id(r) in found for r in readers)):
            found.add(id(node))
    return found
