"""The page of a report: whole, self-contained, and telling what is wrong without its pictures too."""

from __future__ import annotations

import os
import re
import shutil
import stat
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from a2patch.errors import AccessError
from a2patch.graph import Fault, against, compare, read
from a2patch.protocol import (
    NOT_ASKED,
    Attention,
    Check,
    Cost,
    FigureMissing,
    ImageUnreadable,
    Shares,
    Sight,
    SightMap,
)
from a2patch.report import chinese, diagram
from a2patch.report.html import Origin, Part, page
from a2patch.report.html_file import claim, write
from a2patch.report.markup import with_code
from a2patch.runner.figures import Pictures, Wiring
from a2patch.runner.photographs import Photographs
from a2patch.runner.verdict import CHECKS, Verdict
from tests.support.chinese import english_left, page_of
from tests.support.command import a2patch, here, patch
from tests.support.strides import with_strides
from tests.support.trees import Unpack

EVIL = "<script>alert(1)</script>\"'&"
PIXEL = "data:image/png;base64,iVBORw0KGgo="
BASE = {
    "backbone": [[-1, 1, "Conv", [8, 3, 2]], [-1, 1, "Conv", [8, 3, 2]], [-1, 1, "C2f", [8]]],
    "head": [[[-1, 1], 1, "Concat", [1]], [-1, 1, "C2f", [8]], [[2, 4], 1, "Detect", [80]]],
}
# A block was put in as layer 3, and the head reads a stage too early.
MINE = {
    "backbone": [*BASE["backbone"], [-1, 1, "DoubleAttentionBlock", [0.25]]],
    "head": [[[-1, 1], 1, "Concat", [1]], [-1, 1, "C2f", [8]], [[1, 5], 1, "Detect", [80]]],
}


class Reader(HTMLParser):
    """Reads a page, and holds what browsers would have to guess."""

    EMPTY = frozenset({"meta", "img", "br", "hr", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def classes(self, name: str) -> int:
        return sum(name in (attributes.get("class") or "").split() for _, attributes in self.tags)


def check_self_contained(text: str, seen: Reader) -> None:
    for tag, attributes in seen.tags:
        assert tag not in ("script", "link", "iframe", "object"), tag
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "href", "xlink:href"):
                assert (value or "").startswith(("#", "data:")), value
        if tag == "img" or attributes.get("role") == "img":
            assert attributes.get("alt") or attributes.get("aria-label"), attributes
    assert "@import" not in text
    assert "url(" not in text.replace("url(#", "")
    ids = [attributes["id"] for _, attributes in seen.tags if "id" in attributes]
    assert len(ids) == len(set(ids)), ids
    assert {h for a in seen.all("a") if (h := a["href"])} <= {f"#{name}" for name in ids}


def made(*parts: Part) -> str:
    """Return a page whose own facts are as bad as can be."""
    photographs = Photographs((Path(EVIL), Path("ok.jpg")), ((EVIL, EVIL),), 3)
    return page(parts, Origin(EVIL, EVIL, EVIL, EVIL, photographs))


def verdict(*checks: Check, costs: tuple[Cost, ...] = ()) -> Verdict:
    return Verdict(Path(EVIL), EVIL, "2.9.0", "8.4.190", checks, costs, EVIL)


def pictures() -> Pictures:
    graph, base = with_strides(read(MINE)), with_strides(read(BASE))
    found = tuple(against(graph, compare(graph, base), EVIL))
    shares, even = Shares(0.5, 2.0, False, PIXEL), Shares(1.0, 1.0, True, "")
    return Pictures(
        (Wiring(EVIL, graph, EVIL, base, found), Wiring("alone", graph, "", None, ())),
        (Sight(EVIL, (PIXEL, PIXEL), (SightMap("layer 3", 1e-15, True, (4, 4), PIXEL, 16.0),), EVIL),),
        (Attention(EVIL, EVIL, (EVIL, EVIL), True, EVIL, PIXEL, (48, 64), (6, 8), 4, ((2, shares, even),)),),
        (FigureMissing("cost", EVIL, EVIL),),
        (ImageUnreadable(EVIL, EVIL),),
    )


def test_whole_self_contained_and_escaped() -> None:
    costs = (Cost("yolov8.yaml", "n", 1, 1, 1, 1.0, 1.0), Cost(EVIL, "n", 2, 2, 2, None, None))
    checks = (Check("import", "fail", EVIL, EVIL, EVIL, 1.0, EVIL), Check("train", "skip", meaning=NOT_ASKED))
    text = made(Part(EVIL, verdict(*checks, costs=costs), pictures()))
    seen = Reader(text)
    check_self_contained(text, seen)
    assert seen.text.count(EVIL) > 30
    assert "not asked for: train" in seen.text
    assert "1 of 6 taken; no more than 8 are" in seen.text
    assert "The weights are fresh" in seen.text
    assert "✕ blind: 1e-15" in seen.text
    assert [image["href"] for image in seen.all("image") if "id" in image] == [PIXEL]
    assert '<a href="#p1-import">' in text
    assert "P3/8" in seen.text
    assert "P4/16, 4 × 4" in seen.text
    assert seen.classes("even") == 2, "what is even has a colour of its own, and the scale tells"
    assert "hands out 2: everywhere 1" in seen.text


def test_each_block_is_a_part_and_a_photograph_is_held_once() -> None:
    sound = Part("double_attention", verdict(Check("import", "pass")), pictures(), ())
    broken = Part("ema", verdict(Check("import", "fail", EVIL, EVIL)), pictures(), ("C2f",))
    text = made(sound, broken)
    seen = Reader(text)
    check_self_contained(text, seen)
    assert seen.classes("part") == 2
    assert [image["href"] for image in seen.all("image") if "id" in image] == [PIXEL]
    assert len(seen.all("use")) == 4
    assert {"#p1-section-checks", "#p1-section-sight", "#p2", "#p2-section-attention"} <= {
        link["href"] for link in seen.all("a")
    }
    assert seen.text.index("Double Attention") < seen.text.index("ema: ")
    assert seen.text.index("No fault was found") < seen.text.index("A fault was found")
    assert seen.classes("ours") == 2 * 2, "the layers of the second block are told as its own"
    assert "a fault was found in ultralytics" in text.partition("</title>")[0]


def test_both_languages_are_there_and_one_is_shown() -> None:
    checks = tuple(Check(name, "pass") for name in CHECKS)
    text = made(Part("ema", verdict(*checks), pictures(), ()))
    seen = Reader(text)
    check_self_contained(text, seen)
    languages = [tags.get("lang") for _, tags in seen.tags]
    assert languages.count("en") - 1 == languages.count("zh-Hans")  # one is the page's own
    choices = {choice["id"]: "checked" in choice for choice in seen.all("input")}
    assert choices == {"show-en": True, "show-zh-Hans": False}
    assert f"没有发现问题：{len(CHECKS)} 项通过。" in seen.text
    assert chinese.PASSED["sight"] in seen.text


def test_what_a_check_found_is_said_in_chinese_and_the_words_of_others_are_kept() -> None:
    figure = "yolov8n.yaml layer 5 5.8e-16, input 0 3.7e-15"
    meaning = (
        "yolov8n.yaml is blind: layer 5 and input 0 are the same wherever things are in the image, so the detector "
        "can't localise. The c_n of model.5 is 1, and a softmax over one channel is 1 at every position."
    )
    raised = "m.yaml: row 9, [-1, 1, EMA, [8]]: TypeError: <b> takes it; parse_model calls EMA(64, 8)."
    checks = (Check("sight", "fail", figure, meaning), Check("build", "fail", "1 of 2 models", raised))
    text = page_of(checks)
    for told in (
        "yolov8n.yaml 第 5 层 5.8e-16、输入 0 3.7e-15",
        "yolov8n.yaml 是盲的：不论目标在图像的哪里，第 5 层和输入 0 都相同，因此检测器无法定位。"
        "model.5 的 c_n 是 1，而对单个通道做 softmax，每个位置都等于 1。",
        '第 9 行 [-1, 1, EMA, [8]]：<span lang="en">TypeError: &lt;b&gt; takes it</span>；parse_model 这样调用它：',
    ):
        assert told in text
    assert english_left(text) == []


@pytest.mark.parametrize("found", ["It looks odd.", "m.yaml: it looks odd.", "x" * 5000 + " looks odd"])
def test_english_on_the_page_is_found(found: str) -> None:
    assert english_left(page_of([Check("sight", "fail", "0", found)]))


@pytest.mark.parametrize("result", ["pass", "fail"])
def test_whatever_a_check_means_is_said_in_chinese_too(result: Any) -> None:
    for name in CHECKS:
        said = (chinese.PASSED if result == "pass" else chinese.REMEDIES)[name]
        assert with_code(said) in made(Part("ema", verdict(Check(name, result)), Pictures()))
    assert set(chinese.PASSED) == set(chinese.REMEDIES) == set(CHECKS)


def test_a_wrong_connection_is_drawn_with_the_right_one() -> None:
    wiring = pictures().wiring[0]
    marked = {(edge.source, edge.reader, edge.kind) for edge in diagram.edges(wiring) if edge.kind != "plain"}
    assert marked == {(1, 6, "wrong"), (3, 6, "right")}
    assert diagram.aligned(wiring) == [(0, 0), (1, 1), (2, 2), (None, 3), (3, 4), (4, 5), (5, 6)]
    seen = Reader(diagram.draw(wiring, ("DoubleAttentionBlock",)))
    assert [seen.classes(name) for name in ("wrong", "right", "ours", "fault", "layer")] == [1, 1, 1, 1, 13]
    assert "wrong: layer 6 reads 1." in (seen.all("svg")[0]["aria-label"] or "")


def test_a_fault_without_a_base_marks_what_it_names() -> None:
    graph = with_strides(read(MINE))
    fault = Fault("stage", 6, 1, "layer 6 reads 1")
    found = diagram.edges(Wiring("mine", graph, "", None, (fault, Fault("unused", 3, None, "nothing reads 3"))))
    assert [(edge.source, edge.reader) for edge in found if edge.kind == "wrong"] == [(1, 6)]
    assert not [edge for edge in found if edge.kind == "right"]


def test_connections_that_run_side_by_side_do_not_cover_each_other() -> None:
    rows: list[Any] = [[-1, 1, "Conv", [8]] for _ in range(5)]
    graph = read({"backbone": rows, "head": [[[0, 1, 2, 3], 1, "Detect", [80]]]})
    drawn = Reader(diagram.draw(Wiring("mine", graph, "", None, ()), ()))
    ways = [re.match(r"M\S+ \S+h(-?[\d.]+)q", path["d"] or "") for path in drawn.all("path")]
    assert len({way.group(1) for way in ways if way}) == 4


def test_what_is_left_out_says_why() -> None:
    text = made(Part("", verdict(Check("import", "pass")), Pictures(missing=(FigureMissing("sight", "", NOT_ASKED),))))
    assert "Left out: not asked for" in Reader(text).text


def test_a_report_replaces_only_a_report(tmp_path: Path) -> None:
    target = claim(tmp_path / "out.html")
    assert list(tmp_path.iterdir()) == []
    for _ in range(2):
        write(claim(target), made(Part("", verdict(Check("import", "pass")), Pictures())))
    assert list(tmp_path.iterdir()) == [target]
    (tmp_path / "thesis.html").write_text("<!doctype html><title>mine</title>")
    with pytest.raises(AccessError, match="no report of a2patch") as caught:
        claim(tmp_path / "thesis.html")
    assert "another file" in caught.value.remedy
    for place in (tmp_path, tmp_path / "nowhere" / "out.html"):
        with pytest.raises(AccessError) as caught:
            claim(place)
        assert caught.value.path == place


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_that_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(AccessError, match="can't be written"):
        claim(tmp_path / "out.html")


def test_the_command_writes_a_report(unpack: Unpack, tmp_path: Path) -> None:
    """Of a model whose head reads a wrong stage; it has one scale and is not trained, which spares seconds."""
    for library in ("torch", "torchvision", "matplotlib"):
        pytest.importorskip(library)
    package = patch(unpack())
    other = a2patch("apply", "--no-verify", "simam", "--ultralytics-path", package)
    assert other.code == 0, other.err
    images = tmp_path / "my images"
    images.mkdir()
    shutil.copy(package / "assets/zidane.jpg", images / "<script>.jpg")
    images.joinpath("broken.jpg").write_text("no image")
    text = (package / "cfg/models/v8/yolov8_A2.yaml").read_text(encoding="utf-8")
    sound = re.sub(r"  [smlx]: \[.*\n", "", text)
    head = "[[17, 20, 23], 1, Detect, [nc]]"
    assert sound.count(head) == 1
    model = tmp_path / "yolov8n-mine.yaml"
    model.write_text(sound.replace(head, "[[17, 14, 23], 1, Segment, [nc, 32, 256]]"), encoding="utf-8")

    lost = a2patch("verify", model, *here(package), "--json", "--report", tmp_path / "nowhere" / "out.html")
    assert lost.code == 4
    assert "verdict" not in lost.document, "it was told after the work"

    answer = a2patch(
        "verify",
        model,
        *here(package),
        "--base",
        "yolov8-seg.yaml",
        "--report",
        "out.html",
        "--json",
        "--image",
        images,
        cwd=tmp_path,
    )
    assert answer.code == 1, answer.err
    checks = {check["name"]: check["result"] for check in answer.document["verdict"]["checks"]}
    assert [name for name, result in checks.items() if result == "fail"] == ["wiring"]
    told = answer.document["images"]
    assert [Path(path).name for path in told["taken"]] == ["<script>.jpg"]
    assert [Path(each["path"]).name for each in told["left_out"]] == ["broken.jpg"]
    target = tmp_path.resolve() / "out.html"
    assert answer.document["report"] == str(target)
    text = target.read_text(encoding="utf-8")
    seen = Reader(text)
    check_self_contained(text, seen)
    assert "Left out" not in seen.text
    assert [seen.classes(name) for name in ("wrong", "right", "ours", "charts")] == [1, 1, 2, 1]
    assert "24 (Segment) reads 14 (C2f, stride 16) where that of yolov8-seg.yaml reads 20 (C2f, stride 16)" in seen.text
    assert "yolov8-seg.yaml -> yolov8n-mine.yaml" in seen.text
    assert re.search(r"\+0\.\d+ %\u2003\d+\.\d\d → ", text), "the chart tells no difference"
    assert len(seen.all("img")) == 2 * (2 + 2 + 3)  # the moved patch, our layers, the inputs of the head, twice
    assert "over <script>.jpg" in seen.text
    assert "a2patch verify" in seen.text
    assert "--image" in seen.text
    assert len(seen.all("use")) == 2 * 2 * 3  # of two layers, three descriptors, gathered and handed out
    assert "blind:" not in seen.text
    assert english_left(text) == ["my images"]  # the name of the folder
