"""The passes between lowering and text: each a function Module -> Module, run in this order.

outline      regions of the flat module (user functions, custom layers, nested models) become child modules
share        child modules of equal structure become instances of one class
padding      pads fold into their convolution, or stay as F.pad / nn.ZeroPad2d
sequential   runs of blocks become nn.Sequential
merge        equal dropouts become one member
parameters   literals that differ between the instances of a class become constructor parameters
names        members, parameters and classes get their names
"""

from __future__ import annotations

from collections.abc import Callable

from keras2torch.module import Module
from keras2torch.passes.merge import merge
from keras2torch.passes.names import names
from keras2torch.passes.outline import outline
from keras2torch.passes.padding import padding
from keras2torch.passes.parameters import parameters
from keras2torch.passes.sequential import sequential
from keras2torch.passes.share import share

PASSES: tuple[Callable[[Module], Module], ...] = (
    outline,
    share,
    padding,
    sequential,
    merge,
    parameters,
    names,
)


def run_passes(module: Module) -> Module:
    """Run all passes, checking the module after each."""
    for apply in PASSES:
        module = apply(module)
        try:
            module.check()
        except AssertionError as error:
            raise AssertionError(f"after the pass {apply.__name__}: {error}") from error
    return module
