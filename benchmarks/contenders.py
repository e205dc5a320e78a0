"""The models that `learn.py` trains: YOLOv8n and a near-sighted network, as they come and with layers put into them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

SCALE = "n"
Row = tuple[str, list[Any]]  # module and arguments, as a model file has them


@dataclass(frozen=True)
class Contender:
    """A model that takes part.

    Attributes:
        title: What it is, in a table.
        file: The model file that it starts from.
        rows: Rows of a model file to take instead of that file's own.
        added: Rows to be put behind layers, by the layer's index.
        change: What is done to the built model before it is trained.
    """

    title: str
    file: str = "yolov8.yaml"
    rows: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[int, Row] = field(default_factory=dict)
    change: Callable[[Any], None] | None = None

    def describe(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """What a model file has to say for this contender, with its scale as the only one.

        Args:
            model: What `file` says.
        """
        return {**inserted({**model, **self.rows}, self.added), "scales": {SCALE: model["scales"][SCALE]}}


def inserted(model: Mapping[str, Any], added: Mapping[int, Row]) -> dict[str, Any]:
    """Put rows behind layers; all that read such a layer read the row behind it instead.

    Args:
        model: What a model file says.
        added: The rows, by the index of the layer that each is to follow.
    """
    rows: dict[str, list[list[Any]]] = {"backbone": [], "head": []}
    stands_at: list[int] = []  # where what a layer gave is found now
    total = -1
    for part, found in rows.items():
        for source, *rest in model[part]:
            sources = source if isinstance(source, list) else [source]
            moved = [index if index < 0 else stands_at[index] for index in sources]
            found.append([moved if isinstance(source, list) else moved[0], *rest])
            total += 1
            if row := added.get(len(stands_at)):
                found.append([-1, 1, *row])
                total += 1
            stands_at.append(total)
    return {**model, **rows}


def open_gate(model: Any) -> None:
    """Let every block start with a gain of one, as a batch norm usually does, instead of as the identity."""
    for block in _blocks(model):
        block.bn.weight.data.fill_(1.0)


def resize(model: Any, m: float, n: float) -> None:
    """Give every block's attention other widths.

    Args:
        model: The built model.
        m: `c_m`, the width of a descriptor, in parts of the block's channels.
        n: `c_n`, the number of descriptors, likewise.
    """
    for block in _blocks(model):
        channels = block.attn.in_channels
        block.attn = type(block.attn)(channels, int(m * channels), int(n * channels), reconstruct=True)


def _blocks(model: Any) -> list[Any]:
    return [module for module in model.modules() if type(module).__name__ == "DoubleAttentionBlock"]


def _blocks_behind(*layers: int, e: float = 0.25) -> dict[int, Row]:
    return {layer: ("DoubleAttentionBlock", [e]) for layer in layers}


# Where a stage of yolov8.yaml ends.
P2, P3, P4, P5 = 2, 4, 6, 9
HEAD = (15, 18, 21)  # what Detect reads

# A residual block without attention: two 1x1 convolutions, as many parameters as ours but for 0.7 in a hundred.
_PLAIN: dict[int, Row] = {
    P3: ("Bottleneck", [256, True, 1, [1, 1], 0.5]),
    P4: ("Bottleneck", [512, True, 1, [1, 1], 0.5]),
}

_WIDE = partial(resize, m=1 / 2, n=1 / 8)
_MANY = partial(resize, m=1 / 8, n=1 / 2)

# In both comparisons: as it comes, with as many plain parameters as ours adds, with the tutorial's layer, with ours.
MAIN = {
    "stock": Contender("stock YOLOv8n"),
    "plain": Contender("stock with as many plain parameters", added=_PLAIN),
    "tutorial": Contender("the tutorial's, `yolov8_DANet.yaml`", file="yolov8_DANet.yaml"),
    "ours": Contender("ours, `yolov8_A2.yaml`", file="yolov8_A2.yaml"),
}

STUDY = {
    "P2": Contender("behind P2", added=_blocks_behind(P2)),
    "P3": Contender("behind P3", added=_blocks_behind(P3)),
    "P4": Contender("behind P4", added=_blocks_behind(P4)),
    "P5": Contender("behind P5", added=_blocks_behind(P5)),
    "head": Contender("before Detect, on its three maps", added=_blocks_behind(*HEAD)),
    "e-half": Contender("P3 and P4, `e` 0.5", added=_blocks_behind(P3, P4, e=0.5)),
    "e-eighth": Contender("P3 and P4, `e` 0.125", added=_blocks_behind(P3, P4, e=0.125)),
    "wide": Contender("P3 and P4, `c_m` C/2, `c_n` C/8", added=_blocks_behind(P3, P4), change=_WIDE),
    "many": Contender("P3 and P4, `c_m` C/8, `c_n` C/2", added=_blocks_behind(P3, P4), change=_MANY),
    "gate-one": Contender("P3 and P4, gate starts at one", added=_blocks_behind(P3, P4), change=open_gate),
}

# A network of a few layers, whose head sees a window of 63 pixels: three convolutions down to stride 8, one more, and
# two in the head see 3, 7, 15, 31, 47 and 63. The point that a cell answers for stands half a cell beside the middle of
# its window, which reaches 35 pixels one way from there and 28 the other.
_SHORT = {
    "backbone": [
        [-1, 1, "Conv", [64, 3, 2]],
        [-1, 1, "Conv", [128, 3, 2]],
        [-1, 1, "Conv", [256, 3, 2]],
        [-1, 1, "Conv", [256, 3, 1]],
        [-1, 1, "Conv", [256, 1, 1]],
    ],
    "head": [[[4], 1, "Detect", ["nc"]]],
}
_SEES = 3  # the layer that tells digits apart

NEAR = {
    "near": Contender("a near-sighted network", rows=_SHORT),
    "near-plain": Contender(
        "it with as many plain parameters",
        rows=_SHORT,
        added={_SEES: ("Bottleneck", [256, True, 1, [1, 1], 0.5])},
    ),
    "near-tutorial": Contender(
        "it with the tutorial's layer", rows=_SHORT, added={_SEES: ("DoubleAttentionLayer", [256, 1])}
    ),
    "near-ours": Contender("it with our block", rows=_SHORT, added=_blocks_behind(_SEES)),
}

NEAR_STUDY = {
    "near-half": Contender("`e` 0.5", rows=_SHORT, added=_blocks_behind(_SEES, e=0.5)),
    "near-eighth": Contender("`e` 0.125", rows=_SHORT, added=_blocks_behind(_SEES, e=0.125)),
    "near-wide": Contender("`c_m` C/2, `c_n` C/8", rows=_SHORT, added=_blocks_behind(_SEES), change=_WIDE),
    "near-many": Contender("`c_m` C/8, `c_n` C/2", rows=_SHORT, added=_blocks_behind(_SEES), change=_MANY),
    "near-gate": Contender("gate starts at one", rows=_SHORT, added=_blocks_behind(_SEES), change=open_gate),
}

CONTENDERS = MAIN | STUDY | NEAR | NEAR_STUDY
