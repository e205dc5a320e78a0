"""A plan grows by models and seeds, and is refused where it differs in anything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from a2patch.errors import A2PatchError, ModelError
from a2patch.protocol import DataFound, ModelPrepared, ModelSource
from a2patch.runner.compare import models, plan
from a2patch.runner.compare.plan import Compared, CompareError, DifferentError, Plan

HERE = Path("/runs/a2")
SETTINGS = {"data": "/data.yaml", "base": "/yolov8.yaml n", "epochs": 3, "pretrained": "none"}


def model(name: str, digest: str = "1", like: str = "") -> Compared:
    return Compared(ModelSource(name, f"/{name}.yaml", "n", like), digest)


def planned(*others: Compared, seeds: int = 2, **settings: Any) -> Plan:
    return Plan({**SETTINGS, **settings}, {"imgsz": 64}, 1, seeds, (model("yolov8n"), *others))


def test_models_and_seeds_are_added_and_none_is_taken_away() -> None:
    old = planned(model("a"), seeds=3)
    grown = plan.merged(old, planned(model("b"), seeds=2), HERE)
    assert [each.label for each in grown.models] == ["yolov8n", "a", "b"]
    assert grown.seeds == 3
    assert len(plan.merged(old, planned(model("a"), seeds=5), HERE).runs()) == 10


def test_each_seed_of_all_models_comes_before_the_next() -> None:
    runs = planned(model("a")).runs()
    assert [(run.label, run.seed) for run in runs] == [("yolov8n", 0), ("a", 0), ("yolov8n", 1), ("a", 1)]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"epochs": 4}, "epochs: 3 in the folder, 4 now"),
        ({"data": "/other.yaml"}, "data: /data.yaml in the folder, /other.yaml now"),
        ({"base": "/yolov8.yaml s"}, "base"),
        ({"pretrained": "/w.pt 12"}, "pretrained: none in the folder"),
    ],
)
def test_settings_that_differ_are_refused_and_named(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(DifferentError) as refused:
        plan.merged(planned(model("a")), planned(model("a"), **changed), HERE)
    assert named in refused.value.found
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("arguments", [{"imgsz": 96}, {"imgsz": 64, "batch": 4}, {}])
def test_arguments_that_differ_are_refused_and_named(arguments: dict[str, Any]) -> None:
    old = planned(model("a"))
    with pytest.raises(DifferentError, match=r"argument (imgsz|batch)"):
        plan.merged(old, replace(old, arguments=arguments), HERE)


def test_a_model_whose_file_changed_is_refused() -> None:
    with pytest.raises(DifferentError, match="the file of a is not what it was"):
        plan.merged(planned(model("a")), planned(model("a", digest="2")), HERE)


def test_a_control_of_another_model_is_refused() -> None:
    with pytest.raises(DifferentError, match="another model"):
        plan.merged(planned(model("control", like="/a.yaml")), planned(model("control", like="/b.yaml")), HERE)


def test_what_only_a_probe_can_tell_is_not_compared_before_it_was_asked() -> None:
    old = planned(model("a"))
    known = replace(old, settings={**old.settings, "torch": "2.14.1"})
    assert plan.merged(known, old, HERE).settings["torch"] == "2.14.1"
    with pytest.raises(DifferentError, match="torch"):
        plan.refuse_differing(known.settings, {**known.settings, "torch": "2.13"}, HERE)


def test_models_of_one_name_are_told_apart() -> None:
    two = replace(model("yolov8n"), source=ModelSource("YOLOv8n", "/other/YOLOv8n.yaml", "n"))
    assert [each.label for each in plan.labelled((model("yolov8n"), two))] == ["yolov8n", "YOLOv8n-2"]


def test_a_plan_is_read_as_it_was_kept() -> None:
    prepared = ModelPrepared("yolov8n", "models/yolov8n.yaml", 3, 8.1, "fresh", None, "")
    data = DataFound("12", 16, 8, ("square", "disc"), 0, 4, 64)
    kept = replace(planned(model("a")).with_prepared([prepared]), data=data, command=("a2patch", "compare"))
    assert plan.decoded(plan.encoded(kept), HERE) == kept


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"schema": 99}', plan.encoded(planned())[:-9]])
def test_what_is_no_plan_is_refused(text: bytes) -> None:
    with pytest.raises(CompareError):
        plan.decoded(text, HERE)


def test_values_are_read_as_ultralytics_reads_them() -> None:
    found = models.arguments(["imgsz=640", "lr0=0.01", "optimizer=AdamW", "cos_lr=True", "freeze=[0, 1]", "cache=none"])
    expected = {"imgsz": 640, "lr0": 0.01, "optimizer": "AdamW", "cos_lr": True, "freeze": [0, 1], "cache": None}
    assert found == expected


@pytest.mark.parametrize(
    "word", ["seed=1", "epochs=3", "device=0", "time=1", "resume=True", "batch=-1", "batch=0.7", "deterministic=False"]
)
def test_what_would_make_trainings_unlike_is_refused(word: str) -> None:
    with pytest.raises(CompareError) as refused:
        models.arguments([word])
    assert word.partition("=")[0] in refused.value.message


def test_an_argument_given_twice_is_refused() -> None:
    with pytest.raises(CompareError, match="twice"):
        models.arguments(["imgsz=64", "imgsz=96"])


def test_models_are_found_here_then_in_the_tree(tmp_path: Path) -> None:
    shipped = tmp_path / "ultralytics" / "cfg" / "models" / "v8"
    shipped.mkdir(parents=True)
    shipped.joinpath("yolov8.yaml").write_text("stock")
    here = tmp_path / "here"
    here.mkdir()
    package = tmp_path / "ultralytics"

    found = models.source("yolov8s", package, here).source
    assert (found.label, found.path, found.scale) == ("yolov8s", str(shipped / "yolov8.yaml"), "s")
    here.joinpath("yolov8.yaml").write_text("mine")
    assert models.source("yolov8s.yaml", package, here).source.path == str(here / "yolov8.yaml")
    for name, told in (
        ("no.yaml", "there is no model"),
        ("yolov8n.pt", "trained already"),
        ("d/yolov8.yaml", "no model"),
    ):
        with pytest.raises(ModelError, match=told):
            models.source(name, package, here)


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        (
            "settings.json",
            '{\n "settings_version": "0.0.6",\n "datasets_dir": "/data sets",\n "weights_dir": "w"\n}',
            "/data sets",
        ),
        ("Ultralytics/settings.json", '{"datasets_dir": "C:\\\\data"}', "C:\\data"),
        ("settings.yaml", "settings_version: 0.0.4\ndatasets_dir: /old place\nweights_dir: w\n", "/old place"),
        ("other.json", "{}", "HERE"),
    ],
)
def test_data_sets_are_looked_for_where_the_user_keeps_them(
    tmp_path: Path, file: str, text: str, expected: str
) -> None:
    place = tmp_path / file
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)
    found = models.datasets({"YOLO_CONFIG_DIR": str(tmp_path)}, tmp_path / "here")
    assert found == expected.replace("HERE", str(tmp_path / "here" / "datasets"))


def test_all_refusals_end_a_command_with_2() -> None:
    kinds: tuple[type[A2PatchError], ...] = (CompareError, DifferentError, ModelError)
    assert {kind.exit_code for kind in kinds} == {2}
