"""Outcomes of trials told as tables, and drawn as curves."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.contenders import CONTENDERS, MAIN, STUDY
from benchmarks.outcomes import Outcome

TITLES = {"name": "find and name the digits", "odd": "find the odd one out"}
ODD = slice(2, None)  # the classes of the second task that its images alone tell

Grouped = Mapping[tuple[str, str], Sequence[Outcome]]


def tables(outcomes: Iterable[Outcome]) -> str:
    """The tables of the main comparison and of the study, in Markdown."""
    grouped = _by_task_and_contender(outcomes)
    there = {name for _, name in grouped}
    parts = []
    if not there.isdisjoint(MAIN):
        parts.append(_table([name for name in MAIN if name in there], list(TITLES), grouped))
    if not there.isdisjoint(STUDY):
        parts.append(_table([name for name in ("stock", "ours", *STUDY) if name in there], ["odd"], grouped))
    return "\n\n".join(parts)


def plot(outcomes: Iterable[Outcome], place: Path) -> None:
    """Draw the curves of the main comparison, a panel a task: the mean over the seeds and their span."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "a2patch"  # the same figures give the same file
    from matplotlib import pyplot

    grouped = _by_task_and_contender(outcomes)
    figure, panels = pyplot.subplots(1, len(TITLES), figsize=(8, 4), layout="constrained", sharey=True)
    for panel, (task, title) in zip(panels, TITLES.items(), strict=True):
        for name, contender in MAIN.items():
            if runs := grouped.get((task, name)):
                epochs = [point.epoch for point in runs[0].curve]
                heights = list(zip(*([point.overall for point in run.curve] for run in runs), strict=True))
                label = contender.title.replace("`", "")
                (line,) = panel.plot(epochs, [statistics.mean(h) for h in heights], label=label)
                least, greatest = [min(h) for h in heights], [max(h) for h in heights]
                panel.fill_between(epochs, least, greatest, color=line.get_color(), alpha=0.2, linewidth=0)
        panel.set(title=title, xlabel="epoch", ylim=(0, 1))
    panels[0].set_ylabel("mAP50-95")
    figure.legend(*panels[-1].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize="small")
    figure.savefig(place, metadata={"Date": None} if place.suffix == ".svg" else None)
    pyplot.close(figure)


def _by_task_and_contender(outcomes: Iterable[Outcome]) -> Grouped:
    grouped: defaultdict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        grouped[outcome.trial.task, outcome.trial.contender].append(outcome)
    return grouped


def _table(names: Iterable[str], tasks: Sequence[str], grouped: Grouped) -> str:
    """The table of some contenders in some tasks."""
    head = ["model", "parameters", *(TITLES[task] for task in tasks), "only the odd ones", "least sight"]
    rows = [_line(head), "|---" * len(head) + "|"]
    for name in names:
        runs = {task: grouped.get((task, name), []) for task in tasks}
        overall = [_spread([run.curve[-1].overall for run in found]) for found in runs.values()]
        of_odd = _spread([_mean(run.curve[-1].classes[ODD]) for run in runs["odd"]])
        sight = min(min(run.sight.values()) for found in runs.values() for run in found)
        parameters = max(run.parameters for found in runs.values() for run in found)
        rows.append(_line([CONTENDERS[name].title, f"{parameters:,}", *overall, of_odd, f"{sight:.0e}"]))
    return "\n".join(rows)


def _mean(values: Sequence[float]) -> float:
    """A mean, zero where nothing was found."""
    return statistics.mean(values) if values else 0.0


def _spread(values: Sequence[float]) -> str:
    """A mean and the standard deviation over the seeds, with their number unless that is three."""
    if len(values) < 2:
        return "".join(f"{value:.3f} (1)" for value in values)
    spread = f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}"
    return spread if len(values) == 3 else f"{spread} ({len(values)})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
