"""ledger: who reads a value, who uses a member, where a node stands; kept true while regions are folded.

To ask the module itself goes through all of its nodes each time, which a network of thousands of
layers and as many regions cannot afford.
"""

from __future__ import annotations

from bisect import bisect_left

from keras2torch.module import Member, Module, Node, Value, members_in


class Ledger:
    """The readers, users and places of one module's nodes."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self._places = {id(node): place for place, node in enumerate(module.nodes)}
        self._outputs = set(map(id, module.outputs))
        self._readers = module.users()
        self._users: dict[int, list[Node]] = {}
        for node in module.nodes:
            self._enter_members(node)

    def __contains__(self, node: Node) -> bool:
        return id(node) in self._places

    def place(self, node: Node) -> int:
        """A number that grows along ``module.nodes``."""
        return self._places[id(node)]

    def readers(self, value: Value) -> list[Node]:
        """The nodes that read a value, once per reading."""
        return self._readers.get(id(value), [])

    def users(self, member: Member) -> list[Node]:
        """The nodes that call a submodule or read a parameter."""
        return self._users.get(id(member), [])

    def is_output(self, value: Value) -> bool:
        """Whether the module gives this value."""
        return id(value) in self._outputs

    def between(self, first: Node, last: Node) -> list[Node]:
        """The nodes from the one to the other, both included."""
        return self.module.nodes[self._index(first) : self._index(last) + 1]

    def replace(self, nodes: list[Node], call: Node, anchor: Node) -> None:
        """Take the nodes out and put ``call`` where ``anchor``, one of them, stood."""
        ordered = sorted(nodes, key=self.place)
        start, around = self._index(ordered[0]), self.between(ordered[0], ordered[-1])
        place = self.place(anchor)
        for node in nodes:
            del self._places[id(node)]
            for member in members_in(node):  # they live in the new child module from now on
                self._users.pop(id(member), None)
        kept = [call if node is anchor else node for node in around]
        self._places[id(call)] = place
        self.module.nodes[start : start + len(around)] = [node for node in kept if node in self]
        for value in call.inputs:
            left = [node for node in self.readers(value) if node in self]
            self._readers[id(value)] = [*left, call]
        self._enter_members(call)

    def rename(self, old: Value, new: Value) -> None:
        """What reads or gives ``old`` reads or gives ``new`` from now on."""
        readers = [node for node in self._readers.pop(id(old), []) if node in self]
        self._readers[id(new)] = readers
        for node in readers:
            node.replace_inputs({id(old): new})
        if self.is_output(old):
            self.module.outputs = [new if value is old else value for value in self.module.outputs]
            self._outputs.add(id(new))

    def _index(self, node: Node) -> int:
        return bisect_left(self.module.nodes, self.place(node), key=self.place)

    def _enter_members(self, node: Node) -> None:
        for member in members_in(node):
            self._users.setdefault(id(member), []).append(node)
