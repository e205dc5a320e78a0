"""Files on disk: written next to their place, synced, moved over it; never written in place."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from a2patch.errors import unwritable
from a2patch.tree import Tree, find_files, remove

FOLDER = ".a2patch"  # of a patched tree, for what a2patch keeps in it
RECEIPT = f"{FOLDER}/receipt.json"
IGNORE = f"{FOLDER}/.gitignore"
IGNORED = b"*\n"  # keeps the folder out of the user's `git status`
SUFFIX = ".a2patch"
PATIENCE_S = 2.0
"""How long a file may be held open on Windows, as by what scans it, before it counts as one that can't be replaced."""


def temporary(target: Path) -> Path:
    """Where the new content of a file waits, next to it."""
    return target.with_name(f".{target.name}{SUFFIX}")


def stage(target: Path, content: bytes) -> None:
    """Write the new content of a file next to it, with the mode, owner and attributes that the file has.

    Args:
        target: The file.
        content: Its new bytes.
    """
    place = temporary(target)
    remove(place)
    with place.open("xb") as file:
        file.write(content)
        file.flush()
        if target.exists():
            shutil.copystat(target, place)
            os.utime(place)  # interpreters take an unchanged time for an unchanged file
            keep_owner(target, place)
        elif not (mode := target.parent.stat().st_mode) & stat.S_ISVTX:  # a folder such as /tmp is everybody's
            place.chmod(stat.S_IMODE(mode) & 0o666)  # who may use the folder may use the file
            keep_owner(target.parent, place)
        os.fsync(file.fileno())


def put(target: Path) -> None:
    """Move what was staged over a file, in one step."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            with _replaceable(target):
                os.replace(temporary(target), target)  # noqa: PTH105 (the promise is os.replace's)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return


@contextmanager
def _replaceable(target: Path) -> Iterator[None]:
    """Let a read-only file be replaced, which Windows refuses; one that could not be is read-only again."""
    mode = target.stat().st_mode if os.name == "nt" and target.exists() else stat.S_IWRITE
    if mode & stat.S_IWRITE:
        yield
        return
    target.chmod(stat.S_IWRITE)
    try:
        yield
    except OSError:
        target.chmod(stat.S_IMODE(mode))
        raise


def write_atomically(target: Path, content: bytes) -> None:
    """Write a file in one step: whatever happens, it has its old content or the new.

    Args:
        target: The file.
        content: Its new bytes.

    Raises:
        OSError: It can't be written.
    """
    try:
        stage(target, content)
        put(target)
    except BaseException:
        with suppress(OSError):
            remove(temporary(target))
        raise


def keep_owner(model: Path, place: Path) -> None:
    """Give a file or folder that a2patch made the owner of another, as far as the system allows."""
    if os.name == "nt":
        return
    wanted, have = model.stat(), place.stat()
    if (have.st_uid, have.st_gid) != (wanted.st_uid, wanted.st_gid):
        with suppress(PermissionError):  # only root may give files away; whoever may replace a file may own it
            os.chown(place, wanted.st_uid, wanted.st_gid)
            place.chmod(stat.S_IMODE(have.st_mode))  # chown clears set-id bits


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    if os.name == "nt":  # folders can't be synced there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def strays(tree: Tree) -> list[Path]:
    """Temporary files that a dead command left behind, in the package and next to the installer's `RECORD`."""
    found = find_files(tree.package, f".*{SUFFIX}")
    for place in tree.package.parent.glob(f"*.dist-info/.RECORD{SUFFIX}"):  # of a tree beside, it is not ours
        found += [place] if tree.is_listed_in(place.parent.name) else []
    return [place for place in found if place.is_file() and not place.is_symlink()]


def remove_bytecode(source: Path) -> None:
    """Remove what interpreters compiled from a file that is gone."""
    cache = source.parent / "__pycache__"
    for place in cache.glob(f"{source.stem}.*.pyc"):
        place.unlink(missing_ok=True)
    with suppress(OSError):
        cache.rmdir()  # only if nothing else is in it


@contextmanager
def explained(path: Path, remedy: str = "The tree is as it was.") -> Iterator[None]:
    """Turn the system's error of a write into one that says what to do.

    Args:
        path: What is named where the system names nothing.
        remedy: How the tree stands now.

    Raises:
        AccessError: Something can't be written.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(error, path, remedy) from error
