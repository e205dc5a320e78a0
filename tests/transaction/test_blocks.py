"""Blocks put in upon one another, and upon Double Attention: each way in and out, to the byte."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from a2patch.block import RULES, Block, BlockClass, bundled
from a2patch.errors import A2PatchError, ConflictError, NotPatchedError
from a2patch.transaction import Operation, commit, files, look_at, operations
from a2patch.tree import Tree, tree
from tests.support import miniature
from tests.support.blocks import BARE, JOIN, KEEP, REPEAT, WIDTH
from tests.support.files import Snapshot, snapshot
from tests.support.miniature import act, quiet

RELEASES = ("8.0.0", "8.0.98", "8.1.0", "8.3.253", "8.4.190")
TASKS, INIT = "nn/tasks.py", "nn/modules/__init__.py"


def put(package: Path, *blocks: Block) -> Operation:
    return operations.apply_blocks(tree.find(package), quiet, blocks)


def out(package: Path, *names: str, force: bool = False) -> Operation:
    return operations.revert(tree.find(package), quiet, names, force=force, folder=package.parent)


def states(package: Path) -> dict[str, str]:
    return {one.layer.block.name: one.state for one in look_at(tree.find(package)).layers}


def user_files(package: Path) -> Snapshot:
    return {path: entry for path, entry in snapshot(package.parent).items() if ".a2patch" not in path}


def document(package: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(package.joinpath(files.RECEIPT).read_bytes())
    return found


@pytest.mark.parametrize("release", RELEASES)
def test_blocks_alone_and_together_come_and_go_to_the_byte(cache: Path, tmp_path: Path, release: str) -> None:
    package = miniature.cut(release, cache, tmp_path)
    before = snapshot(package.parent)
    for blocks in ((KEEP,), (WIDTH,), (REPEAT,), (JOIN,), (KEEP, WIDTH, JOIN)):
        put(package, *blocks)
        assert look_at(tree.find(package)).state == "applied"
        assert states(package) == {block.name: "applied" for block in blocks}
        assert not put(package, *blocks).writes
        out(package)
        assert snapshot(package.parent) == before


@pytest.mark.parametrize("release", ["8.0.0", "8.4.190"])
def test_blocks_upon_double_attention_leave_it_as_it_was(cache: Path, tmp_path: Path, release: str) -> None:
    package = miniature.cut(release, cache, tmp_path)
    act("apply", package)
    patched = snapshot(package.parent)
    put(package, KEEP, WIDTH, JOIN)
    assert not act("apply", package).writes  # type: ignore[union-attr]
    for name in ("wide", "Keeping", "joiner.py"):
        out(package, name)
    assert snapshot(package.parent) == patched  # its receipt too, in the format that it had


def test_one_in_the_middle_is_taken_out_and_the_others_stay(package: Path) -> None:
    put(package, KEEP, JOIN)
    two = snapshot(package.parent)
    out(package)
    put(package, KEEP, WIDTH)
    put(package, JOIN)
    out(package, "wide")
    assert snapshot(package.parent) == two
    with pytest.raises(NotPatchedError, match="no block wide"):
        out(package, "wide")


def test_double_attention_goes_in_below_and_comes_out_from_below(package: Path) -> None:
    put(package, KEEP, WIDTH)
    alone = user_files(package)
    act("apply", package)
    assert look_at(tree.find(package)).status.state == "applied"
    out(package, "double_attention")
    assert user_files(package) == alone


def test_an_older_patch_is_upgraded_below_the_blocks(package: Path, tmp_path: Path) -> None:
    before = snapshot(package.parent)
    with miniature.older(tmp_path / "older"):
        act("apply", package)
        put(package, KEEP, JOIN)
        assert look_at(tree.find(package)).state == "applied"
    act("apply", package)
    assert (look_at(tree.find(package)).state, states(package)) == (
        "applied",
        {"keeping": "applied", "joiner": "applied"},
    )
    assert document(package)["a2patch"] != "0.0.1"
    out(package)
    assert snapshot(package.parent) == before


def test_what_an_upgrade_of_the_tree_left_is_put_in_again(package: Path) -> None:
    stock = {path: package.joinpath(path).read_bytes() for path in (TASKS, INIT)}
    put(package, KEEP, WIDTH)
    for path, content in stock.items():
        package.joinpath(path).write_bytes(content + b"# a newer release\n")
    assert states(package) == {"keeping": "stale", "wide": "stale"}
    put(package)
    assert states(package) == {"keeping": "applied", "wide": "applied"}
    out(package)
    assert {path: package.joinpath(path).read_bytes() for path in stock} == {
        path: content + b"# a newer release\n" for path, content in stock.items()
    }
    assert not package.joinpath("nn/modules/keeping.py").exists()


def test_edits_elsewhere_survive_and_those_of_a_module_file_too(package: Path) -> None:
    put(package, KEEP, WIDTH)
    for path in (TASKS, INIT):
        package.joinpath(path).write_bytes(b"# mine\n" + package.joinpath(path).read_bytes() + b"# mine\n")
    module = package / "nn/modules/keeping.py"
    module.write_bytes(module.read_bytes() + b"# tuned\n")
    assert states(package) == {"keeping": "edited", "wide": "applied"}
    put(package, JOIN)
    assert states(package) == {"keeping": "edited", "wide": "applied", "joiner": "applied"}
    assert module.read_bytes().endswith(b"# tuned\n")
    out(package, "wide", "joiner")
    with pytest.raises(ConflictError, match="edited"):
        out(package)
    out(package, force=True)
    assert b"# tuned" in package.with_name("a2patch-your-edits.patch").read_bytes()
    assert not module.exists()
    assert package.joinpath(TASKS).read_bytes().count(b"# mine\n") == 2
    assert b"Keeping" not in package.joinpath(TASKS).read_bytes()


def test_edits_inside_the_lines_of_a_block_are_refused_and_merged_by_force(package: Path) -> None:
    stock = package.joinpath(TASKS).read_bytes()
    act("apply", package)
    put(package, KEEP)
    content = package.joinpath(TASKS).read_bytes()
    package.joinpath(TASKS).write_bytes(content.replace(b"m is Keeping:\n", b"m is Keeping:  # mine\n"))
    assert states(package) == {"keeping": "edited"}
    for names in ((), ("keeping",)):
        with pytest.raises(ConflictError, match="edited"):
            out(package, *names)
    out(package, "keeping", force=True)
    assert b"# mine" in package.with_name("a2patch-your-edits.patch").read_bytes()
    out(package)
    assert package.joinpath(TASKS).read_bytes() == stock


def test_a_name_that_is_taken_is_told_with_its_place(package: Path) -> None:
    before = snapshot(package.parent)
    taken = Block(
        "mine",
        KEEP.source.replace(b"Keeping", b"C2f"),
        (BlockClass("C2f", RULES["keep"]),),
    )
    with pytest.raises(ConflictError) as refused:
        put(package, taken)
    assert "nn/modules/block.py" in refused.value.found
    assert "--as" in refused.value.remedy
    with pytest.raises(ConflictError) as refused:
        put(package, Block("conv", KEEP.source, KEEP.classes))
    assert "nn/modules/conv.py" in refused.value.found
    assert snapshot(package.parent) == before


def test_a_class_that_upstream_ships_is_registered_as_it_is(package: Path) -> None:
    before = snapshot(package.parent)
    done = put(package, bundled()["cbam"])
    assert [change.path for change in done.changes] == [TASKS]
    assert "upstream ships it" in done.notes[0]
    assert states(package) == {"cbam": "applied"}
    out(package)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"# -*- coding: gbk -*-\n# \xd6\xd0\n"])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_module_file_keeps_its_bytes(package: Path, content: bytes, ending: bytes) -> None:
    before = snapshot(package.parent)
    source = (content + KEEP.source.rstrip(b"\n")).replace(b"\n", ending)
    put(package, Block("keeping", source, KEEP.classes))
    assert package.joinpath("nn/modules/keeping.py").read_bytes() == source
    assert states(package) == {"keeping": "applied"}
    out(package)
    assert snapshot(package.parent) == before


def test_line_endings_of_the_tree_are_kept(package: Path) -> None:
    for path in (TASKS, INIT):
        package.joinpath(path).write_bytes(package.joinpath(path).read_bytes().replace(b"\n", b"\r\n"))
    before = snapshot(package.parent)
    put(package, KEEP, WIDTH)
    assert b"m is Keeping:\r\n" in package.joinpath(TASKS).read_bytes()
    out(package)
    assert snapshot(package.parent) == before


def _killed(package: Path, after: int, act: Callable[[], object]) -> None:
    """Let a command die once so many files are in place."""
    real, seen = files.put, []

    def stop(target: Path) -> None:
        seen.append(target)
        if len(seen) > after:
            raise RuntimeError("killed")
        real(target)

    with (
        mock.patch.object(files, "put", stop),
        mock.patch.object(commit, "undo", side_effect=RuntimeError),
        mock.patch.object(commit, "remove_preparations"),
        pytest.raises(RuntimeError),
    ):
        act()


@pytest.mark.parametrize("after", range(1, 4))
def test_a_revert_that_died_is_finished(package: Path, after: int) -> None:
    before = snapshot(package.parent)
    put(package, KEEP, WIDTH)
    _killed(package, after, lambda: out(package))
    act("recover", package)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("after", range(1, 7))
@pytest.mark.parametrize("known", [True, False])
def test_a_command_that_died_is_finished_or_undone(package: Path, after: int, known: bool) -> None:
    block = bundled()["ema"] if known else KEEP
    before = snapshot(package.parent)
    put(package, block)
    done = snapshot(package.parent)
    out(package)
    _killed(package, after, lambda: put(package, block))
    assert snapshot(package.parent) not in (before, done)
    act("recover", package)
    now = snapshot(package.parent)
    # The code of a user's own file is put in by what is in the tree only, never by what a journal says.
    assert now == (done if after > 2 or (known and after > 1) else before)
    out(package)
    assert snapshot(package.parent) == before


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content)).decode()


def test_a_planted_receipt_puts_no_code_in(package: Path) -> None:
    put(package, KEEP)
    planted = package.joinpath(files.RECEIPT).read_bytes()
    out(package)
    before = snapshot(package.parent)
    package.joinpath(files.FOLDER).mkdir()
    package.joinpath(files.RECEIPT).write_bytes(planted)
    act("apply", package)
    assert not package.joinpath("nn/modules/keeping.py").exists()
    assert b"Keeping" not in package.joinpath(TASKS).read_bytes()
    act("revert", package)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("path", ["nn/modules/conv.py", "nn/modules/head.py", "nn/tasks.py", "__init__.py", "../x.py"])
def test_a_planted_receipt_takes_no_file_of_upstream_out(package: Path, path: str) -> None:
    put(package, KEEP)
    told = document(package)
    block = told["blocks"][0]
    place = package / path
    content = place.read_bytes() if place.exists() else b"x"
    block["name"], block["source"] = Path(path).stem, _packed(content)
    lines = content.decode().splitlines(keepends=True)
    block["diffs"][0]["text"] = f"--- /dev/null\n+++ b/ultralytics/{path}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(
        f"+{line}" for line in lines
    )
    package.joinpath(files.RECEIPT).write_text(json.dumps(told))
    before = user_files(package)
    for force in (False, True):
        with pytest.raises(A2PatchError):
            out(package, force=force)
    with pytest.raises(A2PatchError):
        put(package, WIDTH)
    assert user_files(package) == before


@pytest.mark.parametrize("site", ["init", "tasks"])
@pytest.mark.parametrize("lines", ["-import evil\n", "-import evil\n+import os\n"])
def test_a_planted_receipt_puts_no_line_in(package: Path, site: str, lines: str) -> None:
    """Its diff, taken back, would put a line in that nobody had there."""
    put(package, KEEP)
    told = document(package)
    diff = next(each for each in told["blocks"][0]["diffs"] if each["site"] == site)
    path = TASKS if site == "tasks" else INIT
    first = package.joinpath(path).read_text("utf-8").splitlines(keepends=True)[0]
    taken = lines.count("\n-") + lines.startswith("-")
    head = f"@@ -1,{1 + taken} +1,{1 + lines.count('+')} @@\n {first}{lines.replace('import os', first.strip())}"
    start = diff["text"].index("@@")
    diff["text"] = diff["text"][:start] + head + diff["text"][start:]
    package.joinpath(files.RECEIPT).write_text(json.dumps(told))
    for force in (False, True):
        with pytest.raises(A2PatchError):
            out(package, force=force)
    assert b"import evil" not in package.joinpath(path).read_bytes()


@pytest.mark.parametrize("name", ["Concat", "Detect", "nn", "C2f"])
def test_a_planted_receipt_takes_no_class_of_upstream_out(package: Path, name: str) -> None:
    put(package, KEEP)
    content = package.joinpath(files.RECEIPT).read_text("utf-8").replace("Keeping", name)
    package.joinpath(files.RECEIPT).write_text(content)
    before = package.joinpath(TASKS).read_bytes()
    for force in (False, True):
        with pytest.raises(A2PatchError):
            out(package, force=force)
    assert package.joinpath(TASKS).read_bytes() == before


def test_a_receipt_without_blocks_stays_in_the_older_format(package: Path) -> None:
    act("apply", package)
    assert (document(package)["format"], "blocks" in document(package)) == (1, False)
    put(package, BARE)
    assert (document(package)["format"], len(document(package)["blocks"])) == (2, 1)


def test_what_failed_its_verdict_is_undone_to_what_was_there(package: Path) -> None:
    put(package, KEEP)
    before = snapshot(package.parent)
    found: Tree = tree.find(package)
    operations.undo(found, operations.apply(found, quiet, (WIDTH,)), quiet)
    assert snapshot(package.parent) == before
