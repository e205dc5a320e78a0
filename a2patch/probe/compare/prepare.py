"""Make the models of a comparison ready: built, counted, written where they are trained from, with their weights."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch

from a2patch.probe.compare import data
from a2patch.probe.compare.control import control
from a2patch.probe.compare.start import Started, started
from a2patch.probe.compare.train import known
from a2patch.probe.events import Channel, last_line
from a2patch.probe.models.build import Model, count_parameters
from a2patch.probe.models.flops import counted
from a2patch.probe.models.meta import meta_model
from a2patch.probe.models.user_model import UserModel
from a2patch.probe.runtime.compat import tools
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.protocol import ComparisonRefused, DataFound, ModelPrepared, ModelSource, PrepareRequest

MODELS = "models"
"""The folder, below that of a comparison, with what is trained from."""

_BOXES = ("detect", "obb", "pose", "segment")  # the tasks whose validation tells of boxes


def prepare(request: PrepareRequest, channel: Channel) -> None:
    """Look at the data, make each model ready, and tell what came of it."""
    named = "the arguments"
    try:
        size = _checked(dict(request.arguments))
        named = request.data
        channel.trying("looking at " + Path(named).name)
        described = data.describe(named, request.datasets, request.cwd)
        channel.emit(_data_found(request, described, size))
        data.write(described, Path(request.folder))
        named = request.base.label
        task = _task(read_model(request.base.path, request.base.scale, described))
        for source in request.models:
            named = source.label
            channel.trying("building " + named)
            channel.emit(_prepared(source, described, task, request, channel))
    except DeclinedError as error:
        channel.emit(ComparisonRefused("{} {}".format(named, error), error.found, error.remedy))


def _checked(arguments: Dict[str, Any]) -> int:
    """Return the side that images are taken at.

    Raises:
        DeclinedError: The release does not know an argument, or a value of one.
    """
    unknown = sorted(set(arguments) - set(known(arguments)))
    if unknown:
        raise DeclinedError("have a name that this release does not know", ", ".join(unknown), "See `yolo cfg`.")
    try:
        settings = tools("cfg").get_cfg(overrides=arguments)
        return int(tools("utils.checks").check_imgsz(settings.imgsz, max_dim=1, floor=32))
    except (Exception, SystemExit) as error:  # upstream raises, or ends, as it likes
        raise DeclinedError("have a value that ultralytics refuses", last_line(error)) from error


def _data_found(request: PrepareRequest, described: Dict[str, Any], size: int) -> DataFound:
    fingerprint, images, validated = data.fingerprint(described)
    names = described["names"]
    classes = [names[i] for i in sorted(names)] if isinstance(names, dict) else list(names)
    batch = {**tools("utils").DEFAULT_CFG_DICT, **dict(request.arguments)}["batch"]
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return DataFound(fingerprint, images, validated, tuple(map(str, classes)), gpus, int(batch), size)


def _prepared(
    source: ModelSource, classes: Dict[str, Any], task: str, request: PrepareRequest, channel: Channel
) -> ModelPrepared:
    """Build a model, count what it costs, and write what it is trained from.

    Raises:
        DeclinedError: It can't be compared.
    """
    model = read_model(source.path, source.scale, classes)
    if _task(model) != task:
        text = "is a model of the task {}, and the base is one of {}".format(_task(model), task)
        raise DeclinedError(text, remedy="Compare models of one task.")
    built = build_model(model)
    note = ""
    places: Tuple[int, ...] = ()
    if source.like:
        other = read_model(source.like, source.like_scale, classes)
        other_built = build_model(other)
        model, places = control(model, built, other, other_built)
        built = build_model(model)
        counts = [count_parameters(each) for each in (built, other_built)]
        note = "{:,} parameters, and {} has {:,}".format(counts[0], Path(source.like).name, counts[1])
    folder = Path(request.folder, MODELS)
    folder.mkdir(exist_ok=True)
    file = folder / (source.label + ".yaml")
    file.write_text(json.dumps(model), encoding="utf-8")  # JSON is YAML
    start: Optional[Started] = None
    if request.pretrained:
        channel.trying("giving {} its weights".format(source.label))
        start = started(model, file, request, channel, places)
    told: List[str] = [text for text in (note, start.note if start else "") if text]
    return ModelPrepared(
        source.label,
        "{}/{}".format(MODELS, (start.file if start else file).name),
        count_parameters(built),
        counted(built),
        start.kind if start else "fresh",
        start.exact if start else None,
        "; ".join(told),
    )


def read_model(path: str, scale: str, classes: Dict[str, Any]) -> Dict[str, Any]:
    """Return what a model file says, with the scale that is compared as the only one, and the classes of the data.

    Raises:
        DeclinedError: It is no model.
    """
    try:
        own = UserModel(Path(path), scale)
    except ValueError as error:
        raise DeclinedError("can't be compared", str(error)) from error
    scales = own.model.get("scales")
    only = {**own.model, "scales": {own.chosen: scales[own.chosen]}} if scales else dict(own.model)
    return {**only, "nc": int(classes["nc"])}


def _task(model: Dict[str, Any]) -> str:
    """Return what a model is for, such as `detect`.

    Raises:
        DeclinedError: It finds no boxes.
    """
    task = str(importlib.import_module("ultralytics.nn.tasks").guess_model_task(model))
    if task not in _BOXES:
        remedy = "Boxes are compared: the tasks {}.".format(", ".join(_BOXES))
        raise DeclinedError("is a model of the task {}".format(task), remedy=remedy)
    return task


def build_model(described: Dict[str, Any]) -> Model:
    """Build a model without values, at its only scale.

    Args:
        described: What its file says.

    Raises:
        DeclinedError: It does not build.
    """
    scales = described.get("scales")
    try:
        return meta_model({**described, "scale": next(iter(scales))} if scales else dict(described))
    except Exception as error:  # a model of the user's own may be anything
        remedy = "`a2patch verify MODEL` tells why; if it is for want of our layers, `a2patch apply` adds them."
        raise DeclinedError("does not build", last_line(error), remedy) from error
