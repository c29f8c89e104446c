"""Each pass on a tiny module: the printed module before and after, checked after every pass."""

from __future__ import annotations

import re
import textwrap

import pytest

from keras2torch.constructors import literal
from keras2torch.inputs import Input
from keras2torch.layers import REGISTRY
from keras2torch.layers.operation import clear_names
from keras2torch.lower import lower
from keras2torch.models import Model
from keras2torch.module import Module, ModuleClass
from keras2torch.naming import in_one_style
from keras2torch.passes import PASSES, run_passes
from keras2torch.passes.formulas import fraction
from keras2torch.tables import table_lines

Conv2D, Add, Dense, Dropout = (REGISTRY[n] for n in ("Conv2D", "Add", "Dense", "Dropout"))
BatchNormalization, Concatenate = REGISTRY["BatchNormalization"], REGISTRY["Concatenate"]


def flat(build) -> Module:
    """The flat module of what ``build`` makes from an 8x8 image of 4 channels, as a saved model gives it."""
    clear_names()
    image = Input((8, 8, 4))
    module = lower(Model(image, build(image)).graph)
    for node in module.nodes:  # a saved model has no lines and no functions
        node.where, node.scopes = None, ()
        node.output.hint = None
    return module


def upto(build, name: str) -> tuple[Module, Module]:
    """Two modules: with the passes before ``name``, and with ``name`` too."""
    before, after = flat(build), flat(build)
    for apply in PASSES:
        if apply.__name__ == name:
            after = apply(after)
            after.check()
            return before, after
        before, after = apply(before), apply(after)
        after.check()
    raise AssertionError(f"there is no pass {name}")


def text(module: Module) -> str:
    """The printed module without the arguments that do not matter here."""
    short = re.sub(
        r"\(in_channels=(\S+), out_channels=(\S+), kernel_size=(\S+?), [^)]*\)",
        r"(\1, \2, \3)",
        str(module),
    )
    short = re.sub(r"Conv2d\((\S+, \S+, \S+), .*?bias=\w+\)", r"Conv2d(\1)", short)
    short = re.sub(r"BatchNorm2d\(num_features=(\S+?), .*?\)", r"BatchNorm2d(\1)", short)
    return re.sub(r"\[None, ([\d, ]+)\]", lambda m: "[" + m[1].replace(", ", "x") + "]", short)


def block(text_: str) -> str:
    return textwrap.dedent(text_).strip("\n")


def conv(x, filters=4, name=None, **options):
    return Conv2D(filters, 3, padding="same", name=name, **options)(x)


def test_every_pass_has_one_sentence_and_an_example():
    import sys

    for apply in PASSES:
        assert apply.__doc__ and apply.__doc__.count(".") <= 2
        page = sys.modules[apply.__module__].__doc__
        assert page.startswith(f"{apply.__name__}: ") and "->" in page


def test_order_puts_branches_one_after_the_other():
    def build(x):
        a, b = conv(x), conv(x)
        return Add()([conv(a), conv(b)])

    def readers(module):
        names = {id(v): i for i, v in enumerate(v for n in module.nodes for v in n.outputs)}
        return [
            [names.get(id(v), "x") for v in node.inputs]
            for node in module.nodes
            if node.kind != "pad"
        ]

    before, after = upto(build, "order")
    assert readers(before) == [
        ["x" if r == ["x"] else r[0] for _ in [0]] if len(r) == 1 else r for r in readers(before)
    ]
    calls = [node for node in after.nodes if node.kind == "call"]
    assert calls[1].inputs[0].node.inputs[0] is calls[0].output  # the first branch to its end
    assert calls[3].inputs[0].node.inputs[0] is calls[2].output


def test_tidy_keeps_dimensions_instead_of_a_reshape():
    pool, reshape = REGISTRY["GlobalAveragePooling2D"], REGISTRY["Reshape"]

    def build(x):
        return conv(reshape((1, 1, 4))(pool()(conv(x))))

    before, after = upto(build, "tidy")
    assert [n.target for n in before.nodes if n.kind == "method"] == ["mean", "reshape"]
    [mean] = [n for n in after.nodes if n.kind == "method"]
    assert mean.kwargs == {"dim": (2, 3), "keepdim": True}
    assert mean.output.shape == (None, 4, 1, 1)


def residual(x, filters, project, name):
    y = conv(x, filters, name=f"{name}_conv1", activation="relu")
    y = conv(y, filters, name=f"{name}_conv2")
    if project:
        x = Conv2D(filters, 1, name=f"{name}_project")(x)
    return Add(name=f"{name}_add")([y, x])


def blocks(x):
    x = residual(x, 8, True, "stage1_block1")
    x = residual(x, 8, False, "stage1_block2")
    return residual(x, 8, False, "stage1_block3")


def child_classes(module: Module) -> list[ModuleClass]:
    from keras2torch.module import classes_of

    return [cls for cls in classes_of(module) if cls is not module.cls]


def test_discover_folds_blocks_by_name():
    before, after = upto(blocks, "discover")
    bodies = [node.target.body for node in after.nodes]
    assert [body.scope.name for body in bodies] == [
        "stage1_block1",
        "stage1_block2",
        "stage1_block3",
    ]
    assert sum(len(body.nodes) for body in bodies) == len(before.nodes)


def test_discover_finds_periods_without_names():
    def build(x):
        for _ in range(3):
            x = conv(conv(x, activation="relu"), 4, activation="relu")
            x = REGISTRY["MaxPooling2D"]()(x) if x.shape[1] > 4 else x
        return x

    def chain(x):
        for filters in (8, 16, 32):
            x = conv(x, filters, activation="relu")
            x = BatchNormalization()(conv(x, filters, activation="elu"))
        return x

    _, after = upto(chain, "discover")
    assert [len(node.target.body.nodes) for node in after.nodes] == [7, 7, 7]


def test_variants_merges_an_optional_branch():
    before, after = upto(blocks, "variants")
    assert len(child_classes(before)) == 2
    [cls] = child_classes(after)
    flags = [[m.present for m in body.members] for body in cls.instances]
    assert [row.count(True) for row in flags] == [1, 0, 0]
    assert [row.count(False) for row in flags] == [0, 1, 1]
    assert len({len(body.nodes) for body in cls.instances}) == 1


def test_variants_merges_an_optional_sum():
    def build(x):
        for index, (filters, add) in enumerate([(8, False), (8, True), (16, False), (16, True)], 1):
            y = conv(x, filters, name=f"block{index}_conv1", activation="relu")
            y = conv(y, filters, name=f"block{index}_conv2")
            x = Add(name=f"block{index}_add")([x, y]) if add else y
        return x

    _, after = upto(build, "variants")
    [cls] = child_classes(after)
    flags = sorted(
        node.args[3] for body in cls.instances for node in body.nodes if node.kind == "optional"
    )
    assert flags == [False, False, True, True]


def test_variants_leaves_different_blocks_apart():
    def build(x):
        x = blocks(x)
        y = conv(x, 8, name="stage2_block1_conv1", activation="elu")
        y = conv(y, 8, name="stage2_block1_conv2", activation="elu")
        return Add(name="stage2_block1_add")([y, x])

    _, after = upto(build, "variants")
    assert len(child_classes(after)) == 2


def test_kinds_parts_what_differs_in_much():
    def build(x, many):
        for kind, (width, kernel) in enumerate(((8, 3), (24, 5 if many else 3))):
            x = conv(x, width, name=f"reduce{kind}")
            for index in range(4):
                name = f"block{kind}_{index}"
                y = Conv2D(width // 2, kernel, padding="same", name=f"{name}_conv1")(x)
                y = Conv2D(width - 2 * many, 2 * kernel - 3, padding="same", name=f"{name}_conv2")(
                    y
                )
                y = Conv2D(width, kernel, padding="same", name=f"{name}_conv3")(y)
                x = Add(name=f"{name}_add")([x, y])
        return x

    for many, count in ((True, 2), (False, 1)):
        before, after = upto(lambda x, many=many: build(x, many), "kinds")
        assert (len(child_classes(before)), len(child_classes(after))) == (1, count)


def test_inline_undoes_a_block_that_is_used_once():
    def build(x):
        x = residual(x, 8, True, "head_block1")
        return Dense(3)(REGISTRY["Flatten"]()(x))

    _, after = upto(build, "inline")
    assert not child_classes(after)


def test_repeats_makes_a_class_of_a_chain_written_often():
    def build(x):
        outputs = []
        for depth, kernel in enumerate((3, 1, (1, 3), 5)):
            y = x
            for filters in range(8, 12 + 4 * depth, 4):
                y = Conv2D(filters, kernel, padding="same", use_bias=False)(y)
                y = REGISTRY["Activation"]("relu")(BatchNormalization(scale=False)(y))
            outputs.append(y)
        return Concatenate()(outputs)

    before, after = upto(build, "repeats")
    assert not child_classes(before)
    [cls] = child_classes(after)
    assert len(cls.instances) == 10
    assert [node.kind for node in cls.body.nodes] == ["pad", "call", "call", "function"]


def test_padding_folds_even_pads_and_spells_out_others():
    def build(x):
        return conv(conv(x), strides=2)

    before, after = upto(build, "padding")
    assert [node.kind for node in before.nodes] == ["pad", "call", "pad", "call"]
    assert [(node.kind, str(node.target)) for node in after.nodes if node.kind != "call"] == [
        ("function", "F.pad")
    ]
    assert after.nodes[0].target.args["padding"] == 1


def test_padding_of_zeros_is_never_seen_by_a_max_of_what_is_not_negative():
    def build(x, activation):
        x = REGISTRY["ZeroPadding2D"](1)(conv(x, activation=activation))
        return REGISTRY["MaxPooling2D"](3, 2)(x)

    _, after = upto(lambda x: build(x, "relu"), "padding")
    assert after.nodes[-1].target == "F.max_pool2d" and after.nodes[-1].kwargs["padding"] == 1
    _, after = upto(lambda x: build(x, "elu"), "padding")
    assert [n.target for n in after.nodes[-2:]] == ["F.pad", "F.max_pool2d"]


def test_tidy_knows_the_hard_sigmoid():
    def build(x):
        return REGISTRY["Rescaling"](1 / 6)(REGISTRY["ReLU"](6.0)(x + 3.0)) * x

    _, after = upto(build, "tidy")
    assert [n.target for n in after.nodes] == ["F.hardsigmoid", "*"]


def test_glue_puts_a_change_of_axes_into_the_block():
    def build(x):
        for index in (1, 2):
            x = conv(conv(x, name=f"block{index}_conv1"), name=f"block{index}_conv2")
            x = REGISTRY["LayerNormalization"](name=f"block{index}_norm")(x)
        return conv(x)

    before, after = upto(build, "glue")
    assert [n.target for n in before.nodes if n.kind == "method"] == ["permute"] * 2
    [block] = child_classes(after)
    assert block.body.nodes[-1].target == "permute"
    assert not any(n.kind == "method" for n in after.nodes)


def test_sequential_groups_stages():
    def build(x):
        for stage in (1, 2):
            for index in (1, 2):
                x = residual(x, 4, False, f"stage{stage}_block{index}")
        return x

    _, after = upto(build, "sequential")
    assert [node.target.cls for node in after.nodes] == ["nn.Sequential"] * 2
    assert [node.target.hints for node in after.nodes] == [("stage1",), ("stage2",)]


def test_merge_makes_one_member_of_equal_dropouts():
    def build(x):
        return Dropout(0.5)(Dense(3)(Dropout(0.5)(x)))

    before, after = upto(build, "merge")
    assert [len(m.members) for m in (before, after)] == [3, 2]


def test_names_by_kind_and_by_layer():
    def build(x):
        return conv(conv(conv(x, name="stem")), name="model")

    _, after = upto(build, "names")
    assert [m.name for m in after.members] == ["stem", "conv1", "conv2"]


def test_parameters_by_role_and_by_formula():
    def build(x):
        for index, filters in enumerate((8, 16, 16), 1):
            y = conv(x, filters, name=f"block{index}_conv1", activation="relu")
            y = conv(y, 4 * filters, name=f"block{index}_conv2", activation="relu")
            x = conv(y, filters, name=f"block{index}_conv3", activation="relu")
        return x

    _, after = upto(build, "parameters")
    [cls] = child_classes(after)
    assert [p.name for p in cls.parameters] == ["in_channels", "out_channels"]
    assert {name: formula.text for name, formula in cls.derived.items()} == {
        "hidden": "4 * out_channels"
    }


def test_pads_follow_from_the_stride_in_words():
    def build(x):
        for index, (filters, stride) in enumerate(((4, 1), (8, 2), (8, 1), (16, 2), (16, 1)), 1):
            x = conv(x, filters, name=f"block{index}_conv1", strides=stride, use_bias=False)
            x = BatchNormalization(name=f"block{index}_bn1")(x)
            x = conv(x, filters, name=f"block{index}_conv2", activation="relu")
        return x

    [cls] = child_classes(run_passes(flat(build)))
    pad = next(m for m in cls.body.members if m.cls == "nn.ZeroPad2d")
    assert literal(pad.args["padding"]) == "1 if stride == 1 else (0, 1, 0, 1)"


@pytest.mark.parametrize(
    "given, wanted",
    [
        (["conv1_conv", "conv1_bn"], ["conv1", "bn1"]),
        (["bn0", "conv1", "bn1", "conv2"], ["bn1", "conv1", "bn2", "conv2"]),
        (["stem", "conv_1", None], ["stem", "conv_1", None]),
        (["conv1_bn", "bn1"], ["conv1_bn", "bn1"]),  # two would get one name
    ],
)
def test_names_in_one_style(given, wanted):
    assert in_one_style(given, [False] * len(given)) == wanted


def test_what_is_behind_the_blocks_is_the_head():
    assert in_one_style(["conv1", "blocks", "conv_1"], [False, True, False])[2] == "head_conv"


def test_a_rate_that_rises_is_told_as_a_fraction():
    assert fraction([0.0, 0.2 * 6 / 16, 0.2 * 14 / 16], 16) == 0.2
    assert fraction([0.0, 0.07500000000000002], 16) is None


def test_a_table_of_stages():
    def build(x):
        index = 0
        for width, stride, count in ((8, 1, 2), (16, 2, 3), (24, 2, 3), (32, 1, 3), (40, 2, 3)):
            for step in range(count):
                index += 1
                strides = stride if step == 0 else 1
                x = conv(x, width, name=f"block_{index}_conv", strides=strides, use_bias=False)
                x = BatchNormalization(name=f"block_{index}_bn")(x)
                x = conv(x, width, name=f"block_{index}_out", activation="relu")
        return x

    module = run_passes(flat(build))
    [member] = [m for m in module.members if m.items]
    lines = table_lines(member)
    assert "for out_channels, stride, count in (" in lines and "    (16, 2, 3)," in lines
    made = eval_table(lines, member)
    assert made == [tuple(item.args.values()) for item in member.items]


def eval_table(lines, member):
    """The arguments that the loop gives to each block."""
    calls = []

    class Sequence:
        @staticmethod
        def Sequential(*blocks):  # noqa: N802
            return blocks

        Module = object

    names = {p.name: p.default for p in member.items[0].cls.parameters}

    def block(*args, **kwargs):
        calls.append(tuple({**names, **dict(zip(names, args)), **kwargs}.values()))

    space = {"nn": Sequence, member.items[0].cls.name: block, "self": type("Self", (), {})()}
    exec("\n".join(lines), space)
    return calls


def test_a_flag_follows_from_the_channels():
    module = run_passes(flat(blocks))
    [cls] = child_classes(module)
    assert [p.name for p in cls.parameters] == ["in_channels", "project"]


@pytest.mark.parametrize("name", [apply.__name__ for apply in PASSES])
def test_the_printed_module_is_stable(name):
    """Printing neither fails nor depends on the run, after every pass."""
    _, first = upto(blocks, name)
    _, second = upto(blocks, name)
    assert text(first) == text(second)
    assert text(first).count("return") >= 1


def written(tmp_path, program: str) -> str:
    """The text of the module that a program's model becomes."""
    import keras2torch

    path = tmp_path / "program.py"
    path.write_text("import keras\nfrom keras import layers as L\n\n" + block(program) + "\n")
    return keras2torch.generate(path).model_source


SKIPS = """
    def gated(x, rate):
        a = L.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="tanh")(x)
        b = L.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(x)
        z = L.Conv1D(8, 1)(L.Multiply()([a, b]))
        return L.Add()([x, z]), z

    x = sound = keras.Input((32, 8))
    skips = []
    for rate in RATES:
        x, skip = gated(x, rate)
        skips.append(skip)
    model = keras.Model(sound, L.Conv1D(1, 1)(L.READER()(skips)))
"""


@pytest.mark.parametrize(
    "reader, line", [("Add", "sum(skips)"), ("Concatenate", "torch.cat(skips, dim=1)")]
)
def test_loops_gather_what_the_blocks_give_beside(tmp_path, reader, line):
    text_ = written(tmp_path, SKIPS.replace("RATES", "(1, 2, 4, 8)").replace("READER", reader))
    assert (
        text_.count("class Gated") == 1
    ), "the last run, whose sum nobody reads, is no other class"
    assert "self.pad = nn.ZeroPad1d((dilation, 0))" in text_ and text_.count("ZeroPad") == 1
    loop = """
        skips = []
        for (layer|block) in self.\\1s:
            skip, x = \\1\\(x\\)
            skips.append\\(skip\\)
    """
    assert re.search(r"\s+".join(line.strip() for line in block(loop).splitlines()[1:]), text_)
    assert "skips = []" in text_ and line in text_


def test_loops_leave_two_blocks_alone(tmp_path):
    text_ = written(tmp_path, SKIPS.replace("RATES", "(1, 2)").replace("READER", "Add"))
    assert "ModuleList" not in text_ and "x + " in text_


def test_loops_keep_what_all_blocks_read(tmp_path):
    program = """
        def scaled(x, condition):
            x = L.Dense(8, activation="relu")(x)
            return L.Multiply()([x, L.Dense(8)(condition)])

        x = features = keras.Input((8,))
        condition = keras.Input((3,))
        for _ in range(3):
            x = scaled(x, condition)
        y = L.Dense(8)(condition)
        for _ in range(4):
            y = scaled(y, x)
        model = keras.Model([features, condition], [x, y])
    """
    text_ = written(tmp_path, program)
    assert text_.count("ModuleList") == 2
    space: dict = {}
    exec(text_, space)
    import torch

    net = space["Program"]()
    first, second = torch.randn(2, 8), torch.randn(2, 3)
    one, two = net(first, second)
    groups = [m for m in net.children() if isinstance(m, torch.nn.ModuleList)]
    x = first
    for layer in groups[0]:
        x = layer(x, second)
    [dense] = [m for m in net.children() if isinstance(m, torch.nn.Linear)]
    y = dense(second)
    for layer in groups[1]:
        y = layer(y, x)
    assert torch.equal(one, x) and torch.equal(two, y)


def test_ports_make_self_attention_and_cross_attention_one_class(tmp_path):
    program = """
        x = tokens = keras.Input((6, 16))
        memory = keras.Input((9, 16), name="memory")
        x = L.MultiHeadAttention(2, 8)(x, x)
        x = L.MultiHeadAttention(2, 8)(x, memory)
        model = keras.Model([tokens, memory], x)
    """
    text_ = written(tmp_path, program)
    assert text_.count("(nn.Module)") == 2
    assert "def forward(self, query: Tensor, value: Tensor) -> Tensor:" in text_
    assert re.search(r"attention1\((\w+), \1\)", text_) and "(x, memory)" in text_


def test_ports_give_both_runs_a_pad(tmp_path):
    program = """
        def conv(x, size, padding):
            return L.ReLU()(L.BatchNormalization()(L.Conv2D(8, size, padding=padding)(x)))

        x = image = keras.Input((16, 16, 3))
        for size, padding in ((5, "valid"), (3, "same"), (1, "same")):
            x = conv(x, size, padding)
        model = keras.Model(image, x)
    """
    text_ = written(tmp_path, program)
    assert text_.count("(nn.Module)") == 2
    assert "padding: int = 0" in text_


def test_newaxis_and_tidy_write_squeeze_and_excite_shortly(tmp_path):
    program = """
        def excite(x, channels):
            s = L.Reshape((1, 1, channels))(L.GlobalAveragePooling2D()(x))
            s = L.Dense(4, activation="relu")(s)
            return L.Multiply()([x, L.Dense(channels, activation="sigmoid")(s)])

        x = image = keras.Input((16, 16, 3))
        x = excite(L.Conv2D(8, 3)(x), 8)
        x = excite(L.Conv2D(16, 3)(x), 16)
        model = keras.Model(image, x)
    """
    text_ = written(tmp_path, program)
    assert "reshape" not in text_ and "[:, :, None, None]" in text_


def test_a_u_net_of_the_programs_blocks_is_not_cut_through_the_middle(tmp_path):
    program = """
        def conv(x, filters):
            return L.Conv2D(filters, 3, padding="same", activation="relu")(x)

        def down(x, filters):
            x = conv(conv(x, filters), filters)
            return x, L.MaxPooling2D()(x)

        def up(x, skip, filters):
            x = L.Concatenate()([L.UpSampling2D()(x), skip])
            return conv(conv(x, filters), filters)

        image = keras.Input((32, 32, 3))
        a, x = down(image, 8)
        b, x = down(x, 16)
        c, x = down(x, 32)
        x = conv(x, 64)
        for skip, filters in ((c, 32), (b, 16), (a, 8)):
            x = up(x, skip, filters)
        model = keras.Model(image, L.Conv2D(1, 1)(x))
    """
    lines = [line.strip() for line in written(tmp_path, program).splitlines()]
    assert sum(line.startswith("class ") for line in lines) == 3
    steps = [
        re.sub(r" +#.*", "", line) for line in lines if re.match(r"\w.*= self\.(down|up)", line)
    ]
    assert len(steps) == 6 and all("x" in step.split(" = ")[0] for step in steps), steps


def test_ports_leave_runs_apart_whose_pads_are_more_than_a_first_step():
    from keras2torch.module import Node, Value
    from keras2torch.passes.ports import _without_pads

    module = flat(conv)
    assert _without_pads(module) is not None
    pad = next(node for node in module.nodes if node.kind == "pad")
    source = pad.args[0]
    between = Value(source.shape, source.axes)
    between.node = Node("pad", "", (source,), dict(pad.kwargs), (between,))
    pad.replace_inputs({id(source): between})
    module.nodes.insert(0, between.node)
    module.check()
    assert _without_pads(module) is None


def test_merge_keeps_the_mask_of_a_recurrent_layer_apart(tmp_path):
    program = """
        x = series = keras.Input((6, 4))
        x = L.LSTM(5, recurrent_dropout=0.1)(x)
        x = L.Dropout(0.1)(L.Dense(3)(x))
        model = keras.Model(series, x)
    """
    text_ = written(tmp_path, program)
    assert "return self.dropout(self.fc(x[:, -1]))" in text_ and text_.count("nn.Dropout(0.1)") == 2
