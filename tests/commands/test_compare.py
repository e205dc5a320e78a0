"""Models compared by real trainings, small ones, in a real tree; `make comparisons` kills them on the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from a2patch.protocol import VALIDATED, EpochDone, decode
from patches import releases
from tests.support.command import ROOT, Answer, a2patch, here, patch
from tests.support.trees import NEWEST

_DRAW = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from a2patch.probe.checks.train import draw_dataset
draw_dataset(Path("data"), 32)
"""


@dataclass(frozen=True)
class Place:
    """A folder with data and a model, and a patched tree."""

    folder: Path
    site: Path

    def command(self, *words: str, output: str, epochs: int = 2, seeds: int = 1) -> list[str]:
        """Return a comparison as it is typed, behind the name of the program."""
        fixed = ("compare", "--data", "data/data.yaml", "--base", "yolov8n.yaml", "--jobs", "2", "-o", output)
        counts = ("--epochs", str(epochs), "--seeds", str(seeds))
        return [*fixed, *counts, *map(str, here(self.site)), *words, "--", "imgsz=32", "batch=4", "nbs=12"]

    def compare(self, *words: str, output: str, epochs: int = 2, seeds: int = 1) -> Answer:
        """Run a comparison."""
        return a2patch(*self.command(*words, output=output, epochs=epochs, seeds=seeds), cwd=self.folder)

    def told(self, output: str, run: str) -> dict[int, Any]:
        """Return all that the epochs of a training told, losses too, but how long they took."""
        lines = self.folder.joinpath(output, "runs", run, "events.jsonl").read_text().splitlines()
        epochs = [event for event in map(decode, lines) if isinstance(event, EpochDone)]
        return {epoch.epoch: (epoch.figures, epoch.classes) for epoch in epochs}


@pytest.fixture(scope="module")
def place(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    pytest.importorskip("torchvision")
    folder = tmp_path_factory.mktemp("compare")
    releases.unpack(NEWEST, cache, folder / "site-packages")
    patch(folder / "site-packages")
    subprocess.run([sys.executable, "-c", _DRAW, str(ROOT)], cwd=folder, check=True)
    return Place(folder, folder / "site-packages")


@pytest.fixture(scope="module")
def whole(place: Place) -> Answer:
    """A comparison that nothing interrupts."""
    return place.compare("yolov8n_A2.yaml", "--json", output="whole", seeds=2)


def test_all_trainings_are_made_and_compared(whole: Answer) -> None:
    assert whole.code == 0, whole.err
    found = whole.document["comparison"]
    assert [(model["label"], model["role"]) for model in found["models"]] == [
        ("yolov8n", "base"),
        ("yolov8n_A2", "model"),
    ]
    assert (found["finished"], found["failed"]) == (4, 0)
    (beside,) = found["models"][1]["beside"]
    assert (beside["other"], beside["last"]["mAP50-95"]["count"]) == ("yolov8n", 2)
    assert "with 2 seeds" in found["verdicts"][0]


def test_costs_are_measured_side_by_side(whole: Answer) -> None:
    for model in whole.document["comparison"]["models"]:
        assert {(speed["device"], speed["batch"]) for speed in model["speeds"]} == {("cpu", 1), ("cpu", 4)}
        assert all(0 < speed["low"] <= speed["median"] <= speed["high"] for speed in model["speeds"])
        assert model["epoch_seconds"] > 0
        assert model["memory"] > 2**27


def test_what_it_leaves(place: Place, whole: Answer) -> None:
    folder = place.folder / "whole"
    document = json.loads(folder.joinpath("compare.json").read_text())
    assert document == whole.document["comparison"]
    assert len(folder.joinpath("runs.csv").read_text().splitlines()) == 1 + 4
    made = {
        name: folder.joinpath(name).read_bytes() for name in ("compare.json", "compare.md", "compare.tex", "index.html")
    }
    for name in made:
        folder.joinpath(name).unlink()
    shown = a2patch("compare", "--show", folder)
    assert shown.code == 0, shown.err
    assert "yolov8n_A2: can't be told apart from yolov8n" in shown.out.replace("\n", " ")
    assert {name: folder.joinpath(name).read_bytes() for name in made} == made


def test_sizes_are_told_and_worked_out_once(place: Place, whole: Answer) -> None:
    pytest.importorskip("faster_coco_eval")
    found = whole.document["comparison"]
    assert found["objects"] == {"small": 8, "medium": 0, "large": 0}  # images of 32 by 32 pixels
    for each in (*found["models"], *found["runs"], found["models"][1]["beside"][0]):
        assert each["sizes"]["small"] is not None
        assert (each["sizes"]["medium"], each["sizes"]["large"]) == (None, None)
    kept = place.folder / "whole" / "runs" / "yolov8n" / "0"
    assert {"sizes.json", VALIDATED} <= {path.name for path in kept.iterdir()}
    assert "working out" not in a2patch("compare", "--show", place.folder / "whole").err


def test_without_the_evaluator_it_says_how_to_get_it(place: Place, whole: Answer) -> None:
    folder = place.folder / "unsized"
    shutil.copytree(place.folder / "whole", folder)
    for file in folder.glob("runs/*/*/sizes.json"):
        file.unlink()
    blocked = place.folder / "blocked"
    blocked.mkdir()
    blocked.joinpath("faster_coco_eval.py").write_text("raise ImportError('it is not installed')\n")
    answer = a2patch("compare", "--show", folder, "--json", env={**os.environ, "PYTHONPATH": str(blocked)})
    assert answer.code == 0, answer.err
    found = answer.document["comparison"]
    (note,) = (note for note in found["notes"] if "size of objects" in note)
    assert "not told of 4 trainings" in note
    assert 'pip install "a2patch[sizes]"' in note
    assert [model["last"] for model in found["models"]] == [m["last"] for m in whole.document["comparison"]["models"]]
    assert found["objects"] == {}
    later = a2patch("compare", "--show", folder, "--json").document["comparison"]
    assert later["models"] == whole.document["comparison"]["models"]
    assert later["notes"] == whole.document["comparison"]["notes"]


def test_other_arguments_are_refused(place: Place, whole: Answer) -> None:
    before = place.folder.joinpath("whole", "plan.json").read_bytes()
    refused = place.compare("yolov8n_A2.yaml", "--json", output="whole", epochs=3)
    assert refused.code == 2
    assert "epochs: 2 in the folder, 3 now" in refused.document["error"]["found"]
    assert place.folder.joinpath("whole", "plan.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["yolov8n-seg.yaml"], "yolov8n-seg is a model of the task segment, and the base is one of detect"),
        (["yolov8n-cls.yaml"], "yolov8n-cls is a model of the task classify"),
        (["yolov8n_A2.yaml", "imgsz=abc"], "the arguments have a value that ultralytics refuses"),
        (["yolov8n_A2.yaml", "imgzs=64"], "the arguments have a name that this release does not know"),
    ],
)
def test_what_can_not_be_compared_is_refused_before_a_training(place: Place, words: list[str], told: str) -> None:
    first = [word for word in place.command(words[0], output="refused") if word != "imgsz=32"]
    refused = a2patch(*first, *words[1:], cwd=place.folder)
    assert refused.code == 2
    assert told in refused.err
    assert not place.folder.joinpath("refused", "plan.json").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare", "--data", "d.yaml", "m.yaml"], "--base is needed"),
        (["compare", "--base", "b.yaml", "m.yaml"], "--data is needed"),
        (["compare", "--base", "b.yaml", "--data", "d.yaml"], "name a model"),
        (["compare", "--show", ".", "m.yaml"], "--show trains nothing"),
        (["compare", "--base", "b", "--data", "d", "m", "--seeds", "0"], "--seeds"),
        (["compare", "--show", str(ROOT / "docs")], "there is no comparison in the folder"),
    ],
)
def test_bad_usage(words: list[str], told: str) -> None:
    from typer.testing import CliRunner

    from a2patch.cli import app

    answer = CliRunner().invoke(app, words)
    assert answer.exit_code == 2
    assert told in answer.output


def test_an_interrupt_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from a2patch.cli import app
    from a2patch.runner import compare

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "compare", interrupted)
    package = tmp_path / "site-packages" / "ultralytics"
    package.joinpath("nn").mkdir(parents=True)
    package.joinpath("__init__.py").write_text('__version__ = "8.4.190"\n')
    package.joinpath("nn", "tasks.py").touch()
    words = ["compare", "--base", "b.yaml", "--data", "d.yaml", "my model.yaml", "-o", str(tmp_path / "runs")]
    monkeypatch.setattr(sys, "argv", ["a2patch", *words])
    answer = CliRunner().invoke(app, [*words, *map(str, here(package))])
    assert answer.exit_code == 130
    assert "go on with\n  a2patch compare --base b.yaml --data d.yaml 'my model.yaml'" in answer.stderr
    assert "status" not in answer.stderr
