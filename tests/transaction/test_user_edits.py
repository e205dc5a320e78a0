"""What users do to a patched tree: kept elsewhere; inside our lines shown, and saved when ours is forced out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from a2patch.errors import AccessError
from a2patch.transaction import operations, user_edits
from a2patch.tree import tree
from tests.support.command import a2patch
from tests.support.files import snapshot
from tests.support.miniature import act, git, quiet
from tests.support.trees import NEWEST, Unpack

FILES = {
    "nn/tasks.py": (b"elif m in (DoubleAttentionBlock, DoubleAttentionLayer):", b"elif m in (DoubleAttentionLayer,):"),
    "nn/modules/__init__.py": (b"import DoubleAttentionBlock,", b"import MineToo, DoubleAttentionBlock,"),
    "nn/modules/double_attention.py": (b"class DoubleAttentionBlock", b"# mine\nclass DoubleAttentionBlock"),
    "cfg/models/v8/yolov8_A2.yaml": (b"nc: 80", b"nc: 3"),
}


@pytest.mark.parametrize("path", FILES)
def test_edits_inside_our_lines_are_refused_shown_and_saved_by_force(package: Path, path: str) -> None:
    pristine = snapshot(package.parent)
    act("apply", package)
    place = package / path
    old, new = FILES[path]
    edited = place.read_bytes().replace(old, new, 1)
    assert edited != place.read_bytes()
    place.write_bytes(edited)
    before = snapshot(package.parent)

    answer = a2patch("revert", "--json", "--ultralytics-path", package)
    assert answer.code == 3
    assert new.splitlines()[0].decode() in answer.document["error"]["found"]
    assert "--force" in answer.document["error"]["remedy"]
    assert snapshot(package.parent) == before

    answer = a2patch("revert", "--force", "--json", "--ultralytics-path", package, cwd=package.parent.parent)
    assert answer.code == 0, answer.err
    saved = package.parent.parent / "a2patch-your-edits.patch"
    assert str(saved) in answer.document["notes"][0]
    assert snapshot(package.parent) == pristine

    act("apply", package)
    git(package.parent, "init", "--quiet")
    git(package.parent, "apply", str(saved))
    assert place.read_bytes() == edited


def test_force_keeps_edits_elsewhere_in_the_file_and_other_encodings(package: Path) -> None:
    tasks = package / "nn/tasks.py"
    pristine = tasks.read_bytes()
    act("apply", package)
    old, new = FILES["nn/tasks.py"]
    mine = b"# caf\xe9 \xd6\xd0\xce\xc4\n"
    edited = tasks.read_bytes().replace(old, new + b"  # \xe9")
    assert edited != tasks.read_bytes()
    tasks.write_bytes(mine + edited + mine)
    answer = a2patch("revert", "--force", "--ultralytics-path", package, cwd=package.parent.parent)
    assert answer.code == 0, answer.err
    assert tasks.read_bytes() == mine + pristine + mine
    assert b"# \xe9" in package.parents[1].joinpath("a2patch-your-edits.patch").read_bytes()


def test_a_second_saved_patch_gets_another_name(package: Path) -> None:
    for name in ("a2patch-your-edits.patch", "a2patch-your-edits-1.patch"):
        act("apply", package)
        yaml = package / "cfg/models/v8/yolov8_A2.yaml"
        yaml.write_bytes(yaml.read_bytes() + f"# {name}\n".encode())
        assert a2patch("revert", "--force", "--ultralytics-path", package, cwd=package.parent.parent).code == 0
        assert name.encode() in package.parents[1].joinpath(name).read_bytes()


def test_edits_that_can_t_be_saved_are_not_taken_out(package: Path, tmp_path: Path) -> None:
    act("apply", package)
    yaml = package / "cfg/models/v8/yolov8_A2.yaml"
    yaml.write_bytes(yaml.read_bytes() + b"# mine\n")
    before = snapshot(package.parent)
    folder = tmp_path / "no-such-folder"
    with pytest.raises(AccessError) as refused:
        operations.revert(tree.find(package), quiet, force=True, folder=folder)
    assert "change into a folder" in refused.value.remedy
    assert snapshot(package.parent) == before
    for _ in range(2):  # a second attempt after one that failed saves no second file
        assert user_edits.keep(tmp_path, b"x") == tmp_path / "a2patch-your-edits.patch"


def test_a_file_that_somebody_put_back_is_left_as_it_is(package: Path, cache: Path, tmp_path: Path) -> None:
    pristine = snapshot(package.parent)
    act("apply", package)
    package.joinpath("nn/tasks.py").write_bytes(pristine["ultralytics/nn/tasks.py"][1])
    package.joinpath("cfg/models/v8/yolov8_DANet.yaml").unlink()
    act("revert", package)
    assert snapshot(package.parent) == pristine


def test_an_upgrade_that_no_diff_fits_still_lets_ours_be_taken_out(package: Path) -> None:
    act("apply", package)
    foreign = b"def parse_model():\n    return 1\n"
    package.joinpath("nn/tasks.py").write_bytes(foreign)
    assert a2patch("apply", "--no-verify", "--ultralytics-path", package).code == 3
    act("revert", package)
    assert package.joinpath("nn/tasks.py").read_bytes() == foreign
    assert not [path for path in snapshot(package) if "double_attention" in path or ".a2patch" in path]


def test_without_a_receipt_force_does_not_guess(package: Path) -> None:
    act("apply", package)
    old, new = FILES["nn/tasks.py"]
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(tasks.read_bytes().replace(old, new))
    package.joinpath(".a2patch/receipt.json").unlink()
    before = snapshot(package.parent)
    assert a2patch("revert", "--force", "--ultralytics-path", package, cwd=package.parent.parent).code == 3
    assert snapshot(package.parent) == {path: before[path] for path in before if ".a2patch" not in path}


def test_an_edited_file_that_an_upgrade_left_in_an_older_place_is_not_forgotten(unpack: Unpack) -> None:
    package = unpack("8.0.120")
    act("apply", package)
    edited = package / "models/v8/yolov8_A2.yaml"
    edited.write_bytes(edited.read_bytes().replace(b"nc: 80", b"nc: 3"))
    package.joinpath("models/v8/yolov8.yaml").unlink()
    shutil.copytree(unpack(NEWEST, "newer"), package, dirs_exist_ok=True)  # by hand, not by an installer
    before = snapshot(package.parent)

    answer = a2patch("revert", "--json", "--ultralytics-path", package)
    assert answer.code == 3, answer.out
    assert "models/v8/yolov8_A2.yaml" in answer.document["error"]["found"]
    assert snapshot(package.parent) == before
