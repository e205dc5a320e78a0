"""The command `a2patch apply`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.block import MODEL, MODULE, Block
from a2patch.commands.given import AsOption, BlocksArgument, GatedOption, RowOption, read_blocks, understood
from a2patch.commands.options import JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.commands.verify import try_tree
from a2patch.console import Console, error_handler, interruption
from a2patch.errors import AccessError, InterruptionError, ToolMissingError
from a2patch.graph import at_scale

if TYPE_CHECKING:
    from a2patch.tree import Copy, Surroundings, Tree


def apply(
    named: BlocksArgument = None,
    row: RowOption = None,
    import_as: AsOption = None,
    gated: GatedOption = False,
    ultralytics_path: PathOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the diff of this very tree; write nothing.")
    ] = False,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not try the result.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the patch even if it fails verification.")] = False,
    no_derive: Annotated[bool, typer.Option("--no-derive", help="Refuse a tree that no versioned diff fits.")] = False,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Patch a tree and verify the result."""
    from a2patch.transaction import commit, operations, read_consistently
    from a2patch.tree import environment

    if not named and (row or import_as or gated):
        raise typer.BadParameter("--row, --as and --gated are about a BLOCK")
    with error_handler("apply", as_json) as console:
        given = read_blocks(named or [], row or [], import_as or [])
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        blocks = understood(console, tree, around, python, given, try_them=not no_verify, twins=gated, aside=dry_run)
        if named and MODULE not in named:
            look = partial(operations.preview_blocks, tree, blocks)
        else:
            look = partial(operations.preview, tree, blocks, derivable=not no_derive)
        if dry_run:
            console.diff(read_consistently(tree, console.notify, look))
            return
        outcome = commit.transact(tree, "apply", console.notify, look)
        copies = environment.copies(tree, around)
        console.tree(outcome.survey)
        console.copies(outcome.survey, copies)
        if not outcome.changes:
            console.unchanged(outcome.survey)
            return
        console.changes("patched", outcome)
        console.notes(outcome)
        console.derived(outcome)
        try:
            passed = None if no_verify else _passed(console, tree, around, copies, python)
        except KeyboardInterrupt as interrupt:
            raise _unverified(interrupt, ultralytics_path) from interrupt
        if passed is False:
            console.code = 1
            if not keep:
                operations.undo(tree, outcome, console.notify)
                console.undone(outcome)
            return
        if passed is None:
            console.lines(["", f"unverified: `{_command('verify', ultralytics_path)}` verifies it"])
        console.lines(_next_steps(tree, ultralytics_path, blocks if MODULE not in (named or [MODULE]) else ()))


def _passed(
    console: Console, tree: Tree, around: Surroundings, copies: Sequence[Copy], python: Path | None
) -> bool | None:
    """Verify what was just applied, and return whether it passed; nothing where it can't be tried."""
    from a2patch.runner import DEFAULT

    try:
        return all(verdict.ok for verdict in try_tree(console, tree, around, copies, python, only=DEFAULT))
    except (AccessError, ToolMissingError) as error:  # it says nothing about the patch
        console.unverified(error)
        return None


def _unverified(interrupt: KeyboardInterrupt, path: Path | None) -> InterruptionError:
    """Return what to say where a patch that is in is not tried to the end."""
    verify, revert = _command("verify", path), _command("revert", path)
    return interruption(interrupt, f"The patch is in, unverified: `{verify}` verifies it, `{revert}` takes it out.")


def _next_steps(tree: Tree, path: Path | None, blocks: Sequence[Block]) -> list[str]:
    scaled = at_scale(MODEL, "s")
    train = f"  yolo detect train model={scaled} data=coco8.yaml epochs=3   # any of n s m l x"
    if blocks:
        train = f"  {_command('insert', path)} --base yolov8 --block {blocks[0].names()[0]} --at P3"
    return [
        "",
        "next",
        # `yolo` belongs to the package of the original name
        *([] if tree.is_renamed and not blocks else [train]),
        f"  {_command('status', path)}",
        f"  {_command('revert', path)}",
    ]


def _command(verb: str, path: Path | None) -> str:
    """Return what to type for a verb on the same tree."""
    return f"a2patch {verb}" + (f' --ultralytics-path "{path}"' if path else "")
