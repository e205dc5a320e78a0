"""What git knows of a tree, where it lies in a repository; only ever read, and deaf to every setting of its user."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from a2patch.errors import ConflictError
from a2patch.tree.tree import Tree

SECONDS = 20.0
"""How long git may take: it reads a tree and an index, which are milliseconds even on a slow disk."""

_LONGEST = 4096  # no system takes a longer path
_MARKS = (rb"<{7}(?: |\r?$)", rb"={7}\r?$", rb">{7}(?: |\r?$)")  # in this order, other lines between them


def refuse_unmerged(tree: Tree, paths: Iterable[str]) -> None:
    """Check that no merge has left one of these files in conflict; without git, by the marks in their bytes alone.

    Args:
        tree: The tree.
        paths: The files that would change, relative to the package folder.

    Raises:
        ConflictError: It has.
    """
    paths = sorted(paths)
    marked = {path for path in paths if _has_marks(tree.read(path) or b"")}
    listing = _ask(tree, "ls-files", "--unmerged", "-z", "--full-name", "--", paths=paths) or ""
    unmerged = marked | {path for path in paths if f"\t{_name(tree, path)}\0" in listing}
    if unmerged:
        raise ConflictError(
            "a merge or rebase is under way that has these files in conflict",
            path=tree.path(min(unmerged)),
            found="\n".join(sorted(unmerged)),
            remedy="Nothing was written. Finish or abort it (`git status` tells how) and try again.",
        )


def uncommitted(tree: Tree, paths: Iterable[str]) -> tuple[str, ...] | None:
    """Find those of these files that are not as the last commit has them, line endings aside.

    Args:
        tree: The tree.
        paths: The files, relative to the package folder.

    Returns:
        The files; None where the tree lies in a repository and there is no git to ask, or it does not answer.
    """
    paths = sorted(paths)
    listing = _ask(tree, "ls-tree", "-z", "--full-tree", "-r", "HEAD", "--", paths=paths)
    if listing is None:
        return None
    pairs = (line.partition("\t") for line in listing.split("\0") if line)  # a name may have a TAB of its own
    committed = {name: entry.split()[2] for entry, _, name in pairs}
    found = []
    for path in paths:
        name, content = _name(tree, path), tree.read(path)
        if name in committed and content is not None:
            variants = (content, content.replace(b"\r\n", b"\n"))
            if committed[name] not in {_blob(variant, len(committed[name])) for variant in variants}:
                found.append(path)
    return tuple(found)


def _has_marks(content: bytes) -> bool:
    """Return whether the marks of a conflict stand in a file, each on a line of its own behind the one before."""
    at = 0
    for mark in _MARKS:
        found = re.compile(rb"^" + mark, re.MULTILINE).search(content, at)
        if found is None:
            return False
        at = found.end()
    return True


def _ask(tree: Tree, *command: str, paths: Iterable[str]) -> str | None:
    """What git says of these files; empty where there is no repository or git refuses, None where it can't be asked."""
    root = _root(tree)
    repository = _repository(root) if root else None
    if root is None or repository is None:
        return ""
    program = _program()
    if program is None:
        return None
    asked = [program, "-c", "core.quotePath=false", *command, *(_name(tree, path) for path in paths)]
    try:
        return _answer(asked, root, _environment(root, repository))
    except (OSError, subprocess.TimeoutExpired):  # it can't be run, or waits for something
        return None


def _answer(command: list[str], root: Path, variables: dict[str, str]) -> str:
    """Run git, and return what it says; empty where it fails: no commit yet, another owner, a broken repository.

    Raises:
        OSError: It can't be run.
        subprocess.TimeoutExpired: It does not end.
    """
    # In a session of its own, so that what it has started ends with it and holds no pipe open.
    process = subprocess.Popen(
        command,
        cwd=root,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except BaseException:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
        raise
    return "" if process.returncode else _decoded(said)


def _repository(root: Path) -> Path | None:
    """Return the git folder of a working tree; None where what is there is none."""
    place = root / ".git"
    if not place.is_file():
        return place
    kind, _, named = _first_line(place).partition(": ")  # of a linked working tree or a submodule
    return root / named if kind == "gitdir" and named else None


def _first_line(place: Path) -> str:
    """Return the first line of a small file of git; empty where there is no such file, or no line fit for a path."""
    try:
        if not place.is_file():
            return ""
        with place.open("rb") as file:
            line = _decoded(file.read(_LONGEST).split(b"\n")[0].rstrip(b"\r"))
    except OSError:
        return ""
    return "" if "\0" in line or len(line) == _LONGEST else line


def _decoded(name: bytes) -> str:
    """Return a name of a file; on Windows, too, where junk is no reason to fail."""
    return name.decode(sys.getfilesystemencoding(), "surrogateescape")


def _program() -> str | None:
    """Return the git of the PATH; never one of the current folder, which may be a clone of anybody's."""
    entries = [entry for entry in os.environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute()]
    found = shutil.which("git", path=os.pathsep.join(entries))
    return found if found and Path(found).is_absolute() else None


def _root(tree: Tree) -> Path | None:
    return next((folder for folder in tree.package.parents if folder.joinpath(".git").exists()), None)


def _name(tree: Tree, path: str) -> str:
    """How git calls a file."""
    root = _root(tree)
    return (tree.package / path).relative_to(root or tree.package).as_posix()


def _blob(content: bytes, size: int) -> str:
    algorithm = hashlib.sha1 if size == 40 else hashlib.sha256
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()


def _environment(root: Path, repository: Path) -> dict[str, str]:
    """The environment of git: the caller's, without all by which a user, a system or a repository could change it.

    Args:
        root: The working tree that git is to use.
        repository: Its git folder.
    """
    named = _first_line(repository / "commondir")
    common = repository / named if named else repository  # what a linked working tree shares with others
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("GIT_")}
    return kept | {
        "GIT_DIR": str(repository),
        "GIT_COMMON_DIR": str(common),
        "GIT_WORK_TREE": str(root),
        "GIT_INDEX_FILE": str(repository / "index"),
        "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "2",  # what a repository's own configuration could make git run
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_VALUE_1": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LITERAL_PATHSPECS": "1",
        "HOME": os.devnull,
        "XDG_CONFIG_HOME": os.devnull,
    }
