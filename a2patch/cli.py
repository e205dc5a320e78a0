"""Define the command line: its verbs, and the options of the program itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from a2patch import __version__
from a2patch.commands import EXAMPLES, VERBS
from a2patch.console import HELP, ProgramHelp, VerbHelp, ended_in_order, prepared_streams, usage_handler

app = typer.Typer(
    name="a2patch",
    help="Add Double Attention to an ultralytics 8.x tree, prove that it works, and take it back to the byte.",
    cls=ProgramHelp,
    context_settings=HELP,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for verb in VERBS:
    app.command(cls=VerbHelp, epilog=EXAMPLES[verb.__name__])(verb)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"a2patch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    Args:
        arguments: What follows the program's name; that of this process where it is None.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    with prepared_streams(), ended_in_order(), usage_handler(typed):
        code = app(args=typed, prog_name="a2patch", standalone_mode=False)
        if code == 130:  # how the library tells of Ctrl-C
            raise KeyboardInterrupt
        raise SystemExit(code or 0)
