"""Show how far the trainings of a comparison are, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from a2patch.console.output import Output
from a2patch.console.progress import in_notebook

if TYPE_CHECKING:
    from a2patch.runner import compare as runner

_LINE_SECONDS = 30.0  # where there is no terminal, from one line on trainings to the next


@contextmanager
def board(jobs: int) -> Iterator[Callable[[Sequence[runner.Progress], str], None]]:
    """Show how far trainings are, as a table that is drawn anew.

    In the cell of a notebook it is one line that is written over; where there is no terminal, a line now and then.

    Args:
        jobs: How many run at once.
    """
    from a2patch.report import compare

    if not sys.stderr.isatty():
        told = [0.0]

        def line(states: Sequence[runner.Progress], news: str) -> None:
            if news or time.monotonic() - told[0] > _LINE_SECONDS:
                told[0] = time.monotonic()
                text = compare.progress_line(states, jobs)
                Output().error(f"{text}: {news}" if news else text)

        yield line
        return
    if in_notebook():

        def over(states: Sequence[runner.Progress], news: str) -> None:
            if news:
                Output().over("")
                Output().error(news)
            Output().over(compare.progress_line(states, jobs))

        yield over
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), auto_refresh=False, transient=True) as live:

        def draw(states: Sequence[runner.Progress], news: str) -> None:
            if news:
                live.console.print(Text(news))
            live.update(Text("\n".join(compare.progress_lines(states, jobs))), refresh=True)

        yield draw
