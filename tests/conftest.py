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
