"""Rows put into the text of every stock model of two releases, and taken out again; nothing is built."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from a2patch.graph.edit import InsertionError, insert, remove
from a2patch.graph.lint import faults, inserted_only, stale_labels
from a2patch.graph.model import Graph, compare
from a2patch.graph.positions import PositionError, available, file_name, layers, parse
from a2patch.graph.text import row_lines, text_lines
from tests.support.models import SOURCES, STOCK, graph_of, stock_texts

pytest.importorskip("yaml")

OURS = ("DoubleAttentionBlock", "DoubleAttentionLayer")
NO_MAP = ("CBLinear", "ImagePoolingAttn")  # their outputs are a list and a text
YOLOV8 = """nc: 80 # number of classes
backbone: # of four stages
  - [-1, 1, Conv, [64, 3, 2]] # 0-P1/2
  - [-1, 1, Conv, [128, 3, 2]] # 1-P2/4
  - [-1, 3, C2f, [128, True]]
  - [-1, 1, Conv, [256, 3, 2]] # 3-P3/8
  - [-1, 6, C2f, [256, True]]

head:
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]] # 2x
  - [[-1, 2], 1, Concat, [1]] # cat backbone P2
  - [-1, 3, C2f, [128]] # 7 (P2/4-small)
  - [-2, 1, Conv, [256, 3, 2]]
  - [[7, 4], 1, Detect, [nc]] # Detect(P2, P3)
"""


def maps_of(graph: Graph) -> list[int]:
    return [i for i, layer in enumerate(graph.layers[:-1]) if layer.kind not in NO_MAP]


def put(text: str, *typed: str) -> str:
    graph = graph_of(text)
    return insert(text, graph, layers([*map(parse, typed)], graph, maps_of(graph), OURS), OURS[0], "0.25")


def test_every_position_of_every_stock_model_takes_a_row_and_gives_it_back(cache: Path) -> None:
    texts = stock_texts("8.4.190", cache)
    assert len(texts) == STOCK["8.4.190"]
    tried = 0
    for name, text in texts.items():
        base = graph_of(text)
        maps = maps_of(base)
        named = available(base, maps, OURS)
        every = name in ("yolov9e.yaml", "yolov3.yaml", "rtdetr-l.yaml", "yolov8-world.yaml")
        for after in (*named.values(), *((i,) for i in maps if every)):
            new = insert(text, base, after, OURS[0], "0.25")
            graph = graph_of(new)
            compared = compare(graph, base)
            assert (len(compared.added), compared.removed, compared.rewired) == (len(after), (), ()), (name, after)
            assert inserted_only(graph, compared), (name, after)
            assert not faults(graph, OURS), (name, after)
            assert not stale_labels(graph), (name, after)
            assert len(new.splitlines()) == len(text.splitlines()) + len(after)
            assert remove(new, graph, OURS) == text, (name, after)
            tried += 1
        assert len(named) >= 4 or graph_of(text).layers[0].kind == "TorchVision", name
    assert tried > 600


def test_two_stages_of_yolov8_are_the_model_that_the_patch_brings(cache: Path) -> None:
    new = put(stock_texts("8.4.190", cache)["yolov8.yaml"], "P3", "P4")
    shipped = (SOURCES / "yolov8_A2.yaml").read_text(encoding="utf-8")

    def rows(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("  - ")]

    assert rows(new) == rows(shipped)


def test_only_what_must_change_does() -> None:
    assert put(YOLOV8, "P2", "after:6", "neck:P2") == (
        YOLOV8.replace("[128, True]]\n", "[128, True]]\n  - [-1, 1, DoubleAttentionBlock, [0.25]] # 3\n")
        .replace("# 3-P3/8", "# 4-P3/8")
        .replace(
            "  - [[-1, 2], 1, Concat, [1]] # cat backbone P2\n",
            "  - [[-1, 3], 1, Concat, [1]] # cat backbone P2\n  - [-1, 1, DoubleAttentionBlock, [0.25]] # 8\n",
        )
        .replace("# 7 (P2/4-small)\n", "# 9 (P2/4-small)\n  - [-1, 1, DoubleAttentionBlock, [0.25]] # 10\n")
        .replace("[-2, 1, Conv", "[-3, 1, Conv")
        .replace("[[7, 4], 1", "[[10, 5], 1")
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_old_flow_style_line_endings_and_a_missing_last_one_are_kept(newline: str) -> None:
    text = newline.join(
        [
            "backbone:",
            "  [[-1, 1, Conv, [32, 3, 2]],  # 0",
            "   [-1, 1, 'Conv', [64, 3, 2]]]  # 1-P2/4",
            "head: [",
            "   [-1, 1, Conv, [64, 3, 2]],",
            "   [[2, 1], 1, Detect, [nc]]]",
        ]
    )
    graph = graph_of(text)
    new = insert(text, graph, (0, 1, 2), *OURS[:1], "0.25")
    assert new.split(newline) == [
        "backbone:",
        "  [[-1, 1, Conv, [32, 3, 2]],  # 0",
        "   [-1, 1, DoubleAttentionBlock, [0.25]], # 1",
        "   [-1, 1, 'Conv', [64, 3, 2]],  # 2-P2/4",
        "   [-1, 1, DoubleAttentionBlock, [0.25]]] # 3",
        "head: [",
        "   [-1, 1, Conv, [64, 3, 2]],",
        "   [-1, 1, DoubleAttentionBlock, [0.25]], # 5",
        "   [[5, 3], 1, Detect, [nc]]]",
    ]
    assert remove(new, graph_of(new), OURS) == text


@pytest.mark.parametrize("comma", ["", " ,"])
def test_a_list_that_is_closed_in_a_line_of_its_own(comma: str) -> None:
    text = f"backbone:\n  [\n   [-1, 1, Conv, [32, 3, 2]]{comma} # 0\n  ]\nhead:\n  [[[-1, 0], 1, Detect, [nc]]]\n"
    graph = graph_of(text)
    new = insert(text, graph, (0,), OURS[0], "0.25")
    assert "   [-1, 1, Conv, [32, 3, 2]], # 0\n" in new
    assert f"   [-1, 1, DoubleAttentionBlock, [0.25]]{comma} # 1\n  ]\n" in new
    assert remove(new, graph_of(new), OURS) == text


def test_each_line_keeps_its_own_ending() -> None:
    text = YOLOV8.replace("[128, True]]\n", "[128, True]]\r\n")
    graph = graph_of(text)
    new = insert(text, graph, (2, 4), OURS[0], "0.25")
    assert "[128, True]]\r\n  - [-1, 1, DoubleAttentionBlock, [0.25]] # 3\r\n" in new
    assert remove(new, graph_of(new), OURS) == text


def test_rows_that_are_no_lines_are_refused() -> None:
    for text in (
        YOLOV8.replace("  - [-1, 6, C2f, [256, True]]\n", "  - [-1, 6, C2f,\n     [256, True]]\n"),
        YOLOV8.replace("  - [-1, 6, C2f, [256, True]]\n", "  - - -1\n    - 6\n    - C2f\n    - [256, True]\n"),
    ):
        with pytest.raises(InsertionError, match="line"):
            insert(text, graph_of(text), (0,), OURS[0], "0.25")
    with pytest.raises(InsertionError, match="no layer of ours"):
        remove(YOLOV8, graph_of(YOLOV8), OURS)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (["P4"], "has no P4; it has P2, P3"),
        (["neck:P3"], "has no neck:P3; it has neck:P2"),
        (["sppf"], "has no sppf"),
        (["after:9"], "is the head"),
        (["after:10"], "its last one is 9"),
        (["P3", "after:4"], "P3 and after:4 mean layer 4"),
        (["neck:P2", "detect"], "mean layer 7"),
        (["P7"], "is no position"),
        (["P2", "p2"], "twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(typed: list[str], reason: str) -> None:
    with pytest.raises(PositionError, match=re.escape(reason)):
        put(YOLOV8, *typed)


def test_a_place_that_is_taken_or_gives_no_map_is_refused() -> None:
    with pytest.raises(PositionError, match=r"P3 has our layer 5 \(DoubleAttentionBlock, stride 8\) already"):
        put(put(YOLOV8, "P3"), "P3")
    assert graph_of(put(put(YOLOV8, "P3"), "after:5")).layers[6].kind == OURS[0]
    graph = graph_of(YOLOV8)
    with pytest.raises(PositionError, match="gives no single map"):
        layers([parse("after:4")], graph, [0, 1, 2, 3], OURS)


def test_names_tell_positions_and_no_scale() -> None:
    assert file_name("yolov8", [*map(parse, ("P3", "P4"))]) == "yolov8_A2-p3p4.yaml"
    name = file_name("yolo11-seg", [*map(parse, ("P3", "neck:P4", "sppf", "after:6", "neck:P5"))])
    assert name == "yolo11-seg_A2-p3-neckp4-sppf-after6-neckp5.yaml"
    assert not re.search(r"\d[nslmx]", name)


def swapped(text: str) -> str:
    """The head before the backbone."""
    backbone, head = text.index("backbone:"), text.index("\nhead:") + 1
    return text[:backbone] + text[head:].rstrip("\n") + "\n" + text[backbone:head]


def test_rows_are_counted_as_upstream_does_whichever_list_stands_first() -> None:
    text = swapped(YOLOV8)
    assert text.index("head:") < text.index("backbone:")
    assert graph_of(text) == graph_of(YOLOV8)
    for typed in (["P2"], ["P3"], ["neck:P2", "after:6"], ["detect", "after:3"]):
        assert put(text, *typed) == swapped(put(YOLOV8, *typed))
        for end in ("\n", ""):
            ended = text.rstrip("\n") + end
            new = put(ended, *typed)
            assert remove(new, graph_of(new), OURS) == ended


def test_what_stands_in_other_lists_is_no_layer() -> None:
    teacher = "teacher:\n  - [-1, 1, Conv, [64, 3, 2]] # 0\n"
    for text in (YOLOV8 + teacher, YOLOV8.replace("\nhead:", teacher + "head:"), "\ufeff" + YOLOV8):
        new = put(text, "P2")
        assert new.count("DoubleAttentionBlock") == 1
        assert text == YOLOV8 + teacher or new == text.replace(YOLOV8, put(YOLOV8, "P2")) or teacher in new
        assert remove(new, graph_of(new), OURS) == text
    twice = YOLOV8.replace("\nhead:", "\nhead:\n  - [-1, 1, Conv, [64, 3, 2]] # 5\n\nhead:")
    assert len(graph_of(twice).layers) == len(row_lines(twice)) == 10


def test_control_characters_in_comments_break_no_line() -> None:
    text = YOLOV8.replace("# 3-P3/8", "# 3-P3/8\x0cnext\x1c\x07").replace("# of four", "# of\x0bfour")
    graph = graph_of(YOLOV8)
    new = insert(text, graph, (2, 3), OURS[0], "0.25")
    assert "# 4-P3/8\x0cnext\x1c\x07\n  - [-1, 1, DoubleAttentionBlock, [0.25]] # 5\n" in new
    assert remove(new, graph_of(re.sub("[\x07\x0b\x0c\x1c]", "", new)), OURS) == text


def test_a_number_that_is_right_by_chance_stays_and_comes_back() -> None:
    """Numbered before a row was put in by hand: each is one too low, and so right once a row of ours goes before it."""
    text = YOLOV8.replace("# 3-P3/8", "# 4-P3/8").replace("# 7 (P2", "# 09 (P2")
    new = put(text, "P2", "after:6")
    assert "# 4-P3/8 [was 4]\n" in new
    assert "# 09 (P2/4-small) [was 09]\n" in new
    assert not stale_labels(graph_of(new))
    assert remove(new, graph_of(new), OURS) == text
    further = put(new, "after:1")
    assert "# 4-P3/8 [was 4]\n" in further
    assert remove(further, graph_of(further), OURS) == text


def test_zeros_before_a_number_stay() -> None:
    text = YOLOV8.replace("# 3-P3/8", "# 03-P3/8")
    new = put(text, "P2")
    assert "# 04-P3/8\n" in new
    assert remove(new, graph_of(new), OURS) == text


def jumbled(rng: random.Random, text: str) -> str:
    """A model file as its users leave it: numbers that are old, its lists the other way round, its ends of lines."""
    lines = text_lines(swapped(text) if rng.random() < 0.3 else text)
    for index, (number, _, comment) in enumerate(row_lines("".join(lines))):
        if rng.random() < 0.5:
            bare = lines[number].rstrip("\n")[: -len(comment) or None].rstrip().removesuffix("#").rstrip()
            label = f"{'0' * rng.choice((0, 0, 0, 1))}{max(0, index + rng.randint(-3, 3))}"
            form = rng.choice(
                ("# {}", "#{}-P3/8", "#  {} (P3/8-small)", "# X3 ({})", "# {} rows ", "# {}, 变", "# {}x")
            )
            lines[number] = f"{bare} {form.format(label)}\n"
    whole = "".join(lines).rstrip("\n") + rng.choice(("", "\n", "\n\n"))
    return whole.replace("\n", rng.choice(("\n", "\n", "\r\n")))


def round_trip(seed: int, text: str) -> None:
    """Put rows of ours into a jumbled file, once or twice, and take them out."""
    rng = random.Random(seed)
    text = new = jumbled(rng, text)
    for _ in range(rng.choice((1, 1, 2))):
        graph = graph_of(new)
        maps = maps_of(graph)
        after = rng.sample(maps, min(len(maps), rng.randint(1, 4)))
        new = insert(new, graph, sorted(after), rng.choice(OURS), "0.25")
        assert new != text
    assert remove(new, graph_of(new), OURS) == text, seed


def test_insertion_and_removal_are_inverse_whatever_the_comments_say(cache: Path) -> None:
    texts = [*stock_texts("8.4.190", cache).values()]
    for seed in range(200):
        round_trip(seed, texts[seed % len(texts)])
