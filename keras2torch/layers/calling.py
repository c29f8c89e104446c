"""What a call of a layer goes through: its input as tensors, variables made once, the user's code traced, masks.

Of the layer's class (``layers.base.Layer``) it needs ``call``, which records or is the user's own.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keras2torch.errors import K2TError, ShapeError
from keras2torch.frontend import trace
from keras2torch.frontend.absent import refuse_absent
from keras2torch.graph import Scope, Tensor, TensorShape, Weight, map_structure, tensors_in
from keras2torch.layers.modes import TRAINING, training_around, training_mode
from keras2torch.layers.operation import as_tensor
from keras2torch.layers.traced_calls import flags_by_name, is_array, named_tensors, training_by_name
from keras2torch.layers.variables import HoldsVariables, attributes


class Called(HoldsVariables):
    """A layer as far as calls of it go."""

    if TYPE_CHECKING:  # a layer's own arguments, variables and inner layers

        def __getattr__(self, name: str) -> Any: ...

    supports_masking = False

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the variables; overridden where there are any."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_fields" not in self.__dict__ or self.name is None:
            self._set_base({})
        for value in (*args, *kwargs.values()):
            refuse_absent(value, f"the input of {type(self).__name__}")
        args, kwargs = self._normalise(args, kwargs)
        if self.user_defined:
            args, kwargs = flags_by_name(self.call, args, kwargs)
        else:
            args, kwargs = training_by_name(args, kwargs)
        with self._fits(args):
            self._ensure_built(args, kwargs)
        known = len(self._losses)
        training = kwargs.get("training")
        if training is None or training is TRAINING:
            training = training_around[-1]
        else:
            training = bool(training)
        if self.user_defined:
            outputs = self._trace(args, kwargs, training)
        else:
            kwargs.pop("training", None)
            with training_mode(training), self._fits(args):
                outputs = self.call(*args, **kwargs)
            if not tensors_in(outputs) and not isinstance(outputs, Called) and tensors_in(args):
                refuse_absent(outputs, f"what {type(self).__name__} {self.name!r} gives")
                raise K2TError(
                    f"{type(self).__name__} {self.name!r} gives a {type(outputs).__name__}, not a tensor",
                    where=trace.user_location(),
                )
        self._calls.append((args[0] if args else None, outputs))
        if self.activity_regularizer is not None:
            from keras2torch.ops.added_loss import add_activity_loss

            add_activity_loss(self, outputs)
        if len(self._losses) > known:
            from keras2torch.ops.added_loss import tied

            outputs = tied(self._losses[known:], args, outputs)
        self._propagate_masks(args, outputs)
        if self.names_outputs:
            for tensor in tensors_in(outputs):
                tensor.producer = self.name
        return outputs

    @contextmanager
    def _fits(self, args: tuple[Any, ...]) -> Iterator[None]:
        """Turns what goes wrong with a dict, a list or None in the place of a tensor into a ShapeError."""
        try:
            yield
        except (AttributeError, KeyError, TypeError) as error:
            if self.user_defined or not args or isinstance(args[0], Tensor):
                raise
            kind = type(args[0]).__name__.removesuffix("Type")
            raise ShapeError(
                f"{type(self).__name__} {self.name!r} takes one tensor, not: {kind}",
                where=trace.user_location() or self.where,
                fix="call it on a tensor, or on each of several",
            ) from error

    names_outputs = True
    """Whether what a call gives has the layer's name, where it is an output of a model."""

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return mask

    def _normalise(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """The first argument becomes tensors, also where the program passes arrays."""
        if "inputs" in kwargs and not args:
            args = (kwargs.pop("inputs"),)
        if args and not tensors_in(args[0]) and (is_array(args[0])):
            args = (as_tensor(args[0]), *args[1:])
        elif args and isinstance(args[0], (list, tuple)) and args[0]:
            if any(isinstance(item, Tensor) or is_array(item) for item in args[0]):
                args = ([as_tensor(item) for item in args[0]], *args[1:])
        if self.low_precision is not None:
            args = map_structure(self._before_cast, args)
        return args, dict(kwargs)

    def _before_cast(self, tensor: Tensor) -> Tensor:
        """What was cast to the half floats that the layer's policy casts to by itself (as files of Keras 3.6 do)."""
        from keras2torch.ops.core import Cast

        call = tensor.call
        if call is None or not isinstance(call.operation, Cast):
            return tensor
        is_own = tensor.dtype == str(self.low_precision).removeprefix("mixed_")
        return call.inputs[0] if is_own and call.inputs[0].dtype == "float32" else tensor

    def _ensure_built(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self.__dict__.get("built"):
            return
        self.built = True
        if not args:
            return
        shapes = [map_structure(lambda t: TensorShape(t.shape), arg) for arg in args]
        parameters = [
            p
            for p in inspect.signature(self.build).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        required = [p for p in parameters if p.default is p.empty]
        if len(required) > 1 or (len(parameters) > 1 and len(shapes) > 1):
            self.build(*shapes[: len(parameters)])
        elif parameters:
            self.build(shapes[0])
        else:
            self.build()
        self.built = True
        if self.initial_weights is not None:
            self.set_weights(self.initial_weights)

    def _trace(self, args: tuple[Any, ...], kwargs: dict[str, Any], training: bool | None) -> Any:
        """Run the user's ``call`` on symbolic tensors, in a scope of its own."""
        parameters = inspect.signature(self.call).parameters
        if "training" in parameters and kwargs.get("training") is None:
            kwargs["training"] = TRAINING if training is None else training
        elif "training" not in parameters:
            kwargs.pop("training", None)
        if "mask" in parameters and kwargs.get("mask") is None and args:
            mask = map_structure(lambda t: t.mask, args[0])
            if mask is not None and tensors_in(mask):
                kwargs["mask"] = mask
        for name, value in attributes(self):
            held: Any = value if isinstance(value, (Called, Weight)) else None
            if held is not None and held.attribute is None:
                held.attribute = name.lstrip("_")
        scope = replace(self.new_scope(), tensors=named_tensors(self.call, args, kwargs))
        from keras2torch.ops.modes import both_modes

        with training_mode(training):
            return trace.scoped(scope, both_modes, self, self.call, args, kwargs)

    def new_scope(self) -> Scope:
        """The scope of one more run of this layer."""
        return trace.new_scope("layer", type(self).__name__, self, type(self).__doc__)

    def _propagate_masks(self, args: tuple[Any, ...], outputs: Any) -> None:
        if not args:
            return
        masks = map_structure(lambda t: t.mask, args[0])
        if not tensors_in(masks) and type(self).compute_mask is Called.compute_mask:
            return
        if not self.supports_masking and type(self).compute_mask is Called.compute_mask:
            return
        made = tensors_in(outputs)
        if any(tensor.mask is not None for tensor in made):
            return
        mask = self.compute_mask(args[0], masks if tensors_in(masks) else None)
        for tensor, item in zip(
            made, mask if isinstance(mask, (list, tuple)) else [mask] * len(made)
        ):
            if tensor.mask is None and isinstance(item, Tensor):
                tensor.mask = item
