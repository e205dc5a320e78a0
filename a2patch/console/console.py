"""Say what a command has to say, and turn errors into exit codes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from a2patch.console import failure
from a2patch.console.output import Output
from a2patch.errors import A2PatchError, EndedBySignal, InterruptionError, UsageError
from a2patch.report import blocks, json, styled, tree

if TYPE_CHECKING:
    from a2patch.block import Block
    from a2patch.runner import InsertResult, Transplant, Verdict
    from a2patch.runner import compare as runner
    from a2patch.transaction import Operation, Survey
    from a2patch.tree import Copy, Tree


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
        self._output = Output()
        self.code = 0
        self.document: dict[str, Any] = {"schema": json.SCHEMA, "command": command}

    def notify(self, text: str) -> None:
        """Print a line at once, on standard error."""
        self._output.error(text)

    def lines(self, lines: Sequence[str | styled.Styled]) -> None:
        """Print lines for people; scripts get the document."""
        if not self._as_json:
            for line in lines:
                self._output.line(line)

    def tree(self, survey: Survey) -> None:
        """Say which tree the command is about."""
        self.document["tree"] = json.tree(survey)
        self.lines(tree.tree_lines(survey))

    def status(self, survey: Survey, copies: Sequence[Copy], named: Path | None) -> None:
        """Say all that is known of a tree, and which copies of ultralytics are in sight."""
        self.document["tree"] = json.tree(survey)
        self.document["copies"] = [json.copy(copy) for copy in copies]
        self.lines(tree.status_lines(survey, copies, named))

    def checked(self, survey: Survey, fault: str) -> None:
        """Say what `status --check` comes to."""
        self.document["check"] = fault or "verified"
        self.lines(["", tree.checked_line(survey, fault)])

    def copies(self, survey: Survey, copies: Sequence[Copy]) -> None:
        """Warn people of other copies of ultralytics."""
        self.lines(tree.copies_lines(survey, copies))

    def changes(self, title: str, outcome: Operation) -> None:
        """Say what changed."""
        self.document["changes"] = json.changes(outcome)
        self.lines([title, *tree.change_lines(outcome)])

    def undone(self, outcome: Operation) -> None:
        """Say that what failed its verdict is out again, and what is there now."""
        self.document["undone"] = True
        self.lines(["", tree.undone_line(outcome.survey)])

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

    def understood(self, told: Sequence[tuple[Block, Mapping[str, str]]], *, aside: bool) -> None:
        """Say how the rows of blocks are read; aside where what is printed may be piped."""
        if told:
            self.document["blocks"] = [
                {"name": block.name, "classes": [c | {"by": by.get(c["name"])} for c in blocks.classes(block)]}
                for block, by in told
            ]
        if aside:
            for line in blocks.understood_lines(told):
                self.notify(line)
        else:
            self.lines(blocks.understood_lines(told))

    def bundled(self, found: Sequence[Block]) -> None:
        """Say which blocks come with a2patch."""
        self.document["bundled"] = blocks.bundled_document(found)
        self.lines(blocks.bundled_lines(found))

    def tree_blocks(self, survey: Survey) -> None:
        """Say which blocks a tree has."""
        self.document |= {"tree": json.tree(survey), "blocks": blocks.tree_document(survey)}
        self.lines(blocks.tree_lines(survey))

    def block_verdict(self, name: str, verdict: Verdict) -> None:
        """Print the verdict on a block."""
        from a2patch.report import verdict as report

        entries = self.document.setdefault("blocks", [])
        entry = next((each for each in entries if each["name"] == name), None)
        if entry is None:
            entries.append(entry := {"name": name})
        entry["verdict"] = json.verdict(verdict)
        self.lines(["", name, *report.verdict_lines(verdict, width())])

    def diff(self, outcome: Operation) -> None:
        """Print what a command would change, or changed, as a unified diff."""
        from a2patch.patch import unified

        content = unified(outcome.changes, outcome.survey.tree.package.name) if outcome.changes else b""
        for line in tree.derived_lines(outcome):  # not among the lines of a diff that may be piped to git
            self.notify(line)
        self.document |= {"tree": json.tree(outcome.survey), "diff": content.decode("utf-8", "surrogateescape")}
        if content and not self._as_json:
            self._output.content(content)
        elif not content:
            self.lines(["already patched: nothing to do"])

    def verdict(self, verdict: Verdict) -> None:
        """Print a verdict; behind `apply`, with what is known of the tutorial's model in one line."""
        from a2patch.report import verdict as report

        self.document["verdict"] = json.verdict(verdict)
        checks = report.summarized(verdict) if self.document["command"] == "apply" else None
        self.lines(["", *report.verdict_lines(verdict, width(), checks)])

    def inserted(self, tree: Tree, base: Path, result: InsertResult) -> None:
        """Print the models that were made, and what came out of trying them."""
        from a2patch.report import insert as report

        self.document["base"] = str(base)
        self.lines([f"tree     {tree.package}", f"base     {base}", "", *report.model_lines(result.models)])
        self.verdict(result.verdict)
        self.lines([""])

    def layers(self, result: InsertResult) -> None:
        """Print the layers of the models that were made."""
        from a2patch.report import insert as report

        self.lines(report.layer_lines(result.models, width()))

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

    def unverified(self, error: A2PatchError) -> None:
        """Say why the result of a command could not be tried, which does not end the command."""
        self.document["unverified"] = json.error(error)
        self.lines(["", *tree.error_lines(error)])

    def close(self, error: A2PatchError | None = None) -> None:
        """Show the error that ended the command, if one did, and print the document, where one is wanted."""
        self.code = error.exit_code if error else self.code
        self.document |= {"ok": self.code == 0, "exit_code": self.code}
        if error is not None:
            self.document["error"] = json.error(error)
        if self._as_json:
            self._output.line(json.encode(self.document))
        elif error is not None:
            self._fail(error)
        lost = self._output.finish()
        if lost is not None:
            self._fail(lost)
            self.code = self.code or lost.exit_code

    def _fail(self, error: A2PatchError) -> None:
        """Show an error on standard error."""
        for line in tree.error_lines(error):
            self._output.error(line)


@contextmanager
def error_handler(command: str, as_json: bool) -> Iterator[Console]:
    """Show an error once, and turn it into an exit code.

    Args:
        command: The name of the command; empty while none has begun.
        as_json: Whether a document is wanted.
    """
    console = Console(command, as_json=as_json)
    ended: A2PatchError | None = None
    try:
        yield console
    except (typer.BadParameter, typer.Exit, Ended):
        raise
    except A2PatchError as error:
        ended = error
    except KeyboardInterrupt as error:
        ended = interruption(error, "`a2patch status` tells how the tree stands.")
    except (Exception, SystemExit) as error:
        ended = failure.explained(error, sys.argv[1:])
    console.close(ended)
    if console.code:
        raise Ended(console.code)


@contextmanager
def usage_handler(arguments: Sequence[str]) -> Iterator[None]:
    """Show what is wrong with a command line as any other error, and every end before a command begins its own.

    Args:
        arguments: What was typed behind the program's name.
    """
    with error_handler("", "--json" in arguments) as console:
        try:
            yield
        except Ended:
            raise
        except typer.Abort as error:  # how older ones tell of Ctrl-C
            raise KeyboardInterrupt from error
        except SystemExit as end:  # who read the help has read enough, or a shell has asked for completions
            if not isinstance(end.__context__, BrokenPipeError):
                raise Ended(end.code) from end
        except Exception as error:
            told = getattr(error, "format_message", None)  # all errors of the library that reads the options have it
            if told is None:
                raise
            context = getattr(error, "ctx", None)
            if context is not None and context.parent is not None:
                console.document["command"] = context.info_name
            typed = " ".join(filter(None, ("a2patch", str(console.document["command"]), "--help")))
            raise UsageError(str(told()), remedy=f"`{typed}` lists what it takes.") from error


def interruption(error: KeyboardInterrupt, remedy: str) -> InterruptionError:
    """Return what ended a command from outside, as an error that can be shown."""
    how = f"ended by {error}" if isinstance(error, EndedBySignal) else "interrupted"
    return InterruptionError(how, remedy=remedy)


def width() -> int:
    """Return how many columns the terminal has; 120 where there is none."""
    return shutil.get_terminal_size((120, 24)).columns
