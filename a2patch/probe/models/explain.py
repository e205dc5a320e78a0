"""Why a model doesn't build: the row, what stands there, and what would work."""

from __future__ import annotations

import importlib
from difflib import get_close_matches
from inspect import signature
from types import FrameType
from typing import Any, Iterator, NamedTuple

import torch

from a2patch.graph import Graph, GraphError, read
from a2patch.probe.events import last_line

_FORWARD = frozenset({"_predict_once", "_forward_once", "forward_once", "predict", "_predict_augment"})
_EXAMPLES = {"nc": "80", "kpt_shape": "[17, 3]", "channels": "3"}
_HEAD_KEYS = frozenset({"nc", "kpt_shape", "ne", "nm", "npr", "reg_max", "end2end", "embed", "text_model"})


class Reason(NamedTuple):
    """Why a model doesn't build, in a sentence without its full stop, and what to do about it."""

    text: str
    advice: str


def explain(error: BaseException, description: dict[str, Any]) -> Reason:
    """Return why a model doesn't build.

    The rows are read first, since what upstream says of one that is no row is about its own code.

    Args:
        error: What building it raised.
        description: What its file says.
    """
    missing = next((part for part in ("backbone", "head") if not description.get(part)), "")
    if missing:
        return Reason(
            "the file has no `{}`".format(missing), "Add it: a list of rows [from, repeats, module, arguments]."
        )
    try:
        graph = read(description)
    except GraphError as fault:
        of_index = "`from` names layers before the row, counted from 0; -1 is the one right before it."
        of_form = "Write the row as [from, repeats, module, arguments]."
        return Reason(str(fault), of_index if " reads " in str(fault) else of_form)
    return (
        _of_scales(description, error)
        or _of_row(graph, description, error)
        or _of_layer(graph, error)
        or _of_keys(description)
        or Reason(_said(error), "Look at the rows: their spelling, their arguments, and the channels that they read.")
    )


def _said(error: BaseException) -> str:
    """Return what an error says, without a full stop."""
    return last_line(error).rstrip(".")


def _frames(error: BaseException) -> Iterator[FrameType]:
    """Yield the frames that an error went through, the outermost first."""
    trace = error.__traceback__
    while trace:
        yield trace.tb_frame
        trace = trace.tb_next


def _frame(error: BaseException, names: frozenset[str]) -> FrameType | None:
    return next((frame for frame in _frames(error) if frame.f_code.co_name in names), None)


def _of_scales(description: dict[str, Any], error: BaseException) -> Reason | None:
    """Return what is wrong with the scales, where the parser did not come to the rows."""
    frame = _frame(error, frozenset({"parse_model"}))
    if frame is None or "i" in frame.f_locals:
        return None
    scales, asked = description.get("scales"), description.get("scale")
    advice = "Write each scale as three numbers: depth, width, and the most channels, as in `n: [0.33, 0.25, 1024]`."
    if not isinstance(scales, dict):
        return Reason("`scales` holds {!r}".format(scales), advice) if scales else None
    scale = asked or next(iter(scales), None)
    if scale not in scales:
        return Reason("`scales` has no {!r}; it has {}".format(scale, ", ".join(map(str, scales))), advice)
    return Reason(
        "scale {} is {!r}, which this release can't read ({})".format(scale, scales[scale], _said(error)), advice
    )


def _of_row(graph: Graph, description: dict[str, Any], error: BaseException) -> Reason | None:
    """Return what is wrong with the row at which the parser stopped."""
    frame = _frame(error, frozenset({"parse_model"}))
    place = frame.f_locals.get("i") if frame else None
    if frame is None or not isinstance(place, int) or place >= len(graph.layers):
        return None
    rows = [*(description.get("backbone") or ()), *(description.get("head") or ())]
    row, kind = rows[place], rows[place][2]
    where = "row {}, {}".format(place, written(row))
    module = frame.f_locals.get("m")
    missing = _missing_key(row, description)
    if missing:
        text = "{} names {}, and the file has no such key".format(where, missing)
        return Reason(text, "Add `{}: {}` to the file.".format(missing, _EXAMPLES.get(missing, "…")))
    if not isinstance(module, type) and isinstance(error, (KeyError, AttributeError)):
        return _unknown(where, kind)
    if not isinstance(row[1], int) or isinstance(row[1], bool):
        return Reason("{} has {!r} as its repeats".format(where, row[1]), "Write a whole number there, mostly 1.")
    text = "{}: {}".format(where, _said(error))
    if isinstance(module, type):
        given = ", ".join(map(repr, frame.f_locals.get("args", ())))
        text += "; parse_model calls {}({})".format(module.__name__, given)
        return Reason(text, "It takes {}{}: look at the arguments of the row.".format(module.__name__, _takes(module)))
    return Reason(text, "Look at the arguments of the row.")


def _missing_key(row: Any, description: dict[str, Any]) -> str:
    """Return a key of the file that a row names in its arguments and that the file has not; empty if there is none."""
    arguments = row[3] if isinstance(row[3], (list, tuple)) else [row[3]]
    return next((a for a in arguments if isinstance(a, str) and a in _HEAD_KEYS and description.get(a) is None), "")


def _unknown(where: str, kind: str) -> Reason:
    """Return why a class can't be named in a row."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    name = kind.rpartition(".")[2]
    text = "{}: nn/tasks.py does not know {}".format(where, kind)
    try:
        shipped = hasattr(importlib.import_module("ultralytics.nn.modules"), name)
    except ImportError:
        shipped = False
    if shipped:
        return Reason(
            text + ", though nn/modules has it", "Import it in nn/tasks.py, and give parse_model a branch for it."
        )
    known = [n for n, value in vars(tasks).items() if isinstance(value, type) and issubclass(value, torch.nn.Module)]
    near = get_close_matches(name, known, 1)
    return Reason(
        text, ("Did you mean {}? ".format(near[0]) if near else "") + "Register the class, or correct its name."
    )


def _takes(module: type) -> str:
    """Return the parameters of a class, with their defaults."""
    try:
        parameters = signature(module).parameters.values()
    except (TypeError, ValueError):
        return "(…)"
    return "({})".format(", ".join(str(p.replace(annotation=p.empty)) for p in parameters))


def _of_keys(description: dict[str, Any]) -> Reason | None:
    """Return which key the file lacks that a row names, where upstream asks for it before it comes to the rows."""
    for place, row in enumerate([*description["backbone"], *description["head"]]):
        missing = _missing_key(row, description)
        if missing:
            text = "row {}, {} names {}, and the file has no such key".format(place, written(row), missing)
            return Reason(text, "Add `{}: {}` to the file.".format(missing, _EXAMPLES.get(missing, "…")))
    return None


def _of_layer(graph: Graph, error: BaseException) -> Reason | None:
    """Return what is wrong with the layer at which the image stopped that upstream sends through a new model."""
    frames = [frame for frame in _frames(error) if frame.f_code.co_name in _FORWARD and "m" in frame.f_locals]
    place = getattr(frames[-1].f_locals["m"], "i", None) if frames else None
    if not isinstance(place, int) or place >= len(graph.layers):
        return None
    layer = graph.layers[place]
    reads = ", ".join(graph.describe(source) for source in layer.sources)
    text = "row {} ({}) can't take what it reads, {}: {}".format(place, layer.kind, reads, _said(error))
    if len(layer.sources) > 1:
        return Reason(text, "Look at the indices that it reads: maps of other sizes can't be joined.")
    return Reason(text, "Look at the channels that the row before it gives, and at the branch of parse_model for that.")


def written(row: Any) -> str:
    """Return a row as it is written in a file."""
    if isinstance(row, (list, tuple)):
        return "[{}]".format(", ".join(map(written, row)))
    return str(row)
