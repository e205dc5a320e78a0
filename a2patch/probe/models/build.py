"""Build models by name or description, count their parameters, and list their layers."""

from __future__ import annotations

import importlib
from copy import deepcopy
from typing import Any, Iterator, NamedTuple

import torch

Model = Any  # ultralytics.nn.tasks.DetectionModel


class Row(NamedTuple):
    """One layer of a model, told so that two models can be compared."""

    type: str
    parameters: int
    sources: tuple[int, ...]


# Classes of models by how the name of their head begins; all others detect.
_CLASSES = {
    "Segment": "SegmentationModel",
    "Pose": "PoseModel",
    "OBB": "OBBModel",
    "Classify": "ClassificationModel",
    "RTDETRDecoder": "RTDETRDetectionModel",
    "WorldDetect": "WorldModel",
    "YOLOEDetect": "YOLOEModel",
    "YOLOESegment": "YOLOESegModel",
    "Depth": "DepthModel",
    "SemanticSegment": "SemanticSegmentationModel",
}


def build(model: str | dict[str, Any], seed: int = 0) -> Model:
    """Build a model by the name by which ultralytics finds its file, which is to detect, or from what a file says."""
    tasks = importlib.import_module("ultralytics.nn.tasks")
    head = "" if isinstance(model, str) else str(model["head"][-1][2])
    names = [name for start, name in _CLASSES.items() if head.startswith(start)]
    torch.manual_seed(seed)
    model_class = getattr(tasks, names[0] if names else "DetectionModel")
    return model_class(without_downloads(model), verbose=False)


def without_downloads(model: str | dict[str, Any]) -> str | dict[str, Any]:
    """Return a copy of what a file says whose torchvision backbones have no weights, which would be fetched."""
    copied = deepcopy(model)
    if not isinstance(copied, str):
        for row in [*copied.get("backbone", ()), *copied["head"]]:
            if row[2] == "TorchVision":
                row[3] = [None if argument == "DEFAULT" else argument for argument in row[3]]
    return copied


def count_parameters(model: Model) -> int:
    """Return the number of parameters."""
    return sum(p.numel() for p in model.parameters())


NAMING = ("WorldDetect", "YOLOEDetect", "YOLOESegment")
"""How the heads begin that read what classes are called, besides images; a fresh one has only zeros for that."""


def is_fresh(model: Model) -> bool:
    """Return whether the gains of the batch norms are what they start with, so that the model was never trained.

    The number of batches that they have seen would not tell: checkpoints hold averaged weights, and that is left out.
    """
    return all(bool((norm.weight == norm.weight[0]).all()) for norm in _norms(model))


def randomize_batch_norms(model: Model, images: Any) -> None:
    """Give a fresh model values as a trained one has them, so that each layer takes part in the output.

    The gains of batch norms leave their start, which is zero in a residual block, and their statistics become those of
    the images.
    """
    torch.manual_seed(2)
    norms = _norms(model)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(images)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum


def _norms(model: Model) -> list[Any]:
    """Return the batch norms that have gains."""
    return [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d) and m.weight is not None]


def kind(layer: Any) -> str:
    """Return the class that a row of the model YAML named."""
    return str(layer.type).rpartition(".")[2]


def new_layers(model: Model, kinds: set[str]) -> list[tuple[str, Any]]:
    """Return the layers of some kinds, each with what to call it."""
    return [("layer {}".format(i), layer) for i, layer in enumerate(model.model) if kind(layer) in kinds]


def rows(model: Model, leave_out: tuple[str, ...] = ()) -> list[Row]:
    """Return the layers of a model, those of some classes taken out and their readers joined to their source."""
    kept: list[Row] = []
    index: list[int] = []  # where the output of each layer is found among those that are kept
    for i, layer in enumerate(model.model):
        raw = [layer.f] if isinstance(layer.f, int) else list(layer.f)
        sources = [index[i + f if f < 0 else f] if i else -1 for f in raw]
        if kind(layer) in leave_out:
            index.append(sources[0])
        else:
            index.append(len(kept))
            kept.append(Row(kind(layer), count_parameters(layer), tuple(sources)))
    return kept


def named_layers(model: Model, classes: tuple[str, ...]) -> list[tuple[str, Any]]:
    """Return the modules of some classes anywhere in a model, with their dotted names."""
    return [(name, module) for name, module in model.named_modules() if type(module).__name__ in classes]


def tensors(output: Any) -> Iterator[Any]:
    """Yield the floating tensors in whatever a model returns."""
    if torch.is_tensor(output):
        if output.is_floating_point():
            yield output
    elif isinstance(output, dict):
        for key in sorted(output, key=str):
            yield from tensors(output[key])
    elif isinstance(output, (list, tuple)):
        for item in output:
            yield from tensors(item)
