"""The control: the base with as many plain parameters, at the same places, as another model adds."""

from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy
from typing import Any, Dict, List, NamedTuple, Tuple

import torch

from a2patch import graph
from a2patch.graph import IMAGE
from a2patch.probe.events import last_line
from a2patch.probe.models.build import Model, count_parameters
from a2patch.probe.models.images import input_channels, small_side
from a2patch.probe.models.meta import Valueless
from a2patch.probe.runtime.declined import DeclinedError

PLAIN = "Bottleneck"
"""A stock layer of every release: two convolutions, 1x1 here, with a way around them."""


class Control(NamedTuple):
    """A control.

    Attributes:
        described: What its model file says.
        places: The indices of its plain layers.
    """

    described: Dict[str, Any]
    places: Tuple[int, ...]


def control(base: Dict[str, Any], built: Model, other: Dict[str, Any], other_built: Model) -> Control:
    """Return the base with plain layers where another model has more parameters.

    Args:
        base: What the model file of the base says.
        built: It, built at the scale that is compared.
        other: What the file of the other model says.
        other_built: It, built.

    Raises:
        DeclinedError: The other adds too few parameters for a plain layer, or none.
    """
    rows = {}
    for place, extra in _added(base, built, other, other_built).items():
        channels = _channels(built, place)
        hidden = round((extra - 2 * channels) / (2 * channels + 2))
        if hidden > 0:
            rows[place] = [-1, 1, PLAIN, [_unscaled(channels, base, built), True, 1, [1, 1], (hidden + 0.5) / channels]]
    if not rows:
        raise DeclinedError(
            "adds no parameters to the base for a control to have as plain ones",
            "{} of the base, {} of it".format(count_parameters(built), count_parameters(other_built)),
            "Leave --control out, or name a model first that is the base with layers added.",
        )
    return _inserted(base, rows)


def _added(base: Dict[str, Any], built: Model, other: Dict[str, Any], other_built: Model) -> Dict[int, int]:
    """Return how many parameters the other model has more, by the layer of the base that they stand behind."""
    mine, stock = graph.read(other), graph.read(base)
    found = graph.compare(mine, stock)
    matched = _matched(len(stock.layers), len(mine.layers), found.removed, found.added)
    behind = {IMAGE: IMAGE, **{theirs: own for own, theirs in matched.items()}}
    added: Dict[int, int] = {}
    for i, layer in enumerate(mine.layers):
        more = count_parameters(other_built.model[i])
        if i in found.added:
            behind[i] = behind[layer.sources[0]]
        elif i in found.replaced:
            more -= count_parameters(built.model[behind[i]])
        else:
            continue
        if behind[i] != IMAGE:
            added[behind[i]] = added.get(behind[i], 0) + more
    return added


def _matched(stock: int, mine: int, removed: Tuple[int, ...], added: Tuple[int, ...]) -> Dict[int, int]:
    """Return the layers that both models have, which stand in the same order."""
    kept = [i for i in range(stock) if i not in removed]
    return dict(zip(kept, (i for i in range(mine) if i not in added)))


def _channels(built: Model, place: int) -> int:
    """Return how many channels a layer gives.

    Raises:
        DeclinedError: The model does not run.
    """
    widths: List[int] = []
    hook = built.model[place].register_forward_hook(lambda _, __, output: widths.append(int(output.shape[1])))
    side = max(256, small_side(built))
    try:
        with torch.no_grad(), Valueless() if next(built.parameters()).is_meta else nullcontext():
            built.train()(torch.zeros(2, input_channels(built), side, side))
    except (RuntimeError, ValueError) as error:
        raise DeclinedError("can't be controlled: the base does not run", last_line(error)) from error
    finally:
        hook.remove()
    return widths[0]


def _unscaled(channels: int, base: Dict[str, Any], built: Model) -> int:
    """Return the number of channels that a row must ask for to get so many at the scale that is compared."""
    scales = base.get("scales") or {}
    scale = built.yaml.get("scale") or next(iter(scales), "")
    width: float = scales[scale][1] if scale in scales else base.get("width_multiple", 1.0)
    return round(channels / width)


def _inserted(base: Dict[str, Any], rows: Dict[int, List[Any]]) -> Control:
    """Put rows behind layers; all that read such a layer read the row behind it instead."""
    made = deepcopy(base)
    stands_at: List[int] = []  # where what a layer gave is found now
    places = []
    total = -1
    for part in ("backbone", "head"):
        made[part] = []
        for source, *rest in base[part]:
            read = [i if i >= 0 else len(stands_at) + i for i in (source if isinstance(source, list) else [source])]
            moved = [stands_at[i] if i >= 0 else i for i in read]
            made[part].append([moved if isinstance(source, list) else moved[0], *rest])
            total += 1
            if len(stands_at) in rows:
                made[part].append(rows[len(stands_at)])
                total += 1
                places.append(total)
            stands_at.append(total)
    return Control(made, tuple(places))
