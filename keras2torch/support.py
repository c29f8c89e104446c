"""The support table of the README, from the registries: what is translated, and what is refused and why."""

from __future__ import annotations

import re
from collections import Counter

from keras2torch.layers import REGISTRY
from keras2torch.layers.refusals import INSIDE_APPLICATIONS, OLD_LAYERS, REFUSALS
from keras2torch.ops import OPS
from keras2torch.ops.base import parse_names
from keras2torch.ops.refusals import OTHERS
from keras2torch.ops.refusals import REFUSALS as OPS_REFUSED

_SPACES = ("keras.ops", "keras.backend", "keras.random", "keras.activations", "tf")


def support_table() -> str:
    """Layers and functions, translated and refused, as Markdown."""
    return f"{layer_table()}\n\n{function_table()}"


def todays_layers() -> list[str]:
    """The classes of today's keras.layers that are translated, each under its own name."""
    aside = {*OLD_LAYERS, *INSIDE_APPLICATIONS, *REFUSALS}
    return sorted(
        name
        for name, cls in REGISTRY.items()
        if name == cls.__name__
        and name not in aside
        and cls.__module__.startswith("keras2torch.layers.")
    )


def layer_table() -> str:
    """The layers by family, then those that are refused."""
    layers = {
        n: cls for n, cls in REGISTRY.items() if cls.__module__.startswith("keras2torch.layers.")
    }
    translated = {name: cls for name, cls in layers.items() if name not in REFUSALS}
    families: dict[str, list[str]] = {}
    for name, cls in sorted(translated.items()):
        if name == cls.__name__ and name not in OLD_LAYERS | INSIDE_APPLICATIONS:
            families.setdefault(_family(cls.__module__), []).append(name)
    old = sorted(OLD_LAYERS & set(translated))
    lines = [
        f"{len(todays_layers())} layers of keras.layers are translated, {len(REFUSALS)} are refused; "
        f"{len(old)} more are those of Keras 1 and 2.",
        "",
        "| family | layers |",
        "| --- | --- |",
        *(f"| {family} | {', '.join(names)} |" for family, names in sorted(families.items())),
        f"| of Keras 1 and 2 | {', '.join(old)} |",
        "",
        "| refused | why | instead |",
        "| --- | --- | --- |",
        *(f"| `{name}` | {reason} | {fix} |" for name, (reason, fix) in sorted(REFUSALS.items())),
    ]
    return "\n".join(lines)


def function_table() -> str:
    """How many functions of each name space are translated and refused, then the refused ones."""
    others = {path: pair for names, pair in OTHERS.items() for path, _ in parse_names(names)}
    refused = {**OPS_REFUSED, **others}
    done: Counter[str] = Counter(_space(path) for path in OPS if path not in refused)
    left: Counter[str] = Counter(_space(path) for path in refused)
    lines = [
        "| functions | translated | refused |",
        "| --- | --- | --- |",
        *(f"| `{space}.*` | {done[space]} | {left[space]} |" for space in _SPACES),
        "",
        "| refused | why | instead |",
        "| --- | --- | --- |",
    ]
    by_reason: dict[tuple[str, str], list[str]] = {}
    for path, pair in sorted(refused.items()):
        by_reason.setdefault(pair, []).append(f"`{path}`")
    lines += [
        f"| {', '.join(paths)} | {reason} | {fix} |" for (reason, fix), paths in by_reason.items()
    ]
    return "\n".join(lines)


def _family(module: str) -> str:
    """A layer's family, from its module: ``conv_transpose`` belongs to ``conv``."""
    name = re.sub(r"\d|_.*", "", module.rpartition(".")[2])
    return {"conv": "convolution", "depthwise": "convolution", "strings": "preprocessing"}.get(
        name, name
    )


def _space(path: str) -> str:
    return next((space for space in _SPACES if path.startswith(f"{space}.")), path)


def readme_with_table(readme: str) -> str:
    """The README's text with the layer table and the counts between its markers."""
    counts = function_table().split("\n\n")[0]
    return re.sub(
        r"(<!-- support -->\n).*?(<!-- /support -->)",
        lambda found: f"{found[1]}\n{layer_table()}\n\n{counts}\n\n{found[2]}",
        readme,
        flags=re.DOTALL,
    )


if __name__ == "__main__":
    from pathlib import Path

    root = Path(__file__).resolve().parent.parent
    page = root / "README.md"
    page.write_text(readme_with_table(page.read_text(encoding="utf-8")), encoding="utf-8")
    support = f"# What is translated\n\nWritten by `make docs` from the registries.\n\n{support_table()}\n"
    (root / "docs" / "support.md").write_text(support, encoding="utf-8")
