"""What came of every release: kept by ranges in `compatibility.json`, told in the table of `COMPATIBILITY.md`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from a2patch import block
from a2patch.graph import at_scale
from a2patch.patch import SITES

MODELS = ("yolov8n.yaml", "yolov8n_A2.yaml", "yolov8n_DANet.yaml")
LATER = tuple(at_scale(model.name, "n") for model in block.LATER)
"""The models of ours for the families that not every release has."""

_HEAD = """| releases | how many | module | init | tasks | cfg | yolov8n | A2 | DANet | 11n A2 | 26n A2 | result |
|---|---|---|---|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Trial:
    """What came of one release.

    Attributes:
        release: The release.
        diffs: The diff of each site that was chosen.
        patched: Whether it was patched, statically checked, and reverted to the byte.
        parameters: Parameters of each model that was built and run once.
        fault: What went wrong with the patch; empty if nothing did.
        upstream: What goes wrong without the patch; empty if nothing does.
        blocks: Parameters of a model with each of two other blocks, which were put in, built, run and taken out again.
    """

    release: str
    diffs: dict[str, str]
    patched: bool
    parameters: dict[str, int]
    fault: str = ""
    upstream: str = ""
    blocks: dict[str, int] = field(default_factory=dict, compare=False)  # what older runs did not try

    @property
    def result(self) -> dict[str, Any]:
        """All but the release."""
        result = asdict(self)
        del result["release"]
        if not self.blocks:
            del result["blocks"]
        return result


def load(place: Path) -> tuple[str, list[Trial]]:
    """Read what was recorded, and the fingerprint of the diffs and the code that it was recorded with."""
    document = json.loads(place.read_text("utf-8"))
    return document["of"], [
        Trial(release, **each["result"]) for each in document["ranges"] for release in expand(each["releases"])
    ]


def save(place: Path, of: str, trials: Iterable[Trial]) -> None:
    """Record what was found.

    Args:
        place: The file to write.
        of: The fingerprint of the diffs and the code that were tried.
        trials: The trials in the order of their releases.
    """
    found = [
        {"releases": compact(trial.release for trial in each), "count": len(each), "result": each[0].result}
        for each in ranges(trials)
    ]
    lines = ",\n".join("  " + json.dumps(each) for each in found)
    place.write_text(f'{{\n "of": "{of}",\n "ranges": [\n{lines}\n ]\n}}\n', "utf-8")


def ranges(trials: Iterable[Trial]) -> list[list[Trial]]:
    """Put neighbours together of which the same came."""
    return [list(group) for _, group in groupby(trials, key=lambda trial: trial.result)]


def compact(releases: Iterable[str]) -> str:
    """Write `8.0.239 8.1.0-8.1.13` for releases whose last numbers follow each other."""
    runs: list[list[str]] = []
    for release in releases:
        if runs and release == _next(runs[-1][-1]):
            runs[-1].append(release)
        else:
            runs.append([release])
    return " ".join("-".join(dict.fromkeys((run[0], run[-1]))) for run in runs)


def expand(text: str) -> list[str]:
    """Return the releases that `compact` has written."""
    found = []
    for run in text.split():
        first, _, last = run.partition("-")
        found.append(first)
        while last and found[-1] != last:
            found.append(_next(found[-1]))
    return found


def table(trials: Iterable[Trial]) -> str:
    """Return the trials as a table, a line a range."""
    return _HEAD + "".join(map(_line, ranges(trials)))


def _next(release: str) -> str:
    front, _, last = release.rpartition(".")
    return f"{front}.{int(last) + 1}" if last.isdigit() else ""


def _line(trials: list[Trial]) -> str:
    first, last = trials[0], trials[-1]
    names = first.release if first is last else f"{first.release} to {last.release}"
    result = first.fault or (f"broken on its own: {first.upstream}" if first.upstream else "works")
    cells = [first.diffs.get(site, "").partition("/")[2] for site in SITES]
    figures = [f"{first.parameters[model]:,}" if model in first.parameters else "" for model in (*MODELS, *LATER)]
    return f"| {names} | {len(trials)} | {' | '.join([*cells, *figures])} | {result} |\n"
