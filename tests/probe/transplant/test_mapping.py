"""Where the layers of a model stand in another, worked out without building either."""

from __future__ import annotations

from typing import Any

import pytest

from a2patch.block import CLASSES as OURS
from a2patch.graph import model
from a2patch.graph.model import Graph
from a2patch.probe.transplant.mapping import UnlikeError, places

BLOCK = "DoubleAttentionBlock"


def graph(*kinds: str, head: tuple[int, ...] = ()) -> Graph:
    """A chain of layers, and a head that reads some of them."""
    rows: list[Any] = [[-1, 1, kind, []] for kind in kinds]
    return model.read({"head": [*rows, [list(head), 1, "Detect", []]] if head else rows})


def test_blocks_stay_with_the_layer_that_they_stand_behind() -> None:
    found = places(graph("Conv", BLOCK, "C2f", "SPPF"), graph(BLOCK, "Conv", BLOCK, "C2f", BLOCK, "SPPF"), OURS)
    assert found.matched == {0: 1, 1: 2, 2: 3, 3: 5}
    assert (found.moved, found.out, found.new) == ((), (), (0, 4))


def test_blocks_move_in_order_if_they_are_as_many() -> None:
    base = graph("Conv", BLOCK, "C2f", BLOCK, "SPPF")
    found = places(base, graph(BLOCK, "Conv", "C2f", "SPPF", BLOCK), OURS)
    assert found.matched == {0: 1, 2: 2, 4: 3, 1: 0, 3: 4}
    assert found.moved == (1, 3)
    found = places(base, graph("Conv", "C2f", "SPPF", BLOCK), OURS)
    assert (found.moved, found.out, found.new) == ((), (1, 3), (3,))


def test_two_blocks_one_behind_the_other() -> None:
    found = places(graph("Conv", BLOCK, BLOCK, "SPPF"), graph("Conv", BLOCK, "SPPF"), OURS)
    assert found.matched == {0: 0, 1: 1, 3: 2}
    assert found.out == (2,)


def test_other_kinds_of_ours_do_not_stand_for_each_other() -> None:
    found = places(graph("Conv", BLOCK, "SPPF"), graph("Conv", "DoubleAttentionLayer", "SPPF"), OURS)
    assert (found.out, found.new) == ((1,), (1,))


def test_models_that_differ_by_more_are_refused() -> None:
    base = graph("Conv", "C2f", "SPPF", head=(1, 2))
    assert places(base, graph("Conv", "C2f", BLOCK, "SPPF", head=(2, 3)), OURS).matched == {0: 0, 1: 1, 2: 3, 3: 4}
    with pytest.raises(UnlikeError, match=r"layer 4 \(Detect\) of the model reads 0 .* should read 2 \(DoubleAtt"):
        places(base, graph("Conv", "C2f", BLOCK, "SPPF", head=(0, 3)), OURS)
    with pytest.raises(UnlikeError, match="CBAM"):
        places(base, graph("Conv", "C2f", "CBAM", "SPPF", head=(1, 3)), OURS)
