"""A tree whose receipt is lost: blocks whose bytes are those that a2patch puts in are known again, and no others."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from a2patch.block import RULES, Block, bundled, gated
from a2patch.errors import ConflictError
from a2patch.transaction import files, look_at, operations
from a2patch.tree import tree
from tests.support import miniature
from tests.support.blocks import BARE, KEEP
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.miniature import act, quiet

EIGHT = [block for _, block in sorted(bundled().items())]


def put(package: Path, *blocks: Block) -> bool:
    return bool(operations.apply_blocks(tree.find(package), quiet, blocks).writes)


def lose(package: Path) -> None:
    shutil.rmtree(package / files.FOLDER)


def states(package: Path) -> dict[str, str]:
    return {one.layer.block.name: one.state for one in look_at(tree.find(package)).layers}


@pytest.mark.parametrize(("release", "patched"), [("8.0.0", True), ("8.0.98", False), ("8.4.190", True)])
def test_blocks_that_come_with_a2patch_are_known_without_it(
    cache: Path, tmp_path: Path, release: str, patched: bool
) -> None:
    package = miniature.cut(release, cache, tmp_path)
    before = snapshot(package.parent)
    if patched:
        act("apply", package)
    put(package, bundled()["simam"], bundled()["se"])
    with_receipt = snapshot(package.parent)
    lose(package)
    assert states(package) == {"simam": "applied", "se": "applied"}
    assert look_at(tree.find(package)).state == "applied"
    put(package, bundled()["se"])
    assert snapshot(package.parent) == with_receipt  # the receipt too
    lose(package)
    operations.revert(tree.find(package), quiet)
    assert snapshot(package.parent) == before


def test_all_eight_and_twins_and_line_endings_too(package: Path) -> None:
    for path in package.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    before = snapshot(package)
    put(package, *EIGHT[:4], *map(gated, EIGHT[4:]))
    lose(package)
    assert states(package) == {block.name: "applied" for block in EIGHT}
    operations.revert(tree.find(package), quiet, [block.name for block in EIGHT[1:]])
    operations.revert(tree.find(package), quiet)
    assert snapshot(package) == before


def test_a_file_is_known_where_it_is_named_again(package: Path) -> None:
    put(package, KEEP, bundled()["se"])
    there = snapshot(package.parent)
    lose(package)
    assert states(package) == {"se": "applied"}
    assert put(package, KEEP)
    assert {path: entry for path, entry in snapshot(package.parent).items() if path not in there} == {}
    assert states(package) == {"se": "applied", "keeping": "applied"}


def test_a_file_that_is_named_to_revert_tells_what_is_its_own(package: Path, tmp_path: Path) -> None:
    before = snapshot(package.parent)
    by_row = replace(BARE, classes=(replace(BARE.classes[0], rule=RULES["keep"]),))  # as --row told
    put(package, by_row)
    lose(package)
    file = tmp_path / "bare.py"
    answer = inside("revert", file, "--ultralytics-path", package)
    assert answer.code == 1 or answer.code == 3, answer.out + answer.err
    file.write_bytes(BARE.source)
    answer = inside("revert", file, "--ultralytics-path", package)
    assert answer.code == 0, answer.out + answer.err
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("path", ["nn/modules/se.py", "nn/tasks.py", "nn/modules/__init__.py"])
def test_what_is_not_as_a2patch_puts_it_in_is_not_taken_out(package: Path, path: str) -> None:
    put(package, bundled()["se"])
    lose(package)
    edited = package / path
    text = edited.read_bytes()
    edited.write_bytes(
        text.replace(b"elif m is SE:", b"elif m is SE:  # mine").replace(b"import SE\n", b"import SE  # mine\n")
        if b"SE" in text and path != "nn/modules/se.py"
        else text + b"# mine\n"
    )
    there = snapshot(package.parent)
    assert states(package) == {}
    with pytest.raises(ConflictError, match="no receipt tells"):
        put(package, bundled()["se"])
    assert snapshot(package.parent) == there


def test_a_block_whose_file_is_gone_too_is_not_taken_for_a_class_of_upstream(package: Path) -> None:
    put(package, bundled()["se"])
    lose(package)
    (package / "nn/modules/se.py").unlink()
    assert states(package) == {}


def test_a_class_of_upstream_that_was_registered_is_known(package: Path) -> None:
    before = snapshot(package.parent)
    put(package, bundled()["cbam"])
    lose(package)
    assert states(package) == {"cbam": "applied"}
    operations.revert(tree.find(package), quiet)
    assert snapshot(package.parent) == before


def test_edits_elsewhere_stay(package: Path) -> None:
    put(package, bundled()["se"])
    lose(package)
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes() + b"\n# mine\n")
    assert states(package) == {"se": "applied"}
    operations.revert(tree.find(package), quiet)
    assert b"import SE" not in tasks.read_bytes()
    assert b"m is SE" not in tasks.read_bytes()
    assert tasks.read_bytes().endswith(b"# mine\n")


def test_what_a_user_sees(package: Path) -> None:
    put(package, bundled()["se"])
    lose(package)
    told = [inside(verb, "--ultralytics-path", package).out for verb in ("status", "blocks")]
    assert "receipt  lost" in told[0]
    assert "  se  applied  SE" in told[1]
    answer = inside("apply", "se", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 0
    assert "receipt" in answer.out
    assert (package / files.RECEIPT).exists()
