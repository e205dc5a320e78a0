"""What came out of a transplant of trained weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple


@dataclass(frozen=True)
class Equivalence:
    """What the base and the new model make of one input.

    Attributes:
        input: What it is.
        values: How many numbers the base puts out.
        same: Whether the new model puts out the same, bit for bit, and all are finite.
        difference: The greatest difference; None where the outputs have other shapes or are not finite.
    """

    input: str
    values: int
    same: bool
    difference: Optional[float]


@dataclass(frozen=True)
class AddedLayer:
    """A layer of the block in the new model.

    Attributes:
        index: Its place.
        kind: Its class.
        gate: Its greatest gain or bias, 0 where it is the identity; None for a kind that never is.
    """

    index: int
    kind: str
    gate: Optional[float]


@dataclass(frozen=True)
class Transplant:
    """What came out of a transplant.

    Attributes:
        model: The model that the weights went into.
        scale: Its scale; empty where it has none.
        scale_by: By what that was chosen.
        weights: What was taken of the checkpoint: `ema`, `model` or `state dict`.
        dtype: The type that weights are stored in, before and after.
        task: What the model is for.
        classes: How many classes it has.
        ours: The layers of the block in the new model.
        new: Those of them that come from nowhere.
        kinds: The classes of the layers of blocks that either model has.
        moved: Layers of the block that stand behind another layer now, each with its old place and its new one.
        out: Layers of the block that were left out, each with its old place and its gate.
        tensors: How many tensors the base has.
        carried: How many of them stand in the result, bit for bit.
        left: The others, each with the reason.
        by_name: How many ultralytics would have kept by their names.
        by_name_right: How many of those in the layer that they belong to.
        dropped: What else the checkpoint held and the result does not.
        otherwise: The layers that this release builds otherwise than the one that saved the checkpoint.
        proof: What both models make of some inputs.
        without: The same with the block's layers left out of both; made only where the outputs differ.
    """

    model: str
    scale: str
    scale_by: str
    weights: str
    dtype: str
    task: str
    classes: int
    ours: Tuple[AddedLayer, ...]
    new: Tuple[int, ...]
    kinds: Tuple[str, ...]
    moved: Tuple[Tuple[int, int], ...]
    out: Tuple[Tuple[int, Optional[float]], ...]
    tensors: int
    carried: int
    left: Tuple[Tuple[str, str], ...]
    by_name: int
    by_name_right: int
    dropped: Tuple[str, ...]
    otherwise: Tuple[str, ...]
    proof: Tuple[Equivalence, ...]
    without: Tuple[Equivalence, ...]

    @property
    def exact(self) -> bool:
        """Whether the new model's output is the base's, bit for bit."""
        return all(each.same for each in self.proof)

    @property
    def exact_without(self) -> bool:
        """Whether it is so at least with the block's layers left out of both models."""
        return self.exact or (bool(self.without) and all(each.same for each in self.without))


@dataclass(frozen=True)
class TransplantMade:
    """A transplant, and the path of the checkpoint that was made."""

    transplant: Transplant
    file: str


@dataclass(frozen=True)
class TransplantRefused:
    """Why a checkpoint can't go into a model.

    Attributes:
        message: What is wrong, beginning with its verb: the subject is the checkpoint.
        found: What stands there.
        remedy: What to do next.
        lacking: What the tree does not have, where that is why.
    """

    message: str
    found: str
    remedy: str
    lacking: Tuple[str, ...]
