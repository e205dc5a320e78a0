"""Miniature trees: of a real release, only what a patch touches or looks at, so that a round takes milliseconds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from a2patch.patch import series
from a2patch.transaction import Operation, operations, receipt
from a2patch.tree import tree
from patches import releases

PARTS = re.compile(
    r"ultralytics/(__init__\.py|nn/(__init__|tasks|modules)\.py|nn/modules/\w+\.py"
    r"|(?:yolo/v8/models|models/v8|cfg/models/v8)/yolov8[nsmlx]?\.yaml)|[^/]+\.dist-info/RECORD"
)
KINDS = ("installed", "checkout", "vendored")
GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false", "-c", "commit.gpgsign=false")


def quiet(text: str) -> None:
    """Hear what a command says, and forget it."""


def require_git() -> None:
    """Skip a test that needs git on a Windows that has none."""
    if os.name == "nt" and not shutil.which("git"):
        pytest.skip("no git here")


def git(folder: Path, *arguments: str) -> str:
    """Run the user's git in a folder; a Windows without git skips the test."""
    require_git()
    command = [*GIT, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def cut(release: str, cache: Path, root: Path, kind: str = "installed") -> Path:
    """Make a miniature tree, and give its package folder.

    Args:
        release: The release that it is cut from.
        cache: Where released wheels are kept.
        root: The folder to make it in.
        kind: One of `KINDS`.
    """
    places = {"installed": "site-packages", "checkout": "clone", "vendored": "project/third_party"}
    folder = root / places[kind]
    with zipfile.ZipFile(releases.wheel(release, cache)) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if PARTS.fullmatch(name)])
    if kind != "installed":
        for info in folder.glob("*.dist-info"):
            shutil.rmtree(info)
    if kind == "checkout":
        commit(folder)
    return folder / tree.PACKAGE


def commit(folder: Path) -> None:
    """Make a folder a repository with one commit."""
    git(folder, "init", "--quiet", "--template=")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")


@contextmanager
def older(folder: Path) -> Iterator[None]:
    """Be an older a2patch for a while, one that brought another module file and another YAML.

    Args:
        folder: Where its diffs may be written.
    """
    if not folder.exists():
        shutil.copytree(series.folder(), folder)
        for diff in (*folder.glob("module/*.diff"), *folder.glob("cfg/*.diff")):
            text = diff.read_bytes()
            diff.write_bytes(re.sub(rb"(?m)^\+(#.*|\"\"\".*)$", rb"+\1 (old)", text, count=1))
    with (
        mock.patch.object(series, "folder", return_value=folder),
        mock.patch.object(receipt, "__version__", "0.0.1"),
    ):
        yield


def act(command: str, package: Path) -> Operation | bool:
    """Run a command in this very process, as the command line does.

    Args:
        command: `"apply"`, `"revert"` or `"recover"`.
        package: The package folder.
    """
    from a2patch.transaction import commit as transaction

    found = tree.find(package)
    recovered = transaction.recover(found, quiet)
    run: dict[str, Callable[[], Operation | bool]] = {
        "apply": lambda: operations.apply(found, quiet),
        "revert": lambda: operations.revert(found, quiet),
        "recover": lambda: recovered,
    }
    return run[command]()
