"""What is advised can be typed where its user stands; of several models of a name the others are told."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from a2patch.graph import files_by_name, model_files
from a2patch.report import next_steps
from a2patch.tree import Copy, Surroundings, environment
from a2patch.tree import tree as trees
from tests.support.command import a2patch, here, patch
from tests.support.trees import Unpack

BASE = "cfg/models/v8/yolov8.yaml"


def test_of_several_files_of_a_name_the_releases_own_is_taken_and_the_others_are_told(
    unpack: Unpack, tmp_path: Path
) -> None:
    package = patch(unpack())
    other = package / "cfg/models/zoo/yolov8.yaml"
    other.parent.mkdir()
    other.write_text("nc: 1\nbackbone: []\nhead:\n  - [-1, 1, Conv, [8]]\n", encoding="utf-8")
    assert model_files(package)["yolov8.yaml"] == package / BASE
    assert files_by_name(package)["yolov8.yaml"] == [package / BASE, other]
    made = tmp_path / "study" / "mine.yaml"
    answer = a2patch("insert", "--base", "yolov8", "--at", "P3", "-o", "study/mine.yaml", *here(package), cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert str(other) in answer.err
    told = re.search(r"train model=(\S+)", answer.out)
    assert told, answer.out
    assert (tmp_path / told[1]) == made
    verified = a2patch("verify", made, "--base", "yolov8", "--quick", *here(package), "--json")
    found = {check["name"]: check for check in verified.document["verdict"]["checks"]}
    assert found["wiring"]["figure"].endswith("as yolov8.yaml"), found["wiring"]


def test_a_base_of_ones_own_and_one_that_is_not_there(unpack: Unpack, tmp_path: Path) -> None:
    package = patch(unpack())
    mine = tmp_path / "yolov8n-mine.yaml"
    mine.write_bytes((package / BASE).read_bytes().replace(b"[-1, 6, C2f, [512, True]]", b"[-1, 6, C3, [512, True]]"))
    made = tmp_path / "yolov8n-made.yaml"
    made.write_bytes(mine.read_bytes())
    answer = a2patch("verify", made, "--base", mine, "--quick", *here(package), "--json")
    found = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert (found["wiring"]["result"], found["wiring"]["figure"]) == (
        "pass",
        "yolov8n-made.yaml 23 layers, as yolov8n-mine.yaml",
    )
    missing = a2patch("verify", made, "--base", "yolov99", *here(package))
    assert missing.code == 2
    assert "no model yolov99" in missing.err


def test_a_tree_of_another_environment_is_trained_by_the_yolo_of_that(unpack: Unpack, tmp_path: Path) -> None:
    package = unpack(into="env/lib/python3.8/site-packages")
    python = tmp_path / "env/bin/python3"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    (tmp_path / "env/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.8.1\n", encoding="utf-8")
    tree, around = trees.find(tmp_path / "env"), Surroundings(tmp_path, {"PATH": ""}, Path(sys.executable))
    assert tree.package == package
    typed = next_steps.training(tree, environment.copies(tree, around), "train", windows=False)
    assert typed == f'PYTHONPATH="{package.parent}" yolo train'
    python.with_name("yolo").touch()
    typed = next_steps.training(tree, environment.copies(tree, around), "train", windows=False)
    assert typed == f'"{python.with_name("yolo")}" train'


def test_the_yolo_of_the_tree_is_named_by_its_path_where_its_name_alone_starts_none(
    unpack: Unpack, tmp_path: Path
) -> None:
    package = unpack(into="env/lib/python3.8/site-packages")
    python = tmp_path / "env/bin/python3"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    (tmp_path / "env/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.8.1\n", encoding="utf-8")
    program = python.with_name("yolo")
    program.touch(mode=0o755)
    tree = trees.find(tmp_path / "env")
    for path, typed in (("", f'"{program}" train'), (str(program.parent), "yolo train")):
        around = Surroundings(tmp_path, {"PATH": path}, Path(sys.executable))
        copies = [copy for copy in environment.copies(tree, around) if copy.package == package]
        assert next_steps.training(tree, copies, "train", windows=False) == typed


def test_a_command_that_trains_uses_this_tree(unpack: Unpack) -> None:
    package = unpack()
    tree = trees.find(package)
    mine = Copy(package, "`yolo …` with /env/bin/python", "installed")
    other = Copy(package.parent / "other" / "ultralytics", "`yolo …` with /env/bin/python", "installed")
    assert next_steps.training(tree, [mine], "train") == "yolo train"
    assert next_steps.training(tree, [], "train", windows=False) == f'PYTHONPATH="{package.parent}" yolo train'
    assert next_steps.training(tree, [other], "train", windows=False) == f'PYTHONPATH="{package.parent}" yolo train'
    assert next_steps.training(tree, [other], "train", windows=True).startswith('set "PYTHONPATH=')
    status = a2patch("status", "--ultralytics-path", patch(package))
    assert f'`a2patch verify --ultralytics-path "{package}"` does' in status.out


def test_another_copy_is_a_line_of_its_own(unpack: Unpack) -> None:
    package = patch(unpack())
    around = Surroundings(Path.cwd(), dict(os.environ), Path(sys.executable))
    copies = environment.copies(trees.find(package), around)
    answer = a2patch("verify", "--quick", *here(package), "--json")
    checks = {check["name"]: check for check in answer.document["verdict"]["checks"]}
    assert "Not everybody" not in checks["import"]["meaning"]
    expected = any(copy.package != package for copy in copies)
    assert answer.document["verdict"]["others"].startswith("Not everybody uses this tree") == expected
