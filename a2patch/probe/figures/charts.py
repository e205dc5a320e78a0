"""What models cost, as bar charts."""

from __future__ import annotations

import io
import re
from typing import Iterator, Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from a2patch.protocol import Chart, Cost

INK = "#0a0b0c"  # stands for the colour of the page's text, whatever that is
COLOURS = ("none", "#2f6fde", "#c2571a")
WIDE = 4.6  # inches
HIGH = 0.19  # a bar
QUANTITIES = (("parameters", "Parameters, millions", 1e-6), ("counted", "GFLOPs at 640 px, counted by torch", 1.0))


def cost_charts(costs: Sequence[Cost], baseline: str) -> Iterator[Chart]:
    """Yield a chart for each quantity: a group of bars for each scale, a bar for each model, the baseline first.

    Args:
        costs: The costs of the models, at each scale.
        baseline: The model that the others are compared with; empty if there is none.
    """
    models = sorted(dict.fromkeys(cost.model for cost in costs), key=lambda model: model != baseline)
    scales = list(dict.fromkeys(cost.scale for cost in costs))
    for field, title, factor in QUANTITIES:
        counts = {(cost.model, cost.scale): getattr(cost, field) for cost in costs}
        values = {place: count * factor for place, count in counts.items() if count is not None}
        if values:
            yield Chart(title, _chart(title, models, scales, values, baseline))


def _chart(
    title: str, models: list[str], scales: list[str], values: dict[tuple[str, str], float], baseline: str
) -> str:
    """Return one chart as SVG."""
    step = len(models) + 1
    palette = COLOURS if baseline else COLOURS[1:]
    look = {"svg.fonttype": "none", "text.color": INK, "font.size": 9, "text.parse_math": False}
    with rc_context(look):
        figure = Figure(figsize=(WIDE, HIGH * (step * len(scales) + len(models) + 2)), layout="constrained")
        axes = figure.add_subplot()
        for k, model in enumerate(models):
            places = [(step * i + k, scale) for i, scale in enumerate(scales) if (model, scale) in values]
            widths = [values[model, scale] for _, scale in places]
            colour = palette[k % len(palette)]
            label = " " + model  # one that began with an underscore would be left out
            axes.barh([y for y, _ in places], widths, 0.82, color=colour, edgecolor=INK, linewidth=0.8, label=label)
            for (y, scale), width in zip(places, widths):
                more = _more(values.get((baseline, scale)), width) if model != baseline else ""
                axes.annotate(
                    "{:.2f}{}".format(width, more), (width, y), (4, 0), textcoords="offset points", va="center"
                )
        axes.set_xlim(0, 1.32 * max(values.values()))  # room for the figures behind the bars
        axes.set_yticks([step * i + len(models) / 2 - 0.5 for i in range(len(scales))], [s or "" for s in scales])
        axes.tick_params(length=0, labelcolor=INK)
        axes.set_xticks([])
        axes.invert_yaxis()
        axes.set_frame_on(False)
        figure.legend(loc="outside upper left", frameon=False, title=title, alignment="left")
        for artist in axes.patches:
            artist.set_clip_on(False)
        return _inline(figure)


def _more(before: float | None, after: float) -> str:
    return "  {:+.1f} %".format(100 * (after / before - 1)) if before else ""


def _inline(figure: Figure) -> str:
    """Return a figure as SVG for the inside of a page: as wide as there is room, in the page's font and ink."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", text, flags=re.DOTALL)  # it would style the whole page
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # several figures would share them
    text = re.sub(r' xmlns(?::xlink)?="[^"]*"| version="1.1"', "", text)
    text = re.sub(r"font-family: [^;\"]*;?", "", text)
    return re.sub(r"\s*\n\s*", " ", text.replace(INK, "currentColor")).strip()
