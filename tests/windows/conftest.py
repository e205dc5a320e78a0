"""What only Windows can show; elsewhere these tests are skipped. `make windows` runs them under wine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import miniature
from tests.support.trees import NEWEST


@pytest.fixture(autouse=True)
def _on_windows() -> None:
    if os.name != "nt":
        pytest.skip("Windows")


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    """Return the package folder of a miniature tree in a folder as its users name theirs."""
    return miniature.cut(NEWEST, cache, tmp_path / "用户 甲" / "项目")
