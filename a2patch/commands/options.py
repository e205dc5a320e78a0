"""What the verbs of the command line share: their options, and how each begins."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from a2patch.console import Console
    from a2patch.tree import Surroundings, Tree

PathOption = Annotated[
    Path | None,
    typer.Option(
        "--ultralytics-path",
        metavar="PATH",
        help="Repository root, package folder, site-packages folder or environment prefix. "
        "Without it: the package that this environment imports.",
    ),
]
PythonOption = Annotated[
    Path | None, typer.Option("--python", metavar="PATH", help="Interpreter that tries the tree; found from the tree.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def surroundings() -> Surroundings:
    """What this command is run in."""
    from a2patch.tree import Surroundings

    return Surroundings(Path.cwd(), dict(os.environ), Path(sys.executable))


def locate(console: Console, path: Path | None, around: Surroundings) -> Tree:
    """Find the tree, and finish or undo what an interrupted command left in it before anything else."""
    from a2patch.transaction import commit
    from a2patch.tree import environment

    tree = environment.locate(path, around)
    console.document["recovered"] = commit.recover(tree, console.notify)
    return tree
