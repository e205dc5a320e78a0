"""What is told of blocks helps: each command that a message names is the one for this block."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2patch.protocol import Check
from a2patch.runner.judge import without_patch
from a2patch.runner.result import ProbeResult
from tests.support import miniature
from tests.support.blocks import KEEP, WIDTH
from tests.support.command import Answer, here
from tests.support.inside import inside
from tests.support.trees import NEWEST, Unpack


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    """A miniature tree of the newest release."""
    return miniature.cut(NEWEST, cache, tmp_path)


def typed(package: Path, *words: str | Path) -> Answer:
    return inside(*words, "--ultralytics-path", package)


def put(package: Path, *words: str | Path) -> str:
    answer = typed(package, "apply", *words, "--no-verify")
    assert answer.code == 0, answer.out + answer.err
    return answer.out


@pytest.mark.parametrize("there", [(), ("simam",), ("double_attention",)])
@pytest.mark.parametrize(
    ("block", "advice"),
    [
        ("EMA", "Put it in with `a2patch apply ema`"),
        ("ema", "`a2patch apply ema` puts it in. Name a class of it: --block EMA."),
        ("Unheard", "Put it in with `a2patch apply FILE`"),
    ],
)
def test_insert_tells_what_brings_the_class(package: Path, there: tuple[str, ...], block: str, advice: str) -> None:
    if there:
        put(package, *there)
    answer = typed(package, "insert", "--base", "yolov8", "--block", block, "--at", "P3")
    assert (answer.code, advice in answer.err) == (3, True), answer.err
    assert f"it has {'SimAM' if 'simam' in there else 'DoubleAttention' if there else 'none'}" in answer.err


def test_insert_tells_the_class_of_a_block_that_is_there(package: Path) -> None:
    put(package, "simam")
    answer = typed(package, "insert", "--base", "yolov8", "--block", "simam", "--at", "P3")
    assert "Name a class of it: --block SimAM." in answer.err
    assert "apply" not in answer.err


def test_apply_tells_which_block_has_a_class(package: Path) -> None:
    answer = typed(package, "apply", "EMA", "--no-verify")
    assert (answer.code, "`a2patch apply ema` brings a class EMA." in answer.err) == (2, True)


def test_what_goes_out_and_in_again_is_named_once(package: Path) -> None:
    put(package, "ema")
    assert "ema, ema" not in put(package, "ema", "--as", "Mine=EMA")


def test_a_class_goes_by_the_name_that_its_file_has_too(package: Path) -> None:
    put(package, "ema", "--as", "Mine=EMA")
    assert typed(package, "revert", "EMA").code == 0


def test_what_is_next_is_the_twin_where_one_was_asked_for(package: Path, tmp_path: Path) -> None:
    file = tmp_path / "keeping.py"
    file.write_bytes(KEEP.source)
    assert "--block Keeping --at P3" in put(package, file)
    assert "--block GatedKeeping --at P3" in put(package, file, "--gated")


def test_a_checkpoint_names_the_command_that_brings_this_block() -> None:
    there = ProbeResult((Check("checkpoint", "fail", meaning="it has no ultralytics.nn.modules.ema"),), "")
    told = without_patch(Check("checkpoint", "pass"), there, "a2patch apply ema")
    assert told.advice == "Run `a2patch apply ema` wherever it is to be loaded."


def test_a_class_under_another_name_is_inserted(unpack: Unpack, tmp_path: Path) -> None:
    package, file = unpack(), tmp_path / "wide.py"
    file.write_bytes(WIDTH.source)
    put(package, file, "--as", "Other=Wide")
    words = ("insert", "--base", "yolov8", "--block", "Other", "--at", "P3", "-o", tmp_path / "yolov8_mine.yaml")
    answer = inside(*words, *here(package))
    assert answer.code == 0, answer.out + answer.err
