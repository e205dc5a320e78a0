"""Find which copy of ultralytics which command would use; no copy is imported and no interpreter is started."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from a2patch.errors import AccessError, TreeNotFoundError
from a2patch.tree import tree as trees
from a2patch.tree.search_path import find_package, find_packages, site_folders
from a2patch.tree.tree import LANDMARK, PACKAGE, Tree


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
        through: What leads them to it: `installed`, `PYTHONPATH`, `editable link` or `current folder`; `shadowed` where
            nothing does, since another copy stands before it.
        program: The `yolo` of the environment that it is installed in; None where it is in none, or that has none.
        on_path: Whether that is the `yolo` which its name alone starts.
    """

    package: Path
    used_by: str
    through: str
    program: Path | None = None
    on_path: bool = False

    @property
    def is_shadowed(self) -> bool:
        """Whether no command uses it."""
        return self.through == SHADOWED


SHADOWED = "shadowed"


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
                return replace(found, owner=python)
        for python in _pythons(around):
            for site in site_folders(python, around.variables):
                trees.refuse_egg(site)
        raise TreeNotFoundError(
            "no ultralytics in this environment",
            path=Path(sys.prefix),
            remedy="Activate the environment that has it, or name it with --ultralytics-path.",
        )
    path = around.folder / _expanded(path)
    try:
        return trees.find(path)
    except TreeNotFoundError:
        owner = trees.python_of(path) or trees.environment_python(path)
        found = imported_by(owner, around) if owner else None  # an editable install is only a link there
        if found is None:
            raise
        return replace(found, owner=owner)


def _expanded(path: Path) -> Path:
    """Return a path with the home of a user in place of `~`."""
    try:
        return path.expanduser()
    except RuntimeError as error:  # of that user, or of ours
        raise TreeNotFoundError(
            "there is no such user, or nobody knows their home", path=path, remedy="Write the path without `~`."
        ) from error


def imported_by(python: Path, around: Surroundings) -> Tree | None:
    """Return the tree that an interpreter imports when the current folder holds no copy; None if it imports none."""
    package = _imported_here(around) if python == around.python else _find(PACKAGE, python, around)
    return trees.find(package) if package and package.joinpath(LANDMARK).is_file() else None


def interpreter_for(tree: Tree, around: Surroundings) -> Path:
    """Return what tries a tree: the interpreter of its environment, one that imports it or has torch, or ours."""
    own = trees.interpreter_of(tree)
    if own is not None:
        return own
    pythons = _pythons(around)
    importing = (
        python for python in pythons if (found := imported_by(python, around)) and found.package == tree.package
    )
    with_torch = (python for python in pythons if _find("torch", python, around))
    return next(importing, None) or next(with_torch, around.python)


def copies(tree: Tree, around: Surroundings) -> tuple[Copy, ...]:
    """Return every copy in sight: what `yolo` would use, and what a script here would.

    Args:
        tree: The tree that a command is about; the interpreter of its environment counts too.
        around: What the command is run in.
    """
    found = []
    own = trees.interpreter_of(tree)
    started = shutil.which("yolo", path=around.variables.get("PATH"))
    named = Path(started) if started else None
    for python in _unique([*_pythons(around), *([own] if own else [])]):
        installed = imported_by(python, around)
        if installed is not None:
            through, program = _through(installed, around), _program(python)
            on_path = program is not None and program == named
            found.append(Copy(installed.package, f"`yolo …` with {python}", through, program, on_path))
    for folder in (around.folder, around.folder / "src"):
        if folder.joinpath(PACKAGE, LANDMARK).is_file():
            user = f"`python script.py`, for a script in {folder}"
            found.append(Copy(folder.joinpath(PACKAGE).resolve(), user, "current folder"))
    for python in _unique([*_pythons(around), *([own] if own else [])]):
        for package in _find_all(python, around):
            if package not in [copy.package for copy in found]:
                found.append(Copy(package, f"nothing: on the path of {python}, behind another", SHADOWED))
    return tuple(found)


def _find_all(python: Path, around: Surroundings) -> list[Path]:
    """Return every copy on the search path of an interpreter, at its real place; none where it can't be looked into."""
    try:
        places = find_packages(PACKAGE, python, around.folder, around.variables)
        return [place.resolve() for place in places if place.joinpath(LANDMARK).is_file()]
    except (AccessError, OSError):
        return []


def _program(python: Path) -> Path | None:
    """Return the command `yolo` beside an interpreter; None where there is none."""
    place = python.with_name("yolo.exe" if os.name == "nt" else "yolo")
    return place if place.is_file() else None


def _through(tree: Tree, around: Surroundings) -> str:
    """Return what on the module search path leads to a copy."""
    entries = around.variables.get("PYTHONPATH", "").split(os.pathsep)
    if os.path.realpath(tree.named.parent) in [os.path.realpath(around.folder / entry) for entry in entries if entry]:
        return "PYTHONPATH"
    return "installed" if tree.named.parent.name in ("site-packages", "dist-packages") else "editable link"


def _pythons(around: Surroundings) -> list[Path]:
    """Return our interpreter, the active environment's and the one on the PATH, without repetition."""
    active = [Path(around.variables[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if around.variables.get(name)]
    found: list[Path | None] = [around.python, *map(trees.python_of, active)]
    on_path = (shutil.which(name, path=around.variables.get("PATH")) for name in ("python3", "python"))
    found += [Path(place) for place in on_path if place]
    return _unique([python for python in found if python is not None])


def _unique(pythons: list[Path]) -> list[Path]:
    """Return interpreters without those that lie in the same folder as one before them."""
    unique: dict[Path, Path] = {}
    for python in pythons:
        unique.setdefault(python.parent.resolve(), python)
    return list(unique.values())


def _imported_here(around: Surroundings) -> Path | None:
    """Return the package folder that this interpreter would import; it can be asked, since it runs already."""
    # The entries that stand for the current folder or the folder of a script are left out, as `yolo` has neither.
    here = {"", str(around.folder), str(Path(sys.argv[0]).resolve().parent)}
    entries = [entry for entry in sys.path if entry not in here]
    for finder in sys.meta_path:
        if finder is importlib.machinery.PathFinder:
            spec = importlib.machinery.PathFinder.find_spec(PACKAGE, entries)
        else:
            spec = finder.find_spec(PACKAGE, None) if hasattr(finder, "find_spec") else None
        if spec is not None and spec.origin:
            return Path(spec.origin).parent
    return None


def _find(name: str, python: Path, around: Surroundings) -> Path | None:
    """Return the folder of a package that another interpreter would import; None also where it can't be looked into."""
    try:
        return find_package(name, python, around.folder, around.variables)
    except (AccessError, OSError):
        return None
