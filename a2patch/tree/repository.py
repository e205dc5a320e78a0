"""What git knows of a tree, where it lies in a repository; only ever read, and deaf to every setting of its user."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from a2patch.errors import AccessError, ConflictError
from a2patch.tree.files import read_start
from a2patch.tree.tree import Tree

_PATIENCE = 20.0  # seconds; git answers in a hundredth
_LONGEST = 1 << 14  # bytes of a path
_NOTHING = "/dev/null"  # to git that is an empty file on Windows, too
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
        The files; None where the tree lies in a repository and there is no git to ask.
    """
    paths = sorted(paths)
    listing = _ask(tree, "ls-tree", "-z", "--full-tree", "-r", "HEAD", "--", paths=paths)
    if listing is None:
        return None
    committed = {
        name: entry.split()[2] for line in listing.split("\0") if line for entry, name in [line.split("\t", 1)]
    }
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
    """What git says of these files; empty where there is no repository or git refuses, None where there is no git."""
    root = _root(tree)
    if root is None:
        return ""
    program = shutil.which("git")
    if program is None or (os.name == "nt" and Path(program).parent == Path.cwd()):  # which Windows takes first
        return None
    asked = [program, "-c", "core.quotePath=false", *command, *(_name(tree, path) for path in paths)]
    try:
        variables = _isolation(root)
        answer = subprocess.run(
            asked, cwd=root, env=variables, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=True
        )
    except (AccessError, subprocess.CalledProcessError):  # no commit yet, another owner, a broken repository
        return ""  # the files are judged without it
    except (OSError, ValueError, subprocess.TimeoutExpired):  # it can't be started, or does not come back
        return None
    return os.fsdecode(answer.stdout)


def _path_in(file: Path) -> str:
    """Return the path that a file of git holds, maybe junk; empty where there is no such file."""
    return os.fsdecode(read_start(file, _LONGEST) or b"").partition("\0")[0].strip()


def _root(tree: Tree) -> Path | None:
    return next((folder for folder in tree.package.parents if folder.joinpath(".git").exists()), None)


def _name(tree: Tree, path: str) -> str:
    """How git calls a file."""
    root = _root(tree)
    return (tree.package / path).relative_to(root or tree.package).as_posix()


def _blob(content: bytes, size: int) -> str:
    algorithm = hashlib.sha1 if size == 40 else hashlib.sha256
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()


def _isolation(root: Path) -> dict[str, str]:
    """Return an environment in which no user, system or other repository can change what git does.

    Args:
        root: The working tree that git is to use.
    """
    repository = root / ".git"
    if repository.is_file():  # of a linked working tree or a submodule
        repository = root / _path_in(repository).removeprefix("gitdir:").strip()
    common = repository / _path_in(repository / "commondir")  # that a linked working tree shares with others
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("GIT_")} | {
        "GIT_DIR": str(repository),
        "GIT_COMMON_DIR": str(common),
        "GIT_WORK_TREE": str(root),
        "GIT_CONFIG_GLOBAL": _NOTHING,
        "GIT_CONFIG_SYSTEM": _NOTHING,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "2",  # what a repository's own configuration could make git run
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_VALUE_1": _NOTHING,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": _NOTHING,
        "XDG_CONFIG_HOME": _NOTHING,
    }
