"""Where the blocks are that come with a2patch."""

from __future__ import annotations

from pathlib import Path


def folder() -> Path:
    """Return where the blocks are: inside the package in an installed a2patch, next to it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "patches"
    return installed if (installed / "double_attention").is_dir() else package.parent / "patches"
