"""The models that are compared are what their titles say, and what was trained is kept and told."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

pytest.importorskip("sklearn")

from benchmarks import figures, learn, outcomes
from benchmarks.contenders import CONTENDERS, MAIN, NEAR, NEAR_STUDY, P3, P4, STUDY, inserted
from benchmarks.digits import TASKS
from benchmarks.outcomes import Outcome, Point, Trial
from patches import releases
from tests.support.models import SOURCES
from tests.support.trees import NEWEST

TRIAL = Trial("odd", "ours", seed=0, images=32, epochs=2, size=64, rate=0.01, every=1)
OUTCOME = Outcome(
    TRIAL, 1000, [Point(1, 0.0, []), Point(2, 0.5, [0.6, 0.8, 0.2, 0.4])], {"input 0": 0.25}, 1.0, {"torch": "2"}
)


@pytest.fixture(scope="module")
def stock(cache: Path) -> dict[str, Any]:
    with zipfile.ZipFile(releases.wheel(NEWEST, cache)) as archive:
        found: dict[str, Any] = yaml.safe_load(archive.read("ultralytics/cfg/models/v8/yolov8.yaml"))
        return found


def test_blocks_behind_p3_and_p4_are_the_model_file_that_is_shipped(stock: dict[str, Any]) -> None:
    made = inserted(stock, {layer: ("DoubleAttentionBlock", [0.25]) for layer in (P3, P4)})
    shipped = yaml.safe_load((SOURCES / "yolov8_A2.yaml").read_text())
    assert _rows(made) == _rows(shipped)


def test_nothing_inserted_is_nothing_changed(stock: dict[str, Any]) -> None:
    assert _rows(inserted(stock, {})) == _rows(stock)


@pytest.mark.parametrize("name", [name for name in [*MAIN, *STUDY] if CONTENDERS[name].file == "yolov8.yaml"])
def test_the_head_reads_what_it_read(name: str, stock: dict[str, Any]) -> None:
    described = CONTENDERS[name].describe(stock)
    rows, added = _rows(described), CONTENDERS[name].added
    assert len(rows) == len(_rows(stock)) + len(added)
    assert list(described["scales"]) == ["n"]
    kinds = [rows[index][2] for index in rows[-1][0]]
    assert kinds == (["DoubleAttentionBlock"] * 3 if name == "head" else ["C2f"] * 3)


@pytest.mark.parametrize("name", [*NEAR, *NEAR_STUDY])
def test_what_is_put_into_a_near_sighted_network_stands_before_its_last_convolution(
    name: str, stock: dict[str, Any]
) -> None:
    rows, added = _rows(CONTENDERS[name].describe(stock)), list(CONTENDERS[name].added.values())
    assert [tuple(row[2:]) for row in rows[4:-2]] == added
    assert rows[-1][0] == [len(rows) - 2]


def test_a_near_sighted_network_sees_no_more_than_an_edge_of_another_digit(stock: dict[str, Any]) -> None:
    reach, stride = 0, 1
    for _, _, kind, arguments in _rows(CONTENDERS["near"].describe(stock))[:-1]:
        assert kind == "Conv"
        reach += stride * (arguments[1] - 1) // 2
        stride *= arguments[2]
    reach += 2 * stride  # the head has two convolutions of 3 by 3
    assert 2 * reach + 1 == 63
    furthest = reach + stride // 2  # from the point that a cell answers for, half a cell beside the window's middle
    assert furthest - TASKS["far"].gap == 3


def test_a_trial_trains_and_tells_what_came_of_it(cache: Path, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    trial = Trial("far", "near-ours", seed=0, images=16, epochs=2, size=192, rate=0.003, every=1)
    outcome, told = learn.attempt(trial, learn.patched(tmp_path / "site-packages"), tmp_path)
    assert outcome is not None, told
    assert outcome.trial == trial
    assert [point.epoch for point in outcome.curve] == [1, 2]
    assert set(outcome.sight) == {"layer 4", "input 0"}
    assert min(outcome.sight.values()) > 1e-3


def test_outcomes_are_read_back_as_written(tmp_path: Path) -> None:
    place = tmp_path / "runs.jsonl"
    assert outcomes.load(place) == []
    place.write_text("".join(json.dumps(asdict(each)) + "\n" for each in (OUTCOME, OUTCOME)))
    assert outcomes.load(place) == [OUTCOME, OUTCOME]


def test_a_table_tells_the_last_validation_and_the_spread_over_seeds() -> None:
    other = replace(OUTCOME, trial=replace(TRIAL, seed=1), curve=[Point(2, 0.7, [0.9, 0.9, 0.4, 0.6])])
    table = figures.tables([OUTCOME, other])
    assert MAIN["ours"].title in table
    assert "0.600 ± 0.141" in table
    assert "0.400 ± 0.141" in table


def test_curves_are_drawn_for_what_there_is(tmp_path: Path) -> None:
    figures.plot([OUTCOME], tmp_path / "curves.svg")
    assert "</svg>" in (tmp_path / "curves.svg").read_text()


def _rows(model: dict[str, Any]) -> list[list[Any]]:
    return [*model["backbone"], *model["head"]]
