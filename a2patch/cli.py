"""Define the command line: its verbs, and the options of the program itself."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from a2patch import __version__
from a2patch.commands import VERBS
from a2patch.console import Ended
from a2patch.report import json

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
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):  # a Windows console of another code page must not end a command
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        app(args=list(arguments))
    except SystemExit as error:
        if error.code == 2 and "--json" in arguments and not isinstance(error, Ended):
            typer.echo(json.encode(json.usage_error()))
        raise
