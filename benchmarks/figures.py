"""Outcomes of trials told as tables, and drawn as curves."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.contenders import CONTENDERS, MAIN, NEAR, NEAR_STUDY, STUDY
from benchmarks.digits import SAMENESS, TASKS
from benchmarks.outcomes import Outcome

TITLES = {
    "name": "find and name the digits",
    "odd": "find the odd one out",
    "far": "find the odd one out, far apart",
}
TABLES = (
    (tuple(MAIN), ("name", "odd")),
    (tuple(NEAR), ("far",)),
    (("stock", "ours", *STUDY), ("odd",)),
    (("near", "near-ours", *NEAR_STUDY), ("far",)),
)
PANELS = {"name": MAIN, "odd": MAIN, "far": NEAR}
ROLES = ("as it comes", "with as many plain parameters", "with the tutorial's layer", "with ours")
ODD = slice(2, None)  # the classes that a box alone does not tell

Grouped = Mapping[tuple[str, str], Sequence[Outcome]]


def tables(outcomes: Iterable[Outcome]) -> str:
    """The tables of the comparisons and of the study, in Markdown."""
    grouped = _by_task_and_contender(outcomes)
    parts = []
    for names, tasks in TABLES:
        there = [name for name in names if any((task, name) in grouped for task in tasks)]
        if there:
            parts.append(_table(there, tasks, grouped))
    return "\n\n".join(parts)


def plot(outcomes: Iterable[Outcome], place: Path) -> None:
    """Draw the curves of the comparisons, a panel a task: the mean over the seeds and their span."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "a2patch"  # the same figures give the same file
    from matplotlib import pyplot

    grouped = _by_task_and_contender(outcomes)
    figure, panels = pyplot.subplots(1, len(PANELS), figsize=(11, 4), layout="constrained", sharey=True)
    for panel, (task, contenders) in zip(panels, PANELS.items(), strict=True):
        for name, role in zip(contenders, ROLES, strict=True):
            runs = grouped.get((task, name), [])
            epochs = [point.epoch for run in runs[:1] for point in run.curve]
            heights = list(zip(*([point.overall for point in run.curve] for run in runs), strict=True))
            (line,) = panel.plot(epochs, [statistics.mean(h) for h in heights], label=role)
            least, greatest = [min(h) for h in heights], [max(h) for h in heights]
            panel.fill_between(epochs, least, greatest, color=line.get_color(), alpha=0.2, linewidth=0)
        network = "a near-sighted network" if contenders is NEAR else "YOLOv8n"
        panel.set_title(f"{TITLES[task]}\n{network}", fontsize="medium")
        panel.set(xlabel="epoch", ylim=(0, 1))
    panels[0].set_ylabel("mAP50-95")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")
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
        of_odd = [
            _mean(run.curve[-1].classes[ODD])
            for task, found in runs.items()
            for run in found
            if TASKS[task].classes is SAMENESS
        ]
        sight = min(min(run.sight.values()) for found in runs.values() for run in found)
        parameters = max(run.parameters for found in runs.values() for run in found)
        rows.append(_line([CONTENDERS[name].title, f"{parameters:,}", *overall, _spread(of_odd), f"{sight:.0e}"]))
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
