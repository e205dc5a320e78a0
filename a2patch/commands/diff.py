"""The command `a2patch diff`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import Console, error_handler
from a2patch.report import tree as summary

if TYPE_CHECKING:
    from a2patch.transaction import Operation


def diff(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Print what the patch changes in this tree."""
    from a2patch.transaction import commit, operations

    with error_handler("diff", as_json) as console:
        tree = locate(console, ultralytics_path, surroundings())
        show_diff(console, commit.read_consistently(tree, console.notify, partial(operations.difference, tree)))


def show_diff(console: Console, outcome: Operation) -> None:
    """Print what a command would change, or changed, as a unified diff."""
    from a2patch.patch import unified

    text = unified(outcome.changes).decode("utf-8", "replace") if outcome.changes else ""
    for line in summary.derived_lines(outcome):  # not among the lines of a diff that may be piped to git
        console.notify(line)
    console.document |= {"tree": summary.tree_document(outcome.survey), "diff": text}
    console.lines([text.removesuffix("\n")] if text else ["already patched: nothing to do"])
