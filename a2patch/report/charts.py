"""What models cost, as bar charts in SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from a2patch.report.bilingual import both
from a2patch.report.markup import Markup, element
from a2patch.runner import Cost

_WIDE, _TITLE, _LINE = 430, 16, 17  # of the whole, and from line to line of the text
_BAR, _STEP, _GAP = 12, 16, 9  # a bar, from one bar to the next, and between two scales
_LEFT, _LONGEST = 22, 210  # where bars begin, and the longest; behind it is room for its figures
_COLOURS = ("var(--ours)", "var(--known)", "none")

_Values = Mapping[tuple[str, str], float]  # by model and scale


def cost_charts(costs: Sequence[Cost], base: str) -> Iterator[Markup]:
    """Yield a chart for each quantity: a group of bars for each scale, in it a bar for each model.

    A bar is the difference from the base in per cent; without a base, the quantity itself.

    Args:
        costs: What models cost.
        base: The model that the others are compared with; empty if there is none.
    """
    parameters = {(cost.model, cost.scale): cost.parameters / 1e6 for cost in costs}
    counted = {(cost.model, cost.scale): cost.counted for cost in costs if cost.counted is not None}
    texts = (
        ("Parameters, millions", "参数量（百万）"),
        ("GFLOPs at 640 px, counted", "640 像素下的 GFLOPs"),
    )
    for values, (english, chinese) in zip((parameters, counted), texts, strict=True):
        differences = _differences(values, base)
        if differences:
            title = (f"{english}; beside {base}", f"{chinese}，与 {base} 之差")
            yield _chart(title, differences, {key: _change(values, key, base) for key in differences})
        elif values:
            yield _chart((english, chinese), values, {key: f"{value:.2f}" for key, value in values.items()})


def _differences(values: _Values, base: str) -> dict[tuple[str, str], float]:
    """Return by how much per cent each model differs from the base at the same scale."""
    return {
        (model, scale): 100 * (value / values[base, scale] - 1)
        for (model, scale), value in values.items()
        if model != base and values.get((base, scale))
    }


def _change(values: _Values, key: tuple[str, str], base: str) -> str:
    """Return what stands behind the bar of a model: the difference, and what it is between."""
    before, after = values[base, key[1]], values[key]
    return f"{100 * (after / before - 1):+.2f} %\u2003{before:.2f} → {after:.2f}"


def _chart(titles: tuple[str, str], values: _Values, told: Mapping[tuple[str, str], str]) -> Markup:
    """Return one chart of values by model and scale."""
    models = [*dict.fromkeys(model for model, _ in values)]
    scales = [*dict.fromkeys(scale for _, scale in values)]
    colours = {model: _COLOURS[i % len(_COLOURS)] for i, model in enumerate(models)}
    top = _TITLE + _LINE * len(models) + _GAP
    group = _STEP * len(models) + _GAP
    below, above = max(0.0, -min(values.values())), max(0.0, *values.values())
    unit = _LONGEST / ((below + above) or 1.0)
    zero = _LEFT + unit * below
    pieces: list[str] = [both(*titles, "text", x=0, y=12, font_weight=600)]
    for i, model in enumerate(models):
        y = _TITLE + _LINE * i
        pieces += [_rectangle(1, y + 3, _BAR, colours[model]), element("text", model, x=_LEFT, y=y + 13)]
    for row, scale in enumerate(scales):
        y = top + group * row
        pieces.append(element("text", scale, x=0, y=y + (group - _GAP) / 2 + 4))
        for i, model in enumerate(models):
            if (model, scale) in values:
                value, place = values[model, scale], y + _STEP * i
                pieces.append(_rectangle(zero + unit * min(value, 0.0), place, unit * abs(value), colours[model]))
                end = zero + unit * max(value, 0.0) + 5
                pieces.append(element("text", told[model, scale], x=end, y=place + 10, class_="told"))
    height = top + group * len(scales)
    pieces.append(element("path", d=f"M{zero:g} {top - 4}V{height - _GAP + 2}", stroke="currentColor"))
    label = f"{titles[0]}, as in the tables below"
    return element(
        "svg", *pieces, viewBox=f"0 0 {_WIDE} {height}", fill="currentColor", font_size=12, role="img", aria_label=label
    )


def _rectangle(x: float, y: float, width: float, colour: str) -> Markup:
    style = f"fill:{colour};stroke:currentColor"
    return element("rect", x=float(x), y=float(y), width=float(width), height=_BAR, style=style)
