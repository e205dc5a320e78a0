"""What git knows of a tree, where it lies in a repository; only ever read."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from a2patch.errors import ConflictError
from a2patch.tree.git import isolation
from a2patch.tree.tree import Tree

if TYPE_CHECKING:
    from git import Git

_MARKERS = re.compile(rb"^<{7}(?: .*)?\r?\n(?:.*\n)*?={7}\r?\n(?:.*\n)*?>{7}(?: |\r?$)", re.MULTILINE)


def refuse_unmerged(tree: Tree, paths: Iterable[str]) -> None:
    """Check that no merge has left one of these files in conflict.

    Args:
        tree: The tree.
        paths: The files that would change, relative to the package folder.

    Raises:
        ConflictError: It has.
    """
    paths = sorted(paths)
    marked = {path for path in paths if _MARKERS.search(tree.read(path) or b"")}
    listing = _ask(tree, "ls-files", "--unmerged", "-z", "--full-name", "--", paths=paths)
    unmerged = marked | {path for path in paths if f"\t{_name(tree, path)}\0" in listing}
    if unmerged:
        raise ConflictError(
            "a merge or rebase is under way that has these files in conflict",
            path=tree.path(min(unmerged)),
            found="\n".join(sorted(unmerged)),
            remedy="Nothing was written. Finish or abort it (`git status` tells how) and try again.",
        )


def uncommitted(tree: Tree, paths: Iterable[str]) -> tuple[str, ...]:
    """Those of these files that are not as the last commit has them, line endings aside.

    Args:
        tree: The tree.
        paths: The files, relative to the package folder.
    """
    paths = sorted(paths)
    listing = _ask(tree, "ls-tree", "-z", "--full-tree", "-r", "HEAD", "--", paths=paths)
    committed = {name: entry.split()[2] for line in listing.split("\0") if line for entry, name in [line.split("\t")]}
    found = []
    for path in paths:
        name, content = _name(tree, path), tree.read(path)
        if name in committed and content is not None:
            variants = (content, content.replace(b"\r\n", b"\n"))
            if committed[name] not in {_blob(variant, len(committed[name])) for variant in variants}:
                found.append(path)
    return tuple(found)


def _ask(tree: Tree, *command: str, paths: Iterable[str]) -> str:
    """What git says of these files; nothing where there is no repository, or git does not want to tell."""
    root = _root(tree)
    if root is None:
        return ""
    from git import Git, GitCommandError

    repository = root / ".git"
    if repository.is_file():  # of a linked working tree or a submodule
        repository = root / repository.read_text("utf-8").removeprefix("gitdir:").strip()
    common = repository / "commondir"
    shared = repository / common.read_text("utf-8").strip() if common.is_file() else repository
    with tempfile.TemporaryDirectory(prefix="a2patch-") as empty:
        git: Git = Git(str(root))
        git.update_environment(**isolation(Path(empty), root, repository, shared))
        try:
            answer: str = git.execute(
                ["git", "-c", "core.quotePath=false", *command, *(_name(tree, path) for path in paths)],
                strip_newline_in_stdout=False,
            )
        except GitCommandError:  # no commit yet, another owner, a broken repository: the files are judged without it
            return ""
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
