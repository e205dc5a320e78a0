"""Tiles of photographs hold the boxes that the whole image has there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import trees


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with images of two tiles' width; each has a box in the first, one across both, and one at the far end."""
    path = tmp_path / trees.WHEEL
    boxes = [(10, 20, 60, 80), (380, 100, 440, 140), (700, 300, 790, 390)]
    edges = ("xmin", "ymin", "xmax", "ymax")
    objects = "".join(
        "<object><bndbox>" + "".join(f"<{e}>{v}</{e}>" for e, v in zip(edges, box, strict=True)) + "</bndbox></object>"
        for box in boxes
    )
    picture = io.BytesIO()
    Image.new("RGBA", (800, 400), (10, 200, 30, 255)).save(picture, "png")
    with zipfile.ZipFile(path, "w") as archive:
        for name in (*trees.TRAIN, *trees.VAL):
            archive.writestr(f"deepforest/data/{name}.png", picture.getvalue())
            archive.writestr(f"deepforest/data/{name}.xml", f"<annotation>{objects}</annotation>")
    return path


def test_each_tile_has_its_boxes(tmp_path: Path, wheel: Path) -> None:
    data = trees.write(tmp_path / "data", wheel)
    assert "0: tree" in data.read_text()
    labels = {
        path.stem.removeprefix(f"{trees.TRAIN[0]}-"): [list(map(float, line.split())) for line in path.open()]
        for path in (tmp_path / "data" / "labels" / "train").iterdir()
    }
    assert set(labels) == {"0-0", "200-0", "400-0"}
    assert labels["0-0"] == [pytest.approx([0, 0.0875, 0.125, 0.125, 0.15])]
    assert labels["200-0"] == [pytest.approx([0, 0.525, 0.3, 0.15, 0.1])], "whole, where tiles overlap"
    assert [len(labels[name]) for name in ("0-0", "200-0", "400-0")] == [1, 1, 2]
    images = list((tmp_path / "data" / "images").glob("*/*.png"))
    assert len(images) == 3 + 2 * len(trees.VAL)
    assert {Image.open(path).size for path in images} == {(trees.SIDE, trees.SIDE)}
