"""Operations on files that go wrong: in a forked process, counted, and with no part in what is tested."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from a2patch.errors import A2PatchError, AccessError, LockedError

EVENTS = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.utime", "os.setxattr"}
DONE, REFUSED, HALF_DONE, LOCKED, KILLED = 0, 4, 5, 6, 137


class Injector:
    """Counts the operations on files below a folder, and lets one of them go wrong.

    It sits where Python itself tells of each operation before it happens, so nothing of the product knows of it.
    """

    def __init__(self, root: Path, mode: str, at: int) -> None:
        self.root, self.mode, self.at = str(root), mode, at
        self.count = 0
        self.written: str | None = None
        sys.addaudithook(self._hear)
        os.fsync = self._fsync  # type: ignore[assignment]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], (str, os.PathLike)):
            path, writes = os.fspath(arguments[0]), bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            if writes and str(path).startswith(self.root):
                self._strike()
                self.written = str(path)
        elif event in EVENTS and str(arguments[0]).startswith(self.root):
            self._strike()

    def _fsync(self, handle: int) -> None:
        self._strike()  # and no more: what a killed process has written stays, synced or not

    def _strike(self) -> None:
        self.count += 1
        if self.count < self.at or (self.count > self.at and self.mode != "dying disk"):
            return
        if self.mode == "tear" and self.written and (place := Path(self.written)).is_file():
            os.truncate(place, place.stat().st_size // 2)
        if self.mode in {"kill", "tear"}:
            os._exit(KILLED)
        if self.mode == "interrupt":
            raise KeyboardInterrupt
        raise OSError(errno.ENOSPC, "no space left, says the test", self.root)


def forked(work: Callable[[], None], injector: Callable[[], Injector] | None = None) -> tuple[int, int]:
    """Do something in a forked process; give its exit code and how many operations it came to."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code, counter = 70, None
        try:
            os.close(reader)
            counter = injector() if injector else None
            work()
            code = DONE
        except LockedError:
            code = LOCKED
        except A2PatchError as error:
            code = HALF_DONE if "recover" in error.remedy else REFUSED
            code = code if isinstance(error, AccessError) else 71
        except KeyboardInterrupt:
            code = 130
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os.write(writer, str(counter.count if counter else 0).encode())
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        count = int(pipe.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), count
