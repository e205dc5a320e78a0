"""The edge: what is printed, where errors are shown once and become exit codes; the only file that prints."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from a2patch.errors import A2PatchError
from a2patch.report import tree as summary

if TYPE_CHECKING:
    from a2patch.transaction import Operation, Survey

SCHEMA = 1


class Ended(SystemExit):
    """The end of a command that has shown its own error, and its document."""


class Console:
    """What a command has to say: lines as they come for people, or one document at the end."""

    def __init__(self, command: str, *, as_json: bool) -> None:
        self.as_json = as_json
        self.code = 0
        self.document: dict[str, Any] = {"schema": SCHEMA, "command": command}

    def notify(self, text: str) -> None:
        """Tell something at once, on standard error."""
        print(text, file=sys.stderr, flush=True)

    def lines(self, lines: Sequence[str]) -> None:
        """Tell people something; scripts get the document."""
        if not self.as_json:
            for line in lines:
                print(line, flush=True)

    def tree(self, survey: Survey) -> None:
        """Tell which tree it is."""
        self.document["tree"] = summary.tree_document(survey)
        self.lines(summary.tree_lines(survey))

    def changes(self, title: str, outcome: Operation) -> None:
        """Tell what changed."""
        self.document["changes"] = summary.changes_document(outcome)
        self.lines([title, *summary.change_lines(outcome)])

    def notes(self, outcome: Operation) -> None:
        """Tell what is to be known besides."""
        self.document["notes"] = list(outcome.notes)
        self.lines([f"note     {note}" for note in outcome.notes])

    def exit(self, code: int) -> None:
        """Set the exit code of the command."""
        self.code = code

    def close(self, error: A2PatchError | None = None) -> None:
        """Print the document, where one is wanted."""
        self.document |= {"ok": self.code == 0, "exit_code": self.code}
        if error is not None:
            self.document["error"] = summary.error_document(error)
        if self.as_json:
            print(json.dumps(self.document, indent=1, ensure_ascii=False))


@contextmanager
def error_handler(command: str, as_json: bool) -> Iterator[Console]:
    """Show an error once, and turn it into an exit code."""
    console = Console(command, as_json=as_json)
    failure = None
    try:
        yield console
    except A2PatchError as error:
        failure = error
        console.exit(error.exit_code)
        if not as_json:
            print("\n".join(summary.error_lines(error)), file=sys.stderr)
    except KeyboardInterrupt:
        console.exit(130)
        console.notify("interrupted")
    console.close(failure)
    if console.code:
        raise Ended(console.code)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """One line that tells what is being tried; a line each where there is no terminal."""
    if not sys.stderr.isatty():
        yield lambda text: print(text, file=sys.stderr, flush=True)
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as line:
        yield line.update


def width() -> int:
    """How many columns the terminal has; 120 where there is none."""
    return shutil.get_terminal_size((120, 24)).columns


def usage_document() -> str:
    """The document of a command line that could not be understood."""
    usage = {"kind": "UsageError", "message": "bad usage; standard error tells", "remedy": "a2patch --help"}
    return json.dumps({"schema": SCHEMA, "ok": False, "exit_code": 2, "error": usage})
