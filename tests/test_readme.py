"""The front page is true: its excerpts stand in the files that it names, its tables come from the registries."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from keras2torch.support import readme_with_table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXCERPTS = re.findall(
    r"\(\[?\[?(examples/\w+\.py)\]\(\1\)\):\n\n```python\n(.*?)```", README, re.DOTALL
)


@pytest.mark.parametrize(("path", "excerpt"), EXCERPTS, ids=[path for path, _ in EXCERPTS])
def test_excerpt_stands_in_the_file(path: str, excerpt: str) -> None:
    assert excerpt in (ROOT / path).read_text(
        encoding="utf-8"
    ), f"{path} has changed: copy the excerpt again"


def test_there_is_a_before_and_an_after() -> None:
    assert [path for path, _ in EXCERPTS] == ["examples/digits.py", "examples/digits_model.py"]


def test_support_table_is_current() -> None:
    assert readme_with_table(README) == README, "run `make docs`"


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([\w./-]+)\)", README):
        assert (ROOT / target).exists(), target
