"""Model files with rows put into them, renumbered by a few lines that know nothing of the product's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BLOCK = ("DoubleAttentionBlock", [0.25])


def inserted(model: Mapping[str, Any], added: Mapping[int, tuple[str, list[Any]]]) -> dict[str, Any]:
    """Put rows behind layers; all that read such a layer read the row behind it instead.

    Args:
        model: What a model file says.
        added: Module and arguments of each row, by the index of the layer that it follows.
    """
    rows: dict[str, list[list[Any]]] = {"backbone": [], "head": []}
    stands_at = [-1]  # where what a layer gave is found now; before the first layer, the image

    def moved(source: int) -> int:
        return source if source == -1 else stands_at[source if source < 0 else source + 1]

    total = -1
    for part, found in rows.items():
        for sources, *rest in model[part]:
            found.append([[*map(moved, sources)] if isinstance(sources, list) else moved(sources), *rest])
            total += 1
            if row := added.get(len(stands_at) - 1):
                found.append([-1, 1, *row])
                total += 1
            stands_at.append(total)
    return {**model, **rows}
