"""The command `a2patch transplant`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from a2patch.commands.options import (
    JsonOption,
    PathOption,
    PythonOption,
    interpreter,
    known_classes,
    locate,
    model_file,
    surroundings,
    survey,
)
from a2patch.console import error_handler, progress
from a2patch.graph import unscaled


def transplant(
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", exists=True, dir_okay=False, help="The .pt file with the weights.")
    ],
    model: Annotated[
        str, typer.Option("--model", metavar="NAME", help="The model that they go into, as `YOLO` takes it.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="The result; else CHECKPOINT-NAME.pt in this folder."),
    ] = None,
    scale: Annotated[str, typer.Option("--scale", metavar="LETTER", help="Its scale; else the checkpoint's.")] = "",
    from_state_dict: Annotated[
        bool, typer.Option("--from-state-dict", help="CHECKPOINT is a bare state dict; --base tells of what.")
    ] = False,
    base: Annotated[str, typer.Option("--base", metavar="NAME", help="The model that the bare state dict is of.")] = "",
    inexact: Annotated[bool, typer.Option("--inexact", help="Write it also where a block changes the output.")] = False,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load CHECKPOINT without restriction, which can run any code in it.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the result if it is there.")] = False,
    ultralytics_path: PathOption = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Carry trained weights into a model with added blocks, proved bit for bit; or back."""
    from a2patch.errors import ExistsError, TransplantError
    from a2patch.runner import Job, refuse_checkpoint
    from a2patch.runner import transplant as run

    if from_state_dict != bool(base):
        raise typer.BadParameter("--from-state-dict and --base go together")
    target = (output or Path(f"{checkpoint.stem}-{Path(model).stem}.pt")).absolute()
    if target.suffix != ".pt":
        raise typer.BadParameter("ultralytics loads checkpoints by the name .pt", param_hint="--output")
    with error_handler("transplant", as_json) as console:
        refuse_checkpoint(model, "--model")
        refuse_checkpoint(base, "--base")
        if target.is_dir():
            raise TransplantError("the result can't be a folder", path=target, remedy="Name a file with -o.")
        if target.exists() and not force:
            raise ExistsError(
                "the result is there already", path=target, remedy="Name another with -o, or replace it with --force."
            )
        if not target.parent.is_dir():
            raise TransplantError("there is no such folder for the result", path=target.parent, remedy="Make it first.")
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        job = Job(
            model_file(checkpoint),
            _model(model),
            scale,
            _model(base),
            trust,
            inexact,
            known_classes(survey(console, tree)),
        )
        with progress() as notify:
            result, written = run(
                tree.package, interpreter(console, python, tree, around), job, target, notify, around.variables
            )
        console.transplant(result, checkpoint, target if written else None)
        if not written:
            console.code = 1


def _model(name: str) -> str:
    """Return a model file of this folder by its path, since the probe runs elsewhere; any other by its name."""
    if not name:
        return name
    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    found = path.is_file() or path.with_name(unscaled(path.name)).is_file()
    return str(path.absolute()) if found else str(path)
