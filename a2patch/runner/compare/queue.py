"""Have trainings made, so many at once, on devices that are dealt out; no scheduler beyond a queue."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from a2patch.runner.compare.folder import Folder, Kept
from a2patch.runner.compare.launch import Job
from a2patch.runner.compare.plan import Run

FIGURE = "metrics/mAP50-95(B)"
_POLL_SECONDS = 0.1
_WATCH_SECONDS = 1.0
_AGAIN_SECONDS = 2.0  # until a training whose starter died has noticed, and ended
_ATTEMPTS = 3  # in one command, of a training that something outside keeps ending


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes:
        run: The training.
        state: What it does.
        epoch: How many epochs are done.
        epochs: How many there are.
        figure: mAP50-95 after the last one; None before.
        seconds: How long an epoch takes; None where none is done.
    """

    run: Run
    state: Literal["waiting", "running", "finished", "failed"]
    epoch: int
    epochs: int
    figure: float | None
    seconds: float | None


@dataclass
class Queue:
    """The trainings of a comparison that are to be made.

    Attributes:
        folder: Where they are kept.
        runs: All trainings of the comparison.
        epochs: How many epochs each has.
        slots: The devices, one for each training that runs at once.
        start: Starts a training on a device.
        watch: Told how far all are, about once a second and when one ends, with what there is to say of that.
    """

    folder: Folder
    runs: Sequence[Run]
    epochs: int
    slots: Sequence[str]
    start: Callable[[Run, str], Job]
    watch: Callable[[Sequence[Progress], str], None]
    _kept: dict[Run, Kept] = field(default_factory=dict)
    _running: dict[Run, tuple[Job, int]] = field(default_factory=dict)
    _attempts: dict[Run, int] = field(default_factory=dict)
    _not_before: dict[Run, float] = field(default_factory=dict)
    _watched: float = 0.0

    def work(self) -> None:
        """Make all trainings that have not come to their end, each until it does or fails."""
        self._kept = {run: self.folder.kept(run) for run in self.runs}
        waiting = [run for run in self.runs if not self._kept[run].ended]
        try:
            while waiting or self._running:
                waiting += self._collect()
                self._fill(waiting)
                self._tell()
                time.sleep(_POLL_SECONDS)
        finally:  # an interrupt, above all, must leave no process behind
            for job, _ in self._running.values():
                job.stop()

    def _fill(self, waiting: list[Run]) -> None:
        """Start trainings while there are devices for them."""
        free = [i for i in range(len(self.slots)) if i not in {slot for _, slot in self._running.values()}]
        for slot in free:
            # Of several that begin at once, each would write what ultralytics keeps of the labels.
            alone = self._running and not any(kept.began for kept in self._kept.values())
            now = time.monotonic()
            run = next((run for run in waiting if self._not_before.get(run, 0.0) <= now), None)
            if run is None or alone:
                return
            waiting.remove(run)
            self._attempts[run] = self._attempts.get(run, 0) + 1
            self._running[run] = (self.start(run, self.slots[slot]), slot)

    def _collect(self) -> list[Run]:
        """Take in the trainings that have ended, and return those that are to be tried again."""
        again = []
        for run, (job, _) in [*self._running.items()]:
            if job.is_running():
                continue
            del self._running[run]
            before = len(self._kept[run].epochs)
            ending = job.ending()
            kept = self._kept[run] = self.folder.kept(run)
            if kept.ended:
                self.folder.tidy(run)
                self._tell(f"{run}: {kept.failure}" if kept.failure else f"{run} is finished")
            elif ending.killed and (self._attempts[run] < _ATTEMPTS or len(kept.epochs) > before):
                self._not_before[run] = time.monotonic() + _AGAIN_SECONDS
                again.append(run)
                self._tell(f"{run} was killed after epoch {len(kept.epochs)}, and goes on from there")
            else:
                self.folder.fail(run, ending.text)
                self._kept[run] = self.folder.kept(run)
                self._tell(f"{run} failed: {ending.text}")
        return again

    def _tell(self, news: str = "") -> None:
        """Tell how far all trainings are, unless that was told just now."""
        if not news and time.monotonic() - self._watched < _WATCH_SECONDS:
            return
        self._watched = time.monotonic()
        for run in self._running:
            self._kept[run] = self.folder.kept(run)
        self.watch([self._progress(run) for run in self.runs], news)

    def _progress(self, run: Run) -> Progress:
        kept = self._kept[run]
        last = kept.epochs[-1] if kept.epochs else None
        ended: Literal["finished", "failed", "waiting"] = "waiting"
        if kept.state in ("finished", "failed"):
            ended = "finished" if kept.state == "finished" else "failed"
        return Progress(
            run,
            "running" if run in self._running else ended,
            last.epoch if last else 0,
            self.epochs,
            next((value for name, value in last.figures if name == FIGURE), None) if last else None,
            sorted(each.seconds for each in kept.epochs)[len(kept.epochs) // 2] if last else None,
        )
