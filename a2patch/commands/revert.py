"""The command `a2patch revert`."""

from __future__ import annotations

from typing import Annotated

import typer

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import edge
from a2patch.report import tree as summary


def revert(
    ultralytics_path: PathOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take ours out even where it was edited; the edits are saved as a patch.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take the patch out, to the byte."""
    from a2patch.transaction import operations as commands
    from a2patch.tree import environment

    with edge("revert", as_json) as page:
        around = surroundings()
        tree = locate(page, ultralytics_path, around)
        outcome = commands.revert(tree, page.say, force=force)
        page.tree(outcome.survey)
        page.lines(summary.copies_lines(outcome.survey, environment.copies(tree, around)))
        if outcome.changes:
            page.changes("reverted", outcome)
            page.notes(outcome)
        else:
            page.lines(["not patched: nothing to do"])
