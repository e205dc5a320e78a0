"""States neither patched nor untouched, edited by the user and foreign, and what each command makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command import a2patch
from tests.support.files import snapshot
from tests.support.miniature import act

EDITS = {
    "nn/modules/double_attention.py": (b"class DoubleAttentionBlock", b"# mine\nclass DoubleAttentionBlock"),
    "cfg/models/v8/yolov8_A2.yaml": (b"nc: 80", b"nc: 3"),
    "nn/tasks.py": (b"elif m in (DoubleAttentionBlock, DoubleAttentionLayer):", b"elif m in (DoubleAttentionLayer,):"),
}
SITES = {"nn/modules/double_attention.py": "module", "cfg/models/v8/yolov8_A2.yaml": "cfg", "nn/tasks.py": "tasks"}
OURS = ("nn/modules/double_attention.py", "cfg/models/v8/yolov8_A2.yaml")


def edit(package: Path, path: str) -> None:
    """Change one line of ours in a patched tree."""
    old, new = EDITS[path]
    place = package / path
    assert place.read_bytes().count(old) == 1
    place.write_bytes(place.read_bytes().replace(old, new))


def by_hand(package: Path) -> None:
    """Put a class of a tutorial into conv.py, as many forks have it."""
    conv = package / "nn/modules/conv.py"
    conv.write_bytes(conv.read_bytes() + b"\n\nclass DoubleAttentionLayer(nn.Module):\n    pass\n")


@pytest.mark.parametrize("path", EDITS)
def test_an_edit_of_ours_is_a_state_that_names_its_file(package: Path, path: str) -> None:
    act("apply", package)
    edit(package, path)
    tree = a2patch("status", "--json", "--ultralytics-path", package).document["tree"]
    assert tree["state"] == "edited"
    sites = {site["site"]: site for site in tree["sites"]}
    assert sites[SITES[path]]["state"] == "edited"
    assert sites[SITES[path]]["edited"] == [path]
    assert [site["state"] for site in sites.values()].count("applied") == 3
    assert str(Path(path)) in a2patch("status", "--ultralytics-path", package).out


@pytest.mark.parametrize("path", OURS)
def test_an_edit_of_ours_is_recognized_without_a_receipt(package: Path, tmp_path: Path, path: str) -> None:
    pristine = snapshot(package)
    act("apply", package)
    edit(package, path)
    package.joinpath(".a2patch/receipt.json").unlink()  # git ignores it, so a clone has none
    assert a2patch("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "edited"
    assert a2patch("revert", "--ultralytics-path", package).code == 3
    assert a2patch("revert", "--force", "--ultralytics-path", package, cwd=tmp_path).code == 0
    left = snapshot(package)
    assert tmp_path.joinpath("a2patch-your-edits.patch").read_bytes()
    assert {name for name in left if ".a2patch" not in name} == {name for name in pristine if ".a2patch" not in name}


@pytest.mark.parametrize("path", EDITS)
def test_diff_shows_an_edited_file_as_it_is_and_apply_leaves_it(package: Path, path: str) -> None:
    act("apply", package)
    edit(package, path)
    before = snapshot(package)
    answer = a2patch("diff", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    assert "+" + EDITS[path][1].decode().split("\n")[0].strip() in answer.out.replace("+        ", "+")
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    assert "already patched" in answer.out
    assert path in answer.out
    assert snapshot(package) == before


def test_apply_completes_what_is_missing_beside_an_edited_file(package: Path, tmp_path: Path) -> None:
    pristine = snapshot(package.parent)
    tasks = package.joinpath("nn/tasks.py").read_bytes()
    act("apply", package)
    edit(package, "cfg/models/v8/yolov8_A2.yaml")
    package.joinpath("nn/tasks.py").write_bytes(tasks)
    package.joinpath("cfg/models/v8/yolov8_DANet.yaml").unlink()
    act("apply", package)
    assert b"nc: 3" in package.joinpath("cfg/models/v8/yolov8_A2.yaml").read_bytes()
    assert package.joinpath("cfg/models/v8/yolov8_DANet.yaml").exists()
    assert a2patch("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "edited"
    assert a2patch("revert", "--ultralytics-path", package).code == 3
    assert a2patch("revert", "--force", "--ultralytics-path", package, cwd=tmp_path).code == 0
    left = snapshot(package.parent)
    assert b"nc: 3" in tmp_path.joinpath("a2patch-your-edits.patch").read_bytes()
    assert left == pristine


def test_what_stands_in_the_way_is_foreign_and_nothing_to_revert(package: Path) -> None:
    by_hand(package)
    before = snapshot(package.parent)
    tree = a2patch("status", "--json", "--ultralytics-path", package).document["tree"]
    assert tree["state"] == "foreign"
    assert "nn/modules/conv.py" in tree["in_the_way"][0]
    answer = a2patch("revert", "--ultralytics-path", package)
    assert (answer.code, "nothing to do" in answer.out) == (0, True)
    for command in (("verify",), ("insert", "--base", "yolov8", "--at", "P3")):
        answer = a2patch(*command, "--json", "--ultralytics-path", package)
        assert answer.code == 3
        error = answer.document["error"]
        assert "not patched" in error["message"]
        assert "nn/modules/conv.py" in error["found"]
        assert "by hand" in error["remedy"]
    assert snapshot(package.parent) == before


def test_a_place_that_no_diff_fits_is_foreign_where_nothing_is_ours(package: Path) -> None:
    tasks = package / "nn/tasks.py"
    tasks.write_bytes(b"def parse_model():\n    return 1\n")
    assert a2patch("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "foreign"
    assert a2patch("revert", "--ultralytics-path", package).code == 0
    error = a2patch("verify", "--json", "--ultralytics-path", package).document["error"]
    assert "nn/tasks.py" in error["found"]
