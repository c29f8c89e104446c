"""Choices and loops: both branches are traced, loops of known length are written out."""

from __future__ import annotations

from typing import Any

from keras2torch.errors import UnsupportedError
from keras2torch.frontend import trace
from keras2torch.graph import Constant, Tensor, map_structure, tensors_in
from keras2torch.layers.modes import TrainingFlag
from keras2torch.ops.base import as_operand, as_plain, function, ops
from keras2torch.ops.elementwise import Elementwise
from keras2torch.ops.modes import by_mode, zipped
from keras2torch.ops.products import Matmul

LONGEST = 64
"""How many steps of a loop are written out before the file is no longer one to read."""


def _called(value: Any) -> Any:
    return value() if callable(value) and not isinstance(value, Tensor) else value


@function("keras.ops.cond {tf,tf.compat.v1}.cond(fn1=true_fn, fn2=false_fn) tf.smart_cond")
def cond(pred: Any, true_fn: Any, false_fn: Any) -> Any:
    """One of two functions' results. Of a symbolic condition both are computed."""
    if isinstance(pred, TrainingFlag):
        return by_mode(_called(true_fn), _called(false_fn))
    if not isinstance(pred, Tensor) or isinstance(pred, Constant):
        return _called(true_fn) if as_plain(pred) else _called(false_fn)
    return zipped(
        lambda left, right: ops.where(pred, left, right), _called(true_fn), _called(false_fn)
    )


@function("K.switch")
def backend_switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Keras 2's: element by element, the condition repeated over the axes it has not got."""
    if not isinstance(condition, Tensor):
        return cond(condition, then_expression, else_expression)
    left, right = as_operand(_called(then_expression)), as_operand(_called(else_expression))
    missing = max(len(left.shape), len(right.shape)) - len(condition.shape)
    if condition.shape and missing > 0:
        condition = ops.expand_dims(condition, [-1 - i for i in range(missing)])
    return ops.where(ops.cast(condition, "bool"), left, right)


@function("K.in_train_phase")
def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """x in train mode, alt in eval mode."""
    if training is None or isinstance(training, TrainingFlag):
        return by_mode(_called(x), _called(alt))
    return _called(x) if training in (1, True) else _called(alt)


@function("K.in_test_phase")
def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    return in_train_phase(alt, x, training)


@function("keras.ops.switch")
def switch(index: Any, branches: Any, *operands: Any) -> Any:
    """The branch of a number; the number is moved into range."""
    if not isinstance(index, Tensor) or isinstance(index, Constant):
        return branches[max(0, min(int(as_plain(index)), len(branches) - 1))](*operands)
    results = [branch(*operands) for branch in branches]
    chosen = results[-1]
    for place in reversed(range(len(branches) - 1)):
        chosen = cond(ops.less_equal(index, place), lambda r=results[place]: r, lambda r=chosen: r)
    return chosen


def _length(xs: Any, what: str) -> int:
    first = tensors_in(xs)[0]
    size = first.shape[0]
    if size is None:
        raise UnsupportedError(
            f"{what} over an axis of unknown size cannot be written out",
            where=trace.user_location(),
            fix="compute on the whole tensor at once, or give the Input a full shape",
        )
    return _short(size, what)


def _short(size: int, what: str) -> int:
    if size > LONGEST:
        raise UnsupportedError(
            f"{what} of {size} steps is too long to be written out (at most {LONGEST})",
            where=trace.user_location(),
            fix="compute on the whole tensor at once, or use a recurrent layer",
        )
    return size


def _at(xs: Any, index: int) -> Any:
    return map_structure(lambda x: x[index], xs)


def _stacked(results: list[Any]) -> Any:
    first = results[0]
    if isinstance(first, (list, tuple)):
        return type(first)(_stacked([item[i] for item in results]) for i in range(len(first)))
    if isinstance(first, dict):
        return {k: _stacked([item[k] for item in results]) for k in first}
    return None if first is None else ops.stack(results)


def _broadcasts(f: Any, xs: Any) -> bool:
    """Whether a function does to the whole what it does to each slice.

    So it is where all it does is pointwise, or a product of matrices, of tensors with as many axes as the slice:
    one more axis in front is then broadcast over.
    """
    slices = map_structure(lambda x: Tensor(x.shape[1:], x.dtype), xs)
    known, done = set(map(id, tensors_in(slices))), dict[int, bool]()

    def depends(tensor: Tensor) -> bool:
        if tensor.call is None:
            return id(tensor) in known
        if id(tensor.call) not in done:
            done[id(tensor.call)] = any([depends(item) for item in tensor.call.inputs])
        return done[id(tensor.call)]

    return all(_keeps_slices(tensor, depends) for tensor in tensors_in(f(slices)))


def _keeps_slices(tensor: Tensor, depends: Any) -> bool:
    """Whether all that ``tensor`` is computed by may be done to many slices at once."""
    if tensor.call is None:
        return bool(depends(tensor))
    inputs, rank = tensor.call.inputs, len(tensor.shape)
    moved = [item for item in inputs if depends(item)]
    return (
        isinstance(tensor.call.operation, (Elementwise, Matmul))
        and bool(moved)
        and all(len(item.shape) == rank for item in moved)
        and all(len(item.shape) <= rank for item in inputs)
        and all(_keeps_slices(item, depends) for item in moved)
    )


@function("keras.ops.map")
def map_(f: Any, xs: Any) -> Any:
    """A function on each slice of the first axis."""
    if tensors_in(xs)[0].shape[0] is None and _broadcasts(f, xs):
        return f(xs)
    return _stacked([f(_at(xs, i)) for i in range(_length(xs, "a map"))])


@function("keras.ops.vectorized_map tf.vectorized_map(fn=function, elems=elements)")
def vectorized_map(function: Any, elements: Any) -> Any:
    return map_(function, elements)


@function("{tf,K}.map_fn")
def map_fn(fn: Any, elems: Any, dtype: Any = None, **kwargs: Any) -> Any:
    return map_(fn, elems)


@function("keras.ops.scan")
def scan(
    f: Any, init: Any, xs: Any = None, length: Any = None, reverse: bool = False, unroll: Any = 1
) -> Any:
    """A loop that carries a state and gives one output a step."""
    count = _length(xs, "a scan") if tensors_in(xs) else _short(int(as_plain(length)), "a scan")
    carry, outputs = init, []
    for i in reversed(range(count)) if reverse else range(count):
        carry, output = f(carry, None if xs is None else _at(xs, i))
        outputs.append(output)
    return carry, _stacked(outputs[::-1] if reverse else outputs)


@function("tf.scan")
def tf_scan(
    fn: Any, elems: Any, initializer: Any = None, reverse: bool = False, **kwargs: Any
) -> Any:
    order = list(range(_length(elems, "a scan")))
    order = order[::-1] if reverse else order
    state = _at(elems, order.pop(0)) if initializer is None else initializer
    outputs = [] if initializer is not None else [state]
    for i in order:
        state = fn(state, _at(elems, i))
        outputs.append(state)
    return _stacked(outputs[::-1] if reverse else outputs)


@function("{K,tf}.foldl(fn=fn)")
def foldl(fn: Any, elems: Any, initializer: Any = None, name: Any = None) -> Any:
    """The last state of a scan."""
    order = list(range(_length(elems, "a fold")))
    state = _at(elems, order.pop(0)) if initializer is None else initializer
    for i in order:
        state = fn(state, _at(elems, i))
    return state


@function("{K,tf}.foldr(fn=fn)")
def foldr(fn: Any, elems: Any, initializer: Any = None, name: Any = None) -> Any:
    order = list(range(_length(elems, "a fold")))[::-1]
    state = _at(elems, order.pop(0)) if initializer is None else initializer
    for i in order:
        state = fn(state, _at(elems, i))
    return state


@function("keras.ops.associative_scan")
def associative_scan(f: Any, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Running results of an associative function along an axis."""
    moved = map_structure(lambda x: ops.moveaxis(x, axis, 0), elems)
    order = list(range(_length(moved, "a scan")))
    order = order[::-1] if reverse else order
    state = _slice_at(moved, order[0])
    outputs = [state]
    for i in order[1:]:
        state = f(state, _slice_at(moved, i))
        outputs.append(state)
    outputs = outputs[::-1] if reverse else outputs
    return _joined(outputs, axis)


def _slice_at(xs: Any, index: int) -> Any:
    return map_structure(lambda x: x[index : index + 1], xs)


def _joined(results: list[Any], axis: int) -> Any:
    first = results[0]
    if isinstance(first, (list, tuple)):
        return type(first)(_joined([item[i] for item in results], axis) for i in range(len(first)))
    if isinstance(first, dict):
        return {k: _joined([item[k] for item in results], axis) for k in first}
    return ops.moveaxis(ops.concatenate(results, 0), 0, axis)


@function("keras.ops.fori_loop")
def fori_loop(lower: Any, upper: Any, body_fun: Any, init_val: Any) -> Any:
    """A counted loop, written out."""
    low, high = as_plain(lower), as_plain(upper)
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        raise UnsupportedError(
            "a loop whose length the model computes cannot be written out",
            where=trace.user_location(),
            fix="give the bounds as numbers",
        )
    _short(int(high) - int(low), "a loop")
    value = init_val
    for i in range(int(low), int(high)):
        value = body_fun(i, value)
    return value


@function("{tf,tf.compat.v1}.while_loop")
def tf_while_loop(
    cond: Any, body: Any, loop_vars: Any, *args: Any, maximum_iterations: Any = None, **kwargs: Any
) -> Any:
    return while_loop(cond, body, loop_vars, maximum_iterations)


@function("keras.ops.while_loop")
def while_loop(cond: Any, body: Any, loop_vars: Any, maximum_iterations: Any = None) -> Any:
    """A loop whose condition does not depend on the model's inputs, written out."""
    several = isinstance(loop_vars, (list, tuple))
    state = tuple(loop_vars) if several else (loop_vars,)
    steps = 0
    while maximum_iterations is None or steps < int(as_plain(maximum_iterations)):
        going = cond(*state)
        if isinstance(going, Tensor) and not isinstance(going, Constant):
            raise UnsupportedError(
                "a while loop that depends on the values of a tensor has no translation",
                where=trace.user_location(),
                fix="loop a fixed number of times, with a Python `for`",
            )
        if not as_plain(going):
            break
        _short(steps + 1, "a loop")
        made = body(*state)
        state = tuple(made) if isinstance(made, (list, tuple)) else (made,)
        steps += 1
    return (
        (type(loop_vars)(state) if type(loop_vars) in (list, tuple) else state)
        if several
        else state[0]
    )
