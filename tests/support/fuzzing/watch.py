"""What this process does to the machine: where it writes, and what it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_OF_PATHS = {
    **dict.fromkeys(
        ("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "shutil.rmtree"), (0,)
    ),
    **dict.fromkeys(("os.rename", "os.link"), (0, 1)),
    "os.symlink": (1,),
}


class Watch:
    """Hears of every file that this process opens to write, and of every program that it starts.

    Attributes:
        written: What was written, moved or removed elsewhere than it may be.
        started: The programs that were started.
    """

    def __init__(self, allowed: Path) -> None:
        """Begin to listen, which can't be ended.

        Args:
            allowed: The folder in which all may be written; in those for temporary files too.
        """
        self.written: list[str] = []
        self.started: list[str] = []
        self._listens = False
        self._allowed = (f"{allowed}/", "/tmp/", "/var/tmp/", "/dev/", "/proc/")
        sys.addaudithook(self._hear)

    def forget(self) -> None:
        """Forget what happened before."""
        self.written, self.started = [], []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note what happens meanwhile, and forget what happened before."""
        self.forget()
        self._listens = True
        try:
            yield
        finally:
            self._listens = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._listens:
            return
        if event == "subprocess.Popen":
            self.started.append(os.fsdecode(arguments[0] or arguments[1][0]))
        elif event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES:
                self._note(path)
        else:
            for number in _OF_PATHS.get(event, ()):
                self._note(arguments[number])

    def _note(self, path: Any) -> None:
        if isinstance(path, str | bytes | os.PathLike):
            place = Path(os.path.normpath(_here() / os.fsdecode(path)))
            if not str(place).startswith(self._allowed) and place.parent.is_dir():
                self.written.append(str(place))


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it is deleted
        return Path("/dev")
