"""What is trained, and what came of it, kept as lines of JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Trial:
    """What is trained, and on what. Two equal trials give the same outcome.

    Attributes:
        task: A task of `digits`.
        contender: A name in `CONTENDERS`.
        seed: Of the data, the weights and the order.
        images: How many to train on in an epoch.
        epochs: How many times.
        size: Side of an image in pixels.
        rate: Learning rate at the start.
        every: Epochs from one validation to the next; the last is always validated.
    """

    task: str
    contender: str
    seed: int
    images: int
    epochs: int
    size: int
    rate: float
    every: int


@dataclass(frozen=True)
class Point:
    """A validation.

    Attributes:
        epoch: After how many epochs.
        overall: mAP50-95 over the classes.
        classes: The same by class; empty where nothing was found.
    """

    epoch: int
    overall: float
    classes: list[float]


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        trial: The trial.
        parameters: How many the model has.
        curve: The validations, first to last.
        sight: How much each attention layer and each map that the head reads answers to a moved patch, when trained.
        seconds: Processor time.
        versions: Of torch and ultralytics.
    """

    trial: Trial
    parameters: int
    curve: list[Point]
    sight: dict[str, float]
    seconds: float
    versions: dict[str, str]

    @classmethod
    def read(cls, line: str) -> Outcome:
        """Read an outcome from a line of JSON."""
        found = json.loads(line)
        curve = [Point(**point) for point in found["curve"]]
        return cls(**{**found, "trial": Trial(**found["trial"]), "curve": curve})


def load(place: Path) -> list[Outcome]:
    """Read outcomes from a file, none if it is not there."""
    if not place.is_file():
        return []
    return [Outcome.read(line) for line in place.read_text(encoding="utf-8").splitlines()]
