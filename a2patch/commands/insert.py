"""The verb `insert` of the command line."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from a2patch.block import BLOCK, LAYER
from a2patch.commands.options import JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.console import Console, error_handler, progress, width
from a2patch.graph import FORMS, Position, PositionError, at_scale, parse
from a2patch.report import tree as summary

if TYPE_CHECKING:
    from a2patch.runner import InsertedModel, InsertResult, ModelRow
    from a2patch.tree import Tree


def insert(
    base: Annotated[
        str,
        typer.Option("--base", metavar="MODEL", help="A model of the tree, such as yolov8 or yolo11-seg, or a YAML."),
    ],
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="POSITION", help=f"Where: {FORMS}. Again for more.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--each", help="A YAML for each position; for all that the model has, without --at.")
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take all our layers out of MODEL instead.")] = False,
    block: Annotated[
        str, typer.Option("--block", metavar="CLASS", help=f"{BLOCK}, the residual one, or {LAYER}.")
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
        Path | None, typer.Option("-o", "--output", metavar="PATH", help="What to write; with --each, a folder.")
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Put it beside upstream's YAMLs; `a2patch revert` removes it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
    ultralytics_path: PathOption = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put our block anywhere into a model, and every index behind it right."""
    from a2patch.runner import insert as insertion
    from a2patch.transaction import commit, models, operations
    from a2patch.tree import environment

    positions = _positions(at or [], each=each, remove=remove)
    kind, row = _row(block, e, args)
    named = _named(output, base, each=each, install=install)
    with error_handler("insert", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        seen = commit.read_consistently(tree, console.notify, partial(operations.survey, tree))
        console.document["tree"] = summary.tree_document(seen)
        models.refuse_unpatched(seen)
        model = insertion.find_model(tree.package, base, around.folder)
        wanted = insertion.Insertion(model, positions, each, remove, kind, row, named)
        interpreter = python.absolute() if python else environment.interpreter_for(tree, around)
        with progress() as notify:
            result = insertion.insert_models(tree.package, interpreter, wanted, notify, around.variables)
        _show(console, tree, model, result)
        if not result.verdict.ok:
            console.exit(1)
            console.document["models"] = [_document(file, None) for file in result.models]
            console.lines(["Nothing was written."])
            return
        if install:
            _install(console, tree, model, result.models, force=force)
        else:
            folder = Path() if output is None else output if each else output.parent
            _write(console, result.models, around.folder / folder, force=force)
        console.lines(_next_steps(result))


def _show(console: Console, tree: Tree, model: Path, result: InsertResult) -> None:
    """Show what was made, and what came out of trying it."""
    from a2patch.report import verdict

    console.document["base"] = str(model)
    console.document["verdict"] = verdict.verdict_json(result.verdict)
    console.lines([f"tree     {tree.package}", f"base     {model}", ""])
    if len(result.models) == 1:
        console.lines(verdict.layer_lines(result.models[0].rows, width()))
    else:
        console.lines(verdict.made_lines(result.models))
    console.lines(["", verdict.verdict_text(result.verdict, width()), ""])


def _next_steps(result: InsertResult) -> list[str]:
    """What to type next; a name that asks for no scale gets the smallest, which upstream says in a warning only."""
    name = result.models[0].name
    scales = [cost.scale for cost in result.verdict.costs if cost.model == name and cost.scale]
    asked = at_scale(name, scales[1]) if len(scales) > 1 else name
    note = f"   # any of {' '.join(scales)}" if asked != name else ""
    lines = ["", "next", f"  yolo train model={asked} data=…{note}"]
    if asked == name and len(scales) > 1:
        lines.append(
            f"note     {name} asks for no scale, so upstream builds {scales[0]}; begin its name as yolov8_ or yolo11_"
        )
    return lines


def _positions(at: Sequence[str], *, each: bool, remove: bool) -> tuple[Position, ...]:
    """Read the positions, and refuse what does not go together."""
    if remove and (at or each):
        raise typer.BadParameter("--remove takes all our layers out; it goes without --at and --each")
    if not (at or each or remove):
        raise typer.BadParameter(f"name a position with --at: {FORMS}; or --each for all of them")
    try:
        return tuple(parse(position) for position in at)
    except PositionError as error:
        raise typer.BadParameter(str(error)) from error


def _row(block: str, e: float | None, args: str) -> tuple[str, str]:
    """Return the class of a row and its arguments as they are written, or refuse what would not see or not build."""
    if block not in (BLOCK, LAYER):
        raise typer.BadParameter(f"--block is {BLOCK} or {LAYER}")
    if e is not None and (args or block == LAYER):
        raise typer.BadParameter(f"--e is the one argument of a {BLOCK}; --args are those of the row")
    try:
        values = ast.literal_eval(f"[{args}]") if args else [0.25 if e is None else e]
    except (SyntaxError, ValueError) as error:
        raise typer.BadParameter(f"--args are numbers, as in 64,16,True; not {args!r}") from error
    if not all(isinstance(value, int | float) for value in values):
        raise typer.BadParameter(f"--args are numbers, as in 64,16,True; not {args!r}")
    if block == BLOCK and not (len(values) == 1 and 0 < values[0] <= 1):
        raise typer.BadParameter(f"a {BLOCK} has one argument, a ratio above 0 and at most 1")
    if block == LAYER:
        if not args or len(values) not in (2, 3) or not all(type(value) is int and value > 0 for value in values[:2]):
            raise typer.BadParameter(f"a {LAYER} needs --args c_m,c_n[,reconstruct], such as 64,16,True")
        if values[1] == 1:
            raise typer.BadParameter(
                "with a c_n of 1 the layer is blind: a softmax over one channel is 1 at every position; take at least 2"
            )
    return block, ", ".join(map(repr, values))


def _named(output: Path | None, base: str, *, each: bool, install: bool) -> str:
    """Return the name that the user wants for the file; empty where positions make it."""
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


def _write(console: Console, made: Sequence[InsertedModel], folder: Path, *, force: bool) -> None:
    """Write the files, and say so."""
    from a2patch.runner import insert as insertion

    places = {file.name: folder / file.name for file in made}
    insertion.write({places[file.name]: file.content for file in made}, force=force)
    console.document["models"] = [_document(file, places[file.name]) for file in made]
    console.lines([f"written  {place}" for place in places.values()])


def _install(console: Console, tree: Tree, model: Path, made: Sequence[InsertedModel], *, force: bool) -> None:
    """Put the files into the tree, and say so."""
    from a2patch.transaction import models

    folder = models.folder_for(tree, model)
    files = {f"{folder}/{file.name}": file.content for file in made}
    outcome = models.install(tree, files, console.notify, force=force)
    console.document["models"] = [_document(file, tree.path(f"{folder}/{file.name}")) for file in made]
    if outcome.changes:
        console.changes("installed", outcome)
    else:
        console.lines(["installed already: nothing to do"])


def _document(file: InsertedModel, place: Path | None) -> dict[str, Any]:
    return {
        "name": file.name,
        "path": str(place) if place else None,
        "positions": list(file.positions),
        "layers": [_row_document(row) for row in file.rows],
    }


def _row_document(row: ModelRow) -> dict[str, Any]:
    return {
        "index": row.index,
        "from": row.source,
        "repeats": row.repeats,
        "module": row.module,
        "args": row.args,
        "ours": row.added,
    }
