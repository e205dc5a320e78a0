"""Pictures of a comparison in SVG: curves with their spread, differences with intervals, costs against mAP."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from a2patch.report.bilingual import translated
from a2patch.report.markup import Markup, element
from a2patch.runner import compare as runner

_WIDE, _HIGH = 620, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 22, 14, 40  # the margins of what is drawn
_TICKS = 4
_LINE = 22  # from one difference to the next
# Told apart by shape too, so that no colour is needed to read a picture.
_COLOURS = ("var(--ink)", "var(--ours)", "var(--known)", "var(--good)", "var(--bad)", "var(--muted)")
_DASHES = (None, "7 3", "2 3", "9 3 2 3", "4 4", "1 4")
_SHAPES = (
    *("M-5,-5h10v10h-10z", "M0,-6L6,5H-6z", "M0,-6L6,0L0,6L-6,0z", "M0,6L6,-5H-6z"),
    *("M-6,0H6M0,-6V6", "M-5,-5L5,5M-5,5L5,-5"),
)


@dataclass(frozen=True)
class Axis:
    """An axis: what it spans, and where that is drawn.

    Attributes:
        low: The least value.
        high: The greatest.
        start: Where the least is drawn.
        end: Where the greatest is.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return where a value is drawn."""
        span = self.high - self.low
        return self.start + (self.end - self.start) * ((value - self.low) / span if span else 0.5)

    def ticks(self) -> list[float]:
        """Return values to be named, from end to end."""
        return [self.low + (self.high - self.low) * i / _TICKS for i in range(_TICKS + 1)]


def curves(found: runner.Comparison) -> Markup | None:
    """Return mAP50-95 by epoch: a line for the mean over the seeds, in an area from the least to the greatest."""
    drawn = {model.label: _curve(found, model.label) for model in found.models}
    points = [point for curve in drawn.values() for point in curve]
    if not points:
        return None
    across = Axis(min(p[0] for p in points), max(p[0] for p in points), _LEFT, _WIDE - _RIGHT)
    up = Axis(0, max(p[3] for p in points) or 1, _HIGH - _BOTTOM, _TOP)
    pieces = [*_frame(across, up, "epoch", runner.MAIN, whole=True)]
    for i, curve in enumerate(drawn.values()):
        if curve:
            there = " ".join(f"{across.at(x):.1f},{up.at(high):.1f}" for x, _, _, high in curve)
            back = " ".join(f"{across.at(x):.1f},{up.at(low):.1f}" for x, _, low, _ in reversed(curve))
            line = " ".join(f"{across.at(x):.1f},{up.at(mean):.1f}" for x, mean, _, _ in curve)
            area = element("polygon", points=f"{there} {back}", style=f"fill:{_colour(i)};fill-opacity:.14;stroke:none")
            stroke = f"fill:none;stroke:{_colour(i)};stroke-width:2"
            pieces += [area, element("polyline", points=line, style=stroke, stroke_dasharray=_DASHES[i % len(_DASHES)])]
            pieces.append(_mark(i, across.at(curve[-1][0]), up.at(curve[-1][1])))
    return _svg(pieces, _HIGH, f"{runner.MAIN} by epoch, as in runs.csv and compare.json")


def _curve(found: runner.Comparison, label: str) -> list[tuple[float, float, float, float]]:
    """Return the epochs that a model's trainings validated, each with the mean, the least and the greatest."""
    by_epoch: dict[int, list[float]] = {}
    for run in found.runs_of(label):
        for epoch, value in run.curve:
            by_epoch.setdefault(epoch, []).append(value)
    return [(e, statistics.fmean(v), min(v), max(v)) for e, v in sorted(by_epoch.items())]


def differences(found: runner.Comparison) -> Markup | None:
    """Return the differences of mAP50-95 at the last epoch: a dot for the mean, on a line from end to end."""
    rows = [(f"{m.label} − {b.other}", b.last[runner.MAIN]) for m in found.models for b in m.beside]
    if not rows:
        return None
    ends = [value for _, d in rows for value in (d.low, d.mean, d.high, 0.0) if value is not None]
    most = max(max(map(abs, ends)), 0.005) * 1.05
    across = Axis(-most, most, 240, _WIDE - 30)
    high = _LINE * len(rows) + _TOP + _BOTTOM
    zero = across.at(0)
    pieces = [element("line", x1=zero, x2=zero, y1=float(_TOP), y2=float(high - _BOTTOM), stroke="var(--muted)")]
    for i, (name, difference) in enumerate(rows):
        y = _TOP + _LINE * (i + 0.5)
        pieces.append(element("text", name, x=230, y=y + 4, text_anchor="end"))
        if difference.low is not None and difference.high is not None:
            ends_at = {"x1": across.at(difference.low), "x2": across.at(difference.high), "y1": y, "y2": y}
            pieces.append(element("line", **ends_at, stroke="var(--ours)", stroke_width=3))
        pieces.append(element("circle", cx=across.at(difference.mean), cy=y, r=4, fill="var(--ink)"))
    for value in across.ticks():
        pieces.append(_label(f"{value:+.3f}", across.at(value), high - _BOTTOM + 16))
    pieces.append(_label(f"difference of {runner.MAIN}", across.at(0), high - 6))
    return _svg(pieces, high, f"Differences of {runner.MAIN} with their 95 % intervals, as in the table")


def against_costs(found: runner.Comparison) -> Iterator[tuple[str, Markup]]:
    """Yield mAP50-95 against each cost: parameters, GFLOPs, and each speed that was measured."""
    told = [(i, model) for i, model in enumerate(found.models) if runner.MAIN in model.last]
    costs: dict[str, list[tuple[int, float, runner.Spread]]] = {}
    for i, model in told:
        last = model.last[runner.MAIN]
        named: list[tuple[str, float | None]] = [
            ("parameters, millions", model.parameters / 1e6 if model.parameters else None),
            ("GFLOPs at 640 px", model.gflops),
            *((f"ms for a batch of {s.batch} on {s.device}", s.median) for s in model.speeds),
        ]
        for name, cost in named:
            if cost is not None:
                costs.setdefault(name, []).append((i, cost, last))
    for name, points in costs.items():
        yield name, _scatter(name, points)


def _scatter(name: str, points: Sequence[tuple[int, float, runner.Spread]]) -> Markup:
    """Return means against a cost, each on a line of one standard deviation up and down."""
    values = [cost for _, cost, _ in points]
    lows = [spread.mean - (spread.deviation or 0) for *_, spread in points]
    highs = [spread.mean + (spread.deviation or 0) for *_, spread in points]
    room = (max(values) - min(values)) * 0.1 or max(values) * 0.05
    across = Axis(min(values) - room, max(values) + room, _LEFT, _WIDE - _RIGHT)
    slack = (max(highs) - min(lows)) * 0.1 or 0.01
    up = Axis(max(0.0, min(lows) - slack), max(highs) + slack, _HIGH - _BOTTOM, _TOP)
    pieces = [*_frame(across, up, name, runner.MAIN)]
    for (i, cost, spread), low, high in zip(points, lows, highs, strict=True):
        x = across.at(cost)
        pieces.append(element("line", x1=x, x2=x, y1=up.at(low), y2=up.at(high), stroke=_colour(i), stroke_width=2))
        pieces.append(_mark(i, x, up.at(spread.mean)))
    return _svg(pieces, _HIGH, f"{runner.MAIN} against {name}, as in the tables")


def legend(found: runner.Comparison) -> Markup:
    """Return which model is drawn how."""
    items = []
    for i, model in enumerate(found.models):
        ends = {"x1": 1.0, "x2": 33.0, "y1": 8.0, "y2": 8.0}
        stroke = f"stroke:{_colour(i)};stroke-width:2"
        line = element("line", **ends, style=stroke, stroke_dasharray=_DASHES[i % len(_DASHES)])
        sample = element("svg", line, _mark(i, 17, 8), viewBox="0 0 34 16", width=34, height=16, aria_hidden="true")
        items.append(element("li", sample, f" {model.label}"))
    return element("ul", *items, class_="legend")


def _frame(across: Axis, up: Axis, below: str, beside: str, *, whole: bool = False) -> Iterator[Markup]:
    """Yield the axes with their names."""
    for value in up.ticks():
        y = up.at(value)
        yield element("line", x1=across.start, x2=across.end, y1=y, y2=y, stroke="var(--line)")
        yield element("text", f"{value:.3f}", x=across.start - 6, y=y + 4, text_anchor="end")
    ticks = across.ticks()
    for value in sorted({round(tick) for tick in ticks}) if whole else ticks:
        yield _label(f"{value:g}" if whole else f"{value:.4g}", across.at(value), up.start + 16)
    yield _label(below, (across.start + across.end) / 2, up.start + 34)
    yield element("text", beside, x=across.start + 6, y=_TOP + 10, font_weight=600)


def _label(text: str, x: float, y: float) -> Markup:
    return translated(text, "text", x=float(x), y=float(y), text_anchor="middle")


def _mark(number: int, x: float, y: float) -> Markup:
    """Return the mark of a model."""
    style = f"fill:{_colour(number)};stroke:{_colour(number)};stroke-width:1.5"
    return element("path", d=_SHAPES[number % len(_SHAPES)], transform=f"translate({x:.1f},{y:.1f})", style=style)


def _colour(number: int) -> str:
    return _COLOURS[number % len(_COLOURS)]


def _svg(pieces: Sequence[Markup], high: float, label: str) -> Markup:
    box = f"0 0 {_WIDE} {high:g}"
    return element("svg", *pieces, viewBox=box, fill="currentColor", font_size=12, role="img", aria_label=label)
