"""The passes between lowering and text: each a function Module -> Module, run in this order.

order        branches of a saved model come one after the other
tidy         two steps that torch has one word for become one
outline      regions of the flat module (user functions, custom layers, nested models) become child modules
share        child modules of equal structure become instances of one class, so that repetition shows
ports        blocks that differ only in what their calls give and read are of one class
discover     blocks found by layer names, branches and repetition become child modules
share        the same for the blocks
variants     classes that differ by optional parts become one class with a flag
kinds        blocks of one structure that differ in much are of the classes that their names tell
inline       blocks that no second use pays for stand in their parent again
glue         a change of axes behind every use of a block becomes its own last step
repeats      short chains that are written many times become a class
padding      pads fold into their convolution, or stay as F.pad / nn.ZeroPad2d
sequential   runs of blocks become nn.Sequential
loops        runs of blocks that it cannot hold become a loop over nn.ModuleList
merge        equal dropouts become one member
names        members and classes get their names
newaxis      a reshape that only adds axes of size 1 is an index with None
parameters   literals that differ between the instances of a class become constructor parameters
"""

from __future__ import annotations

from collections.abc import Callable

from keras2torch.module import Module
from keras2torch.passes.discover import discover
from keras2torch.passes.glue import glue
from keras2torch.passes.inline import inline
from keras2torch.passes.kinds import kinds
from keras2torch.passes.loops import loops
from keras2torch.passes.merge import merge
from keras2torch.passes.names import names
from keras2torch.passes.newaxis import newaxis
from keras2torch.passes.order import order
from keras2torch.passes.outline import outline
from keras2torch.passes.padding import padding
from keras2torch.passes.parameters import parameters
from keras2torch.passes.ports import ports
from keras2torch.passes.repeats import repeats
from keras2torch.passes.sequential import sequential
from keras2torch.passes.share import share
from keras2torch.passes.tidy import tidy
from keras2torch.passes.variants import variants

PASSES: tuple[Callable[[Module], Module], ...] = (
    order,
    tidy,
    outline,
    share,
    ports,
    discover,
    share,
    variants,
    kinds,
    inline,
    glue,
    repeats,
    padding,
    sequential,
    loops,
    merge,
    names,
    newaxis,
    parameters,
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
