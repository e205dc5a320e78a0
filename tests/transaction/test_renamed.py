"""Packages by another name, and the `RECORD` of whoever installed them: a tree's is the one that lists its files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import miniature
from tests.support.command import a2patch
from tests.support.files import snapshot
from tests.support.inside import inside
from tests.support.miniature import act
from tests.support.trees import NEWEST


def renamed(package: Path, name: str, distribution: str | None) -> Path:
    """Give a package another name, in its `RECORD` too, where a distribution is named."""
    place = package.rename(package.with_name(name))
    info = next(package.parent.glob("ultralytics-*.dist-info"))
    if distribution is None:
        shutil.rmtree(info)
        return place
    info = info.rename(info.with_name(f"{distribution}.dist-info"))
    record = info / "RECORD"
    record.write_bytes(record.read_bytes().replace(b"ultralytics/", name.encode() + b"/"))
    return place


def record(package: Path, distribution: str = f"ultralytics-{NEWEST}") -> bytes:
    return package.parent.joinpath(f"{distribution}.dist-info/RECORD").read_bytes()


def test_a_copy_beside_does_not_write_into_the_record_of_another(package: Path) -> None:
    copy = shutil.copytree(package, package.with_name("ultralytics_bak"))
    before = snapshot(package.parent)
    listed = record(package)
    act("apply", copy)
    assert record(package) == listed
    act("revert", copy)
    assert snapshot(package.parent) == before


def test_a_copy_of_a_patched_tree_leaves_the_record_alone_too(package: Path) -> None:
    before = snapshot(package.parent)
    act("apply", package)
    copy = shutil.copytree(package, package.with_name("ultralytics_bak"))
    listed = record(package)
    act("revert", copy)
    assert record(package) == listed
    shutil.rmtree(copy)
    act("revert", package)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("distribution", ["doclayout_yolo-0.0.4", "somebody.else-1.0+local", "ultralytics-1.0"])
def test_a_renamed_package_finds_its_own_record(package: Path, distribution: str) -> None:
    package = renamed(package, "doclayout_yolo", distribution)
    other = package.parent / "ultralytics-0.1.dist-info"
    other.mkdir()
    other.joinpath("RECORD").write_text("ultralytics/__init__.py,,\n")
    before = snapshot(package.parent)
    act("apply", package)
    listed = record(package, distribution)
    assert b"doclayout_yolo/nn/modules/double_attention.py,sha256=" in listed
    assert b"doclayout_yolo/.a2patch/receipt.json,," in listed
    assert b"ultralytics/" not in listed
    assert other.joinpath("RECORD").read_text() == "ultralytics/__init__.py,,\n"
    act("revert", package)
    assert snapshot(package.parent) == before


def test_what_lies_beside_and_is_not_ours_is_no_obstacle(package: Path, tmp_path: Path) -> None:
    """Links, pipes and nonsense among the other distributions."""
    site = package.parent
    for name, content in {"long": b"x/__init__.py" + b"," * 200_000, "binary": b"\xff\0__init__.py\n"}.items():
        site.joinpath(f"{name}-1.dist-info").mkdir()
        site.joinpath(f"{name}-1.dist-info/RECORD").write_bytes(content)
    site.joinpath("strange name.dist-info").mkdir()
    site.joinpath("file-1.dist-info").touch()
    if os.name != "nt":
        site.joinpath("ultralytics-0.dist-info").symlink_to(tmp_path)
        site.joinpath("ultralytics-9.dist-info").symlink_to(tmp_path / "nowhere")
        site.joinpath("pipe-1.dist-info").mkdir()
        os.mkfifo(site / "pipe-1.dist-info/RECORD")
    listed = record(package)
    act("apply", package)
    assert record(package) != listed
    act("revert", package)
    assert record(package) == listed


def test_an_unknown_hash_is_replaced_by_one_that_installers_know(package: Path) -> None:
    place = package.parent / f"ultralytics-{NEWEST}.dist-info/RECORD"
    place.write_bytes(place.read_bytes().replace(b"nn/tasks.py,sha256=", b"nn/tasks.py,sha999="))
    before = snapshot(package.parent)
    act("apply", package)
    assert b"nn/tasks.py,sha256=" in place.read_bytes()
    act("revert", package)
    assert snapshot(package.parent) == before


@pytest.mark.parametrize("kind", ["vendored", "checkout"])
def test_a_renamed_package_of_no_installer_is_patched(cache: Path, tmp_path: Path, kind: str) -> None:
    package = miniature.cut(NEWEST, cache, tmp_path, kind)
    package = package.rename(package.with_name("yolo_lib"))
    before = snapshot(package.parent)
    act("apply", package)
    act("revert", package)
    assert snapshot(package.parent) == before


NAMES = ["doclayout_yolo", "my yolo", "模型_yölo", *(['its\'"yolo"', "a\tb \\ c"] if os.name != "nt" else [])]


def applied(diff: str, folder: Path, *options: str) -> None:
    """Let git apply what was printed, as its reader pipes it."""
    command = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", *options, "-"]
    subprocess.run(command, cwd=folder, input=diff.encode("utf-8", "surrogateescape"), check=True)


@pytest.mark.parametrize("name", NAMES)
def test_git_applies_what_is_printed_of_a_renamed_package(package: Path, tmp_path: Path, name: str) -> None:
    package = package.rename(package.with_name(name))
    shutil.rmtree(next(package.parent.glob("*.dist-info")))
    before = snapshot(package.parent)
    copy = shutil.copytree(package.parent, tmp_path / "copy")
    named = ("--ultralytics-path", package)
    announced = inside("apply", "ema", "double_attention", "--dry-run", "--no-verify", *named)
    assert announced.code == 0, announced.err
    assert inside("apply", "ema", "double_attention", "--no-verify", *named).code == 0
    patched = snapshot(package.parent, without={".a2patch"})
    applied(announced.out, copy)
    assert snapshot(copy) == patched
    shown = inside("diff", *named)
    assert shown.out == inside("diff", "--json", *named).document["diff"] == announced.out
    applied(shown.out, copy, "--reverse")
    assert snapshot(copy) == before


def test_git_applies_the_edits_that_were_saved_of_a_renamed_package(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = package.rename(package.with_name("my yolo"))
    act("apply", package)
    yaml = package / "cfg/models/v8/yolov8_A2.yaml"
    copy = shutil.copytree(package.parent, tmp_path / "copy")
    yaml.write_bytes(yaml.read_bytes().replace(b"nc: 80", b"nc: 3"))
    edited = yaml.read_bytes()
    refused = inside("revert", "--ultralytics-path", package)
    assert (refused.code, "b/my yolo/cfg/models/v8/yolov8_A2.yaml" in refused.err) == (3, True)
    monkeypatch.chdir(tmp_path)
    assert inside("revert", "--force", "--ultralytics-path", package).code == 0
    applied(tmp_path.joinpath("a2patch-your-edits.patch").read_text("utf-8"), copy)
    assert copy.joinpath("my yolo/cfg/models/v8/yolov8_A2.yaml").read_bytes() == edited


def test_what_to_type_next_names_no_command_of_another_package(package: Path) -> None:
    options = ("apply", "--no-verify", "--ultralytics-path")
    assert "yolo detect train" in a2patch(*options, package).out
    copy = shutil.copytree(package, package.with_name("yolo_lib"))
    act("revert", copy)
    answer = a2patch(*options, copy)
    assert (answer.code, "yolo detect" in answer.out, "a2patch revert" in answer.out) == (0, False, True)
