"""The command as a user types it, inside this process: a hundred of them take a second."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from a2patch.cli import main
from tests.support.command import Answer


def inside(*arguments: str | Path) -> Answer:
    """Run a2patch here; an exception that it lets through is the caller's to see."""
    buffers = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(buffer, encoding="utf-8", newline="\n") for buffer in buffers)
    code = 0
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    for stream in (out, err):
        stream.flush()
    texts = [buffer.getvalue().decode("utf-8", "surrogateescape") for buffer in buffers]
    return Answer(code, *texts)
