"""The command `a2patch blocks`."""

from __future__ import annotations

from a2patch.block import bundled
from a2patch.commands.options import JsonOption, PathOption, locate, surroundings, survey
from a2patch.console import error_handler
from a2patch.errors import TreeNotFoundError


def blocks(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """List the blocks that come with a2patch, and those that a tree has."""
    with error_handler("blocks", as_json) as console:
        console.bundled(tuple(bundled().values()))
        try:
            tree = locate(console, ultralytics_path, surroundings())
        except TreeNotFoundError:
            if ultralytics_path is not None:
                raise
            console.lines(["", "no tree here: name one with --ultralytics-path"])
            return
        console.tree_blocks(survey(console, tree))
