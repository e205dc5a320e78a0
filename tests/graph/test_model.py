"""The graph of a model YAML, held to every stock model of four releases and to thousands of wrong ones."""

from __future__ import annotations

import copy
import time
from pathlib import Path
from typing import Any

import pytest

from a2patch.graph.lint import against, correction, faults, inserted_only, repaired, stale_labels
from a2patch.graph.model import Graph, GraphError, closest, compare, read
from a2patch.graph.text import row_lines
from a2patch.protocol import Layer
from tests.support.models import SOURCES, STOCK, graph_of, load, stock_texts
from tests.support.rows import BLOCK, inserted
from tests.support.strides import with_strides

pytest.importorskip("yaml")


@pytest.mark.parametrize("release", STOCK)
def test_no_stock_model_is_at_fault(release: str, cache: Path) -> None:
    texts = stock_texts(release, cache)
    assert len(texts) == STOCK[release]
    graphs = {name: graph_of(text) for name, text in texts.items()}
    for name, graph in graphs.items():
        assert len(row_lines(texts[name])) == len(graph.layers), name
        assert not faults(graph), name
        assert not stale_labels(graph), name
        others = {other: known for other, known in graphs.items() if other != name}
        near = closest(graph, graphs)
        assert near is not None
        assert near[1].distance == 0, name
        near = closest(graph, others)  # as if it were its author's own
        assert near is not None
        assert not (inserted_only(graph, near[1]) and near[1].rewired), (name, near)


def test_of_families_that_are_wired_alike_the_one_with_the_same_arguments_is_closest(cache: Path) -> None:
    graphs = {name: graph_of(text) for name, text in stock_texts("8.4.190", cache).items()}
    for family in ("yolov8", "yolo11", "yolo26"):
        near = closest(graph_of((SOURCES / f"{family}_A2.yaml").read_text(encoding="utf-8")), graphs)
        assert near is not None
        assert (near[0], near[1].distance) == (f"{family}.yaml", 2)


def read_by_the_head(model: dict[str, Any]) -> list[int]:
    """Return the layers of the backbone that the head reads by their index."""
    sources = [row[0] if isinstance(row[0], list) else [row[0]] for row in model["head"]]
    return sorted({s for each in sources for s in each if 0 <= s < len(model["backbone"])})


def unshifted(model: dict[str, Any], place: int) -> dict[str, Any]:
    """Put a block behind a layer of the backbone, and renumber nothing."""
    rows = model["backbone"]
    return {**model, "backbone": [*rows[: place + 1], [-1, 1, *BLOCK], *rows[place + 1 :]]}


@pytest.mark.parametrize("release", STOCK)
def test_an_insertion_without_renumbering_is_found_in_every_stock_model(release: str, cache: Path) -> None:
    by_rule = tried = 0
    for name, text in stock_texts(release, cache).items():
        model = load(text)
        base = graph_of(text)
        for place in read_by_the_head(model):
            tried += 1
            try:
                graph = with_strides(read(unshifted(model, place)))
            except GraphError:
                by_rule += 1
                continue
            by_rule += bool(faults(graph, BLOCK[:1]))
            compared = compare(graph, base)
            assert inserted_only(graph, compared), (name, place)
            assert compared.rewired, (name, place)
            assert against(graph, compared, name)
            right = with_strides(read(inserted(model, {place: BLOCK})))
            assert not compare(right, base).rewired, (name, place)
            assert not faults(right, BLOCK[:1]), (name, place)
            for index, sources in correction(graph, compared).items():
                assert sources == right.layers[index].sources, (name, place, index)
    print(f"{release}: {tried} insertions without renumbering, {by_rule} found by rules that need no base")
    assert tried >= 20
    assert by_rule >= 0.9 * tried


@pytest.mark.parametrize("release", STOCK)
def test_an_index_off_by_one_is_found_in_every_stock_model(release: str, cache: Path) -> None:
    by_rule = tried = 0
    for name, text in stock_texts(release, cache).items():
        model = load(text)
        base = graph_of(text)
        for i, layer in enumerate(base.layers):
            for j, source in enumerate(layer.written):
                for other in (source - 1, source + 1):
                    if source < 0 or len(layer.written) < 2 or not 0 <= other < i:
                        continue
                    changed = copy.deepcopy(model)
                    (changed["backbone"] + changed["head"])[i][0][j] = other
                    graph = with_strides(read(changed, [row.comment for row in base.layers]))
                    tried += 1
                    by_rule += bool(faults(graph))
                    rewired = compare(graph, base).rewired
                    assert [(r.index, r.expected) for r in rewired] == [(i, layer.sources)], (name, i, other)
    print(f"{release}: {tried} indices off by one, {by_rule} found by rules that need no base")
    assert by_rule >= 0.85 * tried


BASE = """
backbone:
  - [-1, 1, Conv, [64, 3, 2]] # 0-P1/2
  - [-1, 1, Conv, [128, 3, 2]] # 1-P2/4
  - [-1, 1, C2f, [128]]
  - [-1, 1, Conv, [256, 3, 2]] # 3-P3/8
  - [-1, 1, C2f, [256]]
head:
  - [-1, 1, nn.Upsample, [None, 2, "nearest"]]
  - [[-1, 2], 1, Concat, [1]] # cat backbone P2
  - [-1, 1, C2f, [128]] # 7
  - [[7, 4], 1, Detect, [nc]] # Detect(P2, P3)
"""


def rules(*changes: tuple[str, str]) -> set[str]:
    text = BASE
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return {fault.rule for fault in faults(graph_of(text))}


def test_each_rule_by_itself() -> None:
    assert rules() == set()
    assert rules(("[[7, 4]", "[[4, 7]")) == {"rising", "comment"}
    assert rules(("[[7, 4]", "[[6, 4]")) == {"stage", "unused"}
    assert rules(("[[-1, 2]", "[[-1, 1]")) == {"stage"}
    assert rules(("[[-1, 2]", "[[-1, 5]")) == {"twice"}
    assert rules(("[[-1, 2]", "[[-1, 4]")) == {"comment"}
    assert rules(("[-1, 1, C2f, [128]] # 7", "[5, 1, C2f, [128]] # 7")) == {"unused"}
    assert rules(("cat backbone P2", "cat backbone P3")) == {"comment"}
    assert rules(("Detect(P2, P3)", "Detect(P3, P4)")) == {"comment"}


def test_strides_that_are_not_known_raise_no_alarm_and_measured_ones_do() -> None:
    text = BASE.replace("C2f, [256]", "Unheard, [256]").replace("[[7, 4]", "[[4, 7]")
    model = load(text)
    assert read(model).layers[4].stride is None
    assert not faults(with_strides(read(model)))
    assert [f.rule for f in faults(read(model, strides=[2, 4, 4, 8, 8, 4, 4, 4]))] == ["rising"]


@pytest.mark.parametrize("source", ["-7", "5", "99", "[-1, 5]", "true", "x"])
def test_an_index_that_leads_nowhere_is_told(source: str) -> None:
    with pytest.raises(GraphError, match="row 5 reads"):
        read(load(BASE.replace("[-1, 1, nn.Upsample", f"[{source}, 1, nn.Upsample")))


@pytest.mark.parametrize("model", [None, [], {}, {"backbone": 3}, {"backbone": [[-1, 1, "Conv"]]}, {"head": ["x"]}])
def test_what_is_no_model_is_told(model: Any) -> None:
    with pytest.raises(GraphError):
        read(model)


def test_taking_out_joins_readers_to_the_source() -> None:
    ours = graph_of((SOURCES / "yolov8_A2.yaml").read_text(encoding="utf-8"))
    bare = ours.without(BLOCK[:1])
    assert len(bare.layers) == len(ours.layers) - 2
    assert bare.layers[-1].sources == (15, 18, 21)
    assert bare.layers[-1].place == 24
    assert [bare.layers[i].sources for i in (5, 11)] == [(4,), (10, 6)]


def test_a_repair_is_a_diff_of_the_file() -> None:
    text = BASE.replace(
        "  - [-1, 1, C2f, [128]]\n", "  - [-1, 1, DoubleAttentionBlock, [0.25]]\n  - [-1, 1, C2f, [128]]\n"
    )
    graph = graph_of(text)
    compared = compare(graph, graph_of(BASE))
    assert repaired(text, graph, correction(graph, compared), "mine.yaml").splitlines() == [
        "--- a/mine.yaml",
        "+++ b/mine.yaml",
        "@@ -10,4 +10,4 @@",
        '   - [-1, 1, nn.Upsample, [None, 2, "nearest"]]',
        "-  - [[-1, 2], 1, Concat, [1]] # cat backbone P2",
        "+  - [[-1, 3], 1, Concat, [1]] # cat backbone P2",
        "   - [-1, 1, C2f, [128]] # 7",
        "-  - [[7, 4], 1, Detect, [nc]] # Detect(P2, P3)",
        "+  - [[8, 5], 1, Detect, [nc]] # Detect(P2, P3)",
    ]
    assert stale_labels(graph) == [(4, 3), (8, 7)]
    assert repaired("backbone: [[-1, 1, Conv, [1]], [-1, 1, Conv, [1]]]", graph, {}, "x") == ""


def test_rows_of_both_styles_are_found() -> None:
    old = "backbone:\n  [[-1, 1, Conv, [32, 3, 1]],  # 0\n   [[-1, 0], 1, 'Concat', [1]], # 1\n   [-1, 1, nn.X, []]]\n"
    assert [(line, comment) for line, _, comment in row_lines(old)] == [(1, "0"), (2, "1"), (3, "")]
    assert [old.splitlines()[n][slice(*span)] for n, span, _ in row_lines(old)] == ["-1", "[-1, 0]", "-1"]
    assert row_lines("  n: [0.33, 0.25, 1024] # scale") == []


def test_a_layer_is_told() -> None:
    graph = Graph((Layer(3, "Conv", (-1,), (-1,), (), "backbone", 2.0),))
    assert graph.describe(0) == "3 (Conv, stride 2)"
    assert graph.describe(-1) == "the image"


def test_rows_with_odd_comments_are_read_in_time() -> None:
    row = "  - [-1, 1, Conv, [64, 3, 2]] #"
    rows = [row + " " * 60_000 + "x" + " " * 60_000 + "y  ", row + " " + "9" * 5000, row, row + "  "]
    text = "backbone:\n" + "\n".join(rows)
    started = time.monotonic()
    comments = [comment for _, _, comment in row_lines(text)]
    assert time.monotonic() - started < 5
    assert comments == ["x" + " " * 60_000 + "y", "9" * 5000, "", ""]
    assert stale_labels(Graph((Layer(0, "Conv", (-1,), (-1,), (), "backbone", None, "9" * 5000),))) == []
