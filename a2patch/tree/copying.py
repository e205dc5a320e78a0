"""Copy a package: to be tried as it was, or to be patched where the package itself can't be written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from a2patch.errors import A2PatchError, AccessError, ExistsError, unwritable
from a2patch.protocol import quoted
from a2patch.tree.files import remove_folder
from a2patch.tree.tree import PACKAGE, Tree, find

_ALWAYS = ("__pycache__", ".a2patch", ".git")


def copy_package(package: Path, place: Path, without: Collection[str] = ()) -> None:
    """Copy a package folder, with what links lead to; what is no file, and links to nowhere or back, are left out.

    Args:
        package: The package folder.
        place: The folder that the copy is to be.
        without: Patterns of names that are left out besides.

    Raises:
        AccessError: Something can't be read or written.
    """
    named = shutil.ignore_patterns(*_ALWAYS, *without)

    def left_out(folder: str, names: list[str]) -> set[str]:
        here = Path(os.path.realpath(folder))
        found = named(folder, names)
        for each in (Path(folder, name) for name in names):
            real = Path(os.path.realpath(each))
            if not (real.is_file() or real.is_dir()) or real in (
                here,
                *here.parents,
            ):  # a pipe would make us wait forever
                found.add(each.name)
        return found

    try:
        shutil.copytree(package, place, ignore=left_out)
    except shutil.Error as error:  # it collects what went wrong
        source, _, reason = error.args[0][0]
        raise AccessError(
            "the package can't be copied",
            path=Path(source),
            found=str(reason),
            remedy="Look at the owner and mode of the file, and the room where the copy goes.",
        ) from error


def copy_to(tree: Tree, folder: Path) -> Tree:
    """Copy the package of a tree into a folder, wholly or not at all, and return the copy.

    Args:
        tree: The tree.
        folder: The folder that is to hold the package; it is made if it is not there.

    Raises:
        ExistsError: There is a package already.
        AccessError: Something can't be read or written.
    """
    target, staged = folder / PACKAGE, folder / f".{PACKAGE}.a2patch-copy"
    if os.path.lexists(target):
        raise ExistsError(
            "there is a copy already",
            path=target,
            remedy=f"`a2patch apply --ultralytics-path {quoted(str(folder))}` patches it; or name another folder.",
        )
    if folder.resolve().is_relative_to(tree.package):
        raise AccessError("a package can't be copied into itself", path=folder, remedy="Name a folder outside of it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_folder(staged)  # of a command that was killed
        copy_package(tree.package, staged)
        staged.rename(target)
    except (OSError, A2PatchError) as error:
        remove_folder(staged)
        if not isinstance(error, OSError):
            raise
        raise unwritable(error, folder, "Nothing was copied.") from error
    return find(target)
