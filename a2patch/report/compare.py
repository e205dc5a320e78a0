"""Say as text what came out of a comparison: tables, sentences, and how far it is while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from a2patch.protocol import command_line
from a2patch.report.text import table_lines, wrapped
from a2patch.runner import compare as runner

Row = list[str]

LAST, BEST = "at the last epoch", "at the best epoch"
KINDS = {"last": LAST, "best": BEST}
SIZES = f"{runner.MAIN} {LAST} by the size of objects (their number)"


def comparison_lines(found: runner.Comparison, width: int) -> list[str]:
    """Return a comparison as text.

    Args:
        found: The comparison.
        width: The columns to stay within.
    """
    lines = [headline(found)]
    for kind, told in KINDS.items():
        lines += [
            "",
            f"{told.capitalize()}: mean ± standard deviation over the seeds",
            *_shown(figure_table(found, kind)),
        ]
    if found.objects:
        lines += ["", f"{SIZES}: mean ± standard deviation", *_shown(size_table(found))]
    for kind, told in KINDS.items():
        rows = difference_table(found, kind)
        if len(rows) > 1:
            lines += ["", f"Differences {told}, seed by seed, with 95 % intervals", *_shown(rows)]
    rows = size_difference_table(found)
    if len(rows) > 1:
        lines += ["", "Differences by the size of objects, seed by seed, with 95 % intervals", *_shown(rows)]
    lines += ["", "Costs", *table_lines(cost_table(found), width), ""]
    lines += [wrapped(text, width) for text in (*verdicts(found), *notes(found))]
    for run in found.failed:
        lines += ["", f"{run.label}, seed {run.seed}, failed:", *(f"  {line}" for line in run.failure.splitlines())]
    return lines


def _shown(rows: Sequence[Row]) -> list[str]:
    return table_lines(rows)


def headline(found: runner.Comparison) -> str:
    """Return how much of a comparison is done."""
    plan = found.plan
    seeds = "one seed" if plan.seeds == 1 else f"{plan.seeds} seeds"
    failed = f", {len(found.failed)} failed" if found.failed else ""
    return (
        f"{len(plan.models)} models, {seeds}, {plan.epochs} epochs: "
        f"{found.finished} of {len(found.runs)} trainings are finished{failed}"
    )


def verdicts(found: runner.Comparison) -> list[str]:
    """Return a sentence for each model beside the base, and beside the control."""
    pairs = ((model.label, beside.sentence) for model in found.models for beside in model.beside)
    return [f"{label}: {sentence} ({runner.MAIN} {LAST})." for label, sentence in pairs]


def notes(found: runner.Comparison) -> list[str]:
    """Return what else a reader has to know."""
    lines = [f"{m.label}: {m.note}." for m in found.models if m.note]
    if found.plan.seeds == 1:
        lines.append("One seed decides nothing: give --seeds 3 or more, which goes on from here.")
    finished = [run.last[runner.MAIN] for run in found.runs if run.last]
    if finished and not any(finished):
        lines.append("Each mAP50-95 is 0: nothing has been learned yet. Compare anew with more --epochs.")
    lines += _missing_sizes(found)
    pairs = sum(len(model.beside) for model in found.models)
    if pairs > 1 and found.plan.seeds > 1:
        lines.append(
            f"Each interval stands for itself: of {pairs} differences that are none, one may well seem to be one."
        )
    return lines


def _missing_sizes(found: runner.Comparison) -> list[str]:
    """Return why AP by the size of objects is not told, or not of all trainings."""
    known = sum(bool(run.sizes) for run in found.runs)
    if found.unsized:
        told = f"AP by the size of objects is not told of {_trainings(found.unsized)}: it needs faster-coco-eval."
        install = 'Install that beside a2patch: pip install "a2patch[sizes]".'
        return [f"{told} {install} Then a2patch compare --show FOLDER tells it, and trains nothing."]
    if 0 < known < found.finished:
        missing = found.finished - known
        return [f"AP by the size of objects is not known of {_trainings(missing)}, made by an earlier a2patch."]
    return []


def _trainings(count: int) -> str:
    return "one training" if count == 1 else f"{count} trainings"


def figure_table(found: runner.Comparison, kind: str) -> list[Row]:
    """Return the figures of each model, with a heading."""
    rows = [["model", *runner.FIGURES, "trainings"]]
    for model in found.models:
        spreads: Mapping[str, runner.Spread] = getattr(model, kind)
        cells = [spread_text(spreads.get(name)) for name in runner.FIGURES]
        failed = f", {model.failed} failed" if model.failed else ""
        rows.append([model.label, *cells, f"{model.finished}{failed}"])
    return rows


def size_table(found: runner.Comparison) -> list[Row]:
    """Return mAP50-95 of each model by the size of objects, with a heading that tells how many there are."""
    rows = [["model", *(f"{name} ({found.objects.get(name, 0)})" for name in runner.SIZES)]]
    for model in found.models:
        rows.append([model.label, *(spread_text(model.sizes.get(name)) for name in runner.SIZES)])
    return rows


def size_difference_table(found: runner.Comparison) -> list[Row]:
    """Return how each model differs from the base and the control by the size of objects, with a heading."""
    rows = [["model", *runner.SIZES]]
    for model in found.models:
        for beside in model.beside:
            if beside.sizes:
                cells = [difference_text(beside.sizes.get(name)) for name in runner.SIZES]
                rows.append([f"{model.label} − {beside.other}", *cells])
    return rows


def difference_table(found: runner.Comparison, kind: str) -> list[Row]:
    """Return how each model differs from the base and from the control, with a heading."""
    rows = [["model", *runner.FIGURES]]
    for model in found.models:
        for beside in model.beside:
            differences: Mapping[str, runner.Difference] = getattr(beside, kind)
            cells = [difference_text(differences[name]) for name in runner.FIGURES]
            rows.append([f"{model.label} − {beside.other}", *cells])
    return rows


def cost_table(found: runner.Comparison) -> list[Row]:
    """Return what each model costs, with a heading; speeds are medians and quartiles, and times those of the base."""
    places = list(dict.fromkeys((s.device, s.batch) for model in found.models for s in model.speeds))
    heads = [f"{device}, batch {batch}" for device, batch in places]
    rows = [["model", "parameters", "GFLOPs", *heads, "an epoch", "memory"]]
    for model in found.models:
        rows.append(
            [
                model.label,
                f"{model.parameters:,}" if model.parameters is not None else "–",
                f"{model.gflops:.2f}" if model.gflops is not None else "–",
                *(_speed_text(model, place) for place in places),
                f"{model.epoch_seconds:.1f} s" if model.epoch_seconds is not None else "–",
                f"{model.memory / 2**30:.2f} GiB" if model.memory else "–",
            ]
        )
    return rows


def _speed_text(model: runner.ModelResult, place: tuple[str, int]) -> str:
    """Return how fast a model is somewhere."""
    for speed in model.speeds:
        if (speed.device, speed.batch) == place:
            beside = "" if model.role == "base" else f", {speed.beside:.2f} ×"
            return f"{speed.median:.1f} ms [{speed.low:.1f}, {speed.high:.1f}], {speed.fps:.0f} FPS{beside}"
    return "–"


def spread_text(spread: runner.Spread | None) -> str:
    """Return a mean with its deviation."""
    if spread is None:
        return "–"
    return f"{spread.mean:.4f}" + (f" ± {spread.deviation:.4f}" if spread.deviation is not None else " (one)")


def difference_text(found: runner.Difference | None) -> str:
    """Return a difference with its interval."""
    if found is None:
        return "–"
    if found.low is None or found.high is None:
        return f"{found.mean:+.4f} (one)"
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def class_table(found: runner.Comparison) -> list[Row]:
    """Return mAP50-95 of each class and model, with a heading; empty where nothing is finished."""
    names = found.plan.data.classes if found.plan.data else ()
    told = [model for model in found.models if model.classes]
    if not told:
        return []
    rows = [["class", *(model.label for model in told)]]
    for i, name in enumerate(names):
        values = [model.classes[i] if i < len(model.classes) else None for model in told]
        rows.append([name, *("–" if value is None else f"{value:.4f}" for value in values)])
    return rows


def facts(found: runner.Comparison) -> dict[str, str]:
    """Return what a comparison was made with, by name."""
    plan = found.plan
    data = plan.data
    told = {name: str(value) for name, value in plan.settings.items()}
    if plan.arguments:
        told["arguments"] = " ".join(f"{name}={value}" for name, value in plan.arguments.items())
    if data:
        told["images"] = f"{data.images} to train on, {data.validated} to validate on, {len(data.classes)} classes"
    return {**told, "threads": str(plan.threads), "command": command(plan.command)}


def command(words: Sequence[str]) -> str:
    """Return a command as it can be typed again."""
    return command_line(words)


def going_on(words: Sequence[str], folder: Path) -> str:
    """Return how to go on after an interruption, in two lines."""
    return f"What is done is kept in {folder}; go on with\n  {command(words)}"


def progress_lines(states: Sequence[runner.Progress], jobs: int) -> list[str]:
    """Return how far all trainings are, as a table."""
    shown = [state for state in states if state.state != "waiting"]
    rows = [["model", "seed", "epoch", runner.MAIN, "remaining", ""]]
    for state in shown:
        figure = f"{state.figure:.4f}" if state.figure is not None else "–"
        left = _remaining(state) if state.state == "running" else None
        told = _duration(left) if left is not None else ""
        epochs = f"{state.epoch}/{state.epochs}"
        rows.append([state.run.label, str(state.run.seed), epochs, figure, told, state.state])
    return [*table_lines(rows), progress_line(states, jobs)]


def progress_line(states: Sequence[runner.Progress], jobs: int) -> str:
    """Return how far all trainings are, in a line."""
    counts = {name: sum(state.state == name for state in states) for name in ("finished", "running", "failed")}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "finished")
    left = _all_remaining(states, jobs)
    return f"{told} of {len(states)} trainings" + (f"; all end in about {_duration(left)}" if left is not None else "")


def _remaining(state: runner.Progress) -> float | None:
    return None if state.seconds is None else state.seconds * (state.epochs - state.epoch)


def _all_remaining(states: Sequence[runner.Progress], jobs: int) -> float | None:
    """Return when all trainings will have ended, in seconds, as far as that can be told."""
    times = [state.seconds for state in states if state.seconds is not None]
    if not times:
        return None
    mean = sum(times) / len(times)
    todo = [state for state in states if state.state in ("running", "waiting")]
    return sum((state.seconds or mean) * (state.epochs - state.epoch) for state in todo) / max(1, min(jobs, len(todo)))


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
