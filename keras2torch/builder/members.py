"""Members: submodules and parameters, and how they come from Keras weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from keras2torch.builder.nodes import Nodes
from keras2torch.constants import LITERAL, constant_text
from keras2torch.errors import K2TError, UnsupportedError
from keras2torch.graph import Graph, Shape, Tensor, Weight
from keras2torch.module import Mapping, Module, ModuleClass, Param, Submodule, Value
from keras2torch.naming import is_generic
from keras2torch.torch_signatures import signature_of


class Members(Nodes):
    """The members so far."""

    def __init__(self, graph: Graph):
        super().__init__(graph)
        self._submodules: dict[tuple[int, str], Submodule] = {}
        self._params: dict[Any, Param] = {}
        self._tensors: list[Tensor] = []  # keeps ids alive

    def submodule(
        self,
        cls: str,
        /,
        role: str = "",
        *,
        weights: dict[str, Mapping] | None = None,
        initial: dict[str, Any] | None = None,
        note: str | None = None,
        **args: Any,
    ) -> Submodule:
        """The submodule of the layer being lowered; the same one again when the layer is called again.

        ``role`` tells several submodules of one layer apart and names them ("depthwise", "pointwise").
        """
        layer = self.call_record.operation
        key = (id(layer), role)
        args = signature_of(cls).complete(args)
        found = self._submodules.get(key)
        if found is not None:
            if found.cls != cls or found.args != args:
                raise K2TError(f"{layer} is called in ways that need two different {cls}")
            return found
        given: dict[str, Any] = {}
        for name, mapping in (weights or {}).items():
            source = mapping.sources[0] if mapping.sources else None
            given[name] = source.initializer if source is not None else None
        found = Submodule(
            cls,
            args,
            weights or {},
            hints=self._hints(layer, role),
            note=note,
            initial={**given, **(initial or {})},
            owner=layer,
            frozen=not getattr(layer, "trainable", True),
        )
        self._submodules[key] = found
        return found

    def child(self, make: Callable[[], Module], role: str) -> Submodule:
        """A part of the layer being lowered as a class of its own; ``make`` gives its body, with a scope.

        For what ``forward`` calls many times: it is handed to a function, ``run_recurrent(self.cell, x)``.
        """
        layer = self.call_record.operation
        found = self._submodules.get((id(layer), role))
        if found is None:
            body = make()
            assert body.scope is not None
            cls = ModuleClass(body.scope.name, [body], doc=body.scope.doc)
            found = Submodule(cls, body=body, owner=layer, hints=self._hints(layer, role))
            self._submodules[id(layer), role] = found
        return found

    def param(self, weight: Weight, mapping: Mapping | None = None) -> Param:
        """A variable of a layer as a parameter (or a buffer) of the module itself."""
        key = id(weight)
        if key not in self._params:
            self._tensors.append(weight)
            self._params[key] = Param(
                mapping
                or Mapping((weight,), lambda array: array, _known(weight.shape), weight.trainable),
                weight.dtype,
                hints=(
                    (weight.attribute,)
                    if weight.attribute
                    else self._hints(weight.layer, str(weight.name))
                ),
                buffer=not weight.trainable,
                initial=weight.initializer,
                owner=weight.layer,
            )
        return self._params[key]

    def of_submodule(self, weight: Weight) -> Value | None:
        """``self.embedding.weight``: a variable that a submodule so far holds, in whatever order of axes."""
        for submodule in self._submodules.values():
            for name, mapping in submodule.weights.items():
                if submodule.owner is weight.layer and mapping.sources == (weight,):
                    axes = _permutation(mapping, _known(weight.shape))
                    if axes is not None:
                        shape = mapping.shape
                        args, dtype = (submodule,), weight.dtype
                        return self.node(
                            "attribute", name, args, shape=shape, axes=axes, dtype=dtype
                        )
        return None

    def constant(self, array: Any, dtype: str | None = None, name: str = "constant") -> Any:
        """A number becomes a literal; an array a buffer that is no part of the state dict."""
        import numpy

        array = numpy.asarray(array)
        if array.ndim == 0:
            # 2.828427 is the float32 that is meant, where item() would tell 2.8284270763397217
            return float(str(array)) if array.dtype == "float32" else array.item()
        if array.dtype.kind in "OSU":
            raise UnsupportedError(f"{array.tolist()!r:.80} holds no numbers: it is no tensor")
        if array.size > LITERAL:  # say now, at the program's line, if it cannot be written
            constant_text(array, dtype or str(array.dtype))
        shape = tuple(int(n) for n in array.shape)
        mapping = Mapping((), lambda: array, shape, False)
        return Param(mapping, dtype or str(array.dtype), (name,), buffer=True, constant=array)

    def mapping(self, function: Callable[..., Any], *weights: Weight) -> Mapping:
        """How a torch tensor comes from Keras weights; its shape is found with empty arrays of theirs."""
        import numpy

        probes = [
            numpy.lib.stride_tricks.as_strided(
                numpy.float32(0), _known(w.shape), (0,) * len(w.shape)
            )
            for w in weights
        ]
        shape = tuple(int(n) for n in function(*probes).shape)
        return Mapping(tuple(weights), function, shape, all(w.trainable for w in weights))

    def same(self, *weights: Weight) -> Mapping:
        """A torch tensor that is a Keras weight as it stands."""
        return Mapping(
            tuple(weights), lambda array: array, _known(weights[0].shape), weights[0].trainable
        )

    def _hints(self, layer: Any, role: str) -> tuple[str, ...]:
        """Names for a member, best first: the program's name, its variable, the role."""
        hints: list[str] = []
        if role and layer is self.call_record.operation and layer.own_class:
            return (role,)
        if getattr(layer, "named", False):
            hints.append(f"{layer.name}_{role}" if role else str(layer.name))
        attribute = getattr(layer, "attribute", None)
        if attribute and not is_generic(attribute):
            hints.append(f"{attribute}_{role}" if role else attribute)
        variable = getattr(layer, "variable", None)
        if variable and not is_generic(variable):
            hints.append(f"{variable}_{role}" if role else variable)
        if role:
            hints.append(role)
        return tuple(hints)


def _known(shape: Shape) -> tuple[int, ...]:
    return tuple(int(n) if n is not None else 1 for n in shape)


def _permutation(mapping: Mapping, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The Keras axes in torch's order, where a mapping does nothing but permute them; found by trying."""
    import itertools

    import numpy

    array = numpy.arange(math.prod(shape), dtype="float32").reshape(shape)
    made = mapping.function(array)
    for axes in itertools.permutations(range(len(shape))):
        if made.shape == array.transpose(axes).shape and (made == array.transpose(axes)).all():
            return axes
    return None
