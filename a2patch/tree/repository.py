"""What git knows of a tree, where it lies in a repository; only ever read, and deaf to every setting of its user."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from a2patch.errors import ConflictError
from a2patch.tree.tree import Tree

if TYPE_CHECKING:
    from git import Git

_MARKERS = re.compile(rb"^<{7}(?: .*)?\r?\n(?:.*\n)*?={7}\r?\n(?:.*\n)*?>{7}(?: |\r?$)", re.MULTILINE)


def refuse_unmerged(tree: Tree, paths: Iterable[str]) -> None:
    """Check that no merge has left one of these files in conflict; without git, by the marks in their bytes alone.

    Args:
        tree: The tree.
        paths: The files that would change, relative to the package folder.

    Raises:
        ConflictError: It has.
    """
    paths = sorted(paths)
    marked = {path for path in paths if _MARKERS.search(tree.read(path) or b"")}
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
    committed = {name: entry.split()[2] for line in listing.split("\0") if line for entry, name in [line.split("\t")]}
    found = []
    for path in paths:
        name, content = _name(tree, path), tree.read(path)
        if name in committed and content is not None:
            variants = (content, content.replace(b"\r\n", b"\n"))
            if committed[name] not in {_blob(variant, len(committed[name])) for variant in variants}:
                found.append(path)
    return tuple(found)


def _ask(tree: Tree, *command: str, paths: Iterable[str]) -> str | None:
    """What git says of these files; empty where there is no repository or git refuses, None where there is no git."""
    root = _root(tree)
    if root is None:
        return ""
    try:
        from git import Git, GitCommandError, GitCommandNotFound
    except ImportError:  # GitPython looks for the program when it is imported
        return None
    repository = root / ".git"
    if repository.is_file():  # of a linked working tree or a submodule
        repository = root / repository.read_text("utf-8").removeprefix("gitdir:").strip()
    common = repository / "commondir"
    shared = repository / common.read_text("utf-8").strip() if common.is_file() else repository
    with tempfile.TemporaryDirectory(prefix="a2patch-") as empty:
        git: Git = Git(str(root))
        git.update_environment(**_isolation(Path(empty), root, repository, shared))
        try:
            answer: str = git.execute(
                ["git", "-c", "core.quotePath=false", *command, *(_name(tree, path) for path in paths)],
                strip_newline_in_stdout=False,
            )
        except GitCommandError:  # no commit yet, another owner, a broken repository: the files are judged without it
            return ""
        except GitCommandNotFound:
            return None
    return answer


def _root(tree: Tree) -> Path | None:
    return next((folder for folder in tree.package.parents if folder.joinpath(".git").exists()), None)


def _name(tree: Tree, path: str) -> str:
    """How git calls a file."""
    root = _root(tree)
    return (tree.package / path).relative_to(root or tree.package).as_posix()


def _blob(content: bytes, size: int) -> str:
    algorithm = hashlib.sha1 if size == 40 else hashlib.sha256
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()


def _isolation(empty: Path, root: Path, repository: Path, common: Path) -> dict[str, str]:
    """Everything by which a user, a system or another repository could change what git does.

    Args:
        empty: A folder of our own, that stands for the home.
        root: The working tree that git is to use.
        repository: Its git folder.
        common: The git folder that a linked working tree shares with others; else the same.
    """
    nothing = empty / "nothing"
    nothing.touch()
    return {
        "GIT_DIR": str(repository),
        "GIT_COMMON_DIR": str(common),
        "GIT_WORK_TREE": str(root),
        "GIT_INDEX_FILE": str(repository / "index"),
        "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
        "GIT_CONFIG_GLOBAL": str(nothing),
        "GIT_CONFIG_SYSTEM": str(nothing),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_CONFIG_COUNT": "2",  # what a repository's own configuration could make git run
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": "false",
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_VALUE_1": str(nothing),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_DEFAULT_HASH": "sha1",
        "GIT_DIFF_OPTS": "",
        "GIT_TRACE": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_PREFIX": "",
        "GIT_NAMESPACE": "",
        "HOME": str(empty),
        "XDG_CONFIG_HOME": str(empty),
    }
