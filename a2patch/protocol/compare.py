"""A comparison of models: what the probe is asked for it, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Optional, Tuple

from a2patch.protocol.requests import Request

Start = Literal["fresh", "names", "transplant"]
"""What a training starts from: fresh weights, those that fit by name and shape, or those that were transplanted."""


VALIDATED = "validated.json.gz"
"""The file in the folder of a training that holds, in COCO's form, what its last validation saw and predicted."""


@dataclass(frozen=True)
class ModelSource:
    """A model that is to be compared, as its user names it.

    Attributes:
        label: What it is called.
        path: Its file; that of the base for the control.
        scale: The letter of its scale; empty for what its name says.
        like: The file of the model whose added parameters the control gets as plain ones; empty for all others.
        like_scale: The scale of that.
    """

    label: str
    path: str
    scale: str
    like: str = ""
    like_scale: str = ""


@dataclass(frozen=True)
class CompareRequest(Request):
    """What the requests of a comparison share.

    Attributes:
        folder: The folder of the comparison.
    """

    folder: str


@dataclass(frozen=True)
class PrepareRequest(CompareRequest):
    """Data to be looked at, and models to be made ready for training.

    Attributes:
        data: The data set, as `data=` of ultralytics takes it.
        cwd: The folder that its user is in.
        datasets: Where its user's ultralytics looks for data sets.
        arguments: What is passed to every training besides.
        base: The base, which may have been made ready before.
        models: The models.
        pretrained: The checkpoint to start from; empty for fresh weights.
        trust: Whether that may be loaded without restriction.
    """

    data: str
    cwd: str
    datasets: str
    arguments: Tuple[Tuple[str, Any], ...]
    base: ModelSource
    models: Tuple[ModelSource, ...]
    pretrained: str
    trust: bool


@dataclass(frozen=True)
class TrainRequest(CompareRequest):
    """One training.

    Attributes:
        model: The model file or the transplanted checkpoint.
        pretrained: The checkpoint whose weights are loaded by name; empty for none.
        data: The file that describes the data.
        arguments: What is passed to every training besides.
        epochs: How many.
        seed: Of the weights, the order of the data, and what is drawn on the way.
        device: As ultralytics takes it.
    """

    model: str
    pretrained: str
    data: str
    arguments: Tuple[Tuple[str, Any], ...]
    epochs: int
    seed: int
    device: str


@dataclass(frozen=True)
class MeasureRequest(CompareRequest):
    """Models whose speed is measured, one after the other, again and again.

    Attributes:
        models: The models, each by its label and its file; the first is the base.
        size: The side of the images.
        batches: How many images at once.
        devices: Where, as torch names them.
        seconds: About how long each pair of a device and a batch may take.
    """

    models: Tuple[Tuple[str, str], ...]
    size: int
    batches: Tuple[int, ...]
    devices: Tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class DataFound:
    """The data of a comparison.

    Attributes:
        fingerprint: Changes with an image's name or size, and with anything in a label.
        images: How many there are to train on.
        validated: How many there are to validate on.
        classes: The names of the classes.
        gpus: How many GPUs this machine has that torch can use.
        batch: How many images a training takes at once.
        size: The side at which it takes them.
    """

    fingerprint: str
    images: int
    validated: int
    classes: Tuple[str, ...]
    gpus: int
    batch: int
    size: int


@dataclass(frozen=True)
class ModelPrepared:
    """A model that is ready to be trained.

    Attributes:
        label: What it is called.
        file: What is trained, below the folder of the comparison.
        parameters: How many it has.
        gflops: GFLOPs at 640 px as torch counts them; None where it can't.
        start: What it starts from.
        exact: Whether it computes at its start what the checkpoint computes; None where there is none.
        note: What else there is to say, in a sentence; mostly empty.
    """

    label: str
    file: str
    parameters: int
    gflops: Optional[float]
    start: Start
    exact: Optional[bool]
    note: str


@dataclass(frozen=True)
class ComparisonRefused:
    """Why a comparison can't be made.

    Attributes:
        message: What is wrong.
        found: What stands there.
        remedy: What to do about it.
    """

    message: str
    found: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class TrainingBegan:
    """A training that has its data and is about to begin an epoch, the first of which is 1."""

    epoch: int


@dataclass(frozen=True)
class EpochDone:
    """An epoch of a training; what is told later of the same epoch replaces what was told before.

    Attributes:
        epoch: Its number, from 1.
        figures: What its validation gave, by the name that upstream has for it.
        classes: mAP50-95 of each class, in the order of the classes; empty where upstream does not tell.
        finite: Whether its loss was a number.
        seconds: How long it took, validation included.
    """

    epoch: int
    figures: Tuple[Tuple[str, float], ...]
    classes: Tuple[float, ...]
    finite: bool
    seconds: float


@dataclass(frozen=True)
class TrainingDone:
    """The end of a training.

    Attributes:
        memory: The most memory it held, in bytes: of the GPU, or else of the process.
    """

    memory: int


@dataclass(frozen=True)
class SpeedMeasured:
    """How long a model took, in seconds for all images of a batch together, in each round."""

    label: str
    device: str
    batch: int
    seconds: Tuple[float, ...]
