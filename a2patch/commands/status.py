"""The command `a2patch status`."""

from __future__ import annotations

from functools import partial

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import edge
from a2patch.report import tree as summary


def status(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Tell the state of a tree, and other copies in sight."""
    from a2patch.transaction import commit as transaction
    from a2patch.transaction import operations as commands
    from a2patch.tree import environment

    with edge("status", as_json) as page:
        around = surroundings()
        tree = locate(page, ultralytics_path, around)
        survey = transaction.settled(tree, page.say, partial(commands.survey, tree))
        copies = environment.copies(tree, around)
        page.document["tree"] = summary.tree_document(survey)
        page.document["copies"] = [summary.copy_document(copy) for copy in copies]
        page.lines(summary.status_lines(survey, copies))
