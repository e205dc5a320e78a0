"""The command `a2patch verify`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.commands.options import JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.console import Console, error_handler, progress, width
from a2patch.errors import AccessError

if TYPE_CHECKING:
    from a2patch.runner import Subject, Verdict
    from a2patch.tree import Surroundings, Tree


def verify(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="[MODEL]", exists=True, dir_okay=False, help="A model of your own, YAML or .pt, to try instead."
        ),
    ] = None,
    base: Annotated[
        str, typer.Option("--base", metavar="NAME", help="The stock model that MODEL is made from; else the closest.")
    ] = "",
    scale: Annotated[
        str, typer.Option("--scale", metavar="LETTER", help="The scale of MODEL to try; else by its name.")
    ] = "",
    quick: Annotated[bool, typer.Option("--quick", help="Only what is static and what building tells.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Fewer bits, export to TorchScript and ONNX, and two workers as well.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write what was found, with pictures, as one HTML page."),
    ] = None,
    ultralytics_path: PathOption = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a patched tree, down to an epoch of training, or a model of your own."""
    from a2patch.report import file
    from a2patch.runner import CHECKS, DEFAULT, QUICK, Subject

    if (base or scale) and model is None:
        raise typer.BadParameter("--base and --scale are about a MODEL")
    if quick and full:
        raise typer.BadParameter("--quick and --full exclude each other")
    with error_handler("verify", as_json) as console:
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        subject = Subject(model.resolve(), base, scale) if model else None
        only = QUICK if quick else CHECKS if full else DEFAULT
        target = file.claim(report) if report else None
        verdict = try_tree(console, tree, python, around, subject=subject, only=only)
        if target:
            with progress() as notify:
                file.make(target, tree.package, verdict, notify, around.variables, only=only, subject=subject)
            console.document["report"] = str(target)
            console.lines(["", f"report   {target}"])
        if not verdict.ok:
            console.exit(1)


def try_tree(
    console: Console,
    tree: Tree,
    python: Path | None,
    around: Surroundings,
    *,
    only: Sequence[str],
    subject: Subject | None = None,
) -> Verdict:
    """Try a tree, or a model of its user's own under it, and say what came out."""
    from a2patch.report import verdict as report
    from a2patch.runner import DEFAULT, judge
    from a2patch.runner import verify as verification
    from a2patch.transaction import commit, operations
    from a2patch.tree import environment

    seen = commit.read_consistently(tree, console.notify, partial(operations.survey, tree))
    if subject is None:
        operations.refuse_unpatched(seen)
    interpreter = python.absolute() if python else environment.interpreter_for(tree, around)
    with progress() as notify:
        verdict = verification.verify(
            tree.package,
            interpreter,
            operations.untouched(seen),
            notify,
            around.variables,
            only=only,
            source=judge.judge_source(seen.status),
            subject=subject,
        )
    verdict = judge.with_copies(verdict, tree.package, environment.copies(tree, around))
    console.document["verdict"] = report.verdict_json(verdict)
    console.lines(["", report.verdict_text(verdict, width())])
    if verdict.ok and subject is None and set(only) >= set(DEFAULT):
        try:
            operations.mark_verified(tree, f"Python {verdict.python}, torch {verdict.torch}", console.notify)
        except AccessError as error:  # a tree that others keep may be tried by anybody
            console.notify(f"the verdict could not be noted in the receipt: {error.message}")
    return verdict
