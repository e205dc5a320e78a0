"""The command `a2patch apply`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.commands.options import TREE, JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.commands.verify import try_tree
from a2patch.console import Console, error_handler, interruption
from a2patch.errors import AccessError, InterruptionError, ToolMissingError
from a2patch.report import next_steps

if TYPE_CHECKING:
    from a2patch.runner import Verdict
    from a2patch.tree import Copy, Surroundings, Tree


def apply(
    ultralytics_path: PathOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the diff of this very tree; write nothing.")
    ] = False,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not try the result.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the patch even if it fails verification.")] = False,
    no_derive: Annotated[bool, typer.Option("--no-derive", help="Refuse a tree that no versioned diff fits.")] = False,
    copy: Annotated[
        Path | None,
        typer.Option(
            "--copy-to", metavar="DIR", help="Copy the package to DIR and patch the copy.", rich_help_panel=TREE
        ),
    ] = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Patch a tree and verify the result."""
    from a2patch.transaction import operations, read_consistently
    from a2patch.tree import environment

    with error_handler("apply", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        if copy is not None and not dry_run:
            tree = _copied(console, tree, around, copy)
            ultralytics_path = copy
        if dry_run:
            console.diff(
                read_consistently(tree, console.notify, partial(operations.preview, tree, derivable=not no_derive))
            )
            return
        copies = environment.copies(tree, around)  # before anything is written: it may fail
        outcome = operations.apply(tree, console.notify, derivable=not no_derive)
        console.tree(outcome.survey)
        console.copies(outcome.survey, copies)
        if not outcome.changes:
            console.unchanged(outcome.survey)
            console.lines(_next_steps(tree, copies, ultralytics_path) if copy else [])
            return
        console.changes("patched", outcome)
        console.notes(outcome)
        console.derived(outcome)
        try:
            verdict = None if no_verify else _verdict(console, tree, around, copies, python)
        except KeyboardInterrupt as interrupt:
            raise _unverified(interrupt, ultralytics_path) from interrupt
        if verdict is not None and not verdict.ok:
            console.code = 1
            if not keep:
                operations.undo(tree, outcome, console.notify)
                console.undone(outcome)
            return
        if verdict is None:
            console.lines(["", f"unverified: `{next_steps.command('verify', ultralytics_path)}` verifies it"])
        console.lines(_next_steps(tree, copies, ultralytics_path))


def _copied(console: Console, tree: Tree, around: Surroundings, folder: Path) -> Tree:
    """Copy the package of a tree, to be tried with the interpreter of the tree that it comes from."""
    from a2patch.tree import copy_to, environment

    made = replace(copy_to(tree, (around.folder / folder).resolve()), owner=environment.interpreter_for(tree, around))
    console.document["copied"] = str(made.package.parent)
    console.lines([f"copied   {tree.package}", f"         to {made.package}"])
    return made


def _verdict(
    console: Console, tree: Tree, around: Surroundings, copies: Sequence[Copy], python: Path | None
) -> Verdict | None:
    """Verify what was just applied; return nothing where it can't be tried."""
    from a2patch.runner import DEFAULT

    try:
        return try_tree(console, tree, around, copies, python, only=DEFAULT)
    except (AccessError, ToolMissingError) as error:  # it says nothing about the patch
        console.unverified(error)
        return None


def _unverified(interrupt: KeyboardInterrupt, path: Path | None) -> InterruptionError:
    """Return what to say where a patch that is in is not tried to the end."""
    verify, revert = next_steps.command("verify", path), next_steps.command("revert", path)
    return interruption(interrupt, f"The patch is in, unverified: `{verify}` verifies it, `{revert}` takes it out.")


def _next_steps(tree: Tree, copies: Sequence[Copy], path: Path | None) -> list[str]:
    train = next_steps.training(tree, copies, "detect train model=yolov8s_A2.yaml data=coco8.yaml epochs=3")
    return [
        "",
        "next",
        *([f"  {train}   # any of n s m l x"] if train else []),
        f"  {next_steps.command('status', path)}",
        f"  {next_steps.command('revert', path)}",
    ]
