"""What model files are called: where releases keep them, and how a name asks for a scale, as upstream reads it."""

from __future__ import annotations

import re
from pathlib import Path

FOLDERS = ("cfg/models", "models", "yolo/v8/models")
"""Where releases keep their model files, below the package folder."""


def model_files(package: Path) -> dict[str, Path]:
    """Return the model files of a tree, by name."""
    return {path.name: path for folder in FOLDERS for path in sorted(package.joinpath(folder).rglob("*.yaml"))}


def scale_of(name: str) -> str:
    """Return the letter of the scale that a name asks for, empty if it asks for none: `yolov8s-mine.yaml` for s."""
    found = re.search(r"yolo(?:e-)?v?\d+([nslmx])", Path(name).stem)
    return found.group(1) if found else ""


def unscaled(name: str) -> str:
    """Return the name under which upstream looks for a file if there is none of that name: without its scale."""
    return re.sub(r"(\d+)[nslmx](.+)?$", r"\1\2", name)


def at_scale(name: str, scale: str) -> str:
    """Return the name that asks for a scale of a model file: `yolov8_A2.yaml` at s is `yolov8s_A2.yaml`.

    A name that asks for a scale already, or can't ask for one, is returned as it is.
    """
    return re.sub(r"^(yolo(?:e-)?v?\d+)(?![\dnslmx])", r"\g<1>" + scale, name)
