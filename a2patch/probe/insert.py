"""Make model files out of another: with rows of the block put in, or with all of its layers taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Sequence

from a2patch.graph import (
    GraphError,
    InsertionError,
    Position,
    PositionError,
    available,
    file_name,
    insert,
    layers,
    marked,
    parse,
    remove,
    unmarked,
)
from a2patch.probe.checks.wiring import strides_of
from a2patch.probe.events import Channel, SkipCheckError, last_line
from a2patch.probe.models.catalog import graph
from a2patch.probe.models.catalog import parse as parse_yaml
from a2patch.probe.models.context import Context
from a2patch.probe.models.user_model import UserModel
from a2patch.protocol import InsertedModel, InsertRequest, ModelRow, ModelSpec


class UninsertableError(ValueError):
    """What is asked for can't be made of this model; the message says why."""


@dataclass(frozen=True)
class _Edited:
    """A model file after a change.

    Attributes:
        name: What to call it.
        positions: Where rows went.
        text: What it says.
    """

    name: str
    positions: Sequence[Position]
    text: str


def insert_models(request: InsertRequest, channel: Channel) -> InsertRequest:
    """Make the files of a request, and emit each.

    Args:
        request: What to make.
        channel: Where events go.

    Returns:
        The request, with the files as its models to try.

    Raises:
        UninsertableError: The model does not have a position, or can't be changed as text.
    """
    base = UserModel(Path(request.model), "", request.trust)
    text = base.path.read_bytes().decode("utf-8", "surrogateescape")  # with its own line endings, and all its bytes
    channel.trying("reading " + base.path.name)
    try:
        edited = [_removed(request, base, text)] if request.remove else _inserted(request, channel, base, text)
        return replace(request, models=tuple(_emitted(request, channel, base, text, each) for each in edited))
    except SkipCheckError as error:
        raise UninsertableError("{}: {}".format(error, last_line(error.__cause__ or error))) from error
    except (GraphError, InsertionError, PositionError) as error:
        raise UninsertableError(str(error)) from error


def _inserted(request: InsertRequest, channel: Channel, base: UserModel, text: str) -> list[_Edited]:
    """Return the files with rows put in: one, or one for each position."""
    context = Context(replace(request, models=(ModelSpec(str(base.path), user=True, trust=request.trust),)), channel)
    strides = strides_of(context, str(base.path))
    maps = [i for i, stride in enumerate(strides) if stride is not None]
    before = graph(text, base.model, strides)
    positions = [parse(name) for name in request.positions] or list(available(before, maps, request.classes))
    edited = []
    for group in ([position] for position in positions) if request.each else [positions]:
        after = layers(group, before, maps, request.classes)
        name = request.name or file_name(base.path.stem, group, request.tag)
        made = insert(text, before, after, request.layer, request.args)
        edited.append(_Edited(name, group, marked(made, base.path.name, request.layer, after)))
    return edited


def _removed(request: InsertRequest, base: UserModel, text: str) -> _Edited:
    """Return the file with all layers of the block taken out."""
    name = request.name or base.path.stem + "-removed.yaml"
    return _Edited(name, (), unmarked(remove(text, graph(text, base.model, []), request.classes)))


def _emitted(request: InsertRequest, channel: Channel, base: UserModel, text: str, edited: _Edited) -> ModelSpec:
    """Write a file where it can be tried, emit it, and return it as a model to try."""
    content = edited.text.encode("utf-8", "surrogateescape")
    model = parse_yaml(content.decode("utf-8", "ignore"))  # as `UserModel` and upstream read it
    if _rest(edited.text, model, request.classes) != _rest(text, base.model, request.classes):
        raise UninsertableError(
            "its rows can't be changed as text without changing more than them; change them by hand"
        )
    path = channel.scratch / edited.name
    path.write_bytes(content)
    rows = zip([*model["backbone"], *model["head"]], graph(edited.text, model, []).layers)
    channel.emit(
        InsertedModel(
            edited.name,
            edited.text,
            tuple(position.name for position in edited.positions),
            tuple(
                ModelRow(index, source, repeats, module, args, layer.kind in request.classes)
                for index, ((source, repeats, module, args, *_), layer) in enumerate(rows)
            ),
            tuple(map(str, scales)) if isinstance(scales := model.get("scales"), dict) else (),
        )
    )
    # What a model reads is compared with its base, which must be the smaller of the two; else the closest stock one is.
    if request.remove:
        return ModelSpec(str(path), user=True, trust=request.trust)
    return ModelSpec(str(path), str(base.path), user=True, user_base=True, trust=request.trust)


def _rest(text: str, model: dict[str, Any], classes: Sequence[str]) -> tuple[Any, ...]:
    """Return all that a model file says, without layers of some classes and what only a change of indices changes."""
    found = graph(text, model, []).without(classes)
    others = {key: value for key, value in model.items() if key not in ("backbone", "head")}
    rows = [*model["backbone"], *model["head"]]
    return others, [(layer.part, layer.sources, rows[layer.place][1:]) for layer in found.layers]
