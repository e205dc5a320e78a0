"""Declare the options that verbs share, and do what verbs begin with."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.block import CLASSES
from a2patch.errors import ModelError
from a2patch.report import json

if TYPE_CHECKING:
    from a2patch.console import Console
    from a2patch.transaction import Survey
    from a2patch.tree import Surroundings, Tree

TREE, RESULT, OUTPUT = "Which tree", "The result", "Output"
"""The groups of options in the help of a verb; `rich_help_panel` names the one of an option."""

PathOption = Annotated[
    Path | None,
    typer.Option(
        "--ultralytics-path",
        metavar="PATH",
        help="Repository root, package folder, site-packages folder or environment prefix. "
        "Without it: the package that this environment imports.",
        rich_help_panel=TREE,
    ),
]
PythonOption = Annotated[
    Path | None,
    typer.Option(
        "--python",
        metavar="PATH",
        help="Interpreter that tries the tree; found from the tree.",
        rich_help_panel=TREE,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output.", rich_help_panel=OUTPUT)
]


def surroundings() -> Surroundings:
    """Return what this command is run in."""
    from a2patch.tree import Surroundings

    return Surroundings(Path.cwd(), dict(os.environ), Path(sys.executable))


def locate(console: Console, path: Path | None, around: Surroundings) -> Tree:
    """Find the tree, and finish or undo what an interrupted command left in it before anything else is done."""
    from a2patch.transaction import commit
    from a2patch.tree import clear_leftovers, environment

    clear_leftovers()
    tree = environment.locate(path, around)
    console.document["tree"] = json.place(tree)
    console.document["recovered"] = commit.recover(tree, console.notify)
    return tree


def survey(console: Console, tree: Tree) -> Survey:
    """Look at a tree while no other command changes it."""
    from a2patch.transaction import look_at, read_consistently

    return read_consistently(tree, console.notify, partial(look_at, tree))


def known_classes(seen: Survey) -> tuple[str, ...]:
    """Return the classes of the blocks that a tree has; those of Double Attention always."""
    return (*CLASSES, *(name for one in seen.layers for name in one.layer.block.names()))


def interpreter(console: Console, python: Path | None, tree: Tree, around: Surroundings) -> Path:
    """Return the interpreter that tries a tree: the one that was named with `--python`, or else one that fits.

    It may be one that lies in the tree, and runs code of its own, so it is named before it is started.
    """
    from a2patch.tree import environment

    found = python.absolute() if python else environment.interpreter_for(tree, around)
    console.document["interpreter"] = str(found)
    console.notify(f"trying with {found}")
    return found


def model_file(path: Path) -> Path:
    """Return the real place of a model that a command is to try, once it is sure that reading it comes to an end.

    Raises:
        ModelError: It is no ordinary file, or a YAML larger than any model's.
    """
    from a2patch.tree import LARGEST

    place = path.resolve()
    if not place.is_file():
        raise ModelError("this is no ordinary file", path=place, remedy="Name a model YAML or a checkpoint.")
    if place.suffix in (".yaml", ".yml") and place.stat().st_size > LARGEST:
        raise ModelError(f"this is larger than {LARGEST >> 20} MiB", path=place, remedy="Name the YAML of a model.")
    return place
