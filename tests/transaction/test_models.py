"""Model files that are installed beside the patch: noted in its receipt, kept by an upgrade, taken out with it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from a2patch.errors import A2PatchError, ConflictError, NotPatchedError
from a2patch.transaction import Operation, files, look_at, models, operations, receipt
from a2patch.tree import tree
from tests.support.files import snapshot
from tests.support.miniature import KINDS, act, cut, older, quiet
from tests.support.trees import NEWEST

MODEL = "cfg/models/v8/yolov8_A2-p3.yaml"
TEXT = "nc: 80\r\nbackbone: [] # ä\r\n".encode()


def put(package: Path, models: Mapping[str, bytes] | None = None, *, force: bool = False) -> Operation:
    return operations.install(tree.find(package), models or {MODEL: TEXT}, quiet, force=force)


def record(package: Path) -> str:
    return next(package.parent.glob("*.dist-info/RECORD")).read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_installed_goes_with_the_patch_and_leaves_nothing(cache: Path, tmp_path: Path, kind: str) -> None:
    package = cut(NEWEST, cache, tmp_path, kind)
    before = snapshot(package.parent)
    act("apply", package)
    outcome = put(package)
    assert [change.path for change in outcome.changes] == [MODEL]
    assert package.joinpath(MODEL).read_bytes() == TEXT
    assert kind != "installed" or f"ultralytics/{MODEL},sha256=" in record(package)
    assert put(package).changes == ()  # nothing to do
    reverted = act("revert", package)
    assert isinstance(reverted, Operation)
    assert MODEL in {change.path for change in reverted.changes}
    assert snapshot(package.parent) == before


def test_an_installed_model_that_was_edited_is_not_lost(cache: Path, tmp_path: Path) -> None:
    package = cut(NEWEST, cache, tmp_path)
    act("apply", package)
    put(package)
    package.joinpath(MODEL).write_bytes(TEXT.replace(b"80", b"3"))
    assert look_at(tree.find(package)).status.state == "applied"  # it is its user's to edit
    with pytest.raises(ConflictError) as refused:
        act("revert", package)
    assert "+nc: 3" in refused.value.found
    with pytest.raises(ConflictError, match="a model of that name"):
        put(package)
    outcome = operations.revert(tree.find(package), quiet, force=True, folder=tmp_path)
    assert not package.joinpath(MODEL).exists()
    saved = tmp_path / "a2patch-your-edits.patch"
    assert str(saved) in outcome.notes[0]
    assert b"+nc: 3" in saved.read_bytes()


def test_a_model_that_its_user_removed_is_forgotten(cache: Path, tmp_path: Path) -> None:
    package = cut(NEWEST, cache, tmp_path)
    before = snapshot(package.parent)
    act("apply", package)
    put(package)
    package.joinpath(MODEL).unlink()
    act("revert", package)
    assert snapshot(package.parent) == before


def test_an_upgrade_of_the_patch_keeps_what_is_installed(cache: Path, tmp_path: Path) -> None:
    package = cut(NEWEST, cache, tmp_path)
    before = snapshot(package.parent)
    with older(tmp_path / "older"):
        act("apply", package)
        put(package, {MODEL: TEXT, MODEL.replace("p3", "p4"): TEXT})
    package.joinpath(MODEL.replace("p3", "p4")).unlink()
    outcome = act("apply", package)
    assert isinstance(outcome, Operation)
    assert outcome.changes
    kept = receipt.load(tree.find(package))
    assert kept is not None
    assert kept.models == {MODEL: TEXT}
    assert record(package).count("yolov8_A2-p") == 1
    act("revert", package)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize(
    ("release", "folder"), [("8.0.0", "yolo/v8/models"), ("8.0.120", "models/v8"), (NEWEST, "cfg/models/v8")]
)
def test_a_model_goes_beside_those_of_the_patch(cache: Path, tmp_path: Path, release: str, folder: str) -> None:
    found = tree.find(cut(release, cache, tmp_path))
    assert models.folder_for(found, tmp_path / "mine.yaml") == folder
    assert models.folder_for(found, found.package / "cfg/models/11/yolo11.yaml") == "cfg/models/11"


def test_force_replaces_only_what_was_installed(cache: Path, tmp_path: Path) -> None:
    package = cut(NEWEST, cache, tmp_path)
    before = snapshot(package.parent)
    act("apply", package)
    put(package)
    put(package, {MODEL: b"nc: 1\n"}, force=True)
    assert package.joinpath(MODEL).read_bytes() == b"nc: 1\n"
    assert record(package).count(MODEL) == 1
    stock = "cfg/models/v8/yolov8.yaml"
    applied = snapshot(package.parent)
    with pytest.raises(ConflictError, match="a model of that name"):
        put(package, {stock: TEXT}, force=True)
    with pytest.raises(ConflictError, match="elsewhere"):
        put(package, {"cfg/models/yolov8.yaml": TEXT}, force=True)
    assert snapshot(package.parent) == applied
    act("revert", package)
    assert snapshot(package.parent) == before


def test_a_tree_without_the_patch_or_without_a_receipt_takes_none(cache: Path, tmp_path: Path) -> None:
    package = cut(NEWEST, cache, tmp_path, "vendored")
    with pytest.raises(NotPatchedError) as refused:
        put(package)
    assert "a2patch apply" in refused.value.remedy
    act("apply", package)
    shutil.rmtree(package / ".a2patch")
    with pytest.raises(NotPatchedError, match="by hand"):
        put(package)


@pytest.mark.parametrize("path", ["../evil.yaml", "cfg/models/v8/x.py", "/etc/x.yaml"])
def test_a_receipt_that_names_another_file_is_damaged(cache: Path, tmp_path: Path, path: str) -> None:
    package = cut(NEWEST, cache, tmp_path)
    act("apply", package)
    put(package)
    kept = package / files.RECEIPT
    kept.write_text(kept.read_text("utf-8").replace(MODEL, path), "utf-8")
    with pytest.raises(A2PatchError, match=r"damaged|no path inside a tree"):
        act("revert", package)
