"""Match the layers of a model with those of another that differs from it by added layers only; no torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from a2patch.graph import IMAGE, Graph, compare

_SHOWN = 4  # how many differences are told; the first one mostly brings the others about


class UnlikeError(ValueError):
    """Two models differ by more than added layers; the message says in what, a line for each difference."""


@dataclass(frozen=True)
class Places:
    """Where the layers of one model, the base, stand in another.

    Attributes:
        matched: The place of each layer that has one there: of all that are not added, and of the added ones that stay
            or move.
        moved: The added layers, by their place in the base, that stand behind another layer in the other model.
        out: The added layers of the base that have no place in the other model.
        new: The added layers of the other model that no layer of the base is matched with.
    """

    matched: Mapping[int, int]
    moved: tuple[int, ...]
    out: tuple[int, ...]
    new: tuple[int, ...]

    def leaving_out(self, indices: Collection[int]) -> Places:
        """Return the places with some added layers out: they have none, and where they stood are new layers."""
        return Places(
            {i: j for i, j in self.matched.items() if i not in indices},
            tuple(i for i in self.moved if i not in indices),
            tuple(sorted([*self.out, *indices])),
            tuple(sorted([*self.new, *(self.matched[i] for i in indices)])),
        )


def places(base: Graph, other: Graph, added: Collection[str]) -> Places:
    """Map the layers of a model to another.

    Added layers stay with the layer that they stand behind. Those that are left over on both sides move, in order, if
    they are as many; otherwise nobody can tell which goes where, and none of them is matched.

    Args:
        base: The model whose layers are mapped.
        other: The model that they are mapped to.
        added: The kinds of layers in which the two may differ.

    Raises:
        UnlikeError: They differ in other layers, or in what those read.
    """
    bare, bare_other = base.without(added), other.without(added)
    if [(x.kind, x.sources) for x in bare.layers] != [(x.kind, x.sources) for x in bare_other.layers]:
        raise UnlikeError(_differences(bare, other, added))
    matched = {a.place: b.place for a, b in zip(bare.layers, bare_other.layers)}
    seats, seats_other = _seats(base, added), _seats(other, added)
    here = {seat: i for seat, i in seats.items() if seat not in seats_other}
    there = {seat: i for seat, i in seats_other.items() if seat not in seats}
    matched.update({i: seats_other[seat] for seat, i in seats.items() if seat in seats_other})
    moved: dict[int, int] = {}
    for kind in sorted({kind for kind, _, _ in here}):
        left = [i for (k, _, _), i in here.items() if k == kind]
        free = [i for (k, _, _), i in there.items() if k == kind]
        if len(left) == len(free):
            moved.update(zip(left, free))
    matched.update(moved)
    taken = set(matched.values())
    return Places(
        matched,
        tuple(sorted(moved)),
        tuple(sorted(i for i in here.values() if i not in moved)),
        tuple(sorted(i for i in there.values() if i not in taken)),
    )


def _seats(graph: Graph, added: Collection[str]) -> dict[tuple[str, int, int], int]:
    """Return the added layers by where they stand: their kind, the layer that they are behind, and which of several.

    Layers are counted without the added ones, so that models that differ in these only have the same numbers.
    """
    behind = {IMAGE: IMAGE}
    found: dict[tuple[str, int, int], int] = {}
    kept = 0
    for i, layer in enumerate(graph.layers):
        if layer.kind in added and len(layer.sources) == 1:
            anchor = behind[i] = behind[layer.sources[0]]
            nth = sum((kind, source) == (layer.kind, anchor) for kind, source, _ in found)
            found[layer.kind, anchor, nth] = i
        else:
            behind[i] = kept
            kept += 1
    return found


def _differences(base: Graph, other: Graph, added: Collection[str]) -> str:
    """Say how a model differs from another, a line for each layer that is not an added one."""
    compared = compare(other, base)
    others = [i for i in compared.added if other.layers[i].kind not in added]
    lines = [f"layer {base.describe(i)} of the checkpoint has no like in the model" for i in compared.removed]
    lines += [f"layer {other.describe(i)} of the model has no like in the checkpoint" for i in others]
    lines += [f"layer {other.describe(i)} of the model is another kind in the checkpoint" for i in compared.replaced]
    for rewired in compared.rewired:
        read = " and ".join(other.describe(s) for s in rewired.sources)
        text = f"layer {other.describe(rewired.index)} of the model reads {read}"
        if rewired.expected is not None:
            text += ", and by the checkpoint should read " + " and ".join(other.describe(s) for s in rewired.expected)
        lines.append(text)
    if not lines:
        lines = ["their layers are alike, and read others"]
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join(lines[:_SHOWN] + more)
