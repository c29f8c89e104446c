"""Fixtures that several test files share."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("JAX_PLATFORMS", "cpu")

from pathlib import Path

import pytest
from script_helpers import Programs


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Programs written into an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return Programs(tmp_path)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """``thin(n)``: of a long table, about ``n`` cases evenly; the others are ``slow`` (``make test-all``)."""
    tables: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("thin"):
            tables.setdefault((item.path.name, item.originalname), []).append(item)
    for table in tables.values():
        step = -(-len(table) // table[0].get_closest_marker("thin").args[0])
        for index, item in enumerate(table):
            if index % step:
                item.add_marker(pytest.mark.slow)
