"""The figures of a report, as a probe draws them, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Optional, Tuple, Union

Section = Literal["cost", "wiring", "sight", "attention"]
"""The sections of a report that have figures."""


@dataclass(frozen=True)
class Layer:
    """One row of a model.

    Attributes:
        place: Its index in the file.
        kind: The class that it names, without `nn.`.
        sources: The layers that it reads, as absolute indices in its graph; -1 for the image.
        written: Its sources as the row has them.
        args: Its arguments.
        part: `backbone` or `head`.
        stride: Input pixels to one position of its output, where that is known.
        comment: What stands behind the row.
    """

    place: int
    kind: str
    sources: Tuple[int, ...]
    written: Tuple[int, ...]
    args: Tuple[Any, ...]
    part: str
    stride: Optional[float]
    comment: str = ""


@dataclass(frozen=True)
class Fault:
    """A layer that is wired wrongly.

    Attributes:
        rule: Which rule it breaks: `rising`, `stage`, `twice`, `unused`, `comment` or `base`.
        index: The layer, in its graph.
        source: The source that is at fault; None where it is no single one.
        text: What is wrong, in a sentence without its full stop.
    """

    rule: str
    index: int
    source: Optional[int]
    text: str


@dataclass(frozen=True)
class WiringDrawn:
    """A model beside its base.

    Attributes:
        model: The model.
        layers: Its layers.
        base: The model that it was compared with; empty if there is none.
        base_layers: The layers of that.
        faults: What is wrong with the model.
    """

    section: ClassVar[Section] = "wiring"

    model: str
    layers: Tuple[Layer, ...]
    base: str
    base_layers: Tuple[Layer, ...]
    faults: Tuple[Fault, ...]


@dataclass(frozen=True)
class SightMap:
    """Where one map answered when a patch of the image was moved.

    Attributes:
        name: `layer 5`, or `input 0` of the head.
        answer: The largest change over the largest value.
        blind: Whether that is nothing.
        size: Its width and height.
        image: The changes as a data URI, from none to the largest, one pixel a position; all alike where it is blind.
        stride: Pixels of the image to one of its positions.
    """

    name: str
    answer: float
    blind: bool
    size: Tuple[int, int]
    image: str
    stride: float


@dataclass(frozen=True)
class Sight:
    """What a model saw of a patch that was moved.

    Attributes:
        model: The model.
        inputs: The image with the patch here, and with the patch there, as data URIs.
        maps: What answered.
        image: The name of the photograph that it was moved over; empty where there was none.
    """

    section: ClassVar[Section] = "sight"

    model: str
    inputs: Tuple[str, str]
    maps: Tuple[SightMap, ...]
    image: str = ""


@dataclass(frozen=True)
class Shares:
    """One map over a photograph.

    Attributes:
        low: Its lowest share, an even one being 1.
        high: Its highest.
        even: Whether it is the same everywhere.
        image: It as a data URI, from the lowest to the highest, one pixel a position; empty where it is even.
    """

    low: float
    high: float
    even: bool
    image: str


@dataclass(frozen=True)
class Attention:
    """Where one of the block's layers looks in a photograph.

    Attributes:
        model: The model.
        layer: The dotted name of the layer in it.
        parts: Its parts that the maps and the vectors were taken from; the second is empty if it has no vectors.
        fresh: Whether the model was never trained.
        image: The name of the photograph.
        photo: It as a data URI.
        size: Its width and height.
        grid: The width and height of the maps.
        descriptors: How many descriptors the layer has.
        maps: Some of them: their numbers, the map that each gathers by, and the shares that it is handed out by; None
            for those where it has no vectors.
    """

    section: ClassVar[Section] = "attention"

    model: str
    layer: str
    parts: Tuple[str, str]
    fresh: bool
    image: str
    photo: str
    size: Tuple[int, int]
    grid: Tuple[int, int]
    descriptors: int
    maps: Tuple[Tuple[int, Shares, Optional[Shares]], ...]


@dataclass(frozen=True)
class FigureMissing:
    """A figure that a report has not.

    Attributes:
        section: The section that it would stand in.
        model: The model that it would be of; empty where it would be of all.
        reason: Why it is missing.
    """

    section: Section
    model: str
    reason: str


@dataclass(frozen=True)
class ImageUnreadable:
    """A photograph of the user's that could not be read.

    Attributes:
        path: Where it lies.
        reason: Why.
    """

    path: str
    reason: str


Figure = Union[WiringDrawn, Sight, Attention]
"""What a section is made of."""
