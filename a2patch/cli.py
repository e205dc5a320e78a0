"""Define the command line: its verbs, and the options of the program itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from a2patch import __version__
from a2patch.commands import VERBS
from a2patch.console import ended_in_order, prepared_streams, usage_handler

app = typer.Typer(
    name="a2patch",
    help="Add Double Attention to an ultralytics 8.x tree, prove that it works, and take it back to the byte.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help is three times as fast, and reads well in any console
)
for verb in VERBS:
    app.command()(verb)


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
    typed = list(sys.argv[1:] if arguments is None else arguments)
    with prepared_streams(), ended_in_order(), usage_handler(typed):
        app(args=typed)
