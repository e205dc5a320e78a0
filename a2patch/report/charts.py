"""What models cost, as bar charts in SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from a2patch.report.markup import Markup, element
from a2patch.runner import Cost

_WIDE, _TITLE, _LINE = 430, 16, 17  # of the whole, and from line to line of the text
_BAR, _STEP, _GAP = 12, 16, 9  # a bar, from one bar to the next, and between two scales
_LEFT, _LONGEST = 22, 290  # where bars begin, and the longest; behind it is room for its figures
_COLOURS = ("none", "var(--ours)", "var(--known)")


def cost_charts(costs: Sequence[Cost], base: str) -> Iterator[Markup]:
    """Yield a chart for each quantity: a group of bars for each scale, in it a bar for each model, the base first.

    Args:
        costs: What models cost.
        base: The model that the others are compared with; empty if there is none.
    """
    parameters = {(cost.model, cost.scale): cost.parameters / 1e6 for cost in costs}
    counted = {(cost.model, cost.scale): cost.counted for cost in costs if cost.counted is not None}
    if parameters:
        yield _chart("Parameters, millions", parameters, base)
    if counted:
        yield _chart("GFLOPs at 640 px, counted by torch", counted, base)


def _chart(title: str, values: Mapping[tuple[str, str], float], base: str) -> Markup:
    """Return one chart of values by model and scale."""
    models = sorted(dict.fromkeys(model for model, _ in values), key=lambda model: model != base)
    scales = list(dict.fromkeys(scale for _, scale in values))
    colours = {model: _COLOURS[(i if base in models else i + 1) % len(_COLOURS)] for i, model in enumerate(models)}
    top = _TITLE + _LINE * len(models) + _GAP
    group = _STEP * len(models) + _GAP
    pieces = [element("text", title, x=0, y=12, font_weight=600)]
    for i, model in enumerate(models):
        y = _TITLE + _LINE * i
        pieces += [_rectangle(1, y + 3, _BAR, colours[model]), element("text", model, x=_LEFT, y=y + 13)]
    for row, scale in enumerate(scales):
        y = top + group * row
        pieces.append(element("text", scale, x=0, y=y + (group - _GAP) / 2 + 4))
        for i, model in enumerate(models):
            if (model, scale) in values:
                before = values.get((base, scale)) if model != base else None
                value, most = values[model, scale], max(values.values())
                pieces += _bar(y + _STEP * i, _LONGEST * value / most, colours[model], _told(value, before))
    height = top + group * len(scales)
    label = f"{title}, as in the tables below"
    return element(
        "svg", *pieces, viewBox=f"0 0 {_WIDE} {height}", fill="currentColor", font_size=12, role="img", aria_label=label
    )


def _bar(y: float, length: float, colour: str, told: str) -> tuple[Markup, Markup]:
    """Return a bar, and what it tells behind it."""
    return _rectangle(_LEFT, y, length, colour), element("text", told, x=_LEFT + length + 5, y=y + 10)


def _rectangle(x: float, y: float, width: float, colour: str) -> Markup:
    style = f"fill:{colour};stroke:currentColor"
    return element("rect", x=x, y=float(y), width=float(width), height=_BAR, style=style)


def _told(value: float, before: float | None) -> str:
    """Return a value, and how much more it is than that of the base."""
    return f"{value:.2f}" + (f"  {100 * (value / before - 1):+.1f} %" if before else "")
