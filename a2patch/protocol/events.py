"""What a probe tells while it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Optional, Tuple, Union

from a2patch.protocol.compare import (
    ComparisonRefused,
    DataFound,
    EpochDone,
    ModelPrepared,
    SpeedMeasured,
    TrainingBegan,
    TrainingDone,
)
from a2patch.protocol.figures import Figure, FigureMissing, ImageUnreadable
from a2patch.protocol.insert import InsertedModel, InsertionRefused
from a2patch.protocol.transplant import TransplantMade, TransplantRefused

Result = Literal["pass", "fail", "known", "skip"]
"""What a check came to; `known` is a flaw that is expected where it was found."""

NOT_ASKED = "not asked for"
"""The meaning of a check that was skipped since nobody wanted it."""


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Attributes:
        name: Its name.
        result: What it came to.
        figure: What was measured.
        meaning: What it means, in a sentence; empty where the name and the result say all of it.
        advice: What to do about it, in a sentence; likewise.
        seconds: How long the check took.
        detail: Lines to be shown as they are, such as a diff; mostly empty.
    """

    name: str
    result: Result
    figure: str = ""
    meaning: str = ""
    advice: str = ""
    seconds: float = 0.0
    detail: str = ""

    @property
    def unasked(self) -> bool:
        """Whether it was not made since nobody wanted it."""
        return self.result == "skip" and self.meaning == NOT_ASKED


@dataclass(frozen=True)
class Cost:
    """What a model costs at one scale, as `model.info()` of the release prints it.

    Attributes:
        model: The model file.
        scale: The scale letter.
        layers: Number of layers.
        parameters: Number of parameters.
        gradients: Number of parameters that get gradients.
        gflops: GFLOPs at 640 px, where the release could count them; its counter sees no matrix products.
        counted: GFLOPs at 640 px as torch counts them, matrix products included; None where torch can't.
    """

    model: str
    scale: str
    layers: int
    parameters: int
    gradients: int
    gflops: Optional[float]
    counted: Optional[float] = None


@dataclass(frozen=True)
class Trying:
    """What the probe does next, in a few words for whoever waits."""

    what: str


@dataclass(frozen=True)
class Version:
    """The version of what the probe runs with: `python`, `torch` or `ultralytics`."""

    name: Literal["python", "torch", "ultralytics"]
    version: str


@dataclass(frozen=True)
class CheckStarted:
    """A check that the probe begins; if no `Check` follows, the probe died in it."""

    name: str


@dataclass(frozen=True)
class LibrariesMissing:
    """Libraries that the interpreter lacks: one at once where it is found, and all of them at the end.

    Attributes:
        names: The modules, by the names by which they are imported.
        distributions: What to install, by the names on the registry; at the end.
        unknown: The modules of which it is not known what has them; likewise.
    """

    names: Tuple[str, ...]
    distributions: Tuple[str, ...] = ()
    unknown: Tuple[str, ...] = ()


@dataclass(frozen=True)
class LibraryUnfit:
    """A library that is there and does not load, and why."""

    library: str
    error: str


@dataclass(frozen=True)
class ModelUnreadable:
    """Why the model that was to be tried is none.

    Attributes:
        error: What is wrong with it.
        remedy: What to do next, where that is known.
        lacking: What the tree does not have, where that is why.
    """

    error: str
    remedy: str = ""
    lacking: Tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelNoted:
    """What is to be said of a model besides its checks."""

    note: str


@dataclass(frozen=True)
class StockModel:
    """What a stock model is and computes at one scale, so that two trees can be compared.

    Attributes:
        file: Its file.
        scale: The scale letter.
        parameters: Number of parameters.
        rows: Its layers: the class, the number of parameters and the sources of each.
        output: Figures of its output for a fixed input; empty where that is not computed.
    """

    file: str
    scale: str
    parameters: int
    rows: Tuple[Tuple[str, int, Tuple[int, ...]], ...]
    output: Tuple[float, ...] = ()


@dataclass(frozen=True)
class CheckpointSaved:
    """Where a checkpoint lies that came back as it was saved."""

    path: str


@dataclass(frozen=True)
class CostsBeside:
    """Which model the costs of a user's model are compared with; empty for none."""

    base: str


@dataclass(frozen=True)
class CostsUncounted:
    """Why costs, or their GFLOPs, are not counted."""

    reason: str


@dataclass(frozen=True)
class ClassTried:
    """How a row that names a class of a module file is read, as trying the class told.

    Attributes:
        name: The class.
        rule: The rule: `keep`, `keep:nothing`, `width`, `repeat`, `join` or
            `join:nothing`, `merge` or `merge:nothing`; empty where it stays open.
        args: Arguments of an example row that works.
        problem: Why no row can name the class; empty if one can.
        seen: In a few words, what came out of it.
        scale: How large a map it gives: 0.5, 1 or 2 times that which it reads.
        maps: How many maps it reads.
    """

    name: str
    rule: str
    args: Tuple[Any, ...] = ()
    problem: str = ""
    seen: str = ""
    scale: float = 1.0
    maps: int = 1


@dataclass(frozen=True)
class Exhausted:
    """What the machine ran out of while the probe was at work, such as room on the disk: no fault of what is tried."""

    what: str


@dataclass(frozen=True)
class Done:
    """The end of what a probe tells; one that ends without it died."""


Event = Union[
    Check,
    CheckStarted,
    CheckpointSaved,
    ClassTried,
    ComparisonRefused,
    Cost,
    CostsBeside,
    CostsUncounted,
    DataFound,
    Done,
    Exhausted,
    EpochDone,
    Figure,
    FigureMissing,
    ImageUnreadable,
    InsertedModel,
    InsertionRefused,
    LibrariesMissing,
    LibraryUnfit,
    ModelNoted,
    ModelPrepared,
    ModelUnreadable,
    SpeedMeasured,
    StockModel,
    TrainingBegan,
    TrainingDone,
    TransplantMade,
    TransplantRefused,
    Trying,
    Version,
]
"""Everything that a probe can tell."""
