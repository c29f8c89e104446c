"""Module tree -> the lines of a file -> jinja -> black. All text is decided here; templates lay out the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from keras2torch.constructors import literal, submodule_text
from keras2torch.describe import correspondence, first_sentence
from keras2torch.expressions import forward_lines
from keras2torch.frozen import Frozen
from keras2torch.helpers import helper_sources
from keras2torch.initial import initial_lines, start_of
from keras2torch.module import Module, ModuleClass, Param, Parameter, Submodule, classes_of
from keras2torch.pages import environment
from keras2torch.quoting import comment, quote
from keras2torch.tables import table_lines

LINE_LENGTH = 100


@dataclass
class ClassText:
    """One class of the page, line by line."""

    name: str
    doc: list[str]
    signature: str
    init: list[str]
    forward_signature: str
    forward: list[str]
    train: list[str] = field(default_factory=list)
    buffers: list[str] = field(default_factory=list)


def emit_module(module: Module, *, header: str, doc: list[str], input_names: list[str]) -> str:
    """The text of the model file: helpers, classes (children first), initialisation."""
    assert module.cls is not None
    for value, name in zip(module.inputs, input_names):
        value.name = name
    classes = classes_of(module)
    names = correspondence(module)
    doc = [*doc, "", *names] if names else doc
    initial = initial_lines(module, classes)
    frozen = Frozen(module)
    texts = [
        _class_text(
            cls,
            cls is module.cls,
            initial.in_class.get(id(cls), []),
            bool(initial.function),
            doc,
            frozen,
        )
        for cls in classes
    ]
    body = "\n".join([line for text in texts for line in (*text.init, *text.forward, *text.train)])
    helpers = helper_sources(body + "\n".join(initial.function))
    page = (
        environment()
        .get_template("model.py.jinja")
        .render(
            header=header,
            doc=doc,
            helpers=helpers,
            init_function=initial.function,
            classes=texts,
        )
    )
    return format_source(_with_imports(page))


def _class_text(
    cls: ModuleClass,
    root: bool,
    initial: list[str],
    has_function: bool,
    doc: list[str],
    frozen: Frozen,
) -> ClassText:
    body = cls.body
    parameters = ", ".join(map(_parameter_text, cls.parameters))
    init = [line for member in body.members for line in _member_lines(member, root)]
    if root and has_function:
        init.append("self.apply(init_like_keras)")
    init += initial  # after what serves all modules: the exceptions
    init += frozen.constructor_lines(cls)
    inputs, lines, result = forward_lines(body, [p.name for p in cls.parameters])
    read = _read_in_forward(body)
    stored = [f"self.{p.name} = {p.name}" for p in cls.parameters if p.name in read]
    for name, formula in cls.derived.items():
        stored.append(f"{'self.' if name in read else ''}{name} = {formula.text}")
    arguments = ", ".join(f"{name}: {kind}" for name, kind in inputs)
    documentation = doc[1:] if root else first_sentence(cls.doc or "")
    return ClassText(
        cls.name,
        documentation,
        f"self, {parameters}" if parameters else "self",
        stored + init,
        f"(self, {arguments}) -> {result}",
        lines,
        frozen.train_lines(cls),
        [f"{m.name}: Tensor" for m in body.members if isinstance(m, Param) and m.buffer],
    )


def _read_in_forward(body: Module) -> set[str]:
    """The constructor parameters that ``forward`` reads."""
    found: set[str] = set()

    def visit(item: Any) -> None:
        if isinstance(item, Parameter):
            found.add(item.name)
        elif isinstance(item, slice):
            visit([item.start, item.stop, item.step])
        elif isinstance(item, (list, tuple, dict)):
            for part in item.values() if isinstance(item, dict) else item:
                visit(part)

    for node in body.nodes:
        visit([node.args, node.kwargs])
    return found


def _parameter_text(parameter: Parameter) -> str:
    default = "" if parameter.default is None else f" = {quote(parameter.default)}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def _member_lines(member: Any, root: bool) -> list[str]:
    note = f"  # {comment(member.note)}" if getattr(member, "note", None) else ""
    if isinstance(member, Submodule):
        table = table_lines(member) if root else None
        if table is not None:
            return table
        line = f"self.{member.name} = {submodule_text(member)}"
        if note and len(line) + len(note) + 8 > LINE_LENGTH:
            return [note.strip(), line]
        return [line + note]
    assert isinstance(member, Param)
    if member.constant is not None:
        from keras2torch.constants import constant_text

        values = constant_text(member.constant, member.dtype)
        return [f"self.register_buffer({quote(member.name)}, {values}, persistent=False)"]
    shape = getattr(member, "written_shape", member.shape)
    sizes = literal(shape[0] if len(shape) == 1 else shape)
    dtype = "" if member.dtype == "float32" else f", dtype=torch.{member.dtype}"
    tensor = f"torch.{start_of(member) or 'empty'}({sizes}{dtype})"
    if member.buffer:
        return [f"self.register_buffer({quote(member.name)}, {tensor})"]
    frozen = ", requires_grad=False" if member.frozen else ""
    return [f"self.{member.name} = nn.Parameter({tensor}{frozen})"]


_IMPORTS = (
    ("import base64", r"\bbase64\."),
    ("import itertools", r"\bitertools\."),
    ("import math", r"\bmath\."),
    ("import zlib", r"\bzlib\."),
    ("import numpy as np", r"\bnp\."),
    ("import torch", r"\btorch\."),
    ("import torch.nn.functional as F", r"\bF\."),
)


def _with_imports(page: str) -> str:
    """Put the imports that the page uses in the place of its marker."""
    code = re.sub(r"#.*", "", page)
    code = re.sub(r'"""[\s\S]*?"""', "", code)
    lines = [line for line, pattern in _IMPORTS if re.search(pattern, code)]
    stdlib = [line for line in lines if "torch" not in line and "numpy" not in line]
    others = [line for line in lines if line not in stdlib]
    from_torch = [name for name in ("Tensor", "nn") if re.search(rf"\b{name}\b", code)]
    if from_torch:
        others.append(f"from torch import {', '.join(from_torch)}")
    block = "\n".join([*stdlib, *([""] if stdlib else []), *others])
    return page.replace("@@IMPORTS@@", block, 1)


def format_source(source: str) -> str:
    """``source`` as black prints it (line length 100)."""
    import black

    mode = black.Mode(line_length=LINE_LENGTH, target_versions={black.TargetVersion.PY310})
    return black.format_str(source, mode=mode)
