"""The command `a2patch diff`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import Page, edge
from a2patch.report import tree as summary

if TYPE_CHECKING:
    from a2patch.transaction import Outcome


def diff(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Print what the patch changes in this tree."""
    from a2patch.transaction import commit as transaction
    from a2patch.transaction import operations as commands

    with edge("diff", as_json) as page:
        tree = locate(page, ultralytics_path, surroundings())
        show_diff(page, transaction.settled(tree, page.say, partial(commands.difference, tree)))


def show_diff(page: Page, outcome: Outcome) -> None:
    """Print what a command would change, or changed, as a unified diff."""
    from a2patch.patch import unified

    text = unified(outcome.changes).decode("utf-8", "replace") if outcome.changes else ""
    for line in summary.derived_lines(outcome):  # not among the lines of a diff that may be piped to git
        page.say(line)
    page.document |= {"tree": summary.tree_document(outcome.survey), "diff": text}
    page.lines([text.removesuffix("\n")] if text else ["already patched: nothing to do"])
