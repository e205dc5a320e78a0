"""Prints what a command has to say, and ends it: nothing else prints, and errors become exit codes here.

- `console` says it, as text or as a document, and handles errors.
- `output` writes to the standard streams, whatever becomes of them.
- `help` lays out what `--help` prints.
- `progress` shows what is being tried meanwhile.
- `failure` tells what an exception means that nobody raised on purpose.
- `signals` lets the system end a command as Ctrl-C does.

Imports from `report` downward.
"""

from a2patch.console.board import board
from a2patch.console.console import Console, Ended, error_handler, interruption, usage_handler
from a2patch.console.help import SETTINGS as HELP
from a2patch.console.help import ProgramHelp, VerbHelp
from a2patch.console.output import Output, prepared_streams
from a2patch.console.progress import Progress, progress
from a2patch.console.signals import ended_in_order

__all__ = [
    "HELP",
    "Console",
    "Ended",
    "Output",
    "ProgramHelp",
    "Progress",
    "VerbHelp",
    "board",
    "ended_in_order",
    "error_handler",
    "interruption",
    "prepared_streams",
    "progress",
    "usage_handler",
]
