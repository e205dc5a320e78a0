"""What a command asks to compare, and what with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Asked:
    """What a command asks for.

    Attributes:
        folder: Where the comparison is kept.
        data: The data set, as `data=` of ultralytics takes it.
        base: The model that the others are compared with.
        others: The others.
        control: Whether the control is wanted.
        seeds: How many trainings of each model.
        epochs: How many epochs of each.
        arguments: What is passed to every training besides, `name=value`.
        pretrained: The checkpoint to start from.
        trust: Whether that may be loaded without restriction.
        devices: The devices that trainings are dealt to; none for those that are there.
        jobs: How many trainings at once; None for one a device.
        command: The command as it was given.
        address: Of the Ray cluster that makes the trainings; empty for this machine.
    """

    folder: Path
    data: str
    base: str
    others: tuple[str, ...]
    control: bool
    seeds: int
    epochs: int
    arguments: tuple[str, ...]
    pretrained: Path | None
    trust: bool
    devices: tuple[str, ...]
    jobs: int | None
    command: tuple[str, ...]
    address: str = ""


@dataclass(frozen=True)
class Under:
    """What a comparison is made with.

    Attributes:
        package: The real path of the package folder.
        interpreter: The Python that the package belongs to.
        variables: The environment to derive those of the probes from.
        cwd: The folder that the command was given in.
    """

    package: Path
    interpreter: Path
    variables: Mapping[str, str]
    cwd: Path
