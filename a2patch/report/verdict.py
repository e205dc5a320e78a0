"""A verdict as text for a terminal of any width, and as a JSON document, and the pieces that all reports have."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from a2patch.runner import NOT_ASKED, Check, Cost, Verdict, explained

if TYPE_CHECKING:
    from a2patch.runner import InsertedModel, ModelRow

SCHEMA = 1
"""The version of what `verdict_json` returns; it changes when a field changes its meaning or goes."""

_NARROW = 40
COLUMNS = (
    "Gradients: parameters that are trained. GFLOPs: as ultralytics prints them, at 640 px; its counter can miss "
    "matrix products. Counted: torch, with them. Cost: parameters / counted GFLOPs."
)
"""What the columns of a table of costs mean."""

_SPLIT = 4
"""The column of a table of costs at which it is parted where a line can't hold it all."""

_INDENT = "    "
_GAP = "  "


def verdict_text(verdict: Verdict, width: int) -> str:
    """Return a verdict as text: the checks, what is to be said about them, and what the patch costs.

    Args:
        verdict: The verdict.
        width: The columns to stay within; fewer than 40 are taken as 40.

    Returns:
        Lines without trailing newline and without colour.
    """
    width = max(width, _NARROW)
    parts = [_wrapped(versions(verdict), width), _checks(verdict.checks, width), _wrapped(conclusion(verdict), width)]
    models = dict.fromkeys(cost.model for cost in verdict.costs if cost.model != verdict.base)
    parts.extend(_before_and_after(verdict.costs, verdict.base, model, width) for model in models)
    if models:
        parts.append(_wrapped(COLUMNS, width))
    if verdict.note:
        parts.append(_wrapped(verdict.note, width))
    return "\n\n".join(part for part in parts if part)


def versions(verdict: Verdict) -> str:
    """Return what a verdict was found with, in a line."""
    return f"ultralytics {verdict.ultralytics or '?'}, torch {verdict.torch or '?'}, Python {verdict.python or '?'}"


def conclusion(verdict: Verdict) -> str:
    """Return a verdict in one sentence."""
    count: Counter[str] = Counter(check.result for check in verdict.checks if not check.unasked)
    told = [f"{count['pass']} passed", *(f"{count[r]} {t}" for r, t in _COUNTED if count[r])]
    return f"{'No fault was found' if verdict.ok else 'A fault was found'}: {', '.join(told)}."


_COUNTED = (("fail", "failed"), ("known", "known"), ("skip", "skipped"))


def cost_table(costs: Iterable[Cost], base: str, model: str) -> list[tuple[str, ...]]:
    """Return what a model costs at each scale, beside its base if it has one: a heading and a row a scale, or nothing.

    Args:
        costs: The costs of both.
        base: The model to compare with; empty if there is none.
        model: The model.
    """
    by_place = {(cost.model, cost.scale): cost for cost in costs}
    pairs = [
        (by_place.get((base, scale)) if base else None, after)
        for (file, scale), after in by_place.items()
        if file == model and (not base or (base, scale) in by_place)
    ]
    if not pairs:
        return []
    heading = ("scale", "layers", "parameters", "gradients", "GFLOPs", "counted", *(("cost",) if base else ()))
    return [heading, *((after.scale or "-", *_row(before, after)) for before, after in pairs)]


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as a document of plain values.

    Args:
        verdict: The verdict.

    Returns:
        `schema` (this description's version), `ok`, `interpreter`, `python`, `torch`, `ultralytics`, `note`, `checks`
        (each `name`, `result`, `figure`, `meaning`, `advice`, `seconds`, `detail`), `base` and
        `costs` (each `model`, `scale`, `layers`, `parameters`, `gradients`, `gflops` or null,
        `counted` or null).
    """
    return {
        "schema": SCHEMA,
        "ok": verdict.ok,
        "interpreter": str(verdict.interpreter),
        "python": verdict.python,
        "torch": verdict.torch,
        "ultralytics": verdict.ultralytics,
        "note": verdict.note,
        "checks": [asdict(explained(check)) for check in verdict.checks],
        "base": verdict.base,
        "costs": [asdict(cost) for cost in verdict.costs],
    }


def layer_lines(rows: Sequence[ModelRow], width: int) -> list[str]:
    """Return the layers of a model as a table, ours marked.

    Args:
        rows: Its rows.
        width: The columns to stay within; what does not fit of the arguments is left out.
    """
    table = [["", "layer", "from", "n", "module", "args"]]
    for row in rows:
        cells = [str(cell).replace("'", "") for cell in (row.index, row.source, row.repeats, row.module, row.args)]
        table.append([">" if row.added else "", *cells])
    widths = [max(len(line[i]) for line in table) for i in range(6)]
    lines = (_GAP.join(map(str.ljust, cells, widths)).rstrip() for cells in table)
    return [line if len(line) <= width else line[: width - 1] + "…" for line in lines]


def made_lines(made: Sequence[InsertedModel]) -> list[str]:
    """Return a line for each of several models: where ours stand in it, and what for."""
    lines = []
    for file in made:
        ours = ", ".join(str(row.index) for row in file.rows if row.added)
        lines.append(f"{file.name}: {' '.join(file.positions)}, ours at {ours}")
    return lines


def _checks(checks: Sequence[Check], width: int) -> str:
    """Return a line a check, and below it what is to be said about one that did not simply pass."""
    name_width = max((len(check.name) for check in checks), default=0)
    lines = []
    for check in checks:
        if check.unasked:
            continue
        # Of what is well only what is worth knowing besides: a terminal holds few lines.
        told = check if check.result == "pass" else explained(check)
        head = f"{check.result:<6}{check.name:<{name_width}}"
        seconds = f"{check.seconds:5.1f} s"
        room = width - len(head) - len(seconds) - 2 * len(_GAP)
        if len(check.figure) <= room:
            lines.append(f"{head}{_GAP}{check.figure:<{room}}{_GAP}{seconds}")
        else:
            lines.append(f"{head}{_GAP}{'':<{room}}{_GAP}{seconds}")
            lines.append(_wrapped(check.figure, width, _INDENT))
        lines.extend(_wrapped(text, width, _INDENT) for text in (told.meaning, told.advice) if text)
        lines.extend(_INDENT + line for line in check.detail.splitlines())  # a diff that was wrapped is none
    unasked = [check.name for check in checks if check.unasked]
    if unasked:
        lines.append(_wrapped(f"{NOT_ASKED}: {', '.join(unasked)}", width))
    return "\n".join(lines)


def _before_and_after(costs: Iterable[Cost], base: str, model: str, width: int) -> str:
    """Return the table of costs as text or, if it is too wide, as two that share their first column, or as a list."""
    table = cost_table(costs, base, model)
    if not table:
        return ""
    title = _wrapped(f"{base} -> {model}" if base else model, width)
    halves = [[row[:_SPLIT] for row in table], [(row[0], *row[_SPLIT:]) for row in table]]
    for tables in ([table], halves):
        laid = [_laid(rows) for rows in tables]
        if max(len(line) for lines in laid for line in lines) <= width:
            return "\n".join([title, *(line for lines in laid for line in lines)])
    heading, *rows = table
    listed = (
        line for row in rows for line in (row[0], *(f"  {h:<11}{c}" for h, c in zip(heading[1:], row[1:], strict=True)))
    )
    return "\n".join([title, *listed])


def _laid(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows of a table, their cells below one another."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [_GAP.join(map(str.ljust, row, widths)).rstrip() for row in table]


def _row(before: Cost | None, after: Cost) -> Iterable[str]:
    """Return the figures of a model, behind those of its base if there is one, and then what it costs more."""
    if before is None:
        return _figures(after)
    pairs = zip(_figures(before), _figures(after), strict=True)
    more = [_more(before.parameters, after.parameters), _more(before.counted, after.counted)]
    return (*(f"{old} -> {new}" for old, new in pairs), " / ".join(more))


def _figures(cost: Cost) -> tuple[str, ...]:
    """Return what is compared, as text."""
    counts = ("?" if flops is None else f"{flops:.1f}" for flops in (cost.gflops, cost.counted))
    return str(cost.layers), f"{cost.parameters:,}", f"{cost.gradients:,}", *counts


def _more(before: float | None, after: float | None) -> str:
    """Return by how much one figure is above another, in per cent."""
    return "?" if not before or after is None else f"{100 * (after / before - 1):+.1f} %"


def _wrapped(text: str, width: int, indent: str = "") -> str:
    """Return text broken into lines; its own line breaks stay, and long words, such as paths, are never broken."""
    return "\n".join(
        textwrap.fill(
            line, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    )
