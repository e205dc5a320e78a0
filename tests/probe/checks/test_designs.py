"""Models of the user's own: a design is no fault, and what is one is told by its row."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from a2patch.runner.verify import Subject
from patches import releases
from tests.support.chinese import english_left, page_of
from tests.support.command import patch
from tests.support.probes import Checks, tried
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

Edit = tuple[str, str]
CHECKS = ("build", "wiring", "scale", "stride")
SPPF = "[-1, 1, SPPF, [1024, 5]] # 9"
HEAD = "[[15, 18, 21], 1, Detect, [nc]]"
LATERAL = "[[-1, 4], 1, Concat, [1]]"
P4 = "[[-1, 12], 1, Concat, [1]]"
FIRST = "[-1, 1, Conv, [64, 3, 2]] # 0-P1/2"
ROW_4 = "  - [-1, 6, C2f, [256, True]]\n"
BLOCK = ROW_4 + "  - [-1, 1, DoubleAttentionBlock, [0.25]]\n"
N, S = "  n: [0.33, 0.25, 1024]", "  s: [0.33, 0.50, 1024]"


@dataclass(frozen=True)
class Case:
    """A YOLOv8 with edits, what must be found wrong with it, and what must be told."""

    name: str
    edits: tuple[Edit, ...]
    caught_by: tuple[str, ...] = ()
    told: str = ""
    advised: str = ""
    file: str = "yolov8n-mine.yaml"

    def text(self, stock: str) -> str:
        for old, new in self.edits:
            assert old in stock, (self.name, old)
            stock = stock.replace(old, new, 1)
        return stock


DESIGNS = (
    Case("a head that reads two maps", ((HEAD, "[[18, 21], 1, Detect, [nc]]"),)),
    Case(
        "a head that leaves the coarsest map",
        ((HEAD, "[[15, 18], 1, Detect, [nc]]"),),
        told="Nothing reads 21 (C2f, stride 32): delete its row, and with it 19, 20.",
    ),
    Case("a head that reads one map", ((HEAD, "[[15], 1, Detect, [nc]]"),), told="with it 16, 17, 18, 19, 20"),
    Case(
        "the scales in another order", ((N, S.replace("s:", "t:")), (S, N), ("  t:", "  s:")), file="yolov8-mine.yaml"
    ),
    Case("two equal scales", ((S, "  s: [0.33, 0.25, 1024]"),)),
    Case("a scale that differs in its most channels alone", ((S, "  s: [0.33, 0.25, 2048]"),)),
    Case("a comment with a control character", ((" # 9", " # 9 \x07"),)),
    Case("the head before the backbone", (), file="head-first"),
    Case(
        "a lateral that is meant to go past the block",
        (
            (ROW_4, BLOCK),
            ("[[-1, 6], 1", "[[-1, 7], 1"),
            (P4, "[[-1, 13], 1, Concat, [1]]"),
            ("[[-1, 9], 1", "[[-1, 10], 1"),
            (HEAD, "[[16, 19, 22], 1, Detect, [nc]]"),
        ),
        told="Layer 15 (Concat, stride 8) reads 4, past 5 (DoubleAttentionBlock, stride 8).",
    ),
    Case("a head that stands twice", (), told="the key head stands more than once", file="head-twice"),
)
FAULTS = (
    Case("a block behind layer 4 and no index shifted", ((ROW_4, BLOCK),), ("wiring",), "reads 6 (Conv"),
    Case("the P4 join reads the backbone", ((P4, "[[-1, 6], 1, Concat, [1]]"),), ("wiring",), "reads 6 (C2f"),
    Case(
        "channels that this release ignores", (("nc: 80", "ch: 4\nnc: 80"),), ("build",), "ch: 4 is asked for", "data"
    ),
    Case("classes that the head's row overrules", ((HEAD, HEAD.replace("nc", "20")),), ("build",), "nc: 80 is asked"),
    Case("a scale that misses a number", ((N, "  n: [0.33, 0.25]"),), ("build",), "scale n is [0.33, 0.25]"),
    Case("no nc", (("nc: 80", ""),), ("build",), "names nc, and the file has no such key", "Add `nc: 80`"),
    Case(
        "no kpt_shape",
        ((HEAD, "[[15, 18, 21], 1, Pose, [nc, kpt_shape]]"),),
        ("build",),
        "names kpt_shape",
        "Add `kpt_shape: [17, 3]`",
    ),
    Case(
        "a class that is not known", ((SPPF, "[-1, 1, SPPFF, [1024, 5]]"),), ("build",), "row 9, [-1, 1, SPPFF", "SPPF?"
    ),
    Case("one that is not registered", ((SPPF, "[-1, 1, CBAM, [1024]]"),), ("build",), "does not know CBAM, though"),
    Case(
        "an argument of a wrong kind", ((SPPF, "[-1, 1, SPPF, [1024, a]]"),), ("build",), "row 9, ", "SPPF(c1, c2, k=5"
    ),
    Case("too many arguments", ((SPPF, "[-1, 1, SPPF, [8, 5, 1, 1, 1]]"),), ("build",), "calls SPPF(256, 8, 5, 1"),
    Case("no whole number of repeats", ((SPPF, "[-1, a, SPPF, [1024, 5]]"),), ("build",), "has 'a' as its repeats"),
    Case("a source that is no index", ((SPPF, "[a, 1, SPPF, [1024, 5]]"),), ("build",), "row 9 reads 'a'"),
    Case("three entries in a row", ((SPPF, "[-1, SPPF, [1024, 5]]"),), ("build",), "row 9 is not [from, repeats"),
    Case("a width that is text", ((FIRST, "[-1, 1, Conv, [x, 3, 2]]"),), ("build",), "row 0, [-1, 1, Conv, [x"),
    Case("maps of two sizes joined", ((LATERAL, "[[-1, 6], 1, Concat, [1]]"),), ("build", "wiring"), "row 14 (Concat)"),
)
REGISTERED = """
class Narrow(torch.nn.Module):
    def __init__(self, c1, c2):
        super().__init__()
        self.conv = Conv(c1, c2, 1)

    def forward(self, x):
        return self.conv(x)


class Stale(Narrow):
    pass


class Keep(Narrow):
    def __init__(self, c1):
        super().__init__(c1, c1)


def parse_model("""
BRANCHES = """        elif m is Narrow:
            c2 = make_divisible(min(args[0], max_channels) * width, 8)
            args = [ch[f], *args]
        elif m is Stale:
            args = [ch[f], args[0]]
        elif m is Keep:
            args = [ch[f]]
        elif m is Concat:
"""
LYING = (
    Case(
        "c2 scaled, and the module not told", ((SPPF, "[-1, 1, Narrow, [1024]]"),), ("build",), "declares 256 channels"
    ),
    Case("c2 never set", ((SPPF, "[-1, 1, Stale, [128]]"),), ("build",), "`elif m is Stale:`, never sets c2"),
    Case("c2 never set, right at n by luck", ((SPPF, "[-1, 1, Stale, [256]]"),), ("build",), "at scale s: parse_model"),
    Case("c2 never set, and never needed", ((SPPF, "[-1, 1, Keep, []]"),)),
)


@pytest.fixture(scope="module")
def package(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A patched release."""
    return patch(releases.unpack(NEWEST, cache, tmp_path_factory.mktemp("tree")).resolve())


def judged(package: Path, cases: tuple[Case, ...], stock: str, folder: Path) -> dict[str, Checks]:
    """Try each case, in one process."""
    subjects = {}
    stock = re.sub(r"\n  [mx]: .*", "", stock)  # three scales tell what five would
    for case in cases:
        text = case.text(stock)
        head = text[text.index("head:") :]
        if case.file == "head-first":
            text = head + "\n" + text.removesuffix(head)
        if case.file == "head-twice":
            text += "\n" + head
        path = (
            folder / case.name.replace(" ", "-") / (case.file if case.file.endswith(".yaml") else "yolov8n-mine.yaml")
        )
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        subjects[case.name] = Subject(path)
    (folder / "work").mkdir()
    return tried(package, subjects, CHECKS, folder / "work")


def compare(cases: tuple[Case, ...], found: dict[str, Checks]) -> None:
    """Compare what was found with what must be."""
    failed = {name: tuple(n for n, c in checks.items() if c.result == "fail") for name, checks in found.items()}
    assert failed == {case.name: case.caught_by for case in cases}
    for case in cases:
        checks = [found[case.name][name] for name in case.caught_by or CHECKS]
        assert case.told in " ".join(check.meaning for check in checks), (case.name, checks)
        assert case.advised in " ".join(check.advice for check in checks), (case.name, checks)


def test_a_design_passes_and_a_fault_names_its_row(package: Path, tmp_path: Path) -> None:
    stock = (package / "cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8")
    found = judged(package, (*DESIGNS, *FAULTS), stock, tmp_path)
    compare((*DESIGNS, *FAULTS), found)
    assert english_left(page_of(check for checks in found.values() for check in checks.values())) == []
    unshifted = found["a block behind layer 4 and no index shifted"]["wiring"].detail
    assert "-  - [[-1, 4], 1, Concat" in unshifted
    assert "+  - [[-1, 5], 1, Concat" in unshifted
    assert "+  - [[16, 19, 22], 1, Detect" in unshifted
    unbuilt = found["one that is not registered"]["scale"]
    assert (unbuilt.result, "as `build` tells" in unbuilt.meaning) == ("skip", True)


def test_a_file_of_the_users_is_no_reference(package: Path, tmp_path: Path) -> None:
    """Where it lies among the tree's models with its twins, they are not what it is compared with."""
    folder = package / "cfg/models/v8"
    wrong = FAULTS[1].text((folder / "yolov8.yaml").read_text(encoding="utf-8"))
    mine = [folder / "yolov8n-mine.yaml", folder / "yolov8-other.yaml"]
    unreadable = folder / "yolov8-gbk.yaml"
    try:
        for path in mine:
            path.write_text(wrong, encoding="utf-8")
        unreadable.write_bytes("nc: 80  # 类别\nbackbone: [\n".encode("gbk"))
        (tmp_path / "work").mkdir()
        found = tried(package, {"mine": Subject(mine[0])}, ("wiring",), tmp_path / "work")["mine"]["wiring"]
    finally:
        for path in (*mine, unreadable):
            path.unlink()
    assert found.result == "fail"
    assert "where that of yolov8.yaml reads 12" in found.meaning


def test_a_registration_that_lies_is_told_by_its_branch(package: Path, tmp_path: Path) -> None:
    tasks = package / "nn/tasks.py"
    text = tasks.read_text(encoding="utf-8")
    stock = (package / "cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8")
    edited = text.replace("\ndef parse_model(", REGISTERED).replace("        elif m is Concat:\n", BRANCHES)
    tasks.write_text(edited, encoding="utf-8")
    try:
        found = judged(package, LYING, stock, tmp_path)
    finally:
        tasks.write_text(text, encoding="utf-8")
    compare(LYING, found)
    line = edited.splitlines().index("        elif m is Stale:") + 1
    assert f"nn/tasks.py, line {line}," in found["c2 never set"]["build"].meaning


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"nc: 80\nbackbone:\n\t- [-1, 1, Conv, [64, 3, 2]]\n", "line 3, '- [-1, 1, Conv"),
        ("nc: 80\nhead: []\n".encode("utf-16"), "save it as UTF-8"),
        (b"nc: 80\nhead: [\n", "line "),
    ],
)
def test_what_is_no_yaml_is_told_by_its_line(content: bytes, told: str) -> None:
    from a2patch.probe.models.catalog import parsed

    with pytest.raises(ValueError, match=r"mine\.yaml") as caught:
        parsed(content.decode("utf-8", "ignore"), "mine.yaml")
    assert told in str(caught.value)
