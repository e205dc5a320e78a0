"""The command `a2patch diff`."""

from __future__ import annotations

from functools import partial

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import error_handler


def diff(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Print what the patch changes in this tree."""
    from a2patch.transaction import application, read_consistently

    with error_handler("diff", as_json) as console:
        tree = locate(console, ultralytics_path, surroundings())
        console.diff(read_consistently(tree, console.notify, partial(application.difference, tree)))
