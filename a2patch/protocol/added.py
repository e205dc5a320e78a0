"""What is known of a block that a probe is to try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Tuple


@dataclass(frozen=True)
class AddedModules:
    """The modules of ultralytics, by their dotted names in it, that know the classes which the patch adds.

    Attributes:
        defined: The module that defines them.
        exported: The one that exports them.
        parsed: The one whose `parse_model` reads them.
        classes: Those of the classes that are meant; none for all of them.
    """

    defined: str = ""
    exported: str = ""
    parsed: str = ""
    classes: Tuple[str, ...] = ()


@dataclass(frozen=True)
class ExpectedRow:
    """A row of a model, and what `parse_model` must make of it at half the width.

    Attributes:
        row: What it reads, its repeats, the class that it names, and its arguments.
        width: The channels that its layer gives.
        attributes: Attributes of the layer, by name, and what they must be.
        layers: How many layers are made of it, one after the other.
        parameters: How many parameters the layer has; None where that is not asked.
    """

    row: Tuple[Any, ...]
    width: int
    attributes: Tuple[Tuple[str, Any], ...] = ()
    layers: int = 1
    parameters: Optional[int] = None


@dataclass(frozen=True)
class Form:
    """A class built in a way in which it can be compared with its formula.

    Attributes:
        name: The class.
        args: What it is built with.
        channels: The channels that it then reads.
    """

    name: str
    args: Tuple[Any, ...]
    channels: int


@dataclass(frozen=True)
class AddedBlock:
    """What is known of the block that is tried, besides its classes.

    Attributes:
        rules: How a row that names each of its classes is read, in their order; the models to try are then made of
            the base. None where the block has branches of its own, and models.
        args: Arguments of an example row of each, likewise.
        defined: What each of its classes is called in its module, where that is another name.
        reference: The source of its formula, a function `reference(module, x)`; empty if it has none.
        rows: Rows that `parse_model` must read as it says; none where they follow from the rules.
        forms: What is compared with the formula; none where that follows from the rules.
        unlike: What to say of a layer that computes another formula, and what to look at; empty for what is said of
            any.
        gain: The batch norm whose gains start at zero and must leave it in an epoch, as an attribute of a class.
        descriptors: The attribute that counts what a softmax goes over; where it is 1, the softmax is 1 everywhere.
        vectors: The convolution in front of that softmax, whose weights then never learn.
        maps: The convolution in front of the softmax over the positions, whose outcome are its attention maps.
        cancelled: Biases that cancel whatever they are, as attributes of a class; none where every bias may cancel
            whose weights learn.
        shifts: Biases that only shift whole channels of what a class gives, which may cancel behind it.
    """

    rules: Tuple[str, ...] = ()
    args: Tuple[Tuple[Any, ...], ...] = ()
    defined: Tuple[str, ...] = ()
    reference: str = ""
    rows: Tuple[ExpectedRow, ...] = ()
    forms: Tuple[Form, ...] = ()
    unlike: Tuple[str, ...] = ()
    gain: str = ""
    descriptors: str = ""
    vectors: str = ""
    maps: str = ""
    cancelled: Tuple[str, ...] = ()
    shifts: Tuple[str, ...] = ()
