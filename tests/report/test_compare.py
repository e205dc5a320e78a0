"""What is said and drawn of a comparison whose trainings are made up."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from a2patch.protocol import DataFound, EpochDone, ModelPrepared, ModelSource, SpeedMeasured
from a2patch.report import compare, compare_files, compare_html
from a2patch.report.text import table_lines
from a2patch.runner.compare import results, sizes
from a2patch.runner.compare.folder import Kept
from a2patch.runner.compare.outcome import Comparison
from a2patch.runner.compare.plan import Compared, Plan, Run
from a2patch.runner.compare.queue import Progress
from tests.support.chinese import english_left

NAME = "mine_<b>&|$"
SHIFTS = (0.050, 0.052, 0.049)
OBJECTS = {"small": 12, "medium": 3, "large": 0}


def made(
    shifts: tuple[float, ...] = SHIFTS, failed: int = 0, speeds: bool = True, sized: float = 0.0, lacking: int = 0
) -> Comparison:
    """A comparison of a base and a model that is ahead by some shifts, a seed each; so many of its last ones failed.

    Of a share of the trainings it is known how they do by size: they are ahead twice as far with small objects.
    """
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
    known = [run for run in planned.runs() if kept[run].state == "finished"]
    by_size = {
        run: sizes.Sizes({"small": 0.2 + 2 * shift, "medium": 0.5, "large": None}, OBJECTS, 0.4)
        for run in known[: round(sized * len(known))]
        for shift in (shifts[run.seed] if run.label == NAME else 0.0,)
    }
    return results.concluded(planned, kept, measured if speeds else [], sizes.BySize(by_size, lacking))


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


def test_where_nothing_was_learned_that_is_told() -> None:
    found = made()
    blank = replace(found, runs=tuple(replace(run, last=dict.fromkeys(run.last, 0.0)) for run in found.runs))
    told = "Each mAP50-95 is 0: nothing has been learned yet. Compare anew with more --epochs."
    assert told in compare.notes(blank)
    assert told not in compare.notes(found)


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


@pytest.mark.parametrize(
    "found",
    [made(), made((0.3,)), made(failed=3), made(speeds=False), made(sized=1), made((0.3,), sized=1), made(sized=0.5)],
    ids=list("abcdefg"),
)
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


def test_sizes_are_told_as_all_figures_are() -> None:
    found = made(sized=1)
    base, mine, _ = found.models
    assert base.sizes["small"] is not None
    assert base.sizes["small"].mean == pytest.approx(0.2)
    assert (mine.sizes["large"], mine.beside[0].sizes["large"]) == (None, None)
    small = mine.beside[0].sizes["small"]
    assert small is not None
    assert (small.outcome, small.count) == ("better", 3)
    assert small.mean == pytest.approx(2 * sum(SHIFTS) / 3)
    text = "\n".join(compare.comparison_lines(found, 100))
    assert "mAP50-95 at the last epoch by the size of objects (their number)" in text
    assert max(map(len, table_lines(compare.size_table(found)))) < 80
    for told in (text, compare_files.markdown(found), compare_files.latex(found), compare_html.page(found)):
        assert "small (12)" in told
        assert "0.2000" in told
    rows = list(csv.DictReader(io.StringIO(compare_files.runs_csv(found))))
    assert (rows[0]["last mAP50-95 small"], rows[0]["last mAP50-95 large"]) == ("0.2", "")
    document = compare_files.document(found)
    assert document["objects"] == OBJECTS
    assert document["runs"][0]["sizes"] == {"small": 0.2, "medium": 0.5, "large": None}
    assert document["models"][0]["sizes"]["large"] is None


def test_nothing_is_said_of_sizes_where_none_is_known() -> None:
    found = made()
    for told in (compare_files.markdown(found), compare_html.page(found), *compare.comparison_lines(found, 100)):
        assert "size of objects" not in told
    document = compare_files.document(found)
    assert (document["objects"], document["models"][1]["sizes"], document["runs"][0]["sizes"]) == ({}, {}, {})


@pytest.mark.parametrize(
    ("sized", "lacking", "told"),
    [
        (0.0, 9, 'not told of 9 trainings: it needs faster-coco-eval. Install that beside a2patch: pip install "a2p'),
        (0.5, 1, "not told of one training: it needs faster-coco-eval"),
        (0.5, 0, "not known of 5 trainings, made by an earlier a2patch"),
    ],
)
def test_why_sizes_are_not_told_is_said_once(sized: float, lacking: int, told: str) -> None:
    notes = [line for line in compare.notes(made(sized=sized, lacking=lacking)) if "size of objects" in line]
    assert len(notes) == 1
    assert told in notes[0]


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
