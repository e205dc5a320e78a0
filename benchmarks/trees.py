"""A detection task of real photographs: tree crowns from the air, cut from the images that come with `deepforest`.

They are taken from its wheel at run time (2.1.0, under the MIT licence, copyright Ben Weinstein and its authors);
nothing of them is in this repository. Tiles of one image in Yellowstone are trained on. Validated is on another one
from there, and on one each from Florida (OSBS) and California (SOAP). Boxes of which less than half is on a tile are
left out.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

WHEEL = "deepforest-2.1.0-py3-none-any.whl"
TRAIN = ("2019_YELL_2_528000_4978000_image_crop2",)
VAL = ("2019_YELL_2_541000_4977000_image_crop", "OSBS_029", "SOAP_061")
SIDE = 400
STEPS = {"train": 200, "val": 400}  # tiles that are trained on overlap, so that each crown is whole on one

Box = tuple[float, float, float, float]  # left, top, right, bottom


def fetch(cache: Path) -> Path:
    """Return the wheel, fetched with pip unless the cache has it."""
    place = cache / WHEEL
    if not place.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
            subprocess.run([*command, "deepforest==2.1.0"], check=True)
            Path(folder, WHEEL).replace(place)
    return place


def write(folder: Path, wheel: Path) -> Path:
    """Write the data set, and return its description, `data.yaml`."""
    with zipfile.ZipFile(wheel) as archive:
        for split, names in (("train", TRAIN), ("val", VAL)):
            for kind in ("images", "labels"):
                folder.joinpath(kind, split).mkdir(parents=True, exist_ok=True)
            for name in names:
                image = Image.open(io.BytesIO(archive.read(f"deepforest/data/{name}.png"))).convert("RGB")
                boxes = list(_boxes(archive.read(f"deepforest/data/{name}.xml")))
                for left, top in _corners(image.size, STEPS[split]):
                    tile = folder / "images" / split / f"{name}-{left}-{top}.png"
                    image.crop((left, top, left + SIDE, top + SIDE)).save(tile)
                    lines = "".join(_lines(boxes, left, top))
                    folder.joinpath("labels", split, f"{tile.stem}.txt").write_text(lines)
    description = folder / "data.yaml"
    description.write_text(f"path: {folder.as_posix()}\ntrain: images/train\nval: images/val\nnames:\n  0: tree\n")
    return description


def _boxes(text: bytes) -> Iterator[Box]:
    """Yield the boxes of an annotation in the form of Pascal VOC, whatever they are called."""
    for found in ElementTree.fromstring(text).iter("bndbox"):
        left, top, right, bottom = (float(found.findtext(edge, "")) for edge in ("xmin", "ymin", "xmax", "ymax"))
        yield left, top, right, bottom


def _corners(size: tuple[int, int], step: int) -> Iterator[tuple[int, int]]:
    """Yield where tiles begin, all of them whole."""
    for top in range(0, size[1] - SIDE + 1, step):
        for left in range(0, size[0] - SIDE + 1, step):
            yield left, top


def _lines(boxes: list[Box], left: int, top: int) -> Iterator[str]:
    """Yield the labels of a tile, as ultralytics reads them."""
    for box in boxes:
        x, X = (min(max(edge - left, 0), SIDE) for edge in (box[0], box[2]))  # noqa: N806
        y, Y = (min(max(edge - top, 0), SIDE) for edge in (box[1], box[3]))  # noqa: N806
        if 2 * (X - x) * (Y - y) > (box[2] - box[0]) * (box[3] - box[1]):
            numbers = ((x + X) / 2, (y + Y) / 2, X - x, Y - y)
            yield "0 " + " ".join(f"{number / SIDE:.6f}" for number in numbers) + "\n"
