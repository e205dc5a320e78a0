"""Where the layers of a model stand in another that differs from it by layers of ours only; no torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from a2patch.graph import IMAGE, Graph, compare

_TOLD = 4  # how many differences are told; the first one mostly brings the others about


class UnlikeError(ValueError):
    """Two models differ by more than layers of ours; the message tells in what, a line each."""


@dataclass(frozen=True)
class Places:
    """Where the layers of one model, the base, stand in another.

    Attributes:
        like: The place of each layer that has one: all that are not ours, and those of ours that stay or move.
        moved: Those of ours, by their place in the base, that stand behind another layer in the other model.
        out: Those of ours that have no place in the other model.
        new: Those of ours in the other model that come from nowhere.
    """

    like: Mapping[int, int]
    moved: tuple[int, ...]
    out: tuple[int, ...]
    new: tuple[int, ...]

    def leaving_out(self, indices: Collection[int]) -> Places:
        """Return the places where some layers of ours have none, and those that they had are of new ones."""
        return Places(
            {i: j for i, j in self.like.items() if i not in indices},
            tuple(i for i in self.moved if i not in indices),
            tuple(sorted([*self.out, *indices])),
            tuple(sorted([*self.new, *(self.like[i] for i in indices)])),
        )


def places(base: Graph, other: Graph, ours: Collection[str]) -> Places:
    """Map the layers of a model to another.

    Layers of ours stay with the layer that they stand behind. Those that are left over on both sides move, in order, if
    they are as many; otherwise nobody can tell which goes where, and none of them has a like.

    Args:
        base: The model whose layers are mapped.
        other: The model that they are mapped to.
        ours: The kinds of layers in which the two may differ.

    Raises:
        UnlikeError: They differ in other layers, or in what those read.
    """
    bare, bare_other = base.without(ours), other.without(ours)
    if [(x.kind, x.sources) for x in bare.layers] != [(x.kind, x.sources) for x in bare_other.layers]:
        raise UnlikeError(_differences(bare, other, ours))
    like = {a.place: b.place for a, b in zip(bare.layers, bare_other.layers)}
    seats, seats_other = _seats(base, ours), _seats(other, ours)
    here = {seat: i for seat, i in seats.items() if seat not in seats_other}
    there = {seat: i for seat, i in seats_other.items() if seat not in seats}
    like.update({i: seats_other[seat] for seat, i in seats.items() if seat in seats_other})
    moved: dict[int, int] = {}
    for kind in sorted({kind for kind, _, _ in here}):
        left = [i for (k, _, _), i in here.items() if k == kind]
        free = [i for (k, _, _), i in there.items() if k == kind]
        if len(left) == len(free):
            moved.update(zip(left, free))
    like.update(moved)
    taken = set(like.values())
    return Places(
        like,
        tuple(sorted(moved)),
        tuple(sorted(i for i in here.values() if i not in moved)),
        tuple(sorted(i for i in there.values() if i not in taken)),
    )


def _seats(graph: Graph, ours: Collection[str]) -> dict[tuple[str, int, int], int]:
    """Return the layers of ours by where they stand: their kind, the layer that they are behind, and which of several.

    The layer is counted without ours, so that models that differ in them only have the same numbers.
    """
    behind = {IMAGE: IMAGE}
    found: dict[tuple[str, int, int], int] = {}
    kept = 0
    for i, layer in enumerate(graph.layers):
        if layer.kind in ours and len(layer.sources) == 1:
            anchor = behind[i] = behind[layer.sources[0]]
            nth = sum((kind, source) == (layer.kind, anchor) for kind, source, _ in found)
            found[layer.kind, anchor, nth] = i
        else:
            behind[i] = kept
            kept += 1
    return found


def _differences(base: Graph, other: Graph, ours: Collection[str]) -> str:
    """Tell how a model differs from another, which has none of ours, a line for each layer."""
    compared = compare(other, base)
    added = [i for i in compared.added if other.layers[i].kind not in ours]
    lines = [f"layer {base.told(i)} of the checkpoint has no like in the model" for i in compared.removed]
    lines += [f"layer {other.told(i)} of the model has no like in the checkpoint" for i in added]
    lines += [f"layer {other.told(i)} of the model is another kind in the checkpoint" for i in compared.replaced]
    for rewired in compared.rewired:
        read = " and ".join(other.told(s) for s in rewired.sources)
        text = f"layer {other.told(rewired.index)} of the model reads {read}"
        if rewired.expected is not None:
            text += ", and by the checkpoint should read " + " and ".join(other.told(s) for s in rewired.expected)
        lines.append(text)
    if not lines:
        lines = ["their layers are alike, and read others"]
    more = [f"and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
    return "\n".join(lines[:_TOLD] + more)
