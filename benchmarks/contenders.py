"""The models that `learn.py` trains: YOLOv8n as it comes, and with layers put into it."""

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
        added: Rows to be put behind layers of that file, by the layer's index.
        change: What is done to the built model before it is trained.
    """

    title: str
    file: str = "yolov8.yaml"
    added: Mapping[int, Row] = field(default_factory=dict)
    change: Callable[[Any], None] | None = None

    def describe(self, model: Mapping[str, Any]) -> dict[str, Any]:
        """What a model file has to say for this contender, with its scale as the only one.

        Args:
            model: What `file` says.
        """
        return {**inserted(model, self.added), "scales": {SCALE: model["scales"][SCALE]}}


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
    "wide": Contender("P3 and P4, `c_m` C/2, `c_n` C/8", "yolov8_A2.yaml", change=partial(resize, m=1 / 2, n=1 / 8)),
    "many": Contender("P3 and P4, `c_m` C/8, `c_n` C/2", "yolov8_A2.yaml", change=partial(resize, m=1 / 8, n=1 / 2)),
    "gate-one": Contender("P3 and P4, gate starts at one", "yolov8_A2.yaml", change=open_gate),
}

CONTENDERS = MAIN | STUDY
