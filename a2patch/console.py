"""Print what a command has to say, and turn errors into exit codes; nothing else prints."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from a2patch.errors import A2PatchError
from a2patch.report import json, tree

if TYPE_CHECKING:
    from a2patch.runner import InsertResult, Transplant, Verdict
    from a2patch.runner import compare as runner
    from a2patch.transaction import Operation, Survey
    from a2patch.tree import Copy, Tree


_LINE_SECONDS = 30.0  # where there is no terminal, from one line on trainings to the next


class Ended(SystemExit):
    """The end of a command that has shown its own error, and its document."""


class Console:
    """What a command has to say: lines at once for people, or one document at the end for scripts.

    Attributes:
        code: The exit code of the command.
        document: What `--json` prints.
    """

    def __init__(self, command: str, *, as_json: bool) -> None:
        self._as_json = as_json
        self.code = 0
        self.document: dict[str, Any] = {"schema": json.SCHEMA, "command": command}

    def notify(self, text: str) -> None:
        """Print a line at once, on standard error."""
        print(text, file=sys.stderr, flush=True)

    def lines(self, lines: Sequence[str]) -> None:
        """Print lines for people; scripts get the document."""
        if not self._as_json:
            for line in lines:
                print(line, flush=True)

    def tree(self, survey: Survey) -> None:
        """Say which tree the command is about."""
        self.document["tree"] = json.tree(survey)
        self.lines(tree.tree_lines(survey))

    def status(self, survey: Survey, copies: Sequence[Copy]) -> None:
        """Say all that is known of a tree, and which copies of ultralytics are in sight."""
        self.document["tree"] = json.tree(survey)
        self.document["copies"] = [json.copy(copy) for copy in copies]
        self.lines(tree.status_lines(survey, copies))

    def copies(self, survey: Survey, copies: Sequence[Copy]) -> None:
        """Warn people of other copies of ultralytics."""
        self.lines(tree.copies_lines(survey, copies))

    def changes(self, title: str, outcome: Operation) -> None:
        """Say what changed."""
        self.document["changes"] = json.changes(outcome)
        self.lines([title, *tree.change_lines(outcome)])

    def unchanged(self, survey: Survey) -> None:
        """Say that the tree has the patch already."""
        self.lines(tree.unchanged_lines(survey))

    def notes(self, outcome: Operation) -> None:
        """Say what else there is to know about a change."""
        self.document["notes"] = list(outcome.notes)
        self.lines([f"note     {note}" for note in outcome.notes])

    def derived(self, outcome: Operation) -> None:
        """Warn people where no versioned diff fitted."""
        self.lines(tree.derived_lines(outcome))

    def diff(self, outcome: Operation) -> None:
        """Print what a command would change, or changed, as a unified diff."""
        from a2patch.patch import unified

        text = unified(outcome.changes).decode("utf-8", "replace") if outcome.changes else ""
        for line in tree.derived_lines(outcome):  # not among the lines of a diff that may be piped to git
            self.notify(line)
        self.document |= {"tree": json.tree(outcome.survey), "diff": text}
        self.lines([text.removesuffix("\n")] if text else ["already patched: nothing to do"])

    def verdict(self, verdict: Verdict) -> None:
        """Print a verdict."""
        from a2patch.report import verdict as report

        self.document["verdict"] = json.verdict(verdict)
        self.lines(["", report.verdict_text(verdict, width())])

    def inserted(self, tree: Tree, base: Path, result: InsertResult) -> None:
        """Print the models that were made, and what came out of trying them."""
        from a2patch.report import insert as report

        self.document["base"] = str(base)
        self.lines([f"tree     {tree.package}", f"base     {base}", "", *report.model_lines(result.models, width())])
        self.verdict(result.verdict)
        self.lines([""])

    def transplant(self, result: Transplant, checkpoint: Path, written: Path | None) -> None:
        """Print what became of a checkpoint's weights."""
        from a2patch.report import transplant as report

        self.document["transplant"] = json.transplant(result, written)
        self.lines(report.transplant_lines(result, checkpoint, written))

    def comparison(self, found: runner.Comparison, folder: Path) -> None:
        """Print what came out of a comparison, and where it is kept."""
        from a2patch.report import compare, compare_files

        self.document |= {"comparison": compare_files.document(found), "folder": str(folder)}
        self.lines([*compare.comparison_lines(found, width()), "", f"report   {folder / 'index.html'}"])

    def interrupted_comparison(self, words: Sequence[str], folder: Path) -> None:
        """Say how to go on with a comparison."""
        from a2patch.report import compare

        for line in compare.interrupted_lines(words, folder):
            self.notify(line)

    def unverified(self, error: A2PatchError) -> None:
        """Say why the result of a command could not be tried, which does not end the command."""
        self.document["unverified"] = json.error(error)
        self.lines(["", *tree.error_lines(error)])

    def close(self, error: A2PatchError | None = None) -> None:
        """Print the document, where one is wanted."""
        self.document |= {"ok": self.code == 0, "exit_code": self.code}
        if error is not None:
            self.document["error"] = json.error(error)
        if self._as_json:
            print(json.encode(self.document))
        elif error is not None:
            print("\n".join(tree.error_lines(error)), file=sys.stderr)


@contextmanager
def error_handler(command: str, as_json: bool) -> Iterator[Console]:
    """Show an error once, and turn it into an exit code."""
    console = Console(command, as_json=as_json)
    failure = None
    try:
        yield console
    except A2PatchError as error:
        failure = error
        console.code = error.exit_code
    except KeyboardInterrupt:
        console.code = 130
        console.notify("interrupted")
    console.close(failure)
    if console.code:
        raise Ended(console.code)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show one line that says what is being tried; where there is no terminal, a line for each."""
    if not sys.stderr.isatty():
        yield lambda text: print(text, file=sys.stderr, flush=True)
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as line:
        yield line.update


@contextmanager
def board(jobs: int) -> Iterator[Callable[[Sequence[runner.Progress], str], None]]:
    """Show how far trainings are, as a table that is drawn anew; where there is no terminal, a line now and then.

    Args:
        jobs: How many run at once.
    """
    from a2patch.report import compare

    if not sys.stderr.isatty():
        told = [0.0]

        def line(states: Sequence[runner.Progress], news: str) -> None:
            if news or time.monotonic() - told[0] > _LINE_SECONDS:
                told[0] = time.monotonic()
                text = compare.progress_line(states, jobs)
                print(f"{text}: {news}" if news else text, file=sys.stderr, flush=True)

        yield line
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def draw(states: Sequence[runner.Progress], news: str) -> None:
            if news:
                live.console.print(Text(news))
            live.update(Text("\n".join(compare.progress_lines(states, jobs))), refresh=True)

        yield draw


def width() -> int:
    """Return how many columns the terminal has; 120 where there is none."""
    return shutil.get_terminal_size((120, 24)).columns
