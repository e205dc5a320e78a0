"""AP by the size of objects, as COCO defines it, by faster-coco-eval; the extra `a2patch[sizes]`.

Worked out from what the last validation of a training kept, and kept beside it, so that it is done once.
"""

from __future__ import annotations

import gzip
import importlib
import json
import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from a2patch.protocol import VALIDATED
from a2patch.runner.compare.folder import Folder
from a2patch.runner.compare.plan import CompareError, Run
from a2patch.transaction import write_atomically

SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, math.inf)}
"""What objects are called by their area, in pixels of their image: from the first number to below the second."""

WORKED_OUT = "sizes.json"
"""The file in the folder of a training that holds what was worked out."""

_SCHEMA = 1
_LIBRARY = "faster_coco_eval"
_PARTS = ("images", "categories", "annotations", "predictions")
_ENDLESS = 1e10  # COCO's own end of what is large


@dataclass(frozen=True)
class Sizes:
    """What came out of a training by the size of objects.

    Attributes:
        figures: mAP50-95 of each size; None of one that no object of the validation has.
        objects: How many objects of each size the validation has.
        whole: mAP50-95 of all sizes together, by the same evaluator.
    """

    figures: Mapping[str, float | None]
    objects: Mapping[str, int]
    whole: float | None


@dataclass(frozen=True)
class BySize:
    """What came out of the trainings of a comparison by the size of objects.

    Attributes:
        runs: Of each training of which it is known.
        lacking: How many trainings it is not known of only because the evaluator is not installed.
    """

    runs: Mapping[Run, Sizes] = field(default_factory=dict)
    lacking: int = 0


UNKNOWN = BySize()
"""What is known where nothing was kept."""


def read(folder: Folder, runs: Iterable[Run], notify: Callable[[str], None]) -> BySize:
    """Return what came out of trainings by the size of objects; what was not worked out yet is, where that can be done.

    Args:
        folder: Where they are kept.
        runs: Those that are finished.
        notify: Told, in a few words, what is being done.

    Raises:
        CompareError: What a training kept can't be read.
        OSError: What came out can't be written.
    """
    found = {}
    lacking = 0
    for run in runs:
        home = folder.run(run)
        known = _worked_out(home / WORKED_OUT)
        if known is None and (home / VALIDATED).is_file():
            library = _evaluator()
            if library is None:
                lacking += 1
                continue
            notify(f"working out AP by the size of objects: {run}")
            known = evaluate(_validated(home / VALIDATED), library)
            write_atomically(home / WORKED_OUT, json.dumps({"schema": _SCHEMA, **asdict(known)}).encode())
        if known is not None:
            found[run] = known
    return BySize(found, lacking)


def evaluate(validated: Mapping[str, Any], library: Any) -> Sizes:
    """Return what came out of a validation by the size of objects.

    All its predictions count, since ultralytics has limited them already, and each object has one size, also where its
    area is just 32² or 96².

    Args:
        validated: What it saw and predicted, in COCO's form.
        library: The evaluator.
    """
    labels = library.COCO({name: validated[name] for name in _PARTS[:-1]})
    predictions = validated["predictions"]
    judged = library.COCOeval_faster(labels, labels.loadRes(predictions), "bbox")
    ranges = [(0.0, _ENDLESS), *((low, math.nextafter(min(high, _ENDLESS), 0)) for low, high in SIZES.values())]
    judged.params.areaRng = [list(each) for each in ranges]  # COCO counts both ends in
    judged.params.areaRngLbl = ["all", *SIZES]
    judged.params.maxDets = [max(Counter(each["image_id"] for each in predictions).values(), default=1)]
    judged.evaluate()
    judged.accumulate()
    whole, *by_size = (_mean(judged.eval["precision"][:, :, :, i, -1]) for i in range(len(ranges)))
    areas = [each["area"] for each in validated["annotations"]]
    objects = {name: sum(low <= area < high for area in areas) for name, (low, high) in SIZES.items()}
    return Sizes(dict(zip(SIZES, by_size, strict=True)), objects, whole)


def _mean(precisions: Any) -> float | None:
    """Return the mean of precisions, an array; None where nothing could be found, which COCO writes as -1."""
    told = precisions[precisions > -1]
    return float(told.mean()) if told.size else None


def _evaluator() -> ModuleType | None:
    """Return the evaluator; None if it is not installed."""
    try:
        return importlib.import_module(_LIBRARY)
    except ImportError:
        return None


def _worked_out(place: Path) -> Sizes | None:
    """Return what was worked out before; None if nothing was, or by other rules than ours."""
    try:
        told = json.loads(place.read_bytes())
        return Sizes(told["figures"], told["objects"], told["whole"]) if told["schema"] == _SCHEMA else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # it is made anew
        return None


def _validated(place: Path) -> dict[str, Any]:
    """Return what a validation kept.

    Raises:
        CompareError: It can't be read.
    """
    try:
        with gzip.open(place) as file:
            found = json.load(file)
        return {name: found[name] for name in _PARTS}
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise CompareError(
            "what a training predicted can't be read",
            path=place,
            found=f"{type(error).__name__}: {error}",
            remedy="Remove the file: AP by the size of objects is then not told of this training.",
        ) from error
