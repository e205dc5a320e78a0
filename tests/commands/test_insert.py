"""`a2patch insert` as a user types it, on a real release."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from a2patch.errors import ExistsError
from a2patch.runner import insert as insertion
from tests.support.command import Answer, a2patch, here, patch
from tests.support.files import snapshot
from tests.support.trees import Unpack


@pytest.fixture
def package(unpack: Unpack) -> Path:
    """The newest release, patched."""
    return patch(unpack())


def insert(package: Path, *arguments: str | Path, cwd: Path) -> Answer:
    return a2patch("insert", *arguments, *here(package), cwd=cwd)


def test_what_is_installed_resolves_at_a_scale_and_goes_with_the_patch(package: Path, tmp_path: Path) -> None:
    applied = snapshot(package)
    answer = insert(
        package, "--base", "yolov8s", "--at", "P3", "--at", "P4", "--install", "--costs", "--json", cwd=tmp_path
    )
    assert answer.code == 0, answer.out + answer.err
    document = answer.document
    assert [check["result"] for check in document["verdict"]["checks"]] == ["pass"] * 3
    (model,) = document["models"]
    place = package / "cfg/models/v8/yolov8_A2-p3p4.yaml"
    assert model["path"] == str(place)
    assert [layer["index"] for layer in model["layers"] if layer["ours"]] == [5, 8]
    parameters = {cost["scale"]: cost["parameters"] for cost in document["verdict"]["costs"] if "_A2" in cost["model"]}
    assert parameters["n"] == 3178400  # as the model that the patch brings
    assert len(parameters) == 5

    status = a2patch("status", "--json", "--ultralytics-path", package).document
    assert status["tree"]["receipt"]["models"] == ["cfg/models/v8/yolov8_A2-p3p4.yaml"]
    asked = "from ultralytics.nn.tasks import yaml_model_load as y; d = y('yolov8s_A2-p3p4.yaml'); print(d['scale'])"
    environment = {**os.environ, "PYTHONPATH": str(package.parent), "YOLO_CONFIG_DIR": str(tmp_path)}
    command = [sys.executable, "-c", asked]
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.split()[-1] == "s"

    place.write_bytes(place.read_bytes().replace(b"nc: 80", b"nc: 3"))
    assert a2patch("revert", "--ultralytics-path", package).code == 3
    place.write_bytes(place.read_bytes().replace(b"nc: 3", b"nc: 80"))
    assert a2patch("revert", "--ultralytics-path", package).code == 0
    assert not place.exists()
    assert set(snapshot(package)) < set(applied)


def test_a_study_of_a_model_of_ones_own_and_back(package: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    stock = package.joinpath("cfg/models/v9/yolov9t.yaml").read_text("utf-8").replace("nc: 80", "nc: 3 # ä")
    mine.write_bytes(stock.replace("\n", "\r\n").encode())
    typed = ("--each", "--at", "P4", "--at", "detect", "--e", "0.5", "-o", "study")
    answer = insert(package, "--base", "mine.yaml", *typed, cwd=tmp_path)
    assert answer.code == 0, answer.out + answer.err
    assert "mine_A2-p4.yaml: P4, ours at 7" in answer.out
    assert "mine_A2-detect.yaml: detect, ours at 16, 20, 24" in answer.out
    assert "parameters" not in answer.out, "costs were not asked for"
    assert ">  7" not in answer.out
    made = tmp_path / "study" / "mine_A2-detect.yaml"
    assert made.read_bytes().count(b"[-1, 1, DoubleAttentionBlock, [0.5]]") == 3

    answer = insert(package, "--base", made, "--remove", "-o", "back.yaml", "--json", cwd=tmp_path)
    assert answer.code == 0, answer.out + answer.err
    assert (tmp_path / "back.yaml").read_bytes() == mine.read_bytes()

    answer = insert(package, "--base", "mine.yaml", "--at", "P4", "--layers", "--costs", cwd=tmp_path)
    assert re.search(r"\n>  7 +-1 +1 +DoubleAttentionBlock +\[0.25\]\n", answer.out)
    assert "mine.yaml -> mine_A2-p4.yaml" in answer.out
    (tmp_path / "mine_A2-p4.yaml").unlink()

    before = snapshot(tmp_path)
    answer = insert(package, "--base", "mine.yaml", "--at", "P6", cwd=tmp_path)
    assert answer.code == 2
    assert "the model has no P6; it has P2, P3, P4, P5" in answer.err
    assert snapshot(tmp_path) == before


def test_a_name_that_upstream_takes_for_a_model_of_its_own_at_a_scale_is_refused(package: Path, tmp_path: Path) -> None:
    """`YOLO("yolov8n-seg.yaml")` looks for yolov8-seg.yaml first, in the package too, and finds that."""
    for typed in (["-o", "yolov8n-seg.yaml"], ["-o", "yolov8n-seg.yaml", "--install"]):
        before = snapshot(tmp_path)
        answer = insert(package, "--base", "yolov8", "--at", "P5", *typed, "--json", cwd=tmp_path)
        assert answer.code == 2, answer.out
        error = answer.document["error"]
        assert error["path"] == str(package / "cfg/models/v8/yolov8-seg.yaml")
        assert "yolov8n-seg.yaml" in error["message"]
        assert "-o" in error["remedy"]
        assert snapshot(tmp_path) == before


def test_a_model_in_another_encoding_than_utf_8_keeps_its_bytes(package: Path, tmp_path: Path) -> None:
    """Upstream reads it too: what is no UTF-8 it leaves out, which does not matter in comments."""
    mine = tmp_path / "mine.yaml"
    stock = package.joinpath("cfg/models/v8/yolov8.yaml").read_text("utf-8").encode("gbk", "ignore")
    mine.write_bytes(stock.replace(b"# 3-P3/8", "# 3-P3/8 第三阶段".encode("gbk")))
    answer = insert(package, "--base", "mine.yaml", "--at", "P2", "-o", "forth.yaml", "--json", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert "# 4-P3/8 第三阶段".encode("gbk") in tmp_path.joinpath("forth.yaml").read_bytes()
    answer = insert(package, "--base", "forth.yaml", "--remove", "-o", "back.yaml", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert tmp_path.joinpath("back.yaml").read_bytes() == mine.read_bytes()


def test_another_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    files = {tmp_path / "new/a.yaml": b"a", tmp_path / "b.yaml": b"b"}
    insertion.write(files, force=False)
    insertion.write(files, force=False)  # the same
    (tmp_path / "b.yaml").write_bytes(b"mine")
    with pytest.raises(ExistsError) as refused:
        insertion.write({**files, tmp_path / "new/a.yaml": b"other"}, force=False)
    assert "--force" in refused.value.remedy
    assert {path.read_bytes() for path in files} == {b"a", b"mine"}
    insertion.write(files, force=True)
    assert {path.read_bytes() for path in files} == {b"a", b"b"}


def test_what_no_model_is_needed_to_refuse(unpack: Unpack, tmp_path: Path) -> None:
    package = unpack()
    answer = insert(package, "--base", "yolov8", "--at", "P3", cwd=tmp_path)
    assert answer.code == 3
    assert "a2patch apply" in answer.err
    patch(package)
    answer = insert(package, "--base", "yolov8-sgment", "--at", "P3", "--json", cwd=tmp_path)
    assert answer.code == 2
    assert "yolov8-seg.yaml" in answer.document["error"]["remedy"]
    answer = insert(package, "--base", "block", "--at", "P3", "--json", cwd=tmp_path)
    assert "Did you mean" not in answer.document["error"]["remedy"], "only the ending is alike"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["--at", "P9"], "is no position"),
        ([], "name a position with --at"),
        (["--remove", "--at", "P3"], "without --at"),
        (["--at", "P3", "--block", "DoubleAttentionLayer"], "c_m,c_n"),
        (["--at", "P3", "--block", "DoubleAttentionLayer", "--args", "64,1"], "blind"),
        (["--at", "P3", "--args", "os.system('')"], "are numbers"),
        (["--at", "P3", "--e", "0"], "ratio above 0"),
        (["--at", "P3", "-o", "mine.yml"], "must end with .yaml"),
        (["--at", "P3", "-o", "yolov8.yaml", "--base", "yolov8.yaml"], "otherwise than the model"),
    ],
)
def test_bad_usage_is_told_before_anything_is_looked_at(typed: list[str], told: str) -> None:
    from typer.testing import CliRunner

    from a2patch.cli import app

    answer = CliRunner().invoke(app, ["insert", "--base", "yolov8", *typed])
    assert answer.exit_code == 2
    assert told in " ".join(answer.output.split())


def test_the_help_names_every_form_of_a_position() -> None:
    from typer.testing import CliRunner

    from a2patch.cli import app
    from a2patch.graph import FORMS

    assert FORMS in " ".join(CliRunner().invoke(app, ["insert", "--help"]).output.split())
