"""Models compared by real trainings, small ones, in a real tree; killed on the way, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from a2patch.protocol import EpochDone, decode
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


def test_other_arguments_are_refused(place: Place, whole: Answer) -> None:
    before = place.folder.joinpath("whole", "plan.json").read_bytes()
    refused = place.compare("yolov8n_A2.yaml", "--json", output="whole", epochs=3)
    assert refused.code == 2
    assert "epochs: 2 in the folder, 3 now" in refused.document["error"]["found"]
    assert place.folder.joinpath("whole", "plan.json").read_bytes() == before


@pytest.fixture
def started(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """A comparison of two models in a process of its own."""
    command = [sys.executable, str(ROOT / "cli.py"), *place.command("yolov8n_A2.yaml", output="cut")]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=place.folder, stdout=quiet, stderr=quiet, start_new_session=True) as process:
        yield process
        process.kill()


@pytest.mark.skipif(os.name == "nt", reason="kills as POSIX does")
def test_a_kill_changes_no_figure(place: Place, whole: Answer, started: subprocess.Popen[bytes]) -> None:
    """A training is killed after its first epoch, goes on, and the command is killed; then it is given again."""
    psutil = pytest.importorskip("psutil")
    events = place.folder / "cut" / "runs" / "yolov8n" / "0" / "events.jsonl"
    victims = wait_for(events, "EpochDone", started.pid)
    victims[0].send_signal(signal.SIGKILL)
    wait_for(events.parents[2] / "yolov8n_A2" / "0" / "events.jsonl", "EpochDone", started.pid)
    left = psutil.Process(started.pid).children(recursive=True)
    started.kill()
    started.wait()
    assert psutil.wait_procs(left, timeout=5)[1] == [], "a training goes on without its command"

    again = place.compare("yolov8n_A2.yaml", output="cut")
    assert again.code == 0, again.err
    for run in ("yolov8n/0", "yolov8n_A2/0"):
        assert place.told("cut", run) == place.told("whole", run)
    assert "one seed decides nothing" in again.out


def wait_for(events: Path, word: str, command: int) -> list[Any]:
    """Wait until a training has told something, and return the trainings that run, that of the file first."""
    psutil = pytest.importorskip("psutil")

    give_up = time.monotonic() + 120
    while not (events.exists() and word in events.read_text()):
        assert time.monotonic() < give_up, "nothing came of it"
        time.sleep(0.01)
    children = psutil.Process(command).children()
    return sorted(children, key=lambda each: str(events.parent) not in " ".join(each.cmdline()))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare", "--data", "d.yaml", "m.yaml"], "--base is needed"),
        (["compare", "--base", "b.yaml", "m.yaml"], "--data is needed"),
        (["compare", "--base", "b.yaml", "--data", "d.yaml"], "name a model"),
        (["compare", "--show", ".", "m.yaml"], "--show trains nothing"),
        (["compare", "--base", "b", "--data", "d", "m", "--seeds", "0"], "--seeds"),
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
