"""What the last validation of a training saw and predicted, kept in COCO's form for whoever evaluates it.

Upstream's own `save_json` differs from release to release, and leaves the labels out. So the predictions are taken from
where every release has them, after its non-maximum suppression, and put back into pixels of the images on the disk.
"""

from __future__ import annotations

import gzip
import inspect
import io
import json
import os
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, TextIO, Tuple

import torch

_DIGITS = 3  # of a pixel, as upstream writes them; more only tell how labels were rounded
_BOXED = ("detect", "segment", "pose")
"""The tasks whose boxes stand upright, as those of COCO do."""


class Seen(NamedTuple):
    """An image of the validation; boxes are x, y, width and height in its own pixels.

    Attributes:
        file: Its name.
        size: Its width and height.
        labels: A row for each object: the class and the box.
        predictions: A row for each prediction: the class, the box and the confidence.
    """

    file: str
    size: Tuple[int, int]
    labels: torch.Tensor
    predictions: torch.Tensor


class Validated:
    """Follows the validations of a training, and keeps what the last one saw and predicted."""

    def __init__(self) -> None:
        self._images: List[Seen] = []
        self._names: Dict[int, str] = {}

    def follow(self, trainer: Any) -> None:
        """Look on from now on where a trainer's validator takes in predictions."""
        if trainer.args.task not in _BOXED:
            return
        validator = trainer.validator
        upstream = validator.update_metrics
        one_class, cut = bool(trainer.args.single_cls), _cuts(validator)
        self._names = dict(trainer.data["names"])

        def update_metrics(predictions: Any, batch: Dict[str, Any]) -> Any:
            last = trainer.epoch + 1 >= trainer.epochs or trainer.stopper.possible_stop
            if validator.training and last:  # else it tries the best weights, after the training
                self._images += seen(predictions, batch, one_class=one_class, cut=cut)
            return upstream(predictions, batch)

        validator.update_metrics = update_metrics

    def begin_epoch(self) -> None:
        """Forget the epoch before, which was not the last."""
        self._images = []

    def write(self, place: Path) -> None:
        """Write what was kept, in one step; nothing if this is no task with upright boxes."""
        if not self._images:
            return
        staged = place.with_name(place.name + ".new")
        with staged.open("wb") as file:
            packed = gzip.GzipFile("", "wb", 6, file, mtime=0)
            with io.TextIOWrapper(packed, "utf-8", newline="\n") as text:  # which closes what it wraps
                _write(self._images, self._names, text)
            file.flush()
            os.fsync(file.fileno())
        staged.replace(place)
        self._images = []


def seen(predictions: Any, batch: Dict[str, Any], one_class: bool, cut: bool) -> List[Seen]:
    """Return the images of a batch with their labels and what was predicted.

    Args:
        predictions: As the validator has them: of each image a table, or in newer releases its columns by name; where
            older ones segment, with their prototypes.
        batch: The batch; the boxes of its labels are shares of the images as the model sees them.
        one_class: Whether all classes are taken for one.
        cut: Whether predictions are cut at the image's edge.
    """
    height, width = batch["img"].shape[2:]
    of_image, classes, boxes = (batch[name].detach().cpu().double() for name in ("batch_idx", "cls", "bboxes"))
    middle, sides = (boxes * torch.tensor([width, height, width, height])).split(2, dim=1)
    corners = torch.cat((middle - sides / 2, middle + sides / 2), dim=1)
    found = []
    for i, predicted in enumerate(predictions[0] if isinstance(predictions, tuple) else predictions):
        size, ratio_pad = batch["ori_shape"][i], batch["ratio_pad"][i]
        mine = of_image.view(-1) == i
        labels = torch.cat((classes.view(-1, 1)[mine], _on_disk(corners[mine], size, ratio_pad, cut=False)), dim=1)
        table = _table(predicted)
        rows = torch.cat((table[:, 5:6], _on_disk(table[:, :4], size, ratio_pad, cut), table[:, 4:5]), dim=1)
        if one_class:
            labels[:, 0] = rows[:, 0] = 0
        found.append(Seen(Path(batch["im_file"][i]).name, (int(size[1]), int(size[0])), labels, rows))
    return found


def _table(predicted: Any) -> torch.Tensor:
    """Return predictions as a table: corners, confidence, class; a copy, since upstream changes its own."""
    if isinstance(predicted, dict):
        columns = [predicted["bboxes"], predicted["conf"][:, None], predicted["cls"][:, None]]
        predicted = torch.cat([column.float() for column in columns], dim=1)
    return predicted[:, :6].detach().cpu().double()


def _on_disk(corners: torch.Tensor, size: Any, ratio_pad: Any, cut: bool) -> torch.Tensor:
    """Return boxes, given by corners in pixels that the model sees, in those of the image on the disk.

    Args:
        corners: Of each box, left, top, right and bottom.
        size: The height and width of the image on the disk.
        ratio_pad: How many times as high and as wide the model sees it; and, where something fills it up, how much of
            that is to the left and above.
        cut: Whether they are cut at the image's edge.
    """
    (down, across), (left, top) = ratio_pad if isinstance(ratio_pad[0], (list, tuple)) else (ratio_pad, (0, 0))
    moved = (corners - torch.tensor([left, top, left, top])) / torch.tensor([across, down, across, down]).double()
    if cut:
        moved = torch.minimum(moved.clamp(min=0), torch.tensor([size[1], size[0], size[1], size[0]]).double())
    return torch.cat((moved[:, :2], moved[:, 2:] - moved[:, :2]), dim=1)


def _cuts(validator: Any) -> bool:
    """Return whether a release cuts predictions at the image's edge before it judges them: those before 8.3.168."""
    prepare = getattr(validator, "_prepare_pred", None)
    return prepare is None or len(inspect.signature(prepare).parameters) > 1


def _write(images: List[Seen], names: Dict[int, str], file: TextIO) -> None:
    """Write images, classes, labels (`annotations`) and predictions, a line each: there may be a million."""
    parts: Dict[str, Iterator[Dict[str, Any]]] = {
        "images": (
            {"id": i, "file_name": each.file, "width": each.size[0], "height": each.size[1]}
            for i, each in enumerate(images)
        ),
        "categories": ({"id": int(i), "name": str(name)} for i, name in names.items()),
        "annotations": _annotations(images),
        "predictions": _predictions(images),
    }
    for i, (name, items) in enumerate(parts.items()):
        file.write("{}\n{}: [".format("," if i else "{", json.dumps(name)))
        for k, item in enumerate(items):
            file.write("{}\n{}".format("," if k else "", json.dumps(item)))
        file.write("]")
    file.write("}\n")


def _annotations(images: List[Seen]) -> Iterator[Dict[str, Any]]:
    rows = ((i, row) for i, each in enumerate(images) for row in each.labels.tolist())
    for number, (i, (kind, *box)) in enumerate(rows, 1):  # evaluators take a label without a number for none
        box = [round(value, _DIGITS) for value in box]
        area = round(box[2] * box[3], _DIGITS)
        yield {"id": number, "image_id": i, "category_id": int(kind), "bbox": box, "area": area, "iscrowd": 0}


def _predictions(images: List[Seen]) -> Iterator[Dict[str, Any]]:
    for i, each in enumerate(images):
        for kind, *box, confidence in each.predictions.tolist():
            told = [round(value, _DIGITS) for value in box]
            yield {"image_id": i, "category_id": int(kind), "bbox": told, "score": round(confidence, 9)}
