"""Which Python a command starts: none, unless it tries a model; then the one that it names."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from a2patch import cli
from tests.support import miniature
from tests.support.trees import NEWEST, Unpack

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts in place of interpreters")

SILENT = {
    "status": ["status"],
    "dry run": ["apply", "--dry-run"],
    "apply": ["apply", "--no-verify"],
    "diff": ["diff"],
    "recover": ["recover"],
    "revert": ["revert"],
    "force": ["revert", "--force"],
}
TRYING = {
    "verify": ["verify", "--quick"],
    "apply": ["apply"],
    "insert": ["insert", "--base", "yolov8", "--at", "P3"],
    "transplant": ["transplant", __file__, "--model", "yolov8_A2", "-o", f"{__file__}.pt"],
}
PLACES = ("clone/.venv", "clone/venv", "clone", "env")


def run(*arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    """Run a verb in this very process, and give its exit code, its document and what else it said."""
    answer = CliRunner().invoke(cli.app, [*map(str, arguments), "--json"])
    return answer.exit_code, json.loads(answer.stdout), answer.stderr


def script(place: Path, text: str) -> Path:
    """Put a program where an interpreter belongs, under each of its names."""
    for name in ("python3", "python"):
        place.joinpath("bin").mkdir(parents=True, exist_ok=True)
        python = place / "bin" / name
        python.write_text(f"#!/bin/sh\n{text}\n")
        python.chmod(0o755)
    return place / "bin/python3"


def hostile(root: Path) -> Path:
    """Make each interpreter in sight of a clone one that leaves a trace when it is started; return the trace."""
    trace = root / "ran"
    for place in PLACES:
        script(root / place, f"touch {shlex.quote(str(trace))}; exit 1")
        root.joinpath(place, "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.7\n")
    site = root / "env/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    site.joinpath("ultralytics.pth").write_text(f"{root / 'clone'}\nimport os; os.system('touch {trace}')\n")
    return trace


@pytest.mark.parametrize("named", ["clone", "env"])
def test_what_tries_nothing_starts_no_python(
    cache: Path, tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "checkout")
    trace = hostile(tmp_path)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "clone/.venv"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'clone/.venv/bin'}{os.pathsep}{os.environ['PATH']}")
    for verb, arguments in SILENT.items():
        code, document, said = run(*arguments, "--ultralytics-path", tmp_path / named)
        assert (code, document["ok"]) == (0, True), (verb, said)
        assert document.get("tree", {}).get("package", str(package)) == str(package)
        assert not trace.exists(), verb


@pytest.mark.parametrize("verb", TRYING)
def test_what_tries_a_model_names_the_python_that_it_starts(cache: Path, tmp_path: Path, verb: str) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "checkout")
    if verb != "apply":
        miniature.act("apply", package)
    trace = hostile(tmp_path)
    _, document, said = run(*TRYING[verb], "--ultralytics-path", package)
    python = str(tmp_path / "clone/.venv/bin/python3")
    assert document["interpreter"] == python
    assert f"trying with {python}" in said
    assert trace.exists() or verb == "transplant"  # which looks at the checkpoint before


@pytest.mark.parametrize("named", ["env", "env/lib/python3.11/site-packages"])
def test_an_editable_install_is_tried_by_the_environment_that_was_named(
    cache: Path, tmp_path: Path, named: str
) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, "checkout")
    miniature.act("apply", package)
    hostile(tmp_path)
    code, document, _ = run("verify", "--quick", "--ultralytics-path", tmp_path / named)
    assert document["interpreter"] == str(tmp_path / "env/bin/python3")
    assert code == 4  # and not ok by another
    assert document["error"]["path"] == document["interpreter"]


def test_a_python_that_prints_a_banner_is_one(unpack: Unpack, tmp_path: Path) -> None:
    package = unpack(NEWEST, "clone")
    python = script(tmp_path / "clone/.venv", f'echo "Welcome!"; echo "Hello" >&2; exec {sys.executable} "$@"')
    miniature.act("apply", package)
    code, document, said = run("verify", "--quick", "--ultralytics-path", package)
    assert (code, document["verdict"]["interpreter"]) == (0, str(python)), said
