"""What is printed of files: diffs to the byte, documents in ASCII, and nothing that steers a terminal."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from a2patch.report.text import printable
from tests.support import miniature
from tests.support.command import ROOT
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.miniature import git
from tests.support.trees import NEWEST


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    return miniature.cut(NEWEST, cache, tmp_path)


def output(*arguments: str | Path, env: dict[str, str] | None = None) -> bytes:
    command = [sys.executable, str(ROOT / "cli.py"), *map(str, arguments)]
    return subprocess.run(command, env=os.environ | (env or {}), capture_output=True, check=True).stdout


def put_beside_our_lines(package: Path, line: bytes) -> None:
    """Put bytes where they are context of our diff."""
    tasks = package / "nn/tasks.py"
    lines = tasks.read_bytes().split(b"\n")
    at = next(i for i, text in enumerate(lines) if b"elif m is Concat:" in text)
    lines[at + 1] += line
    tasks.write_bytes(b"\n".join(lines))


@pytest.mark.parametrize("verb", [["diff"], ["apply", "--dry-run"]])
@pytest.mark.parametrize("line", [b"  # \xe9t\xe9", "  # \u53cc\u91cd\u6ce8\u610f".encode("gbk"), b"  # \x1b[31m\r"])
def test_git_takes_the_diff_of_a_tree_of_any_encoding(package: Path, verb: list[str], line: bytes) -> None:
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(b"# -*- coding: latin-1 -*-\n" + tasks.read_bytes())
    put_beside_our_lines(package, line)
    before = snapshot(package.parent)
    diff = output(*verb, "--ultralytics-path", package, env={"PYTHONIOENCODING": "ascii"})
    assert line in diff
    assert snapshot(package.parent) == before
    git(package.parent, "init", "--quiet")
    subprocess.run(["git", "apply", "-"], cwd=package.parent, input=diff, check=True)
    shutil.rmtree(package.parent / ".git")
    assert inside("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "applied"


def test_line_endings_are_printed_as_they_are(package: Path) -> None:
    for path in ("nn/tasks.py", "nn/modules/__init__.py"):
        place = package / path
        place.write_bytes(place.read_bytes().replace(b"\n", b"\r\n"))
    diff = output("diff", "--ultralytics-path", package)
    assert b"+    DoubleAttentionLayer,\r\n" in diff
    assert b"\r\r" not in diff
    document = inside("diff", "--json", "--ultralytics-path", package).document
    assert document["diff"].encode("utf-8", "surrogateescape") == diff


def test_what_comes_from_files_steers_no_terminal(package: Path) -> None:
    init = package / "__init__.py"
    init.write_bytes(b'__version__ = "8.4.190\x1b[31m\xc2\x9b\xe2\x80\xae\\u202e\\x1b\\r"\n')
    put_beside_our_lines(package, b"  # \x1b]0;title\x07 \x08")
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes().replace(b"elif m is Concat:", b"elif m is \x0c Concat:"))
    for verb in ("status", "apply", "revert"):
        more = ["--no-verify"] if verb == "apply" else []
        answer = inside(verb, *more, "--ultralytics-path", package)
        assert not set(answer.out + answer.err) & set("\x1b\x07\x08\x0c\r\x9b\u202e"), verb
        assert inside(verb, *more, "--json", "--ultralytics-path", package).out.isascii()


def test_controls_are_written_out() -> None:
    assert printable("a\tb\r\nc\x1b[0m\x9b\u202e\udc9b\udce9\u00e9") == "a\tb\nc\\x1b[0m\\x9b\\u202e\\udc9b\udce9\u00e9"
