"""Let the system end a command as Ctrl-C does: with its document, its probes ended, its folders removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from a2patch.errors import EndedBySignal

_NAMES = ("SIGTERM", "SIGHUP", "SIGBREAK")  # the last is what Windows sends to a console that closes


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Raise `EndedBySignal` where the system asks this process to end, instead of ending at once.

    A signal that is ignored, as `nohup` has it, stays so; only the first one counts, so that nothing disturbs what it
    sets off.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main one may do this
        yield
        return
    wanted = [number for name in _NAMES if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in wanted}
    mine = [number for number, handler in before.items() if handler == signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> None:
        for other in mine:
            signal.signal(other, signal.SIG_IGN)
        raise EndedBySignal(signal.Signals(number).name)

    for number in mine:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, before[number])
