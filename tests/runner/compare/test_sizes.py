"""AP by the size of objects: of a case that can be worked out by hand, once, and only where the evaluator is there."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from a2patch.protocol import VALIDATED
from a2patch.runner.compare import sizes
from a2patch.runner.compare.folder import Folder
from a2patch.runner.compare.plan import CompareError, Run

RUN = Run("yolov8n", 0)
Box = tuple[float, float, float, float]


def validated(labels: list[tuple[int, Box]], predictions: list[tuple[int, Box, float]]) -> dict[str, Any]:
    """One image with objects of some classes, and what was predicted on it."""
    return {
        "images": [{"id": 0, "file_name": "0.jpg", "width": 640, "height": 480}],
        "categories": [{"id": 0, "name": "square"}, {"id": 1, "name": "disc"}],
        "annotations": [
            {"id": i, "image_id": 0, "category_id": kind, "bbox": list(box), "area": box[2] * box[3], "iscrowd": 0}
            for i, (kind, box) in enumerate(labels, 1)
        ],
        "predictions": [
            {"image_id": 0, "category_id": kind, "bbox": list(box), "score": score} for kind, box, score in predictions
        ],
    }


SMALL, MEDIUM, MISSED, LARGE = (0, 0, 31, 33), (100, 0, 32, 32), (200, 0, 40, 40), (300, 100, 100, 100)
CASE = validated(
    [(0, SMALL), (0, MEDIUM), (0, MISSED), (0, LARGE)],
    [(0, SMALL, 0.9), (0, MEDIUM, 0.8), (0, (300, 100, 100, 81), 0.7)],  # that overlaps by 0.81
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder whose training has kept the case."""
    home = Folder(tmp_path).run(RUN)
    home.mkdir(parents=True)
    home.joinpath(VALIDATED).write_bytes(gzip.compress(json.dumps(CASE).encode()))
    return Folder(tmp_path)


def read(folder: Folder) -> tuple[sizes.BySize, list[str]]:
    told: list[str] = []
    return sizes.read(folder, [RUN, Run("yolov8n", 1)], told.append), told


def evaluated(case: dict[str, Any]) -> sizes.Sizes:
    return sizes.evaluate(case, pytest.importorskip("faster_coco_eval"))


def test_a_case_that_is_worked_out_by_hand() -> None:
    found = evaluated(CASE)
    assert found.objects == {"small": 1, "medium": 2, "large": 1}
    # COCO reads precision at 101 recalls, 0, 0.01 … 1, and averages over ten overlaps, 0.5, 0.55 … 0.95.
    assert found.figures == {
        "small": pytest.approx(1.0),
        "medium": pytest.approx(51 / 101),  # one of two objects: to a recall of 0.5
        "large": pytest.approx(7 / 10),  # at overlaps to 0.8
    }
    assert found.whole == pytest.approx((7 * 76 + 3 * 51) / 1010)  # three of four objects, or two


def test_a_size_that_no_object_has_is_null_and_one_without_predictions_is_0() -> None:
    found = evaluated(validated([(1, SMALL)], []))
    assert found.figures == {"small": 0.0, "medium": None, "large": None}
    assert found.objects == {"small": 1, "medium": 0, "large": 0}
    empty = evaluated(validated([], [(0, SMALL, 0.5)]))
    assert (empty.whole, set(empty.figures.values())) == (None, {None})


@pytest.mark.parametrize(
    ("side", "size"), [(31.99, "small"), (32, "medium"), (95.99, "medium"), (96, "large"), (1e4, "large")]
)
def test_each_object_has_one_size(side: float, size: str) -> None:
    box = (0, 0, side, side)
    found = evaluated(validated([(0, box)], [(0, box, 0.5)]))
    assert {name for name, value in found.figures.items() if value is not None} == {size}
    assert found.figures[size] == pytest.approx(1.0)


def test_more_predictions_than_coco_counts_are_counted() -> None:
    wrong: list[tuple[int, Box, float]] = [(0, (0, 0, 5, 5), 0.9)] * 150
    assert evaluated(validated([(0, LARGE)], [*wrong, (0, LARGE, 0.1)])).whole == pytest.approx(1 / 151)


def test_each_training_is_worked_out_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faster_coco_eval")
    first, told = read(folder)
    assert told == ["working out AP by the size of objects: yolov8n, seed 0"]
    monkeypatch.setitem(sys.modules, "faster_coco_eval", None)
    assert read(folder) == (first, [])
    assert (set(first.runs), first.lacking) == ({RUN}, 0)


def test_without_the_evaluator_all_is_left_for_later(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as blocked:
        blocked.setitem(sys.modules, "faster_coco_eval", None)
        assert read(folder) == (sizes.BySize({}, 1), [])
    pytest.importorskip("faster_coco_eval")
    assert read(folder)[0].runs[RUN].objects["medium"] == 2


@pytest.mark.parametrize(
    "spoiled", [b"", b"{", b"{}", b"[]", b'{"schema": 0, "figures": {}, "objects": {}, "whole": 1}']
)
def test_what_was_worked_out_otherwise_is_made_anew(folder: Folder, spoiled: bytes) -> None:
    pytest.importorskip("faster_coco_eval")
    folder.run(RUN).joinpath(sizes.WORKED_OUT).write_bytes(spoiled)
    assert read(folder)[0].runs[RUN].objects["small"] == 1


@pytest.mark.parametrize(
    "spoiled",
    [b"", b"{}", gzip.compress(b"{}"), gzip.compress(b"[1]"), gzip.compress(b"{" * 99)[:-9]],
    ids=["empty", "not packed", "an object", "a list", "cut"],  # else the time, which gzip writes, is in their names
)
def test_predictions_that_cannot_be_read_are_named(folder: Folder, spoiled: bytes) -> None:
    pytest.importorskip("faster_coco_eval")
    place = folder.run(RUN) / VALIDATED
    place.write_bytes(spoiled)
    with pytest.raises(CompareError) as refused:
        read(folder)
    assert refused.value.path == place
    place.unlink()
    assert read(folder) == (sizes.BySize({}, 0), [])
