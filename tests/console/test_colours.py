"""Colour where it means something, in a terminal whose user wants it, and nowhere else."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from a2patch.console import Console, board, progress
from a2patch.errors import ConflictError
from a2patch.protocol import Check
from a2patch.runner import Verdict

CHECKS = (
    Check("build", "pass", "10 models"),
    Check("wiring", "fail", "1 fault", "It reads \x1b[31mthe wrong\x1b[0m layer."),
    Check("sight", "known", meaning="It is blind."),
    Check("train", "skip", meaning="no labels"),
)
VERDICT = Verdict(Path("python"), "3.11.7", "2.9.0", "8.4.190", CHECKS, ())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, *, as_json: bool = False) -> str:
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    console = Console("verify", as_json=as_json)
    console.verdict(VERDICT)
    console.close(ConflictError("no \x1b[1mdiff fits"))
    return stream.getvalue()


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_results_and_what_failed_are_in_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, Terminal())
    for code, word in (("32", "pass"), ("1;31", "fail"), ("33", "known"), ("2", "skip"), ("1", "wiring")):
        assert re.search(rf"\x1b\[{code}m{word} *\x1b\[0m", text), word
    assert "\x1b[1;31mA fault was found: 1 passed, 1 known, 1 skipped, 1 failed: wiring.\x1b[0m" in text
    assert "\x1b[1;31ma2patch:\x1b[0m no " in text
    assert r"\x1b[31mthe wrong\x1b[0m layer" in text, "what a file says steers no terminal"
    assert r"\x1b[1mdiff fits" in text


@pytest.mark.parametrize("plain", ["pipe", "json", "NO_COLOR", "dumb"])
def test_all_else_is_plain(monkeypatch: pytest.MonkeyPatch, plain: str) -> None:
    if plain == "NO_COLOR":
        monkeypatch.setenv("NO_COLOR", "1")
    if plain == "dumb":
        monkeypatch.setenv("TERM", "dumb")
    text = shown(monkeypatch, io.StringIO() if plain == "pipe" else Terminal(), as_json=plain == "json")
    assert "\x1b" not in text
    assert "wiring" in text


def test_progress_without_a_terminal_is_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    with progress() as notify:
        notify("7/15 gradient")
        notify.made(CHECKS[0])
    assert capsys.readouterr().err == "7/15 gradient\n"


def test_a_terminal_shows_each_check_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress() as notify:
        notify("7/15 gradient")
        notify.made(CHECKS[0])
        notify("8/15 learn")
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert "pass  build" in text
    assert "8/15 learn" in text


def test_nothing_moves_up_in_the_cell_of_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output takes colours and carriage returns, but prints what moves the cursor, or leaves every picture in."""
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress() as told:
        told("importing torch")
        told.made(CHECKS[0])
        told("x" * 300)
    with board(1) as draw:
        draw([], "yolov8n, seed 0, is finished")
        draw([], "")
    text = stream.getvalue()
    assert "\x1b" not in text
    lines = [line.rpartition("\r")[2] for line in text.split("\n")]
    assert lines == ["yolov8n, seed 0, is finished", "0 finished of 0 trainings"]
    assert max(map(len, re.split("[\r\n]", text))) < 120, "a longer one would be cut in two, and half of it stay"
