"""The command `a2patch insert`: read its options, have the models made and tried, write them."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from a2patch.block import BLOCK, CLASSES, LAYER, bringing, bundled
from a2patch.commands.options import (
    RESULT,
    JsonOption,
    PathOption,
    PythonOption,
    defined_names,
    interpreter,
    known_classes,
    locate,
    surroundings,
    survey,
)
from a2patch.console import Console, error_handler, progress
from a2patch.errors import NotPatchedError
from a2patch.protocol import command_line
from a2patch.report import json

if TYPE_CHECKING:
    from a2patch.graph import Position
    from a2patch.runner import InsertedModel
    from a2patch.transaction import Survey
    from a2patch.tree import Tree

# These are `a2patch.graph.FORMS`, repeated since each command would wait for that import.
_FORMS = "P2 to P6, sppf, neck:P2 to neck:P6, detect, or after:N for a layer's index N"


def insert(
    base: Annotated[
        str,
        typer.Option("--base", metavar="MODEL", help="A model of the tree, such as yolov8 or yolo11-seg, or a YAML."),
    ],
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="POSITION", help=f"Where: {_FORMS}. Again for more.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="A YAML for each position; for all that the model has, without --at.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take all our layers out of MODEL instead.")] = False,
    block: Annotated[
        str,
        typer.Option(
            "--block", metavar="CLASS", help=f"{BLOCK}, the residual one, {LAYER}, or a class of another block."
        ),
    ] = BLOCK,
    e: Annotated[
        float | None,
        typer.Option("--e", metavar="RATIO", help=f"Descriptors of a {BLOCK}, per channel.", show_default="0.25"),
    ] = None,
    args: Annotated[
        str,
        typer.Option("--args", metavar="LIST", help=f"Arguments of the row; for a {LAYER}: c_m,c_n[,reconstruct]."),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="PATH", help="What to write; with --each, a folder.", rich_help_panel=RESULT
        ),
    ] = None,
    install: Annotated[
        bool,
        typer.Option(
            "--install", help="Put it beside upstream's YAMLs; `a2patch revert` removes it.", rich_help_panel=RESULT
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a file of that name.", rich_help_panel=RESULT)
    ] = False,
    layers: Annotated[
        bool, typer.Option("--layers", help="Print the layers of what is made.", rich_help_panel=RESULT)
    ] = False,
    costs: Annotated[
        bool, typer.Option("--costs", help="Count what it costs beside MODEL, at every scale.", rich_help_panel=RESULT)
    ] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Let code run that MODEL holds, such as an activation of its own.")
    ] = False,
    ultralytics_path: PathOption = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put our block anywhere into a model, and every index behind it right."""
    from a2patch.report import insert as report
    from a2patch.report import next_steps
    from a2patch.runner import find_model, refuse_checkpoint
    from a2patch.runner import insert as runner
    from a2patch.transaction import models
    from a2patch.tree import environment

    positions = _positions(at or [], each=each, remove=remove)
    ours = block in CLASSES
    arguments = _row_arguments(block, e, args) if ours else ""
    name = _file_name(output, base, each=each, install=install)
    with error_handler("insert", as_json) as console:
        refuse_checkpoint(base, "--base")
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        seen = survey(console, tree)
        console.document["tree"] = json.tree(seen)
        if not ours:
            arguments = _other_arguments(seen, block, e, args)
        models.refuse_unpatched(seen)
        if ours and not (remove or seen.status.complete):
            raise NotPatchedError(
                f"the tree has other blocks, and no {block}",
                path=tree.package,
                remedy="Put it in with `a2patch apply`, or name a class of the tree with --block.",
            )
        model = find_model(tree.package, base, around.folder, console.notify)
        order = runner.Insertion(model, positions, each, remove, block, arguments, name, trust, costs)
        order = replace(
            order, classes=known_classes(seen), defined=defined_names(seen), tag=order.tag if ours else block
        )
        python = interpreter(console, python, tree, around)
        with progress() as notify:
            result = runner.insert_models(tree.package, python, order, notify, around.variables)
        console.inserted(tree, model, result)
        if layers:
            console.layers(result)
        if not result.verdict.ok:
            console.code = 1
            console.document["models"] = [json.inserted_model(made, None) for made in result.models]
            console.lines(["Nothing was written."])
            return
        if install:
            places = _install(console, tree, model, result.models, force=force)
        else:
            into = Path() if output is None else output if each else output.parent
            places = _write(console, result.models, around.folder / into, force=force)
        console.document["models"] = [json.inserted_model(made, places[made.name]) for made in result.models]
        folder = None if install else places[result.models[0].name].parent
        copies = environment.copies(tree, around)

        def train(name: str) -> str:
            place = name if folder is None else next_steps.relative(folder / name, around.folder)
            return next_steps.training(tree, copies, f"train {command_line([f'model={place}'])} data=…")

        console.lines(report.next_lines(result, train))


def _positions(at: Sequence[str], *, each: bool, remove: bool) -> tuple[Position, ...]:
    """Read the positions, and refuse options that do not go together."""
    from a2patch.graph import PositionError, parse

    if remove and (at or each):
        raise typer.BadParameter("--remove takes all our layers out; it goes without --at and --each")
    if not (at or each or remove):
        raise typer.BadParameter(f"name a position with --at: {_FORMS}; or --each for all of them")
    try:
        return tuple(parse(position) for position in at)
    except PositionError as error:
        raise typer.BadParameter(str(error)) from error


def _row_arguments(block: str, e: float | None, args: str) -> str:
    """Return the arguments of a row as they are written, or refuse what would be blind or not build."""
    if e is not None and (args or block == LAYER):
        raise typer.BadParameter(f"--e is the one argument of a {BLOCK}; --args are those of the row")
    values = _values(args, int, float, what="numbers, as in 64,16,True") if args else [0.25 if e is None else e]
    if block == BLOCK and not (len(values) == 1 and 0 < values[0] <= 1):
        raise typer.BadParameter(f"a {BLOCK} has one argument, a ratio above 0 and at most 1")
    if block == LAYER:
        if not args or len(values) not in (2, 3) or not all(type(value) is int and value > 0 for value in values[:2]):
            raise typer.BadParameter(f"a {LAYER} needs --args c_m,c_n[,reconstruct], such as 64,16,True")
        if values[1] == 1:
            raise typer.BadParameter(
                "with a c_n of 1 the layer is blind: a softmax over one channel is 1 at every position; take at least 2"
            )
    return ", ".join(map(repr, values))


def _remedy(seen: Survey, block: str, there: Sequence[str]) -> str:
    """Return how a tree gets a class that it lacks, or what was meant by the name of a block."""
    named = [one.layer.block for one in seen.layers if one.is_there and one.layer.block.name == block]
    if meant := named or [each for each in bundled().values() if each.name == block]:
        brought = "" if named else f"`a2patch apply {block}` puts it in. "
        return f"{brought}Name a class of it: --block {' or --block '.join(meant[0].names())}."
    put_in = bringing([block]) or "`a2patch apply FILE`"
    return f"Put it in with {put_in}{', or name one of these' if there else ''}."


def _other_arguments(seen: Survey, block: str, e: float | None, args: str) -> str:
    """Return the arguments of a row of another block's class as they are written: by default those of its example.

    Raises:
        NotPatchedError: The tree has no such class.
    """
    if e is not None:
        raise typer.BadParameter(f"--e is the one argument of a {BLOCK}; --args are those of the row")
    known = {each.name: each for one in seen.layers if one.is_there for each in one.layer.block.classes}
    if block not in known:
        there = [*(CLASSES if seen.status.complete else ()), *known]
        raise NotPatchedError(
            f"the tree has no block with a class {block}",
            path=seen.tree.package,
            found=f"it has {', '.join(there) or 'none'}",
            remedy=_remedy(seen, block, there),
        )
    if known[block].reads_several:
        raise typer.BadParameter(f"a {block} reads several layers, so it has no single position; write its row by hand")
    values = _values(args, int, float, NoneType, what="plain values, as in 8,True") if args else known[block].args
    return ", ".join(map(repr, values))


def _values(args: str, *kinds: type, what: str) -> list[Any]:
    """Read what `--args` names: plain values of some kinds, none of which upstream runs.

    Args:
        args: The values, as they are written between the brackets of a row.
        kinds: What each may be.
        what: What to say that they are where one is not.
    """
    refusal = typer.BadParameter(f"--args are {what}; not {args[:80]!r}")
    if len(args) > 200:  # none that could keep us busy
        raise refusal
    try:
        values = ast.literal_eval(f"[{args}]")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise refusal from error
    if not all(isinstance(value, kinds) for value in values):
        raise refusal
    return list(values)


def _file_name(output: Path | None, base: str, *, each: bool, install: bool) -> str:
    """Return the name of the file to make; empty where it is made from the positions."""
    if output is None or (each and not install):
        return ""
    if each:
        raise typer.BadParameter("--each with --install names the files itself; leave -o out")
    if output.suffix != ".yaml":
        raise typer.BadParameter(f"upstream reads no model file {output.name}: its name must end with .yaml")
    if install and output.name != str(output):
        raise typer.BadParameter("with --install, -o is a name; the folder is that of upstream's YAMLs")
    if output.name == Path(base).name:
        raise typer.BadParameter("name it otherwise than the model that it is made from")
    return output.name


def _write(console: Console, made: Sequence[InsertedModel], folder: Path, *, force: bool) -> Mapping[str, Path]:
    """Write the files into a folder, and return where each is."""
    from a2patch.runner import insert as runner

    places = {model.name: folder / model.name for model in made}
    runner.write({places[model.name]: model.content for model in made}, force=force)
    console.lines([f"written  {place}" for place in places.values()])
    return places


def _install(
    console: Console, tree: Tree, base: Path, made: Sequence[InsertedModel], *, force: bool
) -> Mapping[str, Path]:
    """Put the files into the tree, and return where each is."""
    from a2patch.transaction import models, operations

    folder = models.folder_for(tree, base)
    files = {f"{folder}/{model.name}": model.content for model in made}
    outcome = operations.install(tree, files, console.notify, force=force)
    if outcome.changes:
        console.changes("installed", outcome)
    else:
        console.lines(["installed already: nothing to do"])
    return {model.name: tree.path(f"{folder}/{model.name}") for model in made}
