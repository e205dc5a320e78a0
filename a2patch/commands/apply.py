"""The command `a2patch apply`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.commands.diff import show_diff
from a2patch.commands.options import JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.commands.verify import try_tree
from a2patch.console import Console, error_handler
from a2patch.errors import ToolMissingError
from a2patch.report import tree as summary

if TYPE_CHECKING:
    from a2patch.runner import Verdict
    from a2patch.tree import Surroundings, Tree


def apply(
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
    from a2patch.transaction import operations, read_consistently
    from a2patch.tree import environment

    with error_handler("apply", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        if dry_run:
            show_diff(
                console,
                read_consistently(tree, console.notify, partial(operations.preview, tree, derivable=not no_derive)),
            )
            return
        outcome = operations.apply(tree, console.notify, derivable=not no_derive)
        console.tree(outcome.survey)
        console.lines(summary.copies_lines(outcome.survey, environment.copies(tree, around)))
        if not outcome.changes:
            console.lines(summary.unchanged_lines(outcome.survey))
            return
        console.changes("patched", outcome)
        console.notes(outcome)
        console.lines(summary.derived_lines(outcome))
        verdict = None if no_verify else _try(console, tree, python, around)
        if verdict is not None and not verdict.ok:
            console.exit(1)
            if outcome.survey.status.edits:
                console.lines(["", "The verdict is against it; it stays, since lines of it are edited by you."])
            elif not keep:
                operations.revert(tree, console.notify)
                console.lines(["", "The verdict is against it: the patch was taken out again (--keep keeps it)."])
            return
        if verdict is None:
            console.lines(["", f"unverified: `{_again('verify', ultralytics_path)}` verifies it"])
        console.lines(_next_steps(ultralytics_path))


def _try(console: Console, tree: Tree, python: Path | None, around: Surroundings) -> Verdict | None:
    """Verify what was just applied; None where it can't be tried."""
    from a2patch.runner import DEFAULT

    try:
        return try_tree(console, tree, python, around, only=DEFAULT)
    except ToolMissingError as error:
        console.document["unverified"] = summary.error_document(error)
        console.lines(["", *summary.error_lines(error)])
        return None


def _next_steps(path: Path | None) -> list[str]:
    return [
        "",
        "next",
        "  yolo detect train model=yolov8s_A2.yaml data=coco8.yaml epochs=3   # any of n s m l x",
        f"  {_again('status', path)}",
        f"  {_again('revert', path)}",
    ]


def _again(command: str, path: Path | None) -> str:
    return f"a2patch {command}" + (f' --ultralytics-path "{path}"' if path else "")
