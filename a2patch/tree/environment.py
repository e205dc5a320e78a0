"""Which copy of ultralytics which command would use, found without importing any."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from a2patch.errors import TreeNotFoundError
from a2patch.tree import tree as trees
from a2patch.tree.tree import LANDMARK, PACKAGE, Tree

_ASK = f"import importlib.util as u; s = u.find_spec({PACKAGE!r}); print(s and s.origin or '')"


@dataclass(frozen=True)
class Surroundings:
    """What a command is run in.

    Attributes:
        folder: The current folder.
        variables: The environment variables.
        python: The interpreter that runs a2patch.
    """

    folder: Path
    variables: Mapping[str, str]
    python: Path


@dataclass(frozen=True)
class Copy:
    """A copy of ultralytics in sight.

    Attributes:
        package: The package folder, at its real place.
        used_by: The commands that would use it.
        through: What leads them to it: `installed`, `PYTHONPATH`, `editable link` or `current folder`.
    """

    package: Path
    used_by: str
    through: str


def locate(path: Path | None, around: Surroundings) -> Tree:
    """Find the tree that a command is about.

    Args:
        path: What its user named, or None for the package that this environment would import.
        around: What the command is run in.

    Raises:
        TreeNotFoundError: There is none.
    """
    if path is None:
        for python in _pythons(around):
            found = imported_by(python, around)
            if found is not None:
                return found
        raise TreeNotFoundError(
            "no ultralytics in this environment",
            path=Path(sys.prefix),
            remedy="Activate the environment that has it, or name it with --ultralytics-path.",
        )
    path = around.folder / path.expanduser()
    try:
        return trees.find(path)
    except TreeNotFoundError:
        owner = trees.python_of(path) or trees.environment_python(path)
        found = imported_by(owner, around) if owner else None  # an editable install is only a link there
        if found is None:
            raise
        return found


def imported_by(python: Path, around: Surroundings) -> Tree | None:
    """The tree that an interpreter imports when no copy lies in the current folder; None if it imports none."""
    origin = _own_origin(around) if python == around.python else _asked_origin(python, around)
    package = Path(origin).parent if origin else None
    return trees.find(package) if package and package.joinpath(LANDMARK).is_file() else None


def interpreter_for(tree: Tree, around: Surroundings) -> Path:
    """The interpreter that tries a tree: of its environment, else that imports it, else that has torch, else ours."""
    own = trees.interpreter_of(tree)
    if own is not None:
        return own
    pythons = _pythons(around)
    importing = (
        python for python in pythons if (found := imported_by(python, around)) and found.package == tree.package
    )
    with_torch = (python for python in pythons if _has_torch(python, around))
    return next(importing, None) or next(with_torch, around.python)


def copies(tree: Tree, around: Surroundings) -> tuple[Copy, ...]:
    """Every copy in sight: what `yolo` would use, and what a script here would.

    Args:
        tree: The tree that a command is about; the interpreter of its environment is asked too.
        around: What the command is run in.
    """
    found = []
    own = trees.interpreter_of(tree)
    for python in _unique([*_pythons(around), *([own] if own else [])]):
        installed = imported_by(python, around)
        if installed is not None:
            found.append(Copy(installed.package, f"`yolo …` with {python}", _through(installed, around)))
    for folder in (around.folder, around.folder / "src"):
        if folder.joinpath(PACKAGE, LANDMARK).is_file():
            user = f"`python script.py`, for a script in {folder}"
            found.append(Copy(folder.joinpath(PACKAGE).resolve(), user, "current folder"))
    return tuple(found)


def _through(tree: Tree, around: Surroundings) -> str:
    """What on the module search path leads to a copy."""
    entries = around.variables.get("PYTHONPATH", "").split(os.pathsep)
    if tree.named.parent.resolve() in [around.folder.joinpath(entry).resolve() for entry in entries if entry]:
        return "PYTHONPATH"
    return "installed" if tree.named.parent.name in ("site-packages", "dist-packages") else "editable link"


def _pythons(around: Surroundings) -> list[Path]:
    """Ours, the active environment's and the one on the PATH, without repetition."""
    active = [Path(around.variables[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if around.variables.get(name)]
    found: list[Path | None] = [around.python, *map(trees.python_of, active)]
    on_path = (shutil.which(name, path=around.variables.get("PATH")) for name in ("python3", "python"))
    found += [Path(place) for place in on_path if place]
    return _unique([python for python in found if python is not None])


def _unique(pythons: list[Path]) -> list[Path]:
    """Interpreters without those that lie in the same folder as one before them."""
    unique: dict[Path, Path] = {}
    for python in pythons:
        unique.setdefault(python.parent.resolve(), python)
    return list(unique.values())


def _own_origin(around: Surroundings) -> str | None:
    # The entries that stand for the current folder or the folder of a script are left out, as `yolo` has neither.
    here = {"", str(around.folder), str(Path(sys.argv[0]).resolve().parent)}
    entries = [entry for entry in sys.path if entry not in here]
    for finder in sys.meta_path:
        if finder is importlib.machinery.PathFinder:
            spec = importlib.machinery.PathFinder.find_spec(PACKAGE, entries)
        else:
            spec = finder.find_spec(PACKAGE, None) if hasattr(finder, "find_spec") else None
        if spec is not None and spec.origin:
            return spec.origin
    return None


def _asked_origin(python: Path, around: Surroundings) -> str | None:
    return _ask(python, _ASK, around)


def _has_torch(python: Path, around: Surroundings) -> bool:
    return bool(_ask(python, _ASK.replace(PACKAGE, "torch"), around))


def _ask(python: Path, code: str, around: Surroundings) -> str | None:
    with tempfile.TemporaryDirectory(prefix="a2patch-") as empty:
        try:
            answer = subprocess.run(
                [os.fspath(python), "-B", "-c", code],
                cwd=empty,
                env=dict(around.variables),
                capture_output=True,
                timeout=30,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    return answer.stdout.decode("utf-8", "replace").strip() or None if answer.returncode == 0 else None
