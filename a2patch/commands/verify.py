"""The command `a2patch verify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch.block import MODULE
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
from a2patch.commands.verify_report import Order, Tried, write_report
from a2patch.console import Console, error_handler, progress
from a2patch.errors import AccessError
from a2patch.report import json

if TYPE_CHECKING:
    from a2patch.runner import Photographs, Subject, Verdict
    from a2patch.transaction import Survey
    from a2patch.tree import Copy, Surroundings, Tree


def _there_or_named(model: Path | None) -> Path | None:
    """Refuse what is neither a file nor may be the name of a model of the tree."""
    if model and not model.exists() and (model.suffix not in (".yaml", ".yml") or model.name != str(model)):
        raise typer.BadParameter(f"file '{model}' does not exist.")
    return model


def verify(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            dir_okay=False,
            callback=_there_or_named,
            help="A model to try instead: a YAML or .pt of your own, or the name of one in the tree.",
        ),
    ] = None,
    base: Annotated[
        str, typer.Option("--base", metavar="NAME", help="The stock model that MODEL is made from; else the closest.")
    ] = "",
    scale: Annotated[
        str, typer.Option("--scale", metavar="LETTER", help="The scale of MODEL to try; else by its name.")
    ] = "",
    trust: Annotated[
        bool, typer.Option("--trust", help="Load MODEL without restriction, which can run any code in it.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Only what is static and what building tells.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Fewer bits, export to TorchScript and ONNX, and two workers as well.")
    ] = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Write what was found, with pictures, as one HTML page."),
    ] = None,
    image: Annotated[
        list[Path] | None,
        typer.Option(
            "--image", metavar="PATH", exists=True, help="Draw the report over images of yours: a file or a folder."
        ),
    ] = None,
    ultralytics_path: PathOption = None,
    python: PythonOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try a patched tree, down to an epoch of training, or a model of your own."""
    from a2patch.graph import scale_of
    from a2patch.report import html_file
    from a2patch.runner import CHECKS, DEFAULT, QUICK, Subject, find_model, refuse_checkpoint
    from a2patch.tree import environment

    if (base or scale or trust) and model is None:
        raise typer.BadParameter("--base, --scale and --trust are about a MODEL")
    if quick and full:
        raise typer.BadParameter("--quick and --full exclude each other")
    photographs = _photographs(image or (), report, quick=quick)
    with error_handler("verify", as_json) as console:
        refuse_checkpoint(base, "--base")
        around = surroundings()
        tree = locate(console, ultralytics_path, around)
        subject = None
        if model:
            found = find_model(tree.package, base, around.folder, console.notify) if base else None
            place = model if model.exists() else find_model(tree.package, str(model), around.folder, console.notify)
            letter = scale or scale_of(model.name)
            subject = Subject(model_file(place), found, letter, trust, known_classes(survey(console, tree)))
        only = QUICK if quick else CHECKS if full else DEFAULT
        target = html_file.claim(report) if report else None
        copies = environment.copies(tree, around)
        if subject:
            verdict = try_patch(console, tree, around, copies, python, only=only, subject=subject)
            tried = [Tried(subject.file.name, verdict)]
        else:
            tried = try_tree(console, tree, around, copies, python, only=only)
        if target:
            order = Order(tree, around, only, subject, photographs)
            write_report(console, target, tried, order)
        if not all(one.verdict.ok for one in tried):
            console.code = 1


def _photographs(places: Sequence[Path], report: Path | None, *, quick: bool) -> Photographs | None:
    """Return the user's images to draw a report over; None where none were named."""
    from a2patch.runner import collect

    if not places:
        return None
    if report is None:
        raise typer.BadParameter("--image is drawn on the page that --report writes: name that too")
    if quick:
        raise typer.BadParameter("--quick looks at no images: leave it out, or --image")
    found = collect(places)
    if not found.taken:
        reasons = "; ".join(f"{path}: {reason}" for path, reason in found.left_out)
        raise typer.BadParameter(f"--image found no image to draw over. {reasons}".strip())
    return found


def try_tree(
    console: Console,
    tree: Tree,
    around: Surroundings,
    copies: Sequence[Copy],
    python: Path | None,
    *,
    only: Sequence[str],
) -> list[Tried]:
    """Try all that a tree has of ours: Double Attention if it is there, and then each other block.

    Args:
        console: Where to say it.
        tree: The tree.
        around: What the command is run in.
        copies: Every copy of ultralytics in sight.
        python: The interpreter to try it with, where its user named one.
        only: The checks to make.

    Raises:
        NotPatchedError: The tree has nothing of ours.
    """
    from a2patch.runner import DEFAULT, judge, verify_block
    from a2patch.transaction import as_tried, refuse_unpatched, untouched

    seen = _seen(console, tree)
    refuse_unpatched(seen)
    tried = []
    if not seen.layers or seen.status.is_patched:
        tried.append(Tried(MODULE, try_patch(console, tree, around, copies, python, only=only)))
    parts = [(status, *part) for status in seen.layers for part in as_tried(tree, status.layer)]
    for status, name, block in parts:
        found = interpreter(console, python, tree, around)
        source = judge.judge_block_source(status)
        with progress() as notify:
            verdict = verify_block(
                tree.package,
                found,
                untouched(seen),
                block,
                notify,
                around.variables,
                only=only,
                source=source,
                heard=notify.made,
            )
        verdict = verdict if tried else judge.with_copies(verdict, tree.package, copies)
        console.block_verdict(name, verdict)
        tried.append(Tried(name, verdict, block))
    if seen.layers and all(one.verdict.ok for one in tried) and set(only) >= set(DEFAULT):
        _mark(console, tree, tried[0].verdict)
    return tried


def try_patch(
    console: Console,
    tree: Tree,
    around: Surroundings,
    copies: Sequence[Copy],
    python: Path | None,
    *,
    only: Sequence[str],
    subject: Subject | None = None,
) -> Verdict:
    """Try a tree, or its user's own model under it, and say what came out.

    Args:
        console: Where to say it.
        tree: The tree.
        around: What the command is run in.
        copies: Every copy of ultralytics in sight.
        python: The interpreter to try it with, where its user named one.
        only: The checks to make.
        subject: The model to try; without one, those that the patch adds.
    """
    from a2patch.runner import DEFAULT, judge
    from a2patch.runner import verify as runner
    from a2patch.transaction import refuse_unpatched, untouched

    seen = _seen(console, tree)
    if subject is None:
        refuse_unpatched(seen)
    with progress() as notify:
        verdict = runner.verify(
            tree.package,
            interpreter(console, python, tree, around),
            untouched(seen) if seen.status.complete else None,  # of other blocks the checks know nothing
            notify,
            around.variables,
            only=only,
            source=judge.judge_source(seen.status),
            subject=subject,
            heard=notify.made,
        )
    verdict = judge.with_copies(verdict, tree.package, copies)
    console.verdict(verdict)
    if verdict.ok and subject is None and not seen.layers and set(only) >= set(DEFAULT):
        _mark(console, tree, verdict)
    return verdict


def _seen(console: Console, tree: Tree) -> Survey:
    """Look at a tree, and note its state in the document where that is not done."""
    seen = survey(console, tree)
    if "state" not in console.document["tree"]:  # `apply` has told how it was before
        console.document["tree"] = json.tree(seen)
    return seen


def _mark(console: Console, tree: Tree, verdict: Verdict) -> None:
    """Note in the receipt that all of the tree passed."""
    from a2patch.transaction import operations

    try:
        operations.mark_verified(tree, f"Python {verdict.python}, torch {verdict.torch}", console.notify)
    except AccessError as error:  # anybody may try a tree that belongs to others
        console.notify(f"the verdict could not be noted in the receipt: {error.message}")
