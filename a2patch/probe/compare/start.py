"""What a model starts from where the comparison starts from trained weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import torch

from a2patch import graph
from a2patch.probe.compare import state
from a2patch.probe.compare.control import PLAIN
from a2patch.probe.events import Channel
from a2patch.probe.models.build import build, kind
from a2patch.probe.models.checkpoint import read_whole
from a2patch.probe.runtime.compat import tools
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.load import load_model
from a2patch.probe.transplant import compare, graft
from a2patch.protocol import PrepareRequest, Start, TransplantMade, TransplantRequest


class Started(NamedTuple):
    """What a model starts from.

    Attributes:
        kind: How it came by its weights.
        file: What is trained: the model file, or the checkpoint that was made.
        exact: Whether it computes what the checkpoint computes.
        note: What else there is to say.
    """

    kind: Start
    file: Path
    exact: bool
    note: str


def started(
    described: Dict[str, Any], file: Path, request: PrepareRequest, channel: Channel, plain: Tuple[int, ...]
) -> Started:
    """Return what a model starts from.

    Args:
        described: What its file says.
        file: The file.
        request: Names the checkpoint.
        channel: Tells what is done.
        plain: The indices of the plain layers of a control, which must change nothing at the start.

    Raises:
        DeclinedError: The checkpoint can't be read.
    """
    path = Path(request.pretrained)
    base = read_whole(path, request.trust).model
    other = graph.read(base.yaml)
    kinds = {layer.kind for layer in other.layers}
    mine = graph.read(described)
    added = {mine.layers[i].kind for i in graph.compare(mine, other).added}
    why = "it has the layers of the checkpoint and more of the same kind" if added & kinds else ""
    if added and not why:
        asked = TransplantRequest(
            **{name: getattr(request, name) for name in ("role", "package", "libraries", "parts", "checks", "threads")},
            classes=tuple(sorted(added)),
            checkpoint=str(path),
            model=str(file),
            scale=next(iter(described.get("scales") or ("",))),
            base="",
            trust=request.trust,
        )
        try:
            return _transplanted(asked, file.with_suffix(".pt"), channel, base, plain)
        except DeclinedError as error:
            why = " ".join(filter(None, (str(error), error.found)))
    return _by_name(base, described, file, why)


def _transplanted(
    asked: TransplantRequest, target: Path, channel: Channel, base: Any, plain: Tuple[int, ...]
) -> Started:
    """Transplant the weights.

    Raises:
        DeclinedError: They can't go into the model.
    """
    made = _Kept(channel)
    graft.transplant(asked, made)  # type: ignore[arg-type]
    found = made.found
    if not isinstance(found, TransplantMade):
        raise DeclinedError(found.message, found.found, found.remedy)
    exact = found.transplant.exact
    if plain:
        _close(Path(found.file), plain)
        images = compare.inputs(Path(asked.package), 3)
        exact = all(each.same for each in compare.compare(base, load_model(Path(found.file)).eval(), images))
    target.write_bytes(Path(found.file).read_bytes())
    note = "" if exact else "its first epoch starts elsewhere than the checkpoint: its added layers are no identity"
    return Started("transplant", target, exact, note)


class _Kept:
    """A channel that keeps what the transplant tells, since here it is only a part of what is asked."""

    def __init__(self, channel: Channel) -> None:
        self.scratch = channel.scratch
        self.trying = channel.trying
        self.found: Any = None

    def emit(self, event: Any) -> None:
        self.found = event


def _close(file: Path, plain: Tuple[int, ...]) -> None:
    """Let the plain layers of a control add nothing at the start, as the gate of our block lets it."""
    stored = state.load(str(file))
    for i in plain:
        layer = stored["model"].model[i]
        if kind(layer) == PLAIN:
            layer.cv2.bn.weight.data.zero_()
    torch.save(stored, str(file))


def _by_name(base: Any, described: Dict[str, Any], file: Path, why: str) -> Started:
    """Return that upstream loads what fits by name and shape."""
    scales: Optional[Dict[str, Any]] = described.get("scales")
    model = build({**described, "scale": next(iter(scales))} if scales else dict(described))
    total = len(model.state_dict())
    carried = len(tools("utils.torch_utils").intersect_dicts(base.state_dict(), model.state_dict()))
    told: List[str] = ["{} of its {} tensors are the checkpoint's, by name and shape".format(carried, total)]
    return Started("names", file, carried == total and not why, ": ".join([*told, why] if why else told))
