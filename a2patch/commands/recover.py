"""The command `a2patch recover`."""

from __future__ import annotations

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import error_handler


def recover(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Finish or undo a command that was interrupted; every other command does so too."""
    with error_handler("recover", as_json) as console:
        locate(console, ultralytics_path, surroundings())
        if not console.document["recovered"]:
            console.lines(["nothing was interrupted: nothing to do"])
