"""The command `a2patch status`."""

from __future__ import annotations

from typing import Annotated

import typer

from a2patch.commands.options import JsonOption, PathOption, locate, surroundings, survey
from a2patch.console import error_handler

_CODES = {"": 0, "not verified": 1, "not whole": 3}


def status(
    ultralytics_path: PathOption = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Exit with 0 only where this a2patch's patch is whole and verified by it; 1: whole, not verified; "
            "3: not whole, edited or another's; 4: no tree, or no access.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell the state of a tree, every copy in sight, and what to type next."""
    from a2patch.transaction import operations
    from a2patch.tree import environment

    with error_handler("status", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        seen = survey(console, tree)
        console.status(seen, environment.copies(tree, around), ultralytics_path)
        if check:
            fault = operations.fault_of(seen)
            console.checked(seen, fault)
            console.code = _CODES[fault]
