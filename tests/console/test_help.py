"""Help, completion and usage errors, as they look in a terminal of any width."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from a2patch.commands import EXAMPLES, VERBS
from tests.support.command import ROOT
from tests.support.inside import inside

NAMES = [verb.__name__ for verb in VERBS]


@pytest.mark.parametrize("verb", ["", *NAMES])
@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_help_is_whole_in_any_width(verb: str, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for columns in ("60", "80", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        answer = inside(*filter(None, (verb, asked)))
        assert (answer.code, answer.err) == (0, "")
        said[columns] = " ".join(answer.out.split())
        assert "..." not in re.sub(r"(?<=[A-Z\]])\.\.\.", "", said[columns])  # which stands for several
    assert len({text.replace(" ", "") for text in said.values()}) == 1


@pytest.mark.parametrize("verb", NAMES)
def test_the_help_of_a_verb_has_groups_and_an_example_that_it_takes(verb: str) -> None:
    text = inside(verb, "--help").out
    for group in ("Which tree:", "Output:", "Example"):
        assert group in text
    assert EXAMPLES[verb] in text
    assert f"a2patch {verb}" in EXAMPLES[verb]
    options = set(re.findall(r"(?<=\s)--?[a-z][\w-]*", text.partition("Example")[0]))
    for line in EXAMPLES[verb].splitlines()[1:]:
        typed = re.split(r"\s{3,}| && | \| ", line.strip())[0]
        assert set(re.findall(r"(?<=\s)--?[a-z][\w-]*", typed)) <= options, line


def test_every_verb_is_in_the_help_of_the_program() -> None:
    text = inside("--help").out
    assert [name for name in NAMES if f"\n  {name} " not in text] == []
    assert inside().err == text.removesuffix("\n") + "\n"
    assert inside().code == 2


@pytest.mark.parametrize(
    ("typed", "command", "message"),
    [
        (["aply"], "", "apply"),
        (["--nonsense"], "", "--nonsense"),
        (["apply", "--nonsense"], "apply", "--nonsense"),
        (["status", "surplus"], "status", "surplus"),
        (["insert"], "insert", "--base"),
        (["insert", "--base", "yolov8"], "insert", "--at"),
        (["verify", "--quick", "--full"], "verify", "exclude"),
        (["verify", "no-such.pt"], "verify", "no-such.pt"),
        (["transplant", "x.pt"], "transplant", ""),
    ],
)
def test_a_usage_error_looks_as_any_other_and_names_its_command(typed: list[str], command: str, message: str) -> None:
    told, asked = inside(*typed), inside(*typed, "--json")
    first, *_, last = told.err.splitlines()
    assert (told.code, told.out) == (2, "")
    assert first.startswith("a2patch: ")
    assert message in told.err
    assert last == f"`{' '.join(filter(None, ('a2patch', command, '--help')))}` lists what it takes."
    assert asked.document["command"] == command
    assert asked.document["error"]["kind"] == "UsageError"
    assert asked.document["error"]["message"] in told.err


def test_it_runs_as_a_module_and_completes() -> None:
    def run(variables: dict[str, str], *arguments: str) -> str:
        command = [sys.executable, "-m", "a2patch", *arguments]
        answer = subprocess.run(
            command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    assert run({}, "--version").startswith("a2patch ")
    asked = {"_A2PATCH_COMPLETE": "complete_bash", "COMP_WORDS": "a2patch re", "COMP_CWORD": "1"}
    assert set(run(asked).split()) == {"revert", "recover"}
