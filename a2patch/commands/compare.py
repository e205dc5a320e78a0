"""The command `a2patch compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.commands.options import JsonOption, PathOption, PythonOption, interpreter, locate, surroundings
from a2patch.console import board, error_handler, interruption, progress

if TYPE_CHECKING:
    from a2patch.console import Console
    from a2patch.runner import compare as runner


def compare(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL",
            help="The models to compare with the base; behind --, as NAME=VALUE, what else ultralytics trains with.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[str, typer.Option("--data", metavar="NAME", help="The data set, as `yolo data=` takes it.")] = "",
    base: Annotated[str, typer.Option("--base", metavar="NAME", help="What the others are compared with.")] = "",
    control: Annotated[
        bool, typer.Option("--control", help="Add the base with as many plain parameters as the first MODEL adds.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, metavar="N", help="Trainings of each model.")] = 3,
    epochs: Annotated[int, typer.Option("--epochs", min=1, metavar="N", help="Epochs of each training.")] = 100,
    pretrained: Annotated[
        Path | None,
        typer.Option(
            "--pretrained",
            metavar="PATH",
            exists=True,
            dir_okay=False,
            help="Start all from these weights.",
        ),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Load those without restriction, which can run any code in them.")
    ] = False,
    device: Annotated[
        str, typer.Option("--device", metavar="LIST", help="`cpu`, or GPUs that trainings are dealt to: 0,1.")
    ] = "",
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, metavar="N", help="Trainings at once; else one a device.")
    ] = None,
    ray: Annotated[
        str, typer.Option("--ray", metavar="ADDRESS", help="Give the trainings to this Ray cluster: a2patch[ray].")
    ] = "",
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where all of it is kept, and gone on from.")
    ] = Path("runs/compare"),
    show: Annotated[
        Path | None, typer.Option("--show", metavar="FOLDER", help="Only tell what is in FOLDER, and write it anew.")
    ] = None,
    ultralytics_path: PathOption = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell whether a model pays: train it and the base several times on your data, and compare fairly."""
    from a2patch.report import compare as texts
    from a2patch.runner import compare as comparing

    models = tuple(word for word in words or () if not comparing.is_argument(word))
    arguments = tuple(word for word in words or () if comparing.is_argument(word))
    if show is not None and (models or arguments or data or base):
        raise typer.BadParameter("--show trains nothing, and takes no models and no data")
    if show is None:
        for value, name in ((data, "--data"), (base, "--base")):
            if not value:
                raise typer.BadParameter(f"{name} is needed")
        if not models:
            raise typer.BadParameter("name a model to compare with the base")
    with error_handler("compare", as_json) as console:
        if show is not None:
            with progress() as notify:
                found = comparing.show(show, notify)
            _tell(console, found, show.absolute())
            return
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        command = ("a2patch", *sys.argv[1:])
        asked = comparing.Asked(
            *(output.absolute(), data, base, models, control, seeds, epochs, arguments),
            pretrained.resolve() if pretrained else None,
            *(trust, tuple(filter(None, device.split(","))), jobs, command, ray),
        )
        chosen = interpreter(console, python, tree, around)
        under = comparing.Under(tree.package, chosen, around.variables, around.folder)
        try:
            with progress() as notify, board(asked.jobs or max(1, len(asked.devices))) as watch:
                found = comparing.compare(asked, under, notify, watch)
        except KeyboardInterrupt as interrupt:
            raise interruption(interrupt, texts.going_on(command, output)) from interrupt
        _tell(console, found, output.absolute())


def _tell(console: Console, found: runner.Comparison, folder: Path) -> None:
    """Say what came out, and write it to the folder."""
    from a2patch.report import compare_files

    compare_files.write(found, folder)
    console.comparison(found, folder)
    if found.failed:
        console.code = 1
