"""Where a release keeps its tools: `ultralytics.utils`, and before 8.0.136 `ultralytics.yolo.utils`."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any


def is_early(package: Path) -> bool:
    """Return whether a package is of a release before 8.0.136."""
    return not package.joinpath("utils").is_dir()


def tools(name: str) -> Any:
    """Return a module that moved out of `ultralytics.yolo`: `utils`, `utils.torch_utils`, `cfg`."""
    try:
        return importlib.import_module("ultralytics." + name)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("ultralytics"):
            raise
        return importlib.import_module("ultralytics.yolo." + name)


def move_home(package: Path, home: Path) -> None:
    """Let an early release, which knows no variable for that, keep its settings in another home than the user's.

    Not sooner than in the process itself, since Python finds what is installed for one user below his home.
    """
    if is_early(package):
        for name in ("HOME", "USERPROFILE", "APPDATA"):
            os.environ[name] = str(home)
