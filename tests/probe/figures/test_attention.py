"""Attention maps of whatever a block declares: the parts by their names, maps with and without vectors."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")
pytest.importorskip("PIL")

from a2patch.probe.events import SkipCheckError  # noqa: E402
from a2patch.probe.figures.attention import attending, over  # noqa: E402
from a2patch.probe.figures.photographs import Photograph  # noqa: E402
from a2patch.protocol import Attention, AttentionParts  # noqa: E402


class Looking(torch.nn.Module):  # type: ignore[misc, name-defined]
    """A layer with parts deep inside it, one of which is even, one unused, one without positions."""

    def __init__(self) -> None:
        super().__init__()
        self.deep = torch.nn.ModuleDict({"maps": torch.nn.Conv2d(8, 5, 1), "vectors": torch.nn.Conv2d(8, 5, 1)})
        self.unused = torch.nn.Conv2d(8, 5, 1)
        self.flat = torch.nn.Flatten()
        torch.nn.init.zeros_(self.deep["vectors"].weight)
        torch.nn.init.zeros_(self.deep["vectors"].bias)

    def forward(self, x: Any) -> Any:
        self.flat(x)
        return x + self.deep["maps"](x).mean(1, keepdim=True) + self.deep["vectors"](x).mean(1, keepdim=True)


def drawn(maps: str, vectors: str = "", classes: tuple[str, ...] = ("Looking",)) -> list[Attention]:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 8, 8), torch.nn.BatchNorm2d(8), Looking())
    declared = (AttentionParts(classes, maps, vectors),)
    assert [name for name, _, _ in attending(model, declared)] == ["2"]
    return list(over(Photograph("a.jpg", torch.rand(1, 3, 64, 96)), model, "mine", declared, fresh=True))


def test_maps_and_vectors_as_they_are_declared() -> None:
    (layer,) = drawn("deep.maps", "deep.vectors")
    assert (layer.parts, layer.image, layer.descriptors) == (("deep.maps", "deep.vectors"), "a.jpg", 5)
    assert (layer.size, layer.grid, len(layer.maps)) == ((96, 64), (12, 8), 3)
    for _, gather, distribute in layer.maps:
        assert gather.low < 1 < gather.high
        assert gather.image.startswith("data:image/png")
        assert distribute
        assert (distribute.even, round(distribute.high, 6), distribute.image) == (True, 1.0, "")


def test_maps_alone() -> None:
    (layer,) = drawn("deep.maps")
    assert [distribute for _, _, distribute in layer.maps] == [None] * 3


@pytest.mark.parametrize(("part", "told"), [("unused", "is not used"), ("flat", "gives no map")])
def test_a_part_that_gives_no_map_is_named(part: str, told: str) -> None:
    with pytest.raises(SkipCheckError, match=f"the {part} of 2 {told}"):
        drawn(part)


def test_a_layer_without_the_declared_part_attends_to_nothing() -> None:
    assert not attending(torch.nn.Sequential(Looking()), (AttentionParts(("Looking",), "deep.other", ""),))
    assert not attending(torch.nn.Sequential(Looking()), (AttentionParts(("Other",), "deep.maps", ""),))
