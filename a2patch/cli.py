"""The command line: parses and calls; what it prints goes through `console`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from a2patch import __version__
from a2patch.commands.insert import insert
from a2patch.commands.options import JsonOption, PathOption, PythonOption, locate, surroundings
from a2patch.commands.transplant import transplant
from a2patch.console import Ended, Page, edge, progress, usage_document, width
from a2patch.errors import AccessError, ToolMissingError
from a2patch.report import tree as summary
from a2patch.runner import CHECKS, DEFAULT, QUICK

if TYPE_CHECKING:
    from a2patch.runner import Subject, Verdict
    from a2patch.transaction import Outcome
    from a2patch.tree import Surroundings, Tree

app = typer.Typer(
    name="a2patch",
    help="Add Double Attention to an ultralytics 8.x tree, prove that it works, and take it back to the byte.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is three times as fast, and reads well in any console
)


@app.command()
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
    from a2patch.transaction import operations as commands
    from a2patch.transaction import settled
    from a2patch.tree import environment

    with edge("apply", as_json) as page:
        around = surroundings()
        tree = locate(page, ultralytics_path, around)
        if dry_run:
            _show_diff(page, settled(tree, page.say, partial(commands.preview, tree, derive=not no_derive)))
            return
        outcome = commands.apply(tree, page.say, derive=not no_derive)
        page.tree(outcome.survey)
        page.lines(summary.copies_lines(outcome.survey, environment.copies(tree, around)))
        if not outcome.changes:
            page.lines(["already patched: nothing to do"])
            return
        page.changes("patched", outcome)
        page.notes(outcome)
        page.lines(summary.derived_lines(outcome))
        verdict = None if no_verify else _try(page, tree, python, around)
        if verdict is not None and not verdict.ok:
            page.exit(1)
            if not keep:
                commands.revert(tree, page.say)
                page.lines(["", "The verdict is against it: the patch was taken out again (--keep keeps it)."])
            return
        if verdict is None:
            page.lines(["", f"unverified: `{_again('verify', ultralytics_path)}` verifies it"])
        page.lines(_next_steps(ultralytics_path))


@app.command()
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
    from a2patch.report import file as reportfile
    from a2patch.runner import Subject

    if (base or scale) and model is None:
        raise typer.BadParameter("--base and --scale are about a MODEL")
    if quick and full:
        raise typer.BadParameter("--quick and --full exclude each other")
    with edge("verify", as_json) as page:
        around = surroundings()
        tree = locate(page, ultralytics_path, around)
        subject = Subject(model.resolve(), base, scale) if model else None
        only = QUICK if quick else CHECKS if full else DEFAULT
        target = reportfile.claim(report) if report else None
        verdict = _verify(page, tree, python, around, subject=subject, only=only)
        if target:
            with progress() as say:
                reportfile.make(target, tree.package, verdict, say, around.variables, only=only, subject=subject)
            page.document["report"] = str(target)
            page.lines(["", f"report   {target}"])
        if not verdict.ok:
            page.exit(1)


@app.command()
def revert(
    ultralytics_path: PathOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take ours out even where it was edited; the edits are saved as a patch.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Take the patch out, to the byte."""
    from a2patch.transaction import operations as commands
    from a2patch.tree import environment

    with edge("revert", as_json) as page:
        around = surroundings()
        tree = locate(page, ultralytics_path, around)
        outcome = commands.revert(tree, page.say, force=force)
        page.tree(outcome.survey)
        page.lines(summary.copies_lines(outcome.survey, environment.copies(tree, around)))
        if outcome.changes:
            page.changes("reverted", outcome)
            page.notes(outcome)
        else:
            page.lines(["not patched: nothing to do"])


@app.command()
def recover(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Finish or undo a command that was interrupted; every other command does so too."""
    with edge("recover", as_json) as page:
        locate(page, ultralytics_path, surroundings())
        if not page.document["recovered"]:
            page.lines(["nothing was interrupted: nothing to do"])


@app.command()
def status(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Tell the state of a tree, and other copies in sight."""
    from a2patch.transaction import commit as transaction
    from a2patch.transaction import operations as commands
    from a2patch.tree import environment

    with edge("status", as_json) as page:
        around = surroundings()
        tree = locate(page, ultralytics_path, around)
        survey = transaction.settled(tree, page.say, partial(commands.survey, tree))
        copies = environment.copies(tree, around)
        page.document["tree"] = summary.tree_document(survey)
        page.document["copies"] = [summary.copy_document(copy) for copy in copies]
        page.lines(summary.status_lines(survey, copies))


@app.command()
def diff(ultralytics_path: PathOption = None, as_json: JsonOption = False) -> None:
    """Print what the patch changes in this tree."""
    from a2patch.transaction import commit as transaction
    from a2patch.transaction import operations as commands

    with edge("diff", as_json) as page:
        tree = locate(page, ultralytics_path, surroundings())
        _show_diff(page, transaction.settled(tree, page.say, partial(commands.difference, tree)))


app.command()(insert)
app.command()(transplant)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"a2patch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: What follows the program's name; that of this process where it is None.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):  # a Windows console of another code page must not end a command
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(args=list(arguments))
    except SystemExit as error:
        if error.code == 2 and "--json" in arguments and not isinstance(error, Ended):
            typer.echo(usage_document())
        raise


def _try(page: Page, tree: Tree, python: Path | None, around: Surroundings) -> Verdict | None:
    """Verify what was just applied; None where it can't be tried."""
    try:
        return _verify(page, tree, python, around)
    except ToolMissingError as error:
        page.document["unverified"] = summary.error_document(error)
        page.lines(["", *summary.error_lines(error)])
        return None


def _verify(
    page: Page,
    tree: Tree,
    python: Path | None,
    around: Surroundings,
    *,
    subject: Subject | None = None,
    only: Sequence[str] = DEFAULT,
) -> Verdict:
    from a2patch.report import verdict as report
    from a2patch.runner import judge as judging
    from a2patch.runner import verify as verification
    from a2patch.transaction import commit as transaction
    from a2patch.transaction import operations as commands
    from a2patch.tree import environment

    seen = transaction.settled(tree, page.say, partial(commands.survey, tree))
    if subject is None:
        commands.refuse_unpatched(seen)
    interpreter = python.absolute() if python else environment.interpreter_for(tree, around)
    with progress() as say:
        verdict = verification.verify(
            tree.package,
            interpreter,
            commands.untouched(seen),
            say,
            around.variables,
            only=only,
            source=judging.judge_source(seen.status),
            subject=subject,
        )
    verdict = judging.beside(verdict, tree.package, environment.copies(tree, around))
    page.document["verdict"] = report.verdict_json(verdict)
    page.lines(["", report.verdict_text(verdict, width())])
    if verdict.ok and subject is None and set(only) >= set(DEFAULT):
        try:
            commands.mark_verified(tree, f"Python {verdict.python}, torch {verdict.torch}", page.say)
        except AccessError as error:  # a tree that others keep may be tried by anybody
            page.say(f"the verdict could not be noted in the receipt: {error.message}")
    return verdict


def _show_diff(page: Page, outcome: Outcome) -> None:
    from a2patch.patch import unified

    text = unified(outcome.changes).decode("utf-8", "replace") if outcome.changes else ""
    for line in summary.derived_lines(outcome):  # not among the lines of a diff that may be piped to git
        page.say(line)
    page.document |= {"tree": summary.tree_document(outcome.survey), "diff": text}
    page.lines([text.removesuffix("\n")] if text else ["already patched: nothing to do"])


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
