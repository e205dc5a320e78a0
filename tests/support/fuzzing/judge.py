"""What must hold of every command, whatever it was given."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.command import Answer
from tests.support.fuzzing.inputs import Input
from tests.support.fuzzing.world import JOURNAL, LOCK, State
from tests.support.schema import flaws

_CODES = range(5)  # 5 is an error of ours, and so a fault of what is tried


def judged(answer: Answer, before: State, after: State, given: Input, tree: str) -> Iterator[str]:
    """Yield what is wrong with an answer, and with what became of the files.

    Args:
        answer: The answer.
        before: The files before the command.
        after: The files after it.
        given: What was tried.
        tree: The path of the package folder.
    """
    if "Traceback (most recent call last)" in answer.err + answer.out:
        yield f"a traceback:\n{answer.err[-2000:]}"
    if answer.code not in _CODES:
        yield f"exit code {answer.code}\n{answer.out[-600:]}{answer.err[-600:]}{_details(answer)}"
        return
    document: dict[str, Any] = {}
    if given.command.asks_json:
        try:
            document = json.loads(answer.out)
        except ValueError:
            yield f"no document, but {answer.out[:300]!r}\n{answer.err[-600:]}"
            return
        yield from (f"a document that the schema refuses: {flaw}" for flaw in flaws(document))
        if document["exit_code"] != answer.code or document["ok"] != (answer.code == 0):
            yield "the document names another exit code"
    elif answer.code and not answer.err.strip() and not answer.out.strip():
        yield f"exit code {answer.code} without a word"
    yield from _of_files(answer, before, after, given, tree, recovered=bool(document.get("recovered")))


def _of_files(
    answer: Answer, before: State, after: State, given: Input, tree: str, *, recovered: bool
) -> Iterator[str]:
    """Yield what is wrong with what became of the files."""
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    allowed = [f"{tree}/", "site-packages/ultralytics-"]
    if given.command.verb == "insert" or not {"--report", "--force"}.isdisjoint(given.command.options):
        allowed.append("here/")
        changed -= {path for path in changed if path.startswith("here/") and path not in before}
    if outside := [path for path in changed if not path.startswith(tuple(allowed))]:
        yield f"changed outside the tree: {outside[:5]}"
    cleared = recovered or given.start.startswith("interrupted") or {f"{tree}/{JOURNAL}", f"{tree}/{LOCK}"} & {*before}
    if not given.command.asks_json:  # then nobody says whether a folder without a receipt was cleared away
        changed = {path for path in changed if not path.startswith(f"{tree}/.a2patch")}
    if changed and not cleared and (given.command.looks or answer.code):
        yield f"exit code {answer.code}, and yet changed: {sorted(changed)[:5]}"


def _details(answer: Answer) -> str:
    """Return the end of what an error of ours left in its file."""
    try:
        return Path(json.loads(answer.out)["error"]["path"]).read_text()[-2500:]
    except (ValueError, KeyError, TypeError, OSError):
        return ""
