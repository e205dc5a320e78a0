"""Real releases to work on, and the command as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from patches import releases

ROOT = Path(__file__).resolve().parent.parent
RELEASES = ("8.0.200", "8.1.0", "8.2.0", "8.3.0", "8.3.253", "8.4.0", "8.4.190")
NEWEST = RELEASES[-1]


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Standard output as the one JSON document that it must be."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def a2patch(*arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Answer:
    """Run a2patch as its user does, from a checkout."""
    answer = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)],
        cwd=cwd,
        env=dict(os.environ if env is None else env),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Answer(answer.returncode, answer.stdout, answer.stderr)


def snapshot(folder: Path) -> dict[str, tuple[str, bytes]]:
    """Everything below a folder: what it is, and its bytes."""
    found = {}
    for place in sorted(folder.rglob("*")):
        kind = "link" if place.is_symlink() else "folder" if place.is_dir() else "file"
        found[place.relative_to(folder).as_posix()] = (kind, place.read_bytes() if kind == "file" else b"")
    return found


@pytest.fixture(scope="session")
def cache() -> Path:
    """Where released wheels are kept."""
    return releases.cache(os.environ)


@pytest.fixture
def unpack(cache: Path, tmp_path: Path) -> Callable[..., Path]:
    """Unpack a release as pip would into a folder of this test, and give the package folder."""

    def unpack(release: str = NEWEST, into: str = "site-packages") -> Path:
        return releases.unpack(release, cache, tmp_path / into)

    return unpack
