"""What is said and drawn of a comparison whose trainings are made up."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from a2patch.protocol import DataFound, EpochDone, ModelPrepared, ModelSource, SpeedMeasured
from a2patch.report import compare, compare_files, compare_html
from a2patch.runner.compare import results
from a2patch.runner.compare.folder import Kept
from a2patch.runner.compare.plan import Compared, Plan, Run
from a2patch.runner.compare.queue import Progress
from a2patch.runner.compare.results import Comparison
from tests.support.chinese import english_left

NAME = "mine_<b>&|$"
SHIFTS = (0.050, 0.052, 0.049)


def made(shifts: tuple[float, ...] = SHIFTS, failed: int = 0, speeds: bool = True) -> Comparison:
    """A comparison of a base and a model that is ahead by some shifts, a seed each; so many of its last ones failed."""
    labels = ("yolov8n", NAME, "control")
    models = tuple(
        Compared(
            ModelSource(label, f"/{label}.yaml", "n", "/x" if label == "control" else ""),
            "1",
            ModelPrepared(label, f"models/{label}.yaml", 3_000_000 + i, 8.0 + i, "fresh", None, ""),
        )
        for i, label in enumerate(labels)
    )
    data = DataFound("abc", 16, 8, ("square", "disc"), 0, 4, 64)
    settings = {"data": "/d.yaml", "epochs": 3, "torch": "2.14.1"}
    planned = Plan(settings, {"imgsz": 64}, 1, len(shifts), models, data, ("a2patch", "compare", "my file.yaml"))
    kept = {}
    for run in planned.runs():
        shift = {NAME: shifts[run.seed], "control": 0.001 * run.seed}.get(run.label, 0.0)
        figure = 0.4 + 0.01 * run.seed + shift
        values = [0.1, figure + 0.02, figure]
        kept[run] = Kept("finished", tuple(epoch(i, value) for i, value in enumerate(values, 1)), True, True, 2**30)
        if run.label == NAME and run.seed >= len(shifts) - failed:
            kept[run] = Kept("failed", (epoch(1, 0.1),), failure="It ended with status 1.\nRuntimeError: <no memory>")
    measured = [SpeedMeasured(label, "cpu", 1, (0.01 + 0.01 * i, 0.02, 0.03)) for i, label in enumerate(labels)]
    return results.concluded(planned, kept, measured if speeds else [])


def epoch(number: int, value: float) -> EpochDone:
    names = ("mAP50-95", "mAP50", "precision", "recall")
    figures = tuple((f"metrics/{name}(B)", value) for name in names)
    return EpochDone(number, (*figures, ("val/box_loss", 1.0)), (value, math.nan), True, 1.5)


def test_a_planted_difference_is_found_and_a_planted_nothing_is_not() -> None:
    ahead, nothing = compare.verdicts(made()), compare.verdicts(made((0.01, -0.008, 0.001)))
    assert ahead[0] == f"{NAME}: better than yolov8n, with 3 seeds (mAP50-95 at the last epoch)."
    assert "can't be told apart from yolov8n with 3 seeds; for a difference of 0.005 it would take" in nothing[0]


def test_one_seed_decides_nothing() -> None:
    found = made((0.3,))
    assert all("one seed decides nothing" in line for line in compare.verdicts(found))
    assert any("--seeds 3" in line for line in compare.notes(found))


def test_the_last_epoch_counts_and_the_best_is_named_so() -> None:
    found = made()
    base = found.models[0]
    assert base.last["mAP50-95"].mean == pytest.approx(0.41)
    assert base.best["mAP50-95"].mean == pytest.approx(0.43)
    assert {run.best_epoch for run in found.runs} == {2}
    text = "\n".join(compare.comparison_lines(found, 100))
    assert text.index("At the last epoch") < text.index("At the best epoch")
    assert "0.4100 ± 0.0100" in text


def test_a_failure_is_told_and_counted_not_dropped() -> None:
    found = made(failed=1)
    mine = found.models[1]
    assert (mine.finished, mine.failed) == (2, 1)
    assert mine.beside[0].last["mAP50-95"].count == 2
    for text in (
        "\n".join(compare.comparison_lines(found, 100)),
        compare_files.runs_csv(found),
        compare_files.markdown(found),
    ):
        assert "failed" in text
    assert "RuntimeError: &lt;no memory&gt;" in compare_html.page(found)


@pytest.mark.parametrize("found", [made(), made((0.3,)), made(failed=3), made(speeds=False)], ids=list("abcd"))
def test_all_files_can_be_written(found: Comparison) -> None:
    document = json.loads(json.dumps(compare_files.document(found), allow_nan=False))
    assert document["runs"][0]["classes"] == [pytest.approx(found.runs[0].last["mAP50-95"]), None]
    assert len(compare_files.runs_csv(found).splitlines()) == 1 + len(found.runs)
    assert r"mine\_<b>\&|\$" in compare_files.latex(found)
    assert r"mine\_\<b>&\|$" in compare_files.markdown(found)
    reader = Reader()
    reader.feed(compare_html.page(found))
    assert reader.open == []
    assert not {"script", "link", "b"} & reader.seen
    assert all(not value.startswith(("http", "//")) for value in reader.leads)
    assert english_left(compare_html.page(found)) == []


def test_what_is_not_begun_can_be_shown() -> None:
    planned = replace(made().plan, data=None)
    found = results.concluded(planned, {run: Kept("waiting") for run in planned.runs()}, [])
    assert "0 of 9 trainings are finished" in "\n".join(compare.comparison_lines(found, 100))
    assert compare_html.page(found)
    assert compare_files.document(found)["finished"] == 0


class Reader(HTMLParser):
    """What is open at the end of a page, what was seen, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.leads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.leads += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_progress_tells_what_remains() -> None:
    states = [
        Progress(Run("a", 0), "finished", 10, 10, 0.5, 2.0),
        Progress(Run("b", 0), "running", 4, 10, 0.25, 2.0),
        Progress(Run("a", 1), "waiting", 0, 10, None, None),
    ]
    assert compare.progress_line(states, 1) == "1 finished, 1 running of 3 trainings; all end in about 0:00:32"
    table = compare.progress_lines(states, 2)
    assert table[2].split() == ["b", "0", "4/10", "0.2500", "0:00:12", "running"]
    assert len(table) == 4
