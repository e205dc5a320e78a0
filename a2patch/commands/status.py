"""The command `a2patch status`."""

from __future__ import annotations

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings, survey
from a2patch.console import error_handler


def status(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Tell the state of a tree, and other copies in sight."""
    from a2patch.tree import environment

    with error_handler("status", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        console.status(survey(console, tree), environment.copies(tree, around), ultralytics_path)
