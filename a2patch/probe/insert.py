"""Make model files out of another: with rows of ours put in, or with all of ours taken out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from a2patch.graph import (
    Graph,
    GraphError,
    InsertionError,
    Position,
    PositionError,
    available,
    file_name,
    insert,
    layers,
    parse,
    remove,
)
from a2patch.probe.checks.wiring import strides_of
from a2patch.probe.events import Channel, SkipCheckError, last_line
from a2patch.probe.models.catalog import graph
from a2patch.probe.models.catalog import parse as parse_yaml
from a2patch.probe.models.context import Context
from a2patch.probe.models.user_model import UserModel


class RefusedError(ValueError):
    """What is asked for can't be made of this model; the message says why."""


def insert_models(request: dict[str, Any], channel: Channel) -> list[dict[str, Any]]:
    """Make the files of a request, and emit each.

    Args:
        request: With `model`, the file to make them from; `positions`, where rows of ours go, all of those that the
            model has where there are none; `each`, whether every position gets a file of its own; `remove`, whether all
            of ours are taken out instead; `row`, the class and the arguments of a row; and `named`, what to call the
            file, or nothing.
        channel: Where events go.

    Returns:
        The files as models to try.

    Raises:
        RefusedError: The model does not have a position, or can't be changed as text.
    """
    base = UserModel(Path(request["model"]), "")
    if not base.text:
        raise RefusedError("it is a checkpoint; name the YAML that it was made from")
    text = base.path.read_bytes().decode("utf-8", "surrogateescape")  # with its own line endings, and all its bytes
    channel.trying("reading " + base.path.name)
    try:
        files = _removed(request, base, text) if request["remove"] else _inserted(request, channel, base, text)
        return [_laid(request, channel, base, text, *file) for file in files]
    except SkipCheckError as error:
        raise RefusedError(f"{error}: {last_line(error.__cause__ or error)}") from error
    except (GraphError, InsertionError, PositionError) as error:
        raise RefusedError(str(error)) from error


def _inserted(
    request: dict[str, Any], channel: Channel, base: UserModel, text: str
) -> list[tuple[str, list[Position], str]]:
    """Return the name, the positions and the text of each file with rows of ours put in."""
    context = Context({**request, "models": [{"file": str(base.path), "own": True, "base": ""}]}, channel)
    measured = strides_of(context, str(base.path))
    maps = [i for i, stride in enumerate(measured) if stride is not None]
    mine, ours = graph(text, base.model, measured), request["classes"]
    asked = [parse(position) for position in request["positions"]] or list(available(mine, maps, ours))
    made = []
    for positions in ([position] for position in asked) if request["each"] else [asked]:
        after = layers(positions, mine, maps, ours)
        name = request["named"] or file_name(base.path.stem, positions)
        made.append((name, positions, insert(text, mine, after, *request["row"])))
    return made


def _removed(request: dict[str, Any], base: UserModel, text: str) -> list[tuple[str, list[Position], str]]:
    """Return the name and the text of the file with all of ours taken out."""
    new = remove(text, graph(text, base.model, []), request["classes"])
    return [(request["named"] or base.path.stem + "-removed.yaml", [], new)]


def _laid(
    request: dict[str, Any],
    channel: Channel,
    base: UserModel,
    text: str,
    name: str,
    positions: list[Position],
    new: str,
) -> dict[str, Any]:
    """Write a file where it can be tried, and emit it."""
    ours = request["classes"]
    content = new.encode("utf-8", "surrogateescape")
    model = parse_yaml(content.decode("utf-8", "ignore"))  # as `UserModel` and upstream read it
    if _bare(new, model, ours) != _bare(text, base.model, ours):
        raise RefusedError("its rows can't be changed as text without changing more than them; change them by hand")
    path = Path(request["scratch"]) / name
    path.write_bytes(content)
    mine = graph(new, model, [])
    rows = [
        {"index": i, "from": row[0], "repeats": row[1], "module": row[2], "args": row[3], "ours": layer.kind in ours}
        for i, (row, layer) in enumerate(zip([*model["backbone"], *model["head"]], mine.layers))
    ]
    channel.emit("made", name=name, positions=[position.name for position in positions], text=new, layers=rows)
    # What a model reads is compared with its base, which must be the smaller of the two; else the closest stock one is.
    declared = {} if request["remove"] else {"base": str(base.path), "own_base": True}
    return {"file": str(path), "own": True, "scale": "", "base": "", **declared}


def _bare(text: str, model: dict[str, Any], ours: list[str]) -> tuple[Any, ...]:
    """Return all that a model file says, without our layers and what only the change of indices changes."""
    found: Graph = graph(text, model, []).without(ours)
    rest = {key: value for key, value in model.items() if key not in ("backbone", "head")}
    rows = [*model["backbone"], *model["head"]]
    return rest, [(layer.part, layer.sources, rows[layer.place][1:]) for layer in found.layers]
