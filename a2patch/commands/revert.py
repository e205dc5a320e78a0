"""The command `a2patch revert`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from a2patch.block import Block, read_module_file
from a2patch.commands.options import JsonOption, PathOption, locate, surroundings
from a2patch.console import error_handler
from a2patch.errors import BlockError


def revert(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="BLOCK", help="The blocks to take out; without any: all of ours.")
    ] = None,
    ultralytics_path: PathOption = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Take ours out even where you edited it; your edits are saved here as a patch."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take the patch out, to the byte."""
    from a2patch.transaction import operations
    from a2patch.tree import environment

    with error_handler("revert", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        copies = environment.copies(tree, around)  # before anything is written: it may fail
        outcome = operations.revert(
            tree, console.notify, names or [], _files(names or []), force=force, folder=around.folder
        )
        console.tree(outcome.survey)
        console.copies(outcome.survey, copies)
        if outcome.writes:
            console.changes("reverted", outcome)
            console.notes(outcome)
        else:
            console.lines(["not patched: nothing to do"])


def _files(names: Sequence[str]) -> list[Block]:
    """Return the blocks of the files among what was typed: where the receipt is lost, they tell what is theirs."""
    found = []
    for name in names:
        if name.endswith(".py") and Path(name).is_file():
            with suppress(BlockError):  # the name still tells which one is meant
                found.append(read_module_file(Path(name)))
    return found
