"""Real releases to work on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from patches import releases
from tests.support.trees import NEWEST, Unpack


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where released wheels are kept."""
    return releases.cache(os.environ)


@pytest.fixture
def unpack(cache: Path, tmp_path: Path) -> Unpack:
    """Unpack a release as pip would into a folder of this test, and give the package folder."""

    def unpack(release: str = NEWEST, into: str = "site-packages") -> Path:
        return releases.unpack(release, cache, tmp_path / into)

    return unpack
