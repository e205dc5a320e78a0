"""Start the probes of a comparison: each a process of the tree's interpreter, on the device that it is given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from a2patch.protocol import Request
from a2patch.runner.process import ProbeProcess, environment, start_probe

CPU = "cpu"
# What a terminal would take for a command: colours, and the bars that are drawn over one another.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\t\n\x20-\x7e\xa0-\U0010ffff]")


@dataclass(frozen=True)
class Ending:
    """How a training's process ended.

    Attributes:
        text: In a sentence, with the last lines of its log.
        killed: Whether something outside ended it, so that another attempt may end otherwise.
    """

    text: str
    killed: bool


class Job(Protocol):
    """A training that was started."""

    def is_running(self) -> bool:
        """Return whether it still runs."""

    def stop(self) -> None:
        """End it if it runs."""

    def ending(self) -> Ending:
        """Return how it ended."""


@dataclass(frozen=True)
class Launch:
    """What starts a probe, here or on another machine.

    Attributes:
        interpreter: What runs it.
        home: Its folder, with the folders that it needs.
        request: What it is to do.
        variables: The environment to derive its own from.
        gpu: Whether it may see GPUs.
        temporary: A folder for temporary files, with a short name since sockets are made in it.
    """

    interpreter: Path
    home: Path
    request: Request
    variables: Mapping[str, str]
    gpu: bool
    temporary: Path

    def start(self) -> ProbeProcess:
        """Start it.

        Raises:
            ToolMissingError: The interpreter can't be run.
        """
        variables = environment(self.variables, self.home, gpu=self.gpu) | {"TMPDIR": str(self.temporary)}
        return start_probe(self.interpreter, self.home, self.request, variables, math.inf)


class LocalJob:
    """A training on this machine."""

    def __init__(self, launch: Launch) -> None:
        self._process = launch.start()

    def is_running(self) -> bool:
        """Return whether it still runs."""
        self._process.listen()  # what it is doing, for its ending
        return self._process.is_running()

    def stop(self) -> None:
        """End it if it runs."""
        self._process.stop()

    def ending(self) -> Ending:
        """Return how it ended."""
        return ending_of(self._process.close().ending)


def ending_of(ending: str) -> Ending:
    """Return how a probe ended, without what a terminal would not print."""
    text = ending.replace("The probe", "It", 1)
    lines = [_CONTROLS.sub("", line.rpartition("\r")[2]) for line in text.split("\n")]
    return Ending("\n".join(line.rstrip() for line in lines if line.strip()), " killed by signal " in lines[0])
