"""The command `a2patch recover`."""

from __future__ import annotations

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import edge


def recover(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Finish or undo a command that was interrupted; every other command does so too."""
    with edge("recover", as_json) as page:
        locate(page, ultralytics_path, surroundings())
        if not page.document["recovered"]:
            page.lines(["nothing was interrupted: nothing to do"])
