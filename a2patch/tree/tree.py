"""Find an ultralytics tree, tell what kind it is, and read inside it, never outside."""

from __future__ import annotations

import ast
import csv
import errno
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from a2patch.errors import A2PatchError, AccessError, TreeNotFoundError, advice
from a2patch.tree.files import read_file
from a2patch.tree.syntax import NotPythonError, parse

PACKAGE = "ultralytics"
Kind = Literal["installed", "checkout", "vendored"]

LANDMARK = "nn/tasks.py"  # every release has it, and little else does

# The one file outside the package that may be written: the list of what an installer put there, if this package is.
RECORD = re.compile(r"\.\./(\w[\w.+-]*\.dist-info)/RECORD", re.ASCII)

Reader = Callable[[str], "bytes | None"]
"""Gives the bytes of a file, by its POSIX path relative to the package folder; None where there is none."""

_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)  # Windows has them in every folder


@dataclass(frozen=True)
class Tree:
    """One `ultralytics` package on disk.

    Attributes:
        package: The package folder, at its real place.
        kind: `"installed"` (pip, uv or conda put it there), `"checkout"` (a git clone of upstream) or `"vendored"`.
        version: What the package says of itself; empty if it says nothing readable.
        named: The package folder as it was found, before symbolic links were followed.
        overlay: Bytes that `read` gives instead of those on disk, by path; None for a file that counts as not there.
        owner: The interpreter by which the tree was found, where an environment was named that only links to it.
    """

    package: Path
    kind: Kind
    version: str
    named: Path
    overlay: Mapping[str, bytes | None] = field(default_factory=dict, compare=False, repr=False)
    owner: Path | None = field(default=None, compare=False)

    def path(self, relative: str) -> Path:
        """The place of a file of this tree.

        Args:
            relative: POSIX path relative to the package folder, or that of the installer's `RECORD` next to it.

        Raises:
            A2PatchError: The path would lead out of the tree, by its text or by a symbolic link, or is a device's.
        """
        record = RECORD.fullmatch(relative)
        if record and self.is_listed_in(record[1]):
            place = self.package.parent / record[1] / "RECORD"
        elif _is_inside(relative):
            place = self.package / relative
        else:
            raise A2PatchError(
                f"{relative!r} is no path inside a tree",
                path=self.package,
                remedy="Nothing was written. If a receipt names it, that receipt was not written by a2patch.",
            )
        for step in (place, *place.parents):
            if step in {self.package, self.package.parent}:
                break
            if _is_link(step):
                raise AccessError(
                    "a symbolic link inside the tree leads elsewhere",
                    path=step,
                    found=f"{step} -> {os.readlink(step)}",  # noqa: PTH115 (the text of the link, unresolved)
                    remedy="Put a real file or folder in its place, or patch the tree that it leads to.",
                )
        return place

    def is_listed_in(self, info: str) -> bool:
        """Whether the `RECORD` of a `.dist-info` folder lists this package: only then it is this tree's.

        Args:
            info: The name of the folder, which lies next to the package.
        """
        try:
            record = read_file(self.package.parent / info / "RECORD") or b""
        except AccessError:  # that of another package is not our concern; that of ours is found out when it is written
            return False
        return any(recorded_path(line) == self.landmark for line in record.splitlines() if b"__init__.py" in line)

    @property
    def is_renamed(self) -> bool:
        """Whether somebody gave the package another name than upstream's."""
        return self.package.name != PACKAGE

    @property
    def landmark(self) -> str:
        """How a `RECORD` calls the file by which it is known to list this package."""
        return f"{self.package.name}/__init__.py"

    def read(self, relative: str) -> bytes | None:
        """The bytes of a file of this tree, or None where there is none.

        Raises:
            AccessError: It is there, but can't be read, or is no ordinary file.
        """
        if relative in self.overlay:
            return self.overlay[relative]
        return read_file(self.path(relative))


def recorded_path(line: bytes) -> str:
    """Return the path that a line of a `RECORD` is about; empty where it is no such line."""
    try:
        row = next(csv.reader([line.decode("utf-8", "replace")]), [])
    except csv.Error:  # longer than any path
        return ""
    return row[0].replace("\\", "/") if row else ""


def find(path: Path) -> Tree:
    """Find the tree that a path means.

    Args:
        path: A package folder, a repository root, a `site-packages` folder or the prefix of an environment.

    Raises:
        TreeNotFoundError: There is no ultralytics package there.
        AccessError: The path can't be looked into.
    """
    try:
        found = next((place for place in _candidates(path) if place.joinpath(LANDMARK).is_file()), None)
        there = found is not None or path.exists()
    except OSError as error:
        raise _closed(Path(error.filename or path), error) from error
    if found is not None:
        return _describe(found)
    refuse_egg(path)
    if not there:
        raise TreeNotFoundError("there is no such path", path=path, remedy="Look at its spelling.")
    raise TreeNotFoundError(
        "no ultralytics package here",
        path=path,
        found=f"{LANDMARK} is neither in it nor in an ultralytics folder below it",
        remedy="Name a repository root, the package folder, a site-packages folder or an environment's prefix.",
    )


def refuse_egg(path: Path) -> None:
    """Refuse the zip file that setuptools once installed packages as, which has no files to patch.

    Args:
        path: The zip file, or a folder or environment that it is installed in.

    Raises:
        TreeNotFoundError: There is one.
    """
    folders = [place.parent for place in _candidates(path)]
    eggs = [path, *(egg for folder in folders if folder.is_dir() for egg in sorted(folder.glob(f"{PACKAGE}-*.egg")))]
    egg = next((place for place in eggs if place.is_file() and zipfile.is_zipfile(place)), None)
    if egg:
        raise TreeNotFoundError(
            "ultralytics is a zip file here, a zipped egg, and can't be patched",
            path=egg,
            remedy="Install it anew, as files: `python -m pip install --force-reinstall ultralytics`.",
        )


def environment_python(site: Path) -> Path | None:
    """The interpreter of the environment that this `site-packages` folder belongs to, if it belongs to one."""
    if site.name in {"site-packages", "dist-packages"}:
        for prefix in (site.parent.parent, site.parent.parent.parent):  # Windows has one folder less in between
            if prefix != prefix.parent and (python := python_of(prefix)):
                return python
    return None


def python_of(prefix: Path) -> Path | None:
    """The interpreter of the environment at this prefix, as virtual environments and conda lay it out."""
    for name in ("bin/python3", "bin/python", "Scripts/python.exe", "python.exe"):
        try:
            if prefix.joinpath(name).is_file():
                return prefix / name
        except OSError:  # no such name can be, or nobody may look: there is none for us
            return None
    return None


def interpreter_of(tree: Tree) -> Path | None:
    """The interpreter of a tree: by which it was found, of its environment, or of the `.venv` beside it."""
    return (
        tree.owner
        or environment_python(tree.named.parent)
        or environment_python(tree.package.parent)
        or python_of(tree.package.parent / ".venv")
        or python_of(tree.package.parent / "venv")
    )


def _closed(place: Path, error: OSError) -> AccessError:
    reason = os.strerror(error.errno or errno.ENOENT)
    return AccessError(f"can't be looked into: {reason}", path=place, remedy=advice(error.errno))


def _is_link(place: Path) -> bool:
    try:
        return place.is_symlink()
    except OSError as error:  # the name is longer than any that this system has
        raise _closed(place, error) from error


def _is_inside(relative: str) -> bool:
    parts = relative.split("/")
    plain = relative.isprintable() and "\\" not in relative and ":" not in relative
    return plain and not any(part in {"", ".", ".."} or _DEVICES.fullmatch(part) for part in parts)


def _candidates(path: Path) -> Iterator[Path]:
    yield path
    yield path / PACKAGE
    yield path / "src" / PACKAGE
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages", "lib/python3*/dist-packages"):
        for site in sorted(path.glob(pattern)):
            yield site / PACKAGE


def _describe(package: Path) -> Tree:
    try:
        real = package.resolve(strict=True)
    except OSError as error:
        raise _closed(package, error) from error
    except RuntimeError as error:  # of links that lead to one another, before Python 3.13
        raise _closed(package, OSError(errno.ELOOP, "")) from error
    return Tree(package=real, kind=_kind(real), version=_version(real), named=package)


def _kind(package: Path) -> Kind:
    if package.parent.name in {"site-packages", "dist-packages"} or any(package.parent.glob(f"{PACKAGE}-*.dist-info")):
        return "installed"
    return "checkout" if package.parent.joinpath(".git").exists() else "vendored"


def _version(package: Path) -> str:
    try:
        module = parse(read_file(package / "__init__.py") or b"")
    except NotPythonError:
        return ""
    for statement in module.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="__version__")], value=ast.Constant(value=str(version))):
                return version
    return ""
