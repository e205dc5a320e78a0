"""The models that are compared are what is said of them, and a comparison of the benchmarks is made, told and drawn."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from benchmarks import curves, tasks, worth
from benchmarks.digits import TASKS
from benchmarks.tasks import near


def test_a_near_sighted_network_sees_no_more_than_an_edge_of_another_digit() -> None:
    reach, stride = 0, 1
    for _, _, kind, arguments in near()["backbone"]:
        assert kind == "Conv"
        reach += stride * (arguments[1] - 1) // 2
        stride *= arguments[2]
    reach += 2 * stride  # the head has two convolutions of 3 by 3
    assert 2 * reach + 1 == 63
    furthest = reach + stride // 2  # from the point that a cell answers for, half a cell beside the window's middle
    assert furthest - TASKS["far"].gap == 3


def test_what_is_put_into_a_near_sighted_network_stands_before_its_last_convolution() -> None:
    model = near(("DoubleAttentionBlock", [0.25]))
    assert model["backbone"][4] == [-1, 1, "DoubleAttentionBlock", [0.25]]
    assert [row for row in model["backbone"] if row[2] == "Conv"] == near()["backbone"]
    assert model["head"] == [[[5], 1, "Detect", ["nc"]]]


def test_a_task_is_compared_by_the_command_and_its_curves_are_drawn(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torchvision")
    monkeypatch.setattr(tasks, "IMAGES", 16)
    monkeypatch.setattr(sys, "argv", ["worth.py", "far", "--seeds", "1", "--epochs", "1", "--out", str(tmp_path)])
    assert worth.main() == 0
    found = json.loads(tmp_path.joinpath("runs/compare.json").read_text())
    models = {model["label"]: model["role"] for model in found["models"]}
    assert models == {"near": "base", "control": "control", "near-ours": "model", "near-tutorial": "model"}
    assert found["finished"] == len(models)
    curves.draw([("far", found)], tmp_path / "curves.svg")
    assert "</svg>" in tmp_path.joinpath("curves.svg").read_text()
