"""The images that a report is drawn over: from files and folders, each once, no more and no larger than they may be."""

from __future__ import annotations

import os
from pathlib import Path

from a2patch.runner.photographs import LARGEST, MOST, collect


def test_files_and_folders_in_order_and_each_once(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", "c.webp", "own name"):
        tmp_path.joinpath(name).write_bytes(b"x")
    tmp_path.joinpath("deeper.png").mkdir()
    found = collect([tmp_path / "own name", tmp_path, tmp_path / "a.png"])
    assert [path.name for path in found.taken] == ["own name", "a.png", "b.JPG", "c.webp"]
    assert (found.left_out, found.beyond, found.count) == ((), 0, 4)


def test_no_more_than_are_looked_at_and_none_that_is_too_large(tmp_path: Path) -> None:
    for number in range(MOST + 3):
        tmp_path.joinpath(f"{number:02}.png").write_bytes(b"x")
    os.truncate(tmp_path / "00.png", LARGEST + 1)
    found = collect([tmp_path])
    assert [path.name for path in found.taken] == [f"{number:02}.png" for number in range(1, MOST + 1)]
    assert [(Path(path).name, reason) for path, reason in found.left_out] == [("00.png", "it is larger than 64 MiB")]
    assert (found.beyond, found.count) == (2, MOST + 3)


def test_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    found = collect([Path(os.devnull), tmp_path / "gone.png"])
    assert [reason for _, reason in found.left_out] == ["this is no ordinary file"] * 2
