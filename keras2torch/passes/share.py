"""share: child modules of equal structure become instances of one class, innermost first.

block1 = Module(conv(3 -> 16), relu)           class Block: instances block1, block2,
block2 = Module(conv(16 -> 32), relu)    ->    which differ in literals only
"""

from __future__ import annotations

import re
from typing import Any

from keras2torch.module import Module, ModuleClass, Submodule
from keras2torch.passes.skeleton import skeleton
from keras2torch.quoting import to_class_name


def share(module: Module) -> Module:
    """Give every child module its ModuleClass; the root gets one of its own."""
    classes: dict[Any, ModuleClass] = {}
    done: set[int] = set()
    _share_children(module, classes, done)
    module.cls = ModuleClass("Model", [module])
    return module


def _share_children(module: Module, classes: dict[Any, ModuleClass], done: set[int]) -> None:
    for member in module.members:
        if not isinstance(member, Submodule) or member.body is None or id(member) in done:
            continue
        done.add(id(member))
        body = member.body
        _share_children(body, classes, done)
        assert body.scope is not None
        name = to_class_name(body.scope.name)
        if body.scope.kind in ("model", "sequential"):
            name = re.sub(r"\d+\Z", "", name) or name  # block_0 and block_1 may be of one class
        found = body.scope.kind == "pattern"
        key = (None if found else name, skeleton(body, loose=not found))
        cls = classes.get(key)
        if cls is None:
            cls = classes[key] = ModuleClass(name, [], doc=body.scope.doc)
        cls.instances.append(body)
        body.cls = member.cls = cls
