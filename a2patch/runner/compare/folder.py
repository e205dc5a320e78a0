"""The folder of a comparison: its plan, a folder for each training, and what is made of them.

Files of ours are replaced in one step. What a training has told is kept as it tells it, a line an event, and a line
that its end cut short is dropped before the next attempt.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from a2patch.errors import AccessError, ExistsError, LockedError
from a2patch.protocol import (
    EVENTS,
    EpochDone,
    Event,
    ProtocolError,
    SpeedMeasured,
    TrainingBegan,
    TrainingDone,
    decode,
    encode,
)
from a2patch.runner.compare import plan as planning
from a2patch.runner.compare.plan import Plan, Run
from a2patch.transaction import write_atomically

PLAN, SPEEDS, RUNS, LOCK, FAILURE = "plan.json", "speeds.jsonl", "runs", "lock", "failure.txt"
_OF_AN_ATTEMPT = ("work", "config", "cache", "tmp", "files", "request.json")

State = Literal["waiting", "begun", "finished", "failed"]
"""Of a training: not begun, to be gone on with, at its end, or ended by a fault."""


@dataclass(frozen=True)
class Kept:
    """What is kept of a training.

    Attributes:
        state: How far it is.
        epochs: What its epochs gave, in order.
        began: Whether it ever came as far as its first epoch.
        ended: Whether it came to its end, so that another attempt would change nothing.
        memory: The most memory it held, in bytes; 0 if nobody tells.
        failure: How it failed, with its last lines; empty if it did not.
    """

    state: State
    epochs: tuple[EpochDone, ...] = ()
    began: bool = False
    ended: bool = False
    memory: int = 0
    failure: str = ""


class Folder:
    """The folder of a comparison.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def plan(self) -> Plan | None:
        """Return the plan; None if there is no comparison yet.

        Raises:
            CompareError: It can't be read.
            ExistsError: The folder holds something else.
        """
        place = self.path / PLAN
        if place.is_file():
            return planning.decoded(place.read_bytes(), place)
        others = [path.name for path in self.path.iterdir() if path.name != LOCK] if self.path.is_dir() else []
        if others:
            raise ExistsError(
                "the folder holds other files than a comparison's",
                path=self.path,
                found=", ".join(sorted(others)[:5]),
                remedy="Name a new folder, or an empty one, with -o.",
            )
        return None

    def keep_plan(self, plan: Plan) -> None:
        """Write the plan."""
        write_atomically(self.path / PLAN, planning.encoded(plan))

    def run(self, run: Run) -> Path:
        """Return the folder of a training."""
        return self.path / RUNS / run.label / str(run.seed)

    def kept(self, run: Run) -> Kept:
        """Return what is kept of a training."""
        home = self.run(run)
        events = _events(home / EVENTS)
        epochs = {event.epoch: event for event in events if isinstance(event, EpochDone)}
        told = tuple(epochs[number] for number in sorted(epochs))
        done = next((event for event in reversed(events) if isinstance(event, TrainingDone)), None)
        if done and not (told and told[-1].finite):
            return Kept("failed", told, True, True, done.memory, f"Its loss is no number after epoch {len(told)}.")
        if done:
            return Kept("finished", told, True, True, done.memory)
        began = any(isinstance(event, TrainingBegan) for event in events)
        with suppress(FileNotFoundError):
            return Kept("failed", told, began, failure=home.joinpath(FAILURE).read_text(encoding="utf-8"))
        return Kept("begun" if told else "waiting", told, began)

    def begin(self, run: Run) -> Path:
        """Make a training's folder ready for an attempt, and return it."""
        home = self.run(run)
        home.mkdir(parents=True, exist_ok=True)
        self.tidy(run)
        home.joinpath(FAILURE).unlink(missing_ok=True)
        for name in ("work", "config", "cache", "tmp", "files"):
            (home / name).mkdir()
        events = home / EVENTS
        told = events.read_bytes() if events.exists() else b""
        write_atomically(events, told[: told.rfind(b"\n") + 1])
        return home

    def tidy(self, run: Run) -> None:
        """Remove what only an attempt needs."""
        for name in _OF_AN_ATTEMPT:
            place = self.run(run) / name
            if place.is_dir():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)

    def fail(self, run: Run, ending: str) -> None:
        """Keep how a training failed."""
        write_atomically(self.run(run) / FAILURE, ending.encode("utf-8", "replace"))

    def speeds(self) -> list[SpeedMeasured]:
        """Return how fast the models are, where that was measured."""
        return [event for event in _events(self.path / SPEEDS) if isinstance(event, SpeedMeasured)]

    def keep_speeds(self, speeds: list[SpeedMeasured]) -> None:
        """Write how fast the models are."""
        lines = "".join(f"{encode(speed)}\n" for speed in speeds)
        write_atomically(self.path / SPEEDS, lines.encode("utf-8"))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if it is not there, and let no other command work in it meanwhile.

        Raises:
            LockedError: Another command does.
            AccessError: It can't be made or written to.
        """
        from filelock import FileLock, Timeout

        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / LOCK, timeout=0)
            lock.acquire()
        except Timeout as error:
            raise LockedError(
                "another a2patch compares in this folder",
                path=self.path,
                remedy="Wait until it has finished, or end it. `a2patch compare --show` tells how far it is.",
            ) from error
        except OSError as error:
            raise AccessError(
                f"the folder can't be written to: {error.strerror or error}",
                path=self.path,
                remedy="Name a folder that you may write to with -o.",
            ) from error
        try:
            yield
        finally:
            lock.release()
            with suppress(OSError):
                if not self.path.joinpath(PLAN).exists():  # nothing came of it
                    self.path.joinpath(LOCK).unlink(missing_ok=True)
                    self.path.rmdir()


def _events(path: Path) -> list[Event]:
    """Return the events of a file; a line that was cut short is none."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        with suppress(ProtocolError):
            found.append(decode(line))
    return found  # type: ignore[return-value]
