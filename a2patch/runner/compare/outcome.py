"""What came out of a comparison, as data: of each training, of each model, and of each beside the base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from a2patch.runner.compare.plan import Plan
from a2patch.runner.compare.statistics import Difference, Spread

MAIN = "mAP50-95"
FIGURES = {
    MAIN: "metrics/mAP50-95(B)",
    "mAP50": "metrics/mAP50(B)",
    "precision": "metrics/precision(B)",
    "recall": "metrics/recall(B)",
}
"""The figures that are compared, by what they are called, with upstream's names; the first one decides."""


@dataclass(frozen=True)
class RunResult:
    """What came out of a training.

    Attributes:
        label: The model.
        seed: The seed.
        state: `finished`, `failed`, `begun` or `waiting`.
        failure: How it failed, with its last lines; empty if it did not.
        epochs: How many epochs it has made.
        last: The figures at its last epoch; none unless it is finished.
        best: Those at its best epoch, by mAP50-95; likewise.
        best_epoch: The number of that; 0 where there is none.
        sizes: mAP50-95 at the last epoch by the size of objects, None of one that the validation has not; none where
            that is not known.
        curve: mAP50-95 after each epoch that was validated, with its number.
        classes: mAP50-95 of each class at the last epoch; None of one that the validation has not.
        epoch_seconds: How long an epoch took, the median; None where none was made.
        memory: The most memory it held, in bytes; None if nobody tells.
    """

    label: str
    seed: int
    state: str
    failure: str
    epochs: int
    last: Mapping[str, float]
    best: Mapping[str, float]
    best_epoch: int
    sizes: Mapping[str, float | None]
    curve: tuple[tuple[int, float], ...]
    classes: tuple[float | None, ...]
    epoch_seconds: float | None
    memory: int | None


@dataclass(frozen=True)
class Speed:
    """How fast a model is.

    Attributes:
        device: Where.
        batch: How many images at once.
        median: Milliseconds for all of them: the median over the rounds.
        low: The first quartile.
        high: The third.
        fps: Images in a second, by the median.
        beside: How many times as long as the base: the median over the rounds, in which both took turns.
    """

    device: str
    batch: int
    median: float
    low: float
    high: float
    fps: float
    beside: float


@dataclass(frozen=True)
class PairedResult:
    """A model beside another.

    Attributes:
        other: The label of the other.
        last: The differences at the last epoch, by figure.
        best: Those at the best epoch.
        sizes: Those of mAP50-95 at the last epoch by the size of objects; as of a training.
        sentence: What mAP50-95 at the last epoch tells.
    """

    other: str
    last: Mapping[str, Difference]
    best: Mapping[str, Difference]
    sizes: Mapping[str, Difference | None]
    sentence: str


@dataclass(frozen=True)
class ModelResult:
    """What came out of a model.

    Attributes:
        label: What it is called.
        role: `base`, `control` or `model`.
        path: Its file, as it was named.
        parameters: How many it has; None before it was made ready.
        gflops: At 640 px; None where they can't be counted.
        start: What its trainings start from.
        exact: Whether they start where the checkpoint ends; None where there is none.
        note: What else there is to say.
        finished: How many trainings are finished.
        failed: How many failed.
        last: The spread over the seeds at the last epoch, by figure.
        best: That at the best epoch of each.
        sizes: That of mAP50-95 at the last epoch by the size of objects; as of a training.
        beside: The model beside the base, and beside the control.
        classes: The mean of mAP50-95 of each class over the seeds; None of one that the validation has not.
        speeds: How fast it is.
        epoch_seconds: How long an epoch took, the median of its trainings.
        memory: The most memory a training of it held, in bytes.
    """

    label: str
    role: str
    path: str
    parameters: int | None
    gflops: float | None
    start: str
    exact: bool | None
    note: str
    finished: int
    failed: int
    last: Mapping[str, Spread]
    best: Mapping[str, Spread]
    sizes: Mapping[str, Spread | None]
    beside: tuple[PairedResult, ...]
    classes: tuple[float | None, ...]
    speeds: tuple[Speed, ...]
    epoch_seconds: float | None
    memory: int | None


@dataclass(frozen=True)
class Comparison:
    """What came out of a comparison.

    Attributes:
        plan: What was planned.
        runs: The trainings.
        models: The models, the base first.
        objects: How many objects of each size the validation has; none where no figures by size are known.
        unsized: How many finished trainings have no figures by size only because the evaluator is not installed.
    """

    plan: Plan
    runs: tuple[RunResult, ...]
    models: tuple[ModelResult, ...]
    objects: Mapping[str, int]
    unsized: int

    @property
    def failed(self) -> list[RunResult]:
        """The trainings that failed."""
        return [run for run in self.runs if run.state == "failed"]

    @property
    def finished(self) -> int:
        """How many trainings are finished."""
        return sum(run.state == "finished" for run in self.runs)

    def runs_of(self, label: str) -> list[RunResult]:
        """Return the trainings of a model."""
        return [run for run in self.runs if run.label == label]
