"""Which of the program's names say something, and which cannot be used."""

from __future__ import annotations

import re

from keras2torch.quoting import to_identifier

# Attributes of nn.Module that a member must not hide.
RESERVED = set(
    "add_module apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches eval "
    "extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict "
    "modules mtia named_buffers named_children named_modules named_parameters parameters register_buffer "
    "register_module register_parameter requires_grad_ set_extra_state set_submodule share_memory state_dict "
    "to to_empty train training type xpu zero_grad self torch nn F math Tensor".split()
)

_GENERIC = re.compile(
    r"(x|y|z|h|o|m|l|n|t|net|out|outputs?|inputs?|layers?|model|tmp|temp|result|hidden|res|"
    r"[a-z]\d+|(variable|constant|tensor|lambda|sequential|functional|model|input_layer)(_\d+)?)\Z"
)


def snake_case(name: str) -> str:
    """Keras's own, as in its automatic names: ``Conv2D`` -> conv2d, ``PReLU`` -> p_re_lu, ``MeanIoU`` -> mean_io_u."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def is_generic(name: str) -> bool:
    """Whether a name says nothing: ``x``, ``out``, ``x3``."""
    return bool(_GENERIC.match(name))


_VERB = re.compile(
    r"_*(create|build|make|get|define|construct|apply|add(?=_\w+_(?:block|layer)s?\Z))_+(?=[A-Za-z])"
    r"|(create|build|make|get|define|construct)(?=[A-Z])"
)


def without_verb(function: str) -> str:
    """create_encoder -> encoder."""
    return _VERB.sub("", function, count=1) if _VERB.match(function) else function


def noun_of(function: str) -> str:
    """What a function makes; the name itself where the rest says nothing: build_model."""
    noun = without_verb(function)
    return function if is_generic(noun.lower()) else noun


def common_name(given: list[str]) -> str | None:
    """The words that several names share: block1_conv1, block2_conv1 -> conv1. None if there are none."""
    words = [to_identifier(name).split("_") for name in given]
    if len({len(parts) for parts in words}) > 1:
        tails: list[str] = []
        for parts in zip(*(reversed(parts) for parts in words)):
            if len(set(parts)) > 1:
                break
            tails.insert(0, parts[0])
        kept = tails
    else:
        kept = [parts[0] for parts in zip(*words) if len(set(parts)) == 1]
    name = to_identifier("_".join(kept)) if kept and any(kept) else ""
    return name if name and not name.isdigit() and name != "layer" else None


def without_prefix(given: list[str | None]) -> list[str | None]:
    """Names without the words that all of them begin with: block_expand, block_project -> expand, project."""
    words = [name.split("_") for name in given if name]
    count = 0
    if len(words) > 1:
        while len({tuple(w[: count + 1]) for w in words}) == 1 and min(map(len, words)) > count + 1:
            count += 1
    return [("_".join(name.split("_")[count:]) or name) if name else None for name in given]


def digits_last(name: str) -> str:
    """``layer_1_conv`` or ``1_conv`` -> conv1: a number in front says which, not what."""
    match = re.match(r"(?:layer_)?(\d+)_([a-z]+)\Z", name)
    return f"{match[2]}{match[1]}" if match else name


LONG = 24  # characters of a name that repeats what its neighbours say


def without_common_words(given: list[str | None]) -> list[str | None]:
    """Long names without the words that most of them have: separable_conv_1_normal_left1 -> left1."""
    words = [name.split("_") if name else [] for name in given]
    named = [row for row in words if row]
    if len(named) < 4 or max(len(name or "") for name in given) < LONG:
        return given
    common = {
        w for row in named for w in row if 2 * sum(w in other for other in named) >= len(named)
    }
    short = ["_".join(word for word in row if word not in common) for row in words]
    kept = [name for name in short if name]
    return given if len(set(kept)) < len(kept) else [name or None for name in short]


_KINDS = "conv|bn|norm|layernorm|dense|fc|relu|act|pool|pad"
_KIND_OF = re.compile(rf"(.*_)?conv(_?\d+)_({_KINDS})\Z")  # conv1_bn: the bn of conv1
_OF_KIND = re.compile(r"(.*_)?(bn|norm)_conv(_?\d+)\Z")  # bn_conv1
_NUMBERED = re.compile(rf"({_KINDS})_?(\d+)\Z")


def in_one_style(given: list[str | None], blocks: list[bool]) -> list[str | None]:
    """The names of one module's members, those that only number a kind of layer in torch's style.

    conv1_conv, conv1_bn -> conv1, bn1. bn0, conv1, bn1, conv2 -> bn1, conv1, bn2, conv2. conv1, (blocks), conv_1
    -> conv1, (blocks), head_conv. ``blocks`` says which members are blocks.
    """
    found = [_plain(name) if name else None for name in given]
    if len({name for name in found if name}) < sum(name is not None for name in found):
        found = list(given)
    numbers: dict[str, set[int]] = {}
    for name in found:
        if match := _NUMBERED.match(name or ""):
            numbers.setdefault(match[1], set()).add(int(match[2]))
    seen: set[str] = set()
    for index, name in enumerate(found):
        match = _NUMBERED.match(name or "")
        if match is None:
            continue
        kind, number = match[1], int(match[2])
        if f"{kind}{number}" in seen:  # both conv1 and conv_1
            behind = any(blocks[:index]) and not any(blocks[index:])
            found[index] = f"head_{kind}" if behind and f"head_{kind}" not in found else name
        elif 0 in numbers[kind] and name == f"{kind}{number}":
            found[index] = f"{kind}{number + 1}"
        seen.add(f"{kind}{number}")
    return found


def _plain(name: str) -> str:
    if match := _KIND_OF.match(name):
        return f"{match[1] or ''}{match[3]}{match[2]}"
    if match := _OF_KIND.match(name):
        return f"{match[1] or ''}{match[2]}{match[3]}"
    return name


_CAPITALS = {
    "cnn": "CNN",
    "convnext": "ConvNeXt",
    "densenet": "DenseNet",
    "efficientnet": "EfficientNet",
    "gan": "GAN",
    "gru": "GRU",
    "lstm": "LSTM",
    "mlp": "MLP",
    "mobilenet": "MobileNet",
    "nasnet": "NASNet",
    "resnet": "ResNet",
    "resnext": "ResNeXt",
    "unet": "UNet",
    "vae": "VAE",
    "vgg": "VGG",
    "vit": "ViT",
}
_FAMILY = re.compile(rf"({'|'.join(sorted(_CAPITALS, key=len, reverse=True))})(?=\Z|[a-z]?\d)")


def with_capitals(name: str) -> str:
    """A model's name with the capitals that the field gives it: resnet50 -> ResNet50, mobilenetv2 -> MobileNetV2.

    A width and an image size behind it are no part of it: mobilenetv2_1.00_224.
    """
    name = re.sub(r"_\d\.\d+_(\d+|None)\Z", "", name)
    words = re.split(r"([^A-Za-z0-9]+)", name)
    for index, word in enumerate(words):
        match = _FAMILY.match(word)
        if match:
            rest = re.sub(r"(?<=\d)v(?=\d)", "V", word[match.end() :])
            words[index] = _CAPITALS[match[1]] + rest[:1].upper() + rest[1:]
    return "".join(words)
