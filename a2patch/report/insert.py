"""Show what `a2patch insert` made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len, set_cell_size

from a2patch.graph import at_scale
from a2patch.report.text import table_lines
from a2patch.runner import InsertedModel, InsertResult


def model_lines(made: Sequence[InsertedModel]) -> list[str]:
    """Return a line for each model that was made: where its rows went, and the added layers in it."""
    return [f"{model.name}: {' '.join(model.positions)}, ours at {_added_layers(model)}" for model in made]


def layer_lines(made: Sequence[InsertedModel], width: int) -> list[str]:
    """Return a table of the layers of each model that was made.

    Args:
        made: The models.
        width: The columns to stay within; what does not fit of the arguments of a layer is left out.
    """
    lines = [line for model in made for line in (model.name, *_layer_table(model), "")]
    return [line if cell_len(line) <= width else set_cell_size(line, width - 1) + "…" for line in lines]


def _layer_table(model: InsertedModel) -> list[str]:
    table: list[tuple[str, ...]] = [("", "layer", "from", "n", "module", "args")]
    for row in model.rows:
        cells = (row.index, row.source, row.repeats, row.module, row.args)
        table.append((">" if row.added else "", *(str(cell).replace("'", "") for cell in cells)))
    return table_lines(table)


def next_lines(result: InsertResult, train: Callable[[str], str]) -> list[str]:
    """Return what to type next.

    Where a name has no letter of a scale, upstream builds the smallest and says so in a warning only. So a name with
    a letter is shown, or a note where upstream would not understand it.

    Args:
        result: What was made.
        train: Gives the command that trains a model of a name; empty where there is none.
    """
    name, scales = result.models[0].name, result.models[0].scales
    shown = at_scale(name, scales[1]) if len(scales) > 1 else name
    comment = f"   # any of {' '.join(scales)}" if shown != name else ""
    lines = ["", "next", f"  {train(shown)}{comment}"] if train(shown) else []
    if shown == name and len(scales) > 1:
        lines.append(
            f"note     {name} asks for no scale, so upstream builds {scales[0]}; begin its name as yolov8_ or yolo11_"
        )
    return lines


def _added_layers(model: InsertedModel) -> str:
    return ", ".join(str(row.index) for row in model.rows if row.added)
