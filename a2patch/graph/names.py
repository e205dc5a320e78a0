"""What model files are called: where releases keep them, and how a name asks for a scale, as upstream reads it."""

from __future__ import annotations

import re
from pathlib import Path

FOLDERS = ("cfg/models", "models", "yolo/v8/models")
"""Where releases keep their model files, below the package folder."""


def model_files(package: Path) -> dict[str, Path]:
    """Return the model files of a tree, by name; of several of a name the one that lies where releases have it."""
    return {name: paths[0] for name, paths in files_by_name(package).items()}


def files_by_name(package: Path) -> dict[str, list[Path]]:
    """Return all model files of a tree, by name, first the one that lies where releases have it.

    That is a folder with the number of the family: `v8/yolov8.yaml`, `11/yolo11-seg.yaml`. Of others the one in the
    folder that comes first.
    """
    found: dict[str, list[Path]] = {}
    for folder in FOLDERS:
        for path in sorted(package.joinpath(folder).rglob("*.yaml")):
            found.setdefault(path.name, []).append(path)
    return {name: sorted(paths, key=_is_elsewhere) for name, paths in found.items()}


def _is_elsewhere(path: Path) -> bool:
    """Return whether a model file lies in a folder that releases do not have it in."""
    family = re.search(r"\d+", path.name)
    return re.sub(r"\D", "", path.parent.name) != (family.group() if family else "")


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
