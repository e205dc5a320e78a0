"""Every ending is a clear one: an exit code, a line that says why, and a document where one is wanted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from a2patch.transaction import operations
from tests.support import miniature
from tests.support.command import ROOT, a2patch
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.trees import NEWEST

VERBS = ("apply", "verify", "revert", "recover", "status", "diff", "insert", "transplant")
posix = pytest.mark.skipif(os.name == "nt", reason="a matter of POSIX")


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    return miniature.cut(NEWEST, cache, tmp_path)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, where details of errors go."""
    for name in ("HOME", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return tmp_path / "home"


def shell(script: str, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a script in which "$@" is a2patch with arguments."""
    command = ["bash", "-c", script, "-", sys.executable, ROOT / "cli.py", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)


def test_an_error_of_ours_is_exit_5_and_its_details_are_kept(package: Path, home: Path) -> None:
    before = snapshot(package.parent)
    with mock.patch.object(operations, "survey", side_effect=KeyError("\x1bnobody\nforesaw it")):
        told = inside("status", "--ultralytics-path", package)
        asked = inside("status", "--json", "--ultralytics-path", package)
    assert (told.code, asked.code, asked.document["exit_code"], asked.document["ok"]) == (5, 5, 5, False)
    assert "Traceback" not in told.err
    assert "\x1b" not in told.err
    assert "report it" in told.err
    details = Path(asked.document["error"]["path"])
    assert str(home) in str(details)
    assert "Traceback" in details.read_text("utf-8")
    assert "foresaw it" in details.read_text("utf-8")
    assert snapshot(package.parent) == before


def test_details_go_into_no_tree_and_an_error_without_a_place_for_them_is_still_told(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME", "TMPDIR", "TEMP", "TMP"):
        monkeypatch.setenv(name, str(package / "nn"))
    before = snapshot(package)
    with (
        mock.patch.object(operations, "survey", side_effect=KeyError("x")),
        mock.patch("tempfile.mkstemp", side_effect=OSError(28, "full")),
    ):
        told = inside("status", "--ultralytics-path", package)
    assert told.code == 5
    assert "Traceback" in told.err  # where else could it be read
    assert snapshot(package) == before


def test_an_interrupt_has_its_document(package: Path) -> None:
    with mock.patch.object(operations, "survey", side_effect=KeyboardInterrupt):
        answer = inside("status", "--json", "--ultralytics-path", package)
    assert (answer.code, answer.document["exit_code"]) == (130, 130)
    assert answer.document["error"]["message"] == "interrupted"


def test_an_interrupt_while_apply_verifies_tells_that_the_patch_is_in(package: Path) -> None:
    with mock.patch("a2patch.commands.apply.try_tree", side_effect=KeyboardInterrupt):
        told = inside("apply", "--ultralytics-path", package)
        assert inside("revert", "--ultralytics-path", package).code == 0
        asked = inside("apply", "--json", "--ultralytics-path", package)
    assert (told.code, asked.code) == (130, 130)
    assert asked.document["changes"]
    for text in (told.err, asked.document["error"]["remedy"]):
        assert "patch is in, unverified" in text
        assert f'a2patch verify --ultralytics-path "{package}"' in text
        assert f'a2patch revert --ultralytics-path "{package}"' in text
    assert inside("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "applied"


@pytest.mark.parametrize("module", ["typer", "a2patch.commands", "a2patch.report.text"])
def test_an_interrupt_while_all_is_imported_leaves_no_traceback(module: str) -> None:
    code = f"""
import runpy, sys
class Pressed:
    def find_spec(self, name, *rest):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
sys.argv = ["cli.py", "status", "--json"]
runpy.run_path("cli.py", run_name="__main__")
"""
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 130
    assert "Traceback" not in answer.stderr
    document = json.loads(answer.stdout)
    assert document.keys() >= {"schema", "ok", "exit_code", "error"}
    assert document["error"]["message"] == "interrupted"


@pytest.mark.parametrize("verb", VERBS)
def test_bad_usage_has_a_document_that_says_what(verb: str) -> None:
    answer = inside(verb, "--json", "--nonsense")
    assert (answer.code, answer.document["exit_code"]) == (2, 2)
    assert "nonsense" in answer.document["error"]["message"]
