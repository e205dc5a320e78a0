"""Detection tasks drawn from the handwritten digits that ship with scikit-learn, written as ultralytics reads them.

- `name`: find the digits and name them, ten classes. All that is asked about a box is inside it.
- `odd`: find the odd one out. All digits of an image but one show the same numeral, 0 or 1. That one is of class
  `odd 0` or `odd 1`, the others of class `0` or `1`: which of its two a digit is, only the whole image tells.
- `far`: the same, of few digits that stand far apart.

Digits that are trained on are never validated on. Boxes are drawn tightly around the ink.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits

INK = 140  # a brighter pixel is ink, a darker one is paper
PAPER = (94, 135)  # noise around 114, the grey of the borders that ultralytics adds to images
SAMENESS = ("0", "1", "odd 0", "odd 1")

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]  # left, top, right, bottom, the last two exclusive


@dataclass(frozen=True)
class Task:
    """What is drawn.

    Attributes:
        size: Side of an image in pixels, where a benchmark does not ask for another.
        classes: Names of the classes.
        numerals: What the digits may show.
        count: The least and the greatest number of digits in an image.
        sides: Of a digit, before it is trimmed to its ink, in parts of the image's.
        gap: The least distance between two boxes in pixels.
    """

    size: int
    classes: tuple[str, ...]
    numerals: tuple[int, ...]
    count: tuple[int, int] = (6, 8)
    sides: tuple[float, float] = (0.2, 0.27)
    gap: int = 1


TASKS = {
    "name": Task(96, tuple(map(str, range(10))), tuple(range(10))),
    "odd": Task(64, SAMENESS, (0, 1)),
    "far": Task(192, SAMENESS, (0, 1), count=(4, 5), sides=(0.08, 0.11), gap=32),
}


@dataclass(frozen=True)
class Digit:
    """A digit in an image.

    Attributes:
        numeral: What it shows, 0 to 9.
        label: Its class in the task.
        box: Where its ink is, in pixels.
    """

    numeral: int
    label: int
    box: Box


def write(folder: Path, task: str, seed: int, images: int, size: int) -> Path:
    """Write a data set, and give its description, `data.yaml`.

    Args:
        folder: Where to; made if it is not there.
        task: One of `TASKS`.
        seed: The same seed gives the same bytes.
        images: How many to train on; half as many are written to validate on.
        size: Side of an image in pixels, at least 64.
    """
    for split, count in (("train", images), ("val", images // 2)):
        for kind in ("images", "labels"):
            folder.joinpath(kind, split).mkdir(parents=True, exist_ok=True)
        for number, (pixels, digits) in enumerate(draw(task, split, seed, count, size)):
            Image.fromarray(pixels).convert("RGB").save(folder / "images" / split / f"{number}.png")
            lines = "".join(f"{digit.label} {_relative(digit.box, size)}\n" for digit in digits)
            folder.joinpath("labels", split, f"{number}.txt").write_text(lines)
    description = folder / "data.yaml"
    names = "".join(f"  {number}: '{name}'\n" for number, name in enumerate(TASKS[task].classes))
    description.write_text(f"path: {folder.as_posix()}\ntrain: images/train\nval: images/val\nnames:\n{names}")
    return description


def draw(task: str, split: str, seed: int, images: int, size: int) -> Iterator[tuple[Pixels, list[Digit]]]:
    """Draw images with what is in them.

    Args:
        task: One of `TASKS`.
        split: `"train"` or `"val"`: two thirds of the handwriting are for the first, the others for the second.
        seed: Of all that is drawn.
        images: How many.
        size: Side of an image in pixels.

    Yields:
        Grey pixels of shape `(size, size)`, and the digits on them.
    """
    chance = np.random.default_rng((seed, split == "val"))
    source = load_digits()
    part = np.arange(len(source.target)) % 3 == 2
    part = part if split == "val" else ~part
    asked = TASKS[task]
    written = {n: source.images[part & (source.target == n)] for n in asked.numerals}
    least, greatest = (round(ratio * size) for ratio in asked.sides)
    for _ in range(images):
        numerals, labels = _chosen(asked, chance)
        boxes: list[Box] = []
        pixels: Pixels = chance.integers(*PAPER, (size, size), dtype=np.uint8)
        for numeral in numerals:
            glyph = _glyph(chance.choice(written[numeral]), int(chance.integers(least, greatest, endpoint=True)))
            boxes.append(_place(pixels, glyph, boxes, asked.gap, chance))
        yield pixels, [Digit(*each) for each in zip(numerals, labels, boxes, strict=True)]


def _chosen(task: Task, chance: np.random.Generator) -> tuple[list[int], list[int]]:
    """The numerals of an image and their classes."""
    count = int(chance.integers(*task.count, endpoint=True))
    if task.classes is not SAMENESS:
        numerals = chance.choice(task.numerals, count).tolist()
        return numerals, numerals
    same, odd = chance.choice(task.numerals, 2, replace=False).tolist()
    return [odd] + [same] * (count - 1), [odd + len(task.numerals)] + [same] * (count - 1)


def _glyph(digit: npt.NDArray[np.float64], side: int) -> Pixels:
    """A digit of 8 by 8 pixels enlarged, and trimmed to its ink."""
    grey = Image.fromarray((digit * 255 / 16).astype(np.uint8)).resize((side, side), Image.Resampling.BICUBIC)
    pixels = np.asarray(grey)
    rows, columns = np.nonzero(pixels > INK)
    return pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _place(pixels: Pixels, glyph: Pixels, boxes: list[Box], gap: int, chance: np.random.Generator) -> Box:
    """Write a glyph where no box is near yet, and give its box.

    Raises:
        ValueError: A thousand places were tried in vain.
    """
    high, wide = glyph.shape
    for _ in range(1000):
        top, left = (int(chance.integers(0, edge)) for edge in (pixels.shape[0] - high, pixels.shape[1] - wide))
        box = (left, top, left + wide, top + high)
        if all(_apart(box, other, gap) for other in boxes):
            part = pixels[top : box[3], left : box[2]]
            np.maximum(part, glyph, out=part)
            return box
    raise ValueError(f"{len(boxes) + 1} digits do not fit into {pixels.shape[1]} x {pixels.shape[0]} pixels")


def _apart(one: Box, other: Box, gap: int) -> bool:
    """Whether two boxes are at least so many pixels apart, across or down."""
    return any(one[i + 2] + gap <= other[i] or other[i + 2] + gap <= one[i] for i in (0, 1))


def _relative(box: Box, size: int) -> str:
    """A box as ultralytics reads it: centre, width and height, in parts of the image."""
    left, top, right, bottom = box
    numbers = ((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return " ".join(f"{number / size:.6f}" for number in numbers)
