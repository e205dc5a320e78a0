"""A tree that every test of this folder may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import miniature
from tests.support.trees import NEWEST


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    """Return the package folder of a miniature tree of the newest release."""
    return miniature.cut(NEWEST, cache, tmp_path)
