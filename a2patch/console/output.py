"""Write to the standard streams, whatever becomes of them: a reader that has gone, a full disk, a narrow code page."""

from __future__ import annotations

import codecs
import errno
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from a2patch.errors import AccessError
from a2patch.report import styled
from a2patch.report import text as layout

_ENCODING = "a2patch"
_GONE = {errno.EPIPE, errno.EINVAL} if os.name == "nt" else {errno.EPIPE}


class Output:
    """What a command prints. That it can't be printed ends no command: what was begun in a tree is brought to its end.

    A reader that went away has read enough. Anything else is told by `finish`.
    """

    def __init__(self) -> None:
        self._lost: OSError | None = None

    def line(self, text: str | styled.Styled) -> None:
        """Print text, and end the line."""
        if sys.stdout is not None:
            self._lost = _write(sys.stdout, _shown(text, sys.stdout)) or self._lost

    def content(self, content: bytes) -> None:
        """Print the bytes of files exactly; a terminal gets them as text that can't steer it."""
        if sys.stdout is not None:
            exact = hasattr(sys.stdout, "buffer") and not sys.stdout.closed and not sys.stdout.isatty()
            text = content if exact else layout.printable(content.decode("utf-8", "surrogateescape"))
            self._lost = _write(sys.stdout, text) or self._lost

    def error(self, text: str | styled.Styled) -> None:
        """Print a line on standard error."""
        if sys.stderr is not None:
            _write(sys.stderr, _shown(text, sys.stderr))

    def over(self, text: str) -> None:
        """Write text over what this wrote before, in one line of a terminal; without text the line is free again."""
        if sys.stderr is not None:
            room = shutil.get_terminal_size().columns - 1
            _write(sys.stderr, f"\r{' ' * room}\r{layout.printable(text)[:room]}")

    def finish(self) -> AccessError | None:
        """Return why something could not be printed; None if all was, or nobody wanted it."""
        if self._lost is None:
            return None
        return AccessError(
            f"the output could not be written: {self._lost.strerror or self._lost}",
            remedy="All else that the command does was done.",
        )


@contextmanager
def prepared_streams() -> Iterator[None]:
    """Let both streams take every character, the bytes of a file name as they are; let none fail at the very end."""
    codecs.register_error(_ENCODING, _encoded)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_ENCODING)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                _write(stream, "")


def has_colours(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that shows colours, and its user wants them (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or stream.closed or not stream.isatty():
        return False
    return os.name != "nt" or "WT_SESSION" in os.environ or "TERM" in os.environ  # the old console prints the codes


def _shown(text: str | styled.Styled, stream: TextIO) -> str:
    return (styled.painted(text) if has_colours(stream) else layout.printable(str(text))) + "\n"


def _encoded(error: UnicodeError) -> tuple[str | bytes, int]:
    """Return what to write for characters that an encoding does not have."""
    with suppress(UnicodeError):
        return codecs.lookup_error("surrogateescape")(error)
    return codecs.lookup_error("backslashreplace")(error)


def _write(stream: TextIO, text: str | bytes) -> OSError | None:
    """Write to a stream; return why that failed, if somebody waits for it in vain."""
    try:
        if isinstance(text, bytes):
            stream.flush()
            stream.buffer.write(text)
        else:
            _write_text(stream, text)
        stream.flush()
    except OSError as error:
        _silence(stream)
        return None if error.errno in _GONE else error
    except ValueError:  # it is closed
        return None
    return None


def _write_text(stream: TextIO, text: str) -> None:
    _widen(stream, text)
    try:
        stream.write(text)
    except UnicodeEncodeError:  # where another program has set the stream up
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


def _widen(stream: TextIO, text: str) -> None:
    """Let a pipe or a file on Windows have UTF-8, from the first text on that the code page of the system can't hold.

    The code page is what PowerShell, cmd.exe, notebooks and programs there take it for, so a Chinese system reads
    Chinese paths. A path that is not in it would reach them in escapes that no program takes for a path.
    """
    if os.name != "nt" or "PYTHONIOENCODING" in os.environ or stream.closed or stream.isatty():
        return
    if isinstance(stream, io.TextIOWrapper):
        try:
            text.encode(stream.encoding)
        except UnicodeEncodeError:
            stream.reconfigure(encoding="utf-8", errors=_ENCODING)


def _silence(stream: TextIO) -> None:
    """Let what is still to be written to a stream vanish: Python would try again at its end, and fail."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
