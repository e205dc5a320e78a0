"""The command as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
_READABLE = {"PYTHONIOENCODING": "utf-8"} if os.name == "nt" else {}  # else a pipe gets the code page of the system


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
        env=_READABLE | dict(os.environ if env is None else env),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Answer(answer.returncode, answer.stdout, answer.stderr)


def patch(tree: Path) -> Path:
    """Patch a tree that the test is to start from, unverified, and return its path."""
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", tree)
    assert answer.code == 0, answer.out + answer.err
    return tree


def here(tree: Path) -> tuple[str | Path, ...]:
    """Return the options by which a command tries a tree with the interpreter of the tests."""
    return "--ultralytics-path", tree, "--python", sys.executable
