"""Compare what models cost with what their base costs, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from a2patch.runner import Cost

LEGEND = (
    "Gradients: parameters that are trained. GFLOPs: as ultralytics prints them, at 640 px; its counter can miss "
    "matrix products. Counted: torch, with them. Cost: parameters / counted GFLOPs."
)
"""What the columns of the table mean."""


def cost_table(costs: Sequence[Cost], base: str, model: str) -> list[tuple[str, ...]]:
    """Return a heading and a row for each scale of a model; nothing where its costs are not known.

    Args:
        costs: The costs of the model, and of its base.
        base: The model to compare with; empty if there is none.
        model: The model.
    """
    by_place = {(cost.model, cost.scale): cost for cost in costs}
    compared = _beside(costs, base, model)
    pairs = [(by_place.get((compared, scale)), after) for (file, scale), after in by_place.items() if file == model]
    if not pairs:
        return []
    heading = ("scale", "layers", "parameters", "gradients", "GFLOPs", "counted", *(("cost",) if compared else ()))
    return [heading, *((after.scale or "-", *_row(before, after)) for before, after in pairs if before or not compared)]


def table_title(costs: Sequence[Cost], base: str, model: str) -> str:
    """Return what stands above the table of a model."""
    compared = _beside(costs, base, model)
    return f"{compared} -> {model}" if compared else model


def _beside(costs: Sequence[Cost], base: str, model: str) -> str:
    """Return the model to compare with; empty where it has no scale of the model's."""
    scales = {cost.scale for cost in costs if cost.model == model}
    return base if any(cost.model == base and cost.scale in scales for cost in costs) else ""


def _row(before: Cost | None, after: Cost) -> tuple[str, ...]:
    """Return the figures of a model, behind those of its base if there is one, and then what the model costs more."""
    if before is None:
        return _figures(after)
    pairs = zip(_figures(before), _figures(after), strict=True)
    more = (_increase(before.parameters, after.parameters), _increase(before.counted, after.counted))
    return (*(f"{old} -> {new}" for old, new in pairs), " / ".join(more))


def _figures(cost: Cost) -> tuple[str, ...]:
    flops = ("?" if count is None else f"{count:.1f}" for count in (cost.gflops, cost.counted))
    return str(cost.layers), f"{cost.parameters:,}", f"{cost.gradients:,}", *flops


def _increase(before: float | None, after: float | None) -> str:
    return "?" if not before or after is None else f"{100 * (after / before - 1):+.1f} %"
