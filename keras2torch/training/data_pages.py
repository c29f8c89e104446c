"""The pages in ``templates/data``: what stands in a script for Keras's data functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from keras2torch.pages import environment

_AFFINE = {
    *"rotation_range width_shift_range height_shift_range shear_range zoom_range".split(),
    *"fill_mode cval interpolation_order".split(),
}


def data_pages(names: Iterable[str], text: str) -> list[str]:
    """The pages, with no more of them than the carried ``text`` uses."""
    names = list(dict.fromkeys(names))
    used = {
        name for pair in re.findall(r"\.(\w+)\b|\b(\w+) *=(?!=)", text) for name in pair if name
    }
    if {"folder", "timeseries"} & set(names):
        used |= {"shuffle", "batch"}
    found = []
    for name in names:
        page, _, mode = name.partition(":")
        template = environment().get_template(f"data/{page}.py.jinja")
        made = template.render(
            used=used,
            affine=bool(used & _AFFINE),
            mode=mode,
            indexed="pydataset" in names,
            datasets="dataset" in names,
        )
        found.append(made.strip())
    return found


def imports_of(body: str) -> set[str]:
    """The import lines of the standard library, PIL and scipy that the pages rely on."""
    names = "argparse csv glob gzip hashlib io itertools json math os pickle random re shutil string tarfile time"
    lines = {f"import {name}" for name in names.split() if re.search(rf"(?<![\w.]){name}\.", body)}
    of_abc = [name for name in ("Callable", "Iterator") if re.search(rf"\b{name}\[", body)]
    if of_abc:
        lines.add(f"from collections.abc import {', '.join(of_abc)}")
    if re.search(r"\bAny\b", body):
        lines.add("from typing import Any")
    if "TensorDataset" in body:
        lines.add("from torch.utils.data import TensorDataset")
    from_pil = [name for name in ("Image", "ImageEnhance") if re.search(rf"\b{name}\.\w", body)]
    if from_pil:
        lines.add(f"from PIL import {', '.join(from_pil)}")
    if re.search(r"\bndimage\.", body):
        lines.add("from scipy import ndimage")
    return lines
