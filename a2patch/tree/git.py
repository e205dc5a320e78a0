"""Git as an engine: applies and prints diffs in a scratch folder, deaf to every setting of its user."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from a2patch.errors import A2PatchError, ToolMissingError

if TYPE_CHECKING:
    from git import Git


@dataclass(frozen=True)
class Scratch:
    """A repository of our own, with nothing committed, in a temporary folder.

    Attributes:
        root: Its working tree.
        git: GitPython's handle on it.
    """

    root: Path
    git: Git

    def write(self, files: Mapping[str, bytes | None]) -> None:
        """Put files into the working tree; None takes one away."""
        for relative, content in files.items():
            place = self.root / relative
            if content is None:
                place.unlink(missing_ok=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)

    def read(self, relative: str) -> bytes | None:
        """The bytes of a file of the working tree, or None where there is none."""
        place = self.root / relative
        return place.read_bytes() if place.is_file() else None

    def apply(self, patch: bytes, *options: str) -> None:
        """Apply a unified diff to the working tree.

        Args:
            patch: The diff; its context must match exactly.
            options: Further options of `git apply`, such as `--reverse`.

        Raises:
            A2PatchError: Git refuses it.
        """
        from git import GitCommandError

        place = self.root.parent / "patch.diff"
        place.write_bytes(patch)
        try:
            self.git.apply("--whitespace=nowarn", *options, "--", str(place))
        except GitCommandError as error:
            raise A2PatchError(
                "git refuses a diff that should fit",
                found=error.stderr.strip(),
                remedy="Nothing was written. Please report this, with the output of `a2patch status --json`.",
            ) from error

    def merge(self, theirs: bytes, base: bytes, wanted: bytes) -> bytes:
        """Merge two versions of a file; where they touch the same lines, `wanted` wins.

        Args:
            theirs: The file as its user has it.
            base: What both come from.
            wanted: The file as it should be.
        """
        places = [self.root.parent / name for name in ("theirs", "base", "wanted")]
        for place, content in zip(places, (theirs, base, wanted), strict=True):
            place.write_bytes(content)
        options = ("--stdout", "--quiet", "--theirs")  # "theirs" is git's word for the last of the three
        merged: bytes = self.git.merge_file(
            *options, *map(str, places), stdout_as_string=False, strip_newline_in_stdout=False
        )
        return merged

    def stage(self) -> None:
        """Take the working tree as it is for what `diff` compares with."""
        self.git.add("--all", "--force", ".")

    def diff(self) -> bytes:
        """The working tree against what was staged, as a unified diff with three lines of context."""
        self.git.add("--all", "--force", "--intent-to-add", ".")
        options = ("--no-ext-diff", "--no-color", "--no-renames", "--text", "--src-prefix=a/", "--dst-prefix=b/")
        text: bytes = self.git.diff(*options, stdout_as_string=False, strip_newline_in_stdout=False)
        return text


@contextmanager
def scratch() -> Iterator[Scratch]:
    """Make a scratch repository, gone afterwards.

    Raises:
        ToolMissingError: There is no git.
    """
    try:
        from git import Git, GitCommandNotFound
    except ImportError as error:  # GitPython looks for the program when it is imported
        raise _missing() from error
    with tempfile.TemporaryDirectory(prefix="a2patch-", ignore_cleanup_errors=True) as folder:
        base = Path(folder).resolve()
        root = base / "tree"
        root.mkdir()
        git = Git(str(root))
        repository = root / ".git"
        git.update_environment(**isolation(base, root, repository, repository))
        try:
            git.init("--quiet", "--template=", str(root))
        except GitCommandNotFound as error:
            raise _missing() from error
        yield Scratch(root, git)


def isolation(empty: Path, root: Path, repository: Path, common: Path) -> dict[str, str]:
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


def _missing() -> ToolMissingError:
    return ToolMissingError(
        "git is not there",
        remedy="Install it (Windows: `winget install Git.Git`; Debian: `apt install git`; macOS: "
        "`xcode-select --install`), open a new terminal and try again.",
    )
