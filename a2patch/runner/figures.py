"""The pictures of a report: what each shows, and how they are had from a probe."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2patch.graph import Comparison, Fault, Graph, Layer, compare
from a2patch.runner.process import Probe, Room
from a2patch.runner.verdict import NOT_ASKED, Verdict
from a2patch.runner.verify import Subject, request

SECTIONS = ("cost", "wiring", "sight", "attention")
"""The sections of a report that have pictures, in order."""

DRAWN = SECTIONS[1:]
"""Those whose pictures a probe draws; the charts of costs need nothing but the costs."""


@dataclass(frozen=True)
class Wiring:
    """A model beside its base.

    Attributes:
        model: The model.
        graph: Its layers.
        base: The model that it was compared with; empty if there is none.
        base_graph: The layers of that; None if there is none.
        faults: What is wrong with the model.
    """

    model: str
    graph: Graph
    base: str
    base_graph: Graph | None
    faults: tuple[Fault, ...]

    @property
    def compared(self) -> Comparison | None:
        """How the model differs from its base."""
        return compare(self.graph, self.base_graph) if self.base_graph else None


@dataclass(frozen=True)
class SightMap:
    """Where one map answered when a patch of the image was moved.

    Attributes:
        name: `layer 5`, or `input 0` of the head.
        answer: The largest change over the largest value.
        blind: Whether that is nothing.
        size: Its width and height.
        image: The changes as a data URI, from none to the largest, one pixel a position; none where it is blind.
    """

    name: str
    answer: float
    blind: bool
    size: tuple[int, int]
    image: str


@dataclass(frozen=True)
class Sight:
    """What a model saw of a patch that was moved.

    Attributes:
        model: The model.
        inputs: The image with the patch here, and with the patch there, as data URIs.
        maps: What answered.
    """

    model: str
    inputs: tuple[str, str]
    maps: tuple[SightMap, ...]


@dataclass(frozen=True)
class Shares:
    """One map over a photograph.

    Attributes:
        low: Its lowest share, an even one being 1.
        high: Its highest.
        even: Whether it is the same everywhere.
        image: It as a data URI, from the lowest to the highest, one pixel a position.
    """

    low: float
    high: float
    even: bool
    image: str


@dataclass(frozen=True)
class Attention:
    """Where one of our layers looks in a photograph.

    Attributes:
        model: The model.
        layer: The dotted name of the layer in it.
        fresh: Whether the model was never trained.
        photo: The photograph as a data URI.
        size: Its width and height.
        grid: The width and height of the maps.
        descriptors: How many descriptors the layer has.
        maps: Some of them: their numbers, the map that each gathers by, and the shares that it is handed out by.
    """

    model: str
    layer: str
    fresh: bool
    photo: str
    size: tuple[int, int]
    grid: tuple[int, int]
    descriptors: int
    maps: tuple[tuple[int, Shares, Shares], ...]


@dataclass(frozen=True)
class Missing:
    """Pictures that a report has not.

    Attributes:
        section: Of `SECTIONS`.
        model: The model that they would be of; empty where they would be of all.
        reason: Why they are missing.
    """

    section: str
    model: str
    reason: str


@dataclass(frozen=True)
class Pictures:
    """All pictures of a report."""

    wiring: tuple[Wiring, ...] = ()
    sight: tuple[Sight, ...] = ()
    attention: tuple[Attention, ...] = ()
    missing: tuple[Missing, ...] = ()


def take(
    package: Path,
    verdict: Verdict,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str],
    subject: Subject | None = None,
    timeout: float = 300.0,
) -> Pictures:
    """Have the pictures of a verdict drawn under the interpreter that it was found with.

    Nothing is raised for a picture that can't be drawn; it is among the missing.

    Args:
        package: The real path of the package folder.
        verdict: What was found.
        notify: Told, in a few words, what is being drawn.
        environ: The environment to derive the probe's from.
        only: The checks that were asked for; what they did not look at is not drawn.
        subject: The model that was tried; without one, those that the patch adds.
        timeout: Seconds after which a probe that has not ended is taken for hung.
    """
    skipped = {section: reason for section in SECTIONS if (reason := _pointless(section, verdict, only))}
    missing = [Missing(section, "", reason) for section, reason in skipped.items()]
    wanted = [section for section in DRAWN if section not in skipped]
    if not wanted:
        return Pictures(missing=tuple(missing))
    asked = request("pictures", package, ["import"], subject) | {"sections": wanted}
    with tempfile.TemporaryDirectory(prefix="a2patch-report-", ignore_cleanup_errors=True) as folder:
        (probe,) = Room(verdict.interpreter, Path(os.path.realpath(folder)), environ, notify, timeout).run(asked)
        if not probe.done:
            missing += _cut_off(probe, wanted)
    return _collected(probe, missing)


def _pointless(section: str, verdict: Verdict, only: Collection[str]) -> str:
    """Return why a section has nothing to draw; empty if it has."""
    if any(check.name == "import" and check.result != "pass" for check in verdict.checks):
        return "the tree can't be imported"
    if section == "cost":
        return "" if verdict.costs else NOT_ASKED if "train" not in only else verdict.note or "nothing was counted"
    return "" if ("wiring" if section == "wiring" else "sight") in only else NOT_ASKED


def _cut_off(probe: Probe, wanted: Sequence[str]) -> list[Missing]:
    """Return what a probe left out that ended too soon: the rest of the section that it was at, and those after it."""
    drawn = [wanted.index(event["section"]) for event in (*probe.pictures, *probe.unpictured)]
    first, *others = wanted[max(drawn, default=0) :]
    return [Missing(first, "", probe.end()), *(Missing(section, "", "drawing had ended before") for section in others)]


def _collected(probe: Probe, missing: Sequence[Missing]) -> Pictures:
    """Return what a probe drew."""

    def of(section: str) -> list[dict[str, Any]]:
        return [picture for picture in probe.pictures if picture["section"] == section]

    return Pictures(
        wiring=tuple(map(_wiring, of("wiring"))),
        sight=tuple(map(_sight, of("sight"))),
        attention=tuple(map(_attention, of("attention"))),
        missing=(*missing, *(Missing(**reason) for reason in probe.unpictured)),
    )


def _wiring(drawn: Mapping[str, Any]) -> Wiring:
    base = _graph(drawn["base_layers"]) if drawn["base"] else None
    faults = tuple(Fault(**fault) for fault in drawn["faults"])
    return Wiring(drawn["model"], _graph(drawn["layers"]), drawn["base"], base, faults)


def _graph(layers: Sequence[Mapping[str, Any]]) -> Graph:
    lists = ("sources", "written", "args")
    return Graph(tuple(Layer(**{**layer, **{name: tuple(layer[name]) for name in lists}}) for layer in layers))


def _sight(drawn: Mapping[str, Any]) -> Sight:
    here, there = drawn["inputs"]
    maps = (SightMap(**{**seen, "size": tuple(seen["size"])}) for seen in drawn["maps"])
    return Sight(drawn["model"], (here, there), tuple(maps))


def _attention(drawn: Mapping[str, Any]) -> Attention:
    given = {name: value for name, value in drawn.items() if name != "section"}
    maps = tuple((m["descriptor"], Shares(**m["gather"]), Shares(**m["distribute"])) for m in drawn["maps"])
    return Attention(**{**given, "size": tuple(drawn["size"]), "grid": tuple(drawn["grid"]), "maps": maps})
