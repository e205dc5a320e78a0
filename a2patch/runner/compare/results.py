"""What came out of a comparison: of each training, of each model over its seeds, and of each beside the base.

Pure: made of the plan and of what is kept, as often as one likes.
"""

from __future__ import annotations

import math
import statistics as standard
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from a2patch.protocol import EpochDone, SpeedMeasured
from a2patch.runner.compare import statistics
from a2patch.runner.compare.folder import Folder, Kept
from a2patch.runner.compare.plan import Compared, Plan, Run
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
        sentence: What mAP50-95 at the last epoch tells.
    """

    other: str
    last: Mapping[str, Difference]
    best: Mapping[str, Difference]
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
    """

    plan: Plan
    runs: tuple[RunResult, ...]
    models: tuple[ModelResult, ...]

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


def read(folder: Folder, plan: Plan) -> Comparison:
    """Return what came out of the comparison in a folder, as far as it is."""
    return concluded(plan, {run: folder.kept(run) for run in plan.runs()}, folder.speeds())


def concluded(plan: Plan, kept: Mapping[Run, Kept], speeds: Sequence[SpeedMeasured]) -> Comparison:
    """Return what came out of a comparison.

    Args:
        plan: What was planned.
        kept: What is kept of each training.
        speeds: How fast the models are.
    """
    runs = [_run(run, each) for run, each in kept.items()]
    by_label = {m.label: [run for run in runs if run.label == m.label] for m in plan.models}
    others = [plan.base.label, *(m.label for m in plan.models if m.source.like)]
    models = [_model(plan, m, by_label, [o for o in others if o != m.label], speeds) for m in plan.models]
    return Comparison(plan, tuple(runs), tuple(models))


def _run(run: Run, kept: Kept) -> RunResult:
    curve = [(each.epoch, named) for each in kept.epochs if (named := _figures(each))]
    finished = kept.state == "finished" and bool(curve)
    best_epoch, best = max(curve, key=lambda point: point[1][MAIN]) if finished else (0, {})
    times = [each.seconds for each in kept.epochs]
    return RunResult(
        run.label,
        run.seed,
        kept.state,
        kept.failure,
        len(kept.epochs),
        curve[-1][1] if finished else {},
        best,
        best_epoch,
        tuple((epoch, figures[MAIN]) for epoch, figures in curve),
        tuple(None if math.isnan(value) else value for value in kept.epochs[-1].classes) if finished else (),
        standard.median(times) if times else None,
        kept.memory or None,
    )


def _figures(epoch: EpochDone) -> dict[str, float]:
    """Return the figures of an epoch; none where it was not validated."""
    told = dict(epoch.figures)
    return {name: told[theirs] for name, theirs in FIGURES.items()} if FIGURES[MAIN] in told else {}


def _model(
    plan: Plan,
    model: Compared,
    runs: Mapping[str, Sequence[RunResult]],
    others: Sequence[str],
    speeds: Sequence[SpeedMeasured],
) -> ModelResult:
    own = runs[model.label]
    role = "control" if model.source.like else "base" if model is plan.base else "model"
    ready = model.prepared
    return ModelResult(
        model.label,
        role,
        model.source.path,
        ready.parameters if ready else None,
        ready.gflops if ready else None,
        ready.start if ready else "fresh",
        ready.exact if ready else None,
        ready.note if ready else "",
        sum(run.state == "finished" for run in own),
        sum(run.state == "failed" for run in own),
        _spreads(run.last for run in own),
        _spreads(run.best for run in own),
        tuple(filter(None, (_paired(own, runs[other], other) for other in others if role != "base"))),
        _class_means([run.classes for run in own if run.classes]),
        tuple(_speeds(plan.base.label, model.label, speeds)),
        _middle(run.epoch_seconds for run in own),
        max((run.memory for run in own if run.memory), default=None),
    )


def _spreads(figures: Iterable[Mapping[str, float]]) -> dict[str, Spread]:
    told = [each for each in figures if each]
    found = {name: statistics.spread([each[name] for each in told]) for name in FIGURES}
    return {name: spread for name, spread in found.items() if spread}


def _paired(own: Sequence[RunResult], others: Sequence[RunResult], other: str) -> PairedResult | None:
    """Return a model beside another; None as long as they share no finished seed."""
    last: dict[str, Difference] = {}
    best: dict[str, Difference] = {}
    for name in FIGURES:
        for kind, found in (("last", last), ("best", best)):
            mine, theirs = (
                {run.seed: getattr(run, kind)[name] for run in runs if getattr(run, kind)} for runs in (own, others)
            )
            if difference := statistics.difference(mine, theirs):
                found[name] = difference
    return PairedResult(other, last, best, statistics.sentence(last[MAIN], other)) if last else None


def _class_means(seeds: Sequence[Sequence[float | None]]) -> tuple[float | None, ...]:
    columns = [[value for value in column if value is not None] for column in zip(*seeds, strict=True)]
    return tuple(standard.fmean(column) if column else None for column in columns)


def _middle(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return standard.median(told) if told else None


def _speeds(base: str, label: str, speeds: Sequence[SpeedMeasured]) -> Iterable[Speed]:
    beside = {(each.device, each.batch): each.seconds for each in speeds if each.label == base}
    for each in speeds:
        if each.label == label:
            ratios = [own / other for own, other in zip(each.seconds, beside[each.device, each.batch], strict=True)]
            low, median, high = (1000 * value for value in standard.quantiles(each.seconds, n=4, method="inclusive"))
            fps = 1000 * each.batch / median
            yield Speed(each.device, each.batch, median, low, high, fps, standard.median(ratios))
