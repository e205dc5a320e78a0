"""Show meanwhile what a command tries, on standard error.

In a terminal it is a live picture, in the cell of a notebook one line that is written over, elsewhere a line for each.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from a2patch.console.output import Output, has_colours
from a2patch.report import styled, text

if TYPE_CHECKING:
    from a2patch.runner import Check


@dataclass(frozen=True)
class Progress:
    """Takes what is tried, and each check that was made.

    Attributes:
        tell: Takes what is tried, in a few words.
        made: Takes a check as soon as it is made.
    """

    tell: Callable[[str], None]
    made: Callable[[Check], None] = field(default=lambda check: None)

    def __call__(self, what: str) -> None:
        """Tell what is tried."""
        self.tell(what)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show what is being tried; a terminal lists the checks as they come, till the verdict replaces them."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield Progress(Output().error)
    elif in_notebook():
        try:
            yield Progress(Output().over)
        finally:
            Output().over("")
    else:
        with _live() as shown:
            yield shown


def in_notebook() -> bool:
    """Return whether a cell of a notebook runs the command: it takes a terminal's colours, but nothing moves up in it.

    Jupyter names its own process to every kernel that it starts, for Colab and Kaggle too.
    """
    return "JPY_PARENT_PID" in os.environ


@contextmanager
def _live() -> Iterator[Progress]:
    """Show what is being tried beside a spinner, below the checks that were made."""
    from rich.console import Console, Group
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    from a2patch.report import verdict

    console = Console(stderr=True)
    checks: list[Text] = []
    spinner, colours = Spinner("dots", "starting"), has_colours(sys.stderr)
    with Live(spinner, console=console, transient=True) as live:

        def tell(what: str) -> None:
            spinner.update(text=Text(text.printable(what)))

        def made(check: Check) -> None:
            line = verdict.check_line(check, 10, max(0, console.width - 40))
            checks.append(Text.from_ansi(styled.painted(line) if colours else text.printable(str(line))))
            live.update(Group(*checks, spinner))

        yield Progress(tell, made)
