"""Real releases to work on, and a folder to be in that is not the checkout."""

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


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the tests may share as their current one."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(autouse=True)
def _leave_the_checkout(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the checkout for each test: what a command writes into the current folder must not land in it."""
    monkeypatch.chdir(elsewhere)


@pytest.fixture
def unpack(cache: Path, tmp_path: Path) -> Unpack:
    """Unpack a release as pip would into a folder of this test, and give the package folder."""

    def unpack(release: str = NEWEST, into: str = "site-packages") -> Path:
        return releases.unpack(release, cache, tmp_path / into)

    return unpack
