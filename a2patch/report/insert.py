"""Show what `a2patch insert` made."""

from __future__ import annotations

from collections.abc import Sequence

from a2patch.graph import at_scale
from a2patch.report.text import table_lines
from a2patch.runner import InsertedModel, InsertResult


def model_lines(made: Sequence[InsertedModel], width: int) -> list[str]:
    """Return the layers of a model that was made; of several models, or none, only where the added layers stand.

    Args:
        made: The models.
        width: The columns to stay within; what does not fit of the arguments of a layer is left out.
    """
    if len(made) != 1:  # none, where trying died before it could make one
        return [f"{model.name}: {' '.join(model.positions)}, ours at {_added_layers(model)}" for model in made]
    table: list[tuple[str, ...]] = [("", "layer", "from", "n", "module", "args")]
    for row in made[0].rows:
        cells = (row.index, row.source, row.repeats, row.module, row.args)
        table.append((">" if row.added else "", *(str(cell).replace("'", "") for cell in cells)))
    return [line if len(line) <= width else line[: width - 1] + "…" for line in table_lines(table)]


def next_lines(result: InsertResult, *, renamed: bool) -> list[str]:
    """Return what to type next.

    Where a name has no letter of a scale, upstream builds the smallest and says so in a warning only. So a name with
    a letter is shown, or a note where upstream would not understand it.

    Args:
        result: What was made.
        renamed: Whether the tree goes by another name, so that the command `yolo` belongs to another package.
    """
    name = result.models[0].name
    scales = [cost.scale for cost in result.verdict.costs if cost.model == name and cost.scale]
    shown = at_scale(name, scales[1]) if len(scales) > 1 else name
    comment = f"   # any of {' '.join(scales)}" if shown != name else ""
    lines = [] if renamed else ["", "next", f"  yolo train model={shown} data=…{comment}"]
    if shown == name and len(scales) > 1:
        lines.append(
            f"note     {name} asks for no scale, so upstream builds {scales[0]}; begin its name as yolov8_ or yolo11_"
        )
    return lines


def _added_layers(model: InsertedModel) -> str:
    return ", ".join(str(row.index) for row in model.rows if row.added)
