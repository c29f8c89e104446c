"""Nodes -> statements of ``forward``: one step a line, short chains nested, values named by their role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras2torch.constructors import Dtype, Name, TrainOnly, literal
from keras2torch.local_names import LocalNames
from keras2torch.module import (
    Module,
    ModuleClass,
    Node,
    Param,
    Parameter,
    Submodule,
    Value,
    parts_of,
)
from keras2torch.naming import is_generic
from keras2torch.quoting import comment, identifier, quote, to_identifier
from keras2torch.torch_signatures import FUNCTION_DEFAULTS

FULL = 92  # columns left to a statement of a method
WIDTH = 84  # how long a nested statement may grow

# Precedence of Python's operators, loosest first.
_PRECEDENCE = {
    "|": 1,
    "^": 2,
    "&": 3,
    "<<": 4,
    ">>": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "//": 6,
    "%": 6,
    "@": 6,
    "**": 8,
}
_COMPARE = {"==", "!=", "<", "<=", ">", ">="}
_ATOM = 10


@dataclass
class _Text:
    """An expression and how tightly it binds."""

    text: str
    precedence: int = _ATOM
    weighty: bool = False  # holds a call of a layer with weights: one of them a line
    depth: int = 0

    def within(self, precedence: int) -> str:
        return self.text if self.precedence >= precedence else f"({self.text})"


@dataclass
class _Pending:
    """A node that waits to be nested into its reader, with those nested into it."""

    node: Node
    text: _Text
    inner: list[_Pending]
    note: str | None


class _Writer(LocalNames):
    def __init__(self, body: Module, reserved: list[str]):
        super().__init__(body)
        blocks = [
            part for member in body.members for part in parts_of(member) if part.body is not None
        ]
        self.tells_shapes = body.scope is None and bool(blocks)
        self.told: Any = None
        self.lines: list[str] = []
        self.pending: dict[int, _Pending] = {}
        self.kept: set[str] = set()  # attributes that are set so far
        self.parameters = set(reserved)

    # Expressions.
    def show(self, item: Any) -> _Text:
        if isinstance(item, Value):
            if id(item) in self.pending:
                return self.pending[id(item)].text
            return _Text(self.names[id(item)])
        if isinstance(item, Param):
            return _Text(f"self.{item.name}")
        if isinstance(item, Parameter):
            return _Text(f"self.{item.name}")
        if isinstance(item, (Dtype, Name, TrainOnly)):
            return _Text(literal(item))
        if isinstance(item, Submodule):
            return _Text(f"self.{item.name}")
        if isinstance(item, list):
            return _Text("[" + ", ".join(self.show(i).text for i in item) + "]")
        if isinstance(item, tuple):
            inner = ", ".join(self.show(i).text for i in item)
            return _Text(f"({inner},)" if len(item) == 1 else f"({inner})")
        if isinstance(item, (int, float)) and not isinstance(item, bool) and item < 0:
            return _Text(quote(item), 7)
        return _Text(quote(item))

    def expression(self, node: Node) -> _Text:
        inputs = [self.pending[id(v)].text for v in node.inputs if id(v) in self.pending]
        weighty = any(text.weighty for text in inputs) or _is_weighty(node)
        depth = 1 + max((text.depth for text in inputs), default=0)
        text, precedence = self.node_text(node)
        return _Text(text, precedence, weighty, depth)

    def node_text(self, node: Node) -> tuple[str, int]:
        args = [self.show(a) for a in (node.args[:1] if node.kind == "index" else node.args)]
        if node.kind == "operator":
            return _operator(node.target, args)
        if node.kind == "optional":
            text = _operator(node.target, args[:2])[0]
            return f"{text} if {args[3].text} else {args[2].within(1)}", 0
        if node.kind == "index":
            return f"{args[0].within(_ATOM)}[{self.index_text(node.args[1])}]", _ATOM
        if node.kind == "size":
            return f"{args[0].within(_ATOM)}.shape[{args[1].text}]", _ATOM
        if node.kind == "mode":
            return f"{args[0].within(0)} if self.training else {args[1].within(0)}", -1
        if node.kind == "attribute":
            return f"{args[0].within(_ATOM)}.{node.target}", _ATOM
        if node.kind == "keep":
            return args[0].text, args[0].precedence
        words = [a.text for a in args]
        defaults = FUNCTION_DEFAULTS.get(node.target, {}) if isinstance(node.target, str) else {}
        named = [
            f"{identifier(k)}={self.show(v).text}"
            for k, v in node.kwargs.items()
            if k not in defaults or isinstance(v, Parameter) or v != defaults[k]
        ]
        if node.kind == "call":
            return f"self.{node.target.name}({', '.join(words + named)})", _ATOM
        if node.kind == "function":
            return f"{node.target}({', '.join(words + named)})", _ATOM
        if node.kind == "method":
            rest = ", ".join(words[1:] + named)
            return f"{args[0].within(_ATOM)}.{node.target}({rest})", _ATOM
        raise AssertionError(f"a {node.kind} node reached emission")

    def index_text(self, index: Any) -> str:
        def part(item: Any) -> str:
            if isinstance(item, slice):
                start, stop, step = (
                    "" if p is None else self.show(p).text
                    for p in (item.start, item.stop, item.step)
                )
                return f"{start}:{stop}" + (f":{step}" if step else "")
            return self.show(item).text

        if isinstance(index, tuple) and index:
            return ", ".join(map(part, index)) + ("," if len(index) == 1 else "")
        return part(index)

    # Statements.
    def write(self) -> None:
        for node in self.body.nodes:
            if node.kind == "loop":
                self.loop(node)
                continue
            once = len(node.outputs) == 1 and self.remaining[id(node.output)] == 1
            nests = once and not self.must_name(node)
            # The branches of one expression wait for each other; a layer with weights stands in order.
            plain = nests and not _is_weighty(node)
            wanted = set(map(id, node.inputs)) | (self.read_together(node) if nests else set())
            self.flush_up_to_others(wanted, weighty_only=plain)
            text = self.expression(node)
            waiting = [self.pending[id(v)] for v in node.inputs if id(v) in self.pending]
            crowded = _is_weighty(node) and any(
                item.text.weighty and not _of_one_layer(item.node, node) for item in waiting
            )
            noted = any(item.note for item in waiting) and bool(node.note or _is_weighty(node))
            if waiting and (len(text.text) > WIDTH or text.depth > 5 or crowded or noted):
                self.flush_up_to_others(set())
                text = self.expression(node)
            item = self.nest(node, text)
            if nests:
                self.pending[id(node.output)] = item
            else:
                self.statement(item)
        result = self.result()
        if len(self.body.outputs) > 1 and self.pending and len(result) > WIDTH:
            self.flush_up_to_others(set())
            result = self.result()
        note = next((item.note for item in self.pending.values() if item.note), None)
        self.add(f"return {result}", note)

    def result(self) -> str:
        return ", ".join(self.show(v).text for v in self.body.outputs)

    def nest(self, node: Node, text: _Text) -> _Pending:
        """``node`` with the waiting nodes that it reads, which wait no longer by themselves."""
        keys = dict.fromkeys(id(v) for v in node.inputs if id(v) in self.pending)
        inner = [self.pending.pop(key) for key in keys]
        note = node.note or next((item.note for item in inner if item.note), None)
        return _Pending(node, text, inner, note)

    def must_name(self, node: Node) -> bool:
        """A value gets a line of its own where the program named it and the line says something."""
        hint = node.output.hint
        if node.output in self.body.outputs:
            return False
        says = bool(hint) and not is_generic(to_identifier(hint or "x")) and _is_weighty(node)
        return bool(node.output.name) or says

    def read_together(self, node: Node) -> set[int]:
        """Waiting values that one operator reads with what ``node`` makes: weightless ones, and calls beside a call."""
        (reader,) = self.users.get(id(node.output), [None])
        if reader is None or reader.kind != "operator":
            return set()
        waiting = [id(value) for value in reader.inputs if id(value) in self.pending]
        texts = {key: self.pending[key].text for key in waiting}
        plain = _is_weighty(node) and not any(id(value) in self.pending for value in node.inputs)
        return {
            key for key, text in texts.items() if not text.weighty or (plain and text.depth == 1)
        }

    def flush_up_to_others(self, wanted: set[int], weighty_only: bool = False) -> None:
        """Write out waiting nodes, up to the last one that the next node does not read itself."""
        order = list(self.pending)
        others = [key not in wanted for key in order]
        if weighty_only:
            others = [o and self.pending[key].text.weighty for o, key in zip(others, order)]
        last = max((i for i, other in enumerate(others) if other), default=-1)
        for key in order[: last + 1]:
            self.statement(self.pending.pop(key))

    def statement(self, item: _Pending) -> None:
        self.consume(item)
        node = item.node
        if node.kind == "keep":
            target = f"self.{node.target}"
            text = item.text.text
            if target in self.kept:
                text = f"{target} + {item.text.within(_PRECEDENCE['+'] + 1)}"
            self.kept.add(target)
            self.add(f"{target} = {text}", item.note)
            return
        if len(node.outputs) > 1:
            target = self.unpack(node, node.pattern)
        else:
            target = self.name_for(node.output, node)
        if target != item.text.text:
            line = f"{target} = {item.text.text}"
            self.add(line, item.note or self.shape_note(node, line))

    def loop(self, node: Node) -> None:
        """``for block in self.blocks:``, with one variable that goes through it and lists that it fills."""
        self.flush_up_to_others(set())
        carried, *lists = node.outputs
        start = node.args[node.kwargs["takes"]]
        self.remaining[id(start)] -= 1
        source = self.names[id(start)]
        keeps = self.free(source) and start not in self.body.inputs
        name = self.take(carried, source) if keeps else self.name_for(carried, node)
        if name != source:
            self.add(f"{name} = {source}", None)
        filled = {}
        for value in lists:
            one = self.item_name(value, name)
            filled[self.take(value, f"{one}s")] = one
            self.add(f"{one}s = []", None)
        block = node.target.name.rpartition("_")[2].rstrip("0123456789").removesuffix("s")
        block = block if self.free(block) and block not in (*filled.values(), name) else "part"
        args = [
            name if index == node.kwargs["takes"] else self.show(arg).text
            for index, arg in enumerate(node.args)
        ]
        for index, arg in enumerate(node.args):
            self.remaining[id(arg)] -= index != node.kwargs["takes"]
        items = iter(filled.values())
        given = [
            name if use == "carry" else next(items) if use == "gather" else "_"
            for use in node.pattern
        ]
        self.add(f"for {block} in self.{node.target.name}:", None)
        self.add(f"    {', '.join(given)} = {block}({', '.join(args)})", None)
        for many, one in filled.items():
            self.add(f"    {many}.append({one})", None)

    def shape_note(self, node: Node, line: str) -> str | None:
        """``(N, 64, 56, 56)`` where a block of the whole network changes the shape."""
        if not self.tells_shapes or len(node.outputs) > 1:
            return None
        shape = node.output.shape
        if len(shape) < 3 or None in shape[1:] or shape == self.told:
            return None
        self.told = shape
        note = f"({', '.join(['N', *map(str, shape[1:])])})"
        return note if len(line) + len(note) + 4 <= FULL else None

    def add(self, line: str, note: str | None) -> None:
        """A line with its note behind it, or above it where that is too long."""
        if note and len(line) + len(comment(note)) + 4 > FULL:
            self.lines.append(f"# {comment(note)}")
            note = None
        self.lines.append(f"{line}  # {comment(note)}" if note else line)

    def consume(self, item: _Pending) -> None:
        """The readings in this statement are done."""
        for value in item.node.inputs:
            self.remaining[id(value)] -= 1
        for inner in item.inner:
            self.consume(inner)

    def unpack(self, node: Node, pattern: Any) -> str:
        parts = []
        for item in pattern:
            if isinstance(item, tuple):
                inner = self.unpack(node, item)
                parts.append(f"({inner})" if set(inner) - set("_, ") else "_")
            elif self.remaining[id(item)] == 0:
                parts.append("_")
            else:
                parts.append(self.name_for(item, node))
        return ", ".join(parts) + ("," if len(parts) == 1 else "")


def _is_weighty(node: Node) -> bool:
    target = node.target
    if not isinstance(target, Submodule):
        return False
    if isinstance(target.cls, ModuleClass) or target.items is not None:
        return True
    return bool(target.weights) and "Norm" not in target.cls


def _of_one_layer(before: Node, node: Node) -> bool:
    """Depthwise and pointwise convolution of one layer: they may share a line."""
    sides = (before.target, node.target)
    if not all(isinstance(side, Submodule) and side.items is None for side in sides):
        return False
    return before.target.owner is not None and before.target.owner is node.target.owner


def _operator(symbol: str, args: list[_Text]) -> tuple[str, int]:
    if len(args) == 1:
        return f"{symbol}{args[0].within(7)}", 7
    left, right = args
    if symbol in _COMPARE:
        return f"{left.within(1)} {symbol} {right.within(1)}", 0
    precedence = _PRECEDENCE[symbol]
    if symbol == "**":
        return f"{left.within(9)} ** {right.within(8)}", 8
    return f"{left.within(precedence)} {symbol} {right.within(precedence + 1)}", precedence


def forward_lines(
    body: Module, parameters: list[str]
) -> tuple[list[tuple[str, str]], list[str], str]:
    """(inputs as (name, annotation), statements, return annotation) of a module's ``forward``."""
    writer = _Writer(body, parameters)
    inputs = []
    for index, value in enumerate(body.inputs):
        name = value.name or writer.input_name(value, index)
        writer.take(value, name)
        inputs.append((name, _annotation(value)))
    writer.write()
    count = len(body.outputs)
    kinds = [_annotation(value) for value in body.outputs]
    result = kinds[0] if count == 1 else f"tuple[{', '.join(kinds)}]"
    return inputs, writer.lines, result


def _annotation(value: Value | Param) -> str:
    if not getattr(value, "scalar", False):
        return "Tensor"
    return "int" if value.dtype.startswith("int") else "float"
