"""The command `a2patch apply`."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.block import MODEL, MODULE, Block, BlockClass
from a2patch.commands.given import AsOption, BlocksArgument, GatedOption, RowOption, read_blocks, understood
from a2patch.commands.options import TREE, JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.commands.verify import try_tree
from a2patch.console import Console, error_handler, interruption
from a2patch.errors import AccessError, InterruptionError, ToolMissingError
from a2patch.graph import at_scale
from a2patch.report import blocks as block_report
from a2patch.report import next_steps

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
    from a2patch.transaction import application, commit, operations, read_consistently
    from a2patch.tree import environment

    if not named and (row or import_as or gated):
        raise typer.BadParameter("--row, --as and --gated are about a BLOCK")
    with error_handler("apply", as_json) as console:
        given = read_blocks(named or [], row or [], import_as or [])
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        blocks = understood(console, tree, around, python, given, try_them=not no_verify, twins=gated, aside=dry_run)
        shown = blocks if MODULE not in (named or [MODULE]) else ()
        if copy is not None and not dry_run:
            tree = _copied(console, tree, around, copy)
            ultralytics_path = copy
        if named and MODULE not in named:
            look = partial(application.preview_blocks, tree, blocks)
        else:
            look = partial(application.preview, tree, blocks, derivable=not no_derive)
        if dry_run:
            console.diff(read_consistently(tree, console.notify, look))
            return
        copies = environment.copies(tree, around)  # before anything is written: it may fail
        try:
            outcome = commit.transact(tree, "apply", console.notify, look)
        except AccessError as error:
            error.remedy += _way_round(error, ultralytics_path)
            raise
        console.tree(outcome.survey)
        console.copies(outcome.survey, copies)
        if not outcome.changes:
            console.unchanged(outcome.survey)
            if outcome.notes:
                console.notes(outcome)
            console.lines(_next_steps(tree, copies, ultralytics_path, shown) if copy else [])
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
            console.lines(["", f"unverified: `{next_steps.command('verify', ultralytics_path)}` verifies it"])
        console.lines(_next_steps(tree, copies, ultralytics_path, shown))


def _way_round(error: AccessError, named: Path | None) -> str:
    """Return how to patch a tree that its user must not write; nothing where it is something else that failed."""
    refused = isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
    return f" `{next_steps.command('apply --copy-to DIR', named)}` patches a copy of it." if refused else ""


def _copied(console: Console, tree: Tree, around: Surroundings, folder: Path) -> Tree:
    """Copy the package of a tree, to be tried with the interpreter of the tree that it comes from."""
    from a2patch.tree import copy_to, environment

    made = replace(copy_to(tree, (around.folder / folder).resolve()), owner=environment.interpreter_for(tree, around))
    console.document["copied"] = str(made.package.parent)
    console.lines([f"copied   {tree.package}", f"         to {made.package}"])
    return made


def _passed(
    console: Console, tree: Tree, around: Surroundings, copies: Sequence[Copy], python: Path | None
) -> bool | None:
    """Verify what was just applied, and return whether it passed; nothing where it can't be tried."""
    from a2patch.runner import DEFAULT

    try:
        return all(tried.verdict.ok for tried in try_tree(console, tree, around, copies, python, only=DEFAULT))
    except (AccessError, ToolMissingError) as error:  # it says nothing about the patch
        console.unverified(error)
        return None


def _unverified(interrupt: KeyboardInterrupt, path: Path | None) -> InterruptionError:
    """Return what to say where a patch that is in is not tried to the end."""
    verify, revert = next_steps.command("verify", path), next_steps.command("revert", path)
    return interruption(interrupt, f"The patch is in, unverified: `{verify}` verifies it, `{revert}` takes it out.")


def _next_steps(tree: Tree, copies: Sequence[Copy], path: Path | None, blocks: Sequence[Block]) -> list[str]:
    train = next_steps.training(tree, copies, f"detect train model={at_scale(MODEL, 's')} data=coco8.yaml epochs=3")
    first = f"{train}   # any of n s m l x" if train else ""
    if blocks:
        shown = _shown_class(blocks[0])
        stands = {0.5: "in place of a Conv that halves the map", 2.0: "in place of nn.Upsample"}.get(shown.scale)
        if shown.reads_several:
            stands = "in place of Concat" if shown.rule and shown.rule.kind == "join" else "where such maps meet"
        first = f"{next_steps.command('insert', path)} --base yolov8 --block {shown.name} --at P3"
        if stands:  # what changes the size, or joins maps, stands nowhere behind a layer
            first = f"in a copy of a model YAML, {stands}: {block_report.example_row(shown)}"
    return [
        "",
        "next",
        *([f"  {first}"] if first else []),
        f"  {next_steps.command('status', path)}",
        f"  {next_steps.command('revert', path)}",
    ]


def _shown_class(block: Block) -> BlockClass:
    """Return the class to show a command with: a twin behind a gate, where its user asked for one."""
    names = block.names()
    twins = (each for each in block.classes if each.name.removeprefix("Gated") in {*names} - {each.name})
    return next(twins, block.classes[0])
