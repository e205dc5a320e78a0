"""The command `a2patch status`."""

from __future__ import annotations

from functools import partial

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import error_handler
from a2patch.report import tree as summary


def status(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Tell the state of a tree, and other copies in sight."""
    from a2patch.transaction import commit, operations
    from a2patch.tree import environment

    with error_handler("status", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        survey = commit.read_consistently(tree, console.notify, partial(operations.survey, tree))
        copies = environment.copies(tree, around)
        console.document["tree"] = summary.tree_document(survey)
        console.document["copies"] = [summary.copy_document(copy) for copy in copies]
        console.lines(summary.status_lines(survey, copies))
