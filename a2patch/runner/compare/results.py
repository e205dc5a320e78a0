"""Work out what came out of a comparison: of each training, of each model over its seeds, and of each beside the base.

Made of the plan and of what is kept, as often as one likes.
"""

from __future__ import annotations

import math
import statistics as standard
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from a2patch.protocol import EpochDone, SpeedMeasured
from a2patch.runner.compare import sizes, statistics
from a2patch.runner.compare.folder import Folder, Kept
from a2patch.runner.compare.outcome import FIGURES, MAIN, Comparison, ModelResult, PairedResult, RunResult, Speed
from a2patch.runner.compare.plan import Compared, Plan, Run
from a2patch.runner.compare.sizes import SIZES, UNKNOWN, BySize
from a2patch.runner.compare.statistics import Difference, Spread

_NAMES: Mapping[str, Iterable[str]] = {"last": FIGURES, "best": FIGURES, "sizes": SIZES}

Found = TypeVar("Found", Spread, Difference)


def read(folder: Folder, plan: Plan, notify: Callable[[str], None]) -> Comparison:
    """Return what came out of the comparison in a folder, as far as it is.

    Args:
        folder: The folder.
        plan: What was planned.
        notify: Told, in a few words, what is being done.

    Raises:
        CompareError: What a training kept can't be read.
        OSError: What is worked out can't be written.
    """
    kept = {run: folder.kept(run) for run in plan.runs()}
    by_size = sizes.read(folder, [run for run, each in kept.items() if each.state == "finished"], notify)
    return concluded(plan, kept, folder.speeds(), by_size)


def concluded(
    plan: Plan, kept: Mapping[Run, Kept], speeds: Sequence[SpeedMeasured], by_size: BySize = UNKNOWN
) -> Comparison:
    """Return what came out of a comparison.

    Args:
        plan: What was planned.
        kept: What is kept of each training.
        speeds: How fast the models are.
        by_size: What came out by the size of objects.
    """
    runs = [_run(run, each, found.figures if (found := by_size.runs.get(run)) else {}) for run, each in kept.items()]
    by_label = {m.label: [run for run in runs if run.label == m.label] for m in plan.models}
    others = [plan.base.label, *(m.label for m in plan.models if m.source.like)]
    models = [_model(plan, m, by_label, [o for o in others if o != m.label], speeds) for m in plan.models]
    objects = next((found.objects for found in by_size.runs.values()), {})
    return Comparison(plan, tuple(runs), tuple(models), objects, by_size.lacking)


def _run(run: Run, kept: Kept, by_size: Mapping[str, float | None]) -> RunResult:
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
        by_size,
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
        _spreads(own, "last"),
        _spreads(own, "best"),
        _each_size(_spreads(own, "sizes")),
        tuple(filter(None, (_paired(own, runs[other], other) for other in others if role != "base"))),
        _class_means([run.classes for run in own if run.classes]),
        tuple(_speeds(plan.base.label, model.label, speeds)),
        _middle(run.epoch_seconds for run in own),
        max((run.memory for run in own if run.memory), default=None),
    )


def _spreads(runs: Sequence[RunResult], kind: str) -> dict[str, Spread]:
    found = {name: statistics.spread([*_by_seed(runs, kind, name).values()]) for name in _NAMES[kind]}
    return {name: spread for name, spread in found.items() if spread}


def _paired(own: Sequence[RunResult], others: Sequence[RunResult], other: str) -> PairedResult | None:
    """Return a model beside another; None as long as they share no finished seed."""
    last, best, by_size = (_differences(own, others, kind) for kind in _NAMES)
    return (
        PairedResult(other, last, best, _each_size(by_size), statistics.sentence(last[MAIN], other)) if last else None
    )


def _differences(own: Sequence[RunResult], others: Sequence[RunResult], kind: str) -> dict[str, Difference]:
    found = {
        name: statistics.difference(_by_seed(own, kind, name), _by_seed(others, kind, name)) for name in _NAMES[kind]
    }
    return {name: difference for name, difference in found.items() if difference}


def _by_seed(runs: Sequence[RunResult], kind: str, name: str) -> dict[int, float]:
    """Return a figure of each training that has it."""
    told: dict[int, float | None] = {run.seed: getattr(run, kind).get(name) for run in runs}
    return {seed: value for seed, value in told.items() if value is not None}


def _each_size(found: Mapping[str, Found]) -> dict[str, Found | None]:
    """Return what was found with None for a size that no object has; nothing where nothing was found."""
    return {name: found.get(name) for name in SIZES} if found else {}


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
