"""The data sets of the benchmarks are what they say: boxes hold the ink, and the odd one is odd by its image alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from PIL import Image

from benchmarks import digits

SIZE = 96


@pytest.mark.parametrize("task", ["name", "odd"])
def test_boxes_hold_all_ink_and_nothing_else(task: str) -> None:
    for pixels, found in digits.draw(task, "train", seed=0, images=20, size=SIZE):
        ink = pixels > digits.INK
        for digit in found:
            left, top, right, bottom = digit.box
            part = ink[top:bottom, left:right]
            assert all(edge.any() for edge in (part[0], part[-1], part[:, 0], part[:, -1]))
            ink[top:bottom, left:right] = False
        assert not ink.any()


def test_digits_stand_far_apart() -> None:
    task = digits.TASKS["far"]
    for _, found in digits.draw("far", "train", seed=0, images=20, size=task.size):
        for one, other in itertools.combinations(found, 2):
            gaps = [max(one.box[i] - other.box[i + 2], other.box[i] - one.box[i + 2]) for i in (0, 1)]
            assert max(gaps) >= task.gap


def test_a_digit_is_named_by_what_it_shows() -> None:
    for _, found in digits.draw("name", "train", seed=0, images=20, size=SIZE):
        assert all(digit.label == digit.numeral for digit in found)


def test_one_digit_is_odd_and_its_numeral_alone_does_not_tell() -> None:
    classes: dict[int, set[str]] = {}
    for _, found in digits.draw("odd", "train", seed=0, images=20, size=SIZE):
        named = [(digit.numeral, digits.TASKS["odd"].classes[digit.label]) for digit in found]
        (odd,) = (numeral for numeral, name in named if name == f"odd {numeral}")
        (same,) = {numeral for numeral, name in named if name == str(numeral)}
        assert odd != same
        assert len(named) == 1 + [numeral for numeral, _ in named].count(same)
        for numeral, name in named:
            classes.setdefault(numeral, set()).add(name)
    assert classes == {numeral: {str(numeral), f"odd {numeral}"} for numeral in digits.TASKS["odd"].numerals}


def test_nothing_trained_on_is_validated_on() -> None:
    train, val = (
        [pixels.tobytes() for pixels, _ in digits.draw("name", split, seed=0, images=10, size=SIZE)]
        for split in ("train", "val")
    )
    assert not set(train) & set(val)


def test_what_is_written_reads_back_as_drawn(tmp_path: Path) -> None:
    description = digits.write(tmp_path, "odd", seed=3, images=4, size=SIZE)
    assert "3: 'odd 1'" in description.read_text()
    for split, count in (("train", 4), ("val", 2)):
        for number, (pixels, found) in enumerate(digits.draw("odd", split, seed=3, images=count, size=SIZE)):
            image = np.asarray(Image.open(tmp_path / "images" / split / f"{number}.png"))
            assert (image == pixels[..., None]).all()
            lines = (tmp_path / "labels" / split / f"{number}.txt").read_text().splitlines()
            for line, digit in zip(lines, found, strict=True):
                label, x, y, width, height = (float(word) for word in line.split())
                box = [(x - width / 2) * SIZE, (y - height / 2) * SIZE, (x + width / 2) * SIZE, (y + height / 2) * SIZE]
                assert label == digit.label
                assert box == pytest.approx(digit.box, abs=0.01)
        assert len(list((tmp_path / "images" / split).iterdir())) == count
