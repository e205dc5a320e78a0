"""Environments that lack libraries: one that sees those of the tests but for a few."""

from __future__ import annotations

import importlib.metadata
import os
import sysconfig
import venv
from collections.abc import Collection
from pathlib import Path


def without(folder: Path, distributions: Collection[str]) -> Path:
    """Make an environment with all libraries of the tests but some, and return its interpreter.

    Args:
        folder: The folder to make it in.
        distributions: The names of the distributions that it lacks, ultralytics always among them.
    """
    libraries = Path(sysconfig.get_paths()["purelib"])
    hidden = {name for each in (*distributions, "ultralytics", "a2patch") for name in _entries(each)}
    seen = folder / "libraries"
    seen.mkdir(parents=True)
    for entry in libraries.iterdir():
        if entry.name not in hidden and entry.suffix != ".pth":
            (seen / entry.name).symlink_to(entry)
    venv.create(folder / "environment", symlinks=os.name != "nt", with_pip=False)
    site = next((folder / "environment").rglob("site-packages"))
    (site / "libraries.pth").write_text(f"{seen}\n", encoding="utf-8")
    return folder / "environment" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _entries(distribution: str) -> set[str]:
    """Return what a distribution has in site-packages; nothing where it is not installed."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    return {file.parts[0] for file in files} - {"..", "__pycache__"}
