"""Have the figures of a report drawn by a probe."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from a2patch.block import ADDED, CLASSES, Block
from a2patch.graph import Comparison, Fault, Graph, compare
from a2patch.protocol import (
    NOT_ASKED,
    Attention,
    AttentionParts,
    FigureMissing,
    FiguresRequest,
    ImageUnreadable,
    Section,
    Sight,
    WiringDrawn,
)
from a2patch.runner.process import FREE_BYTES, ProbeRunner
from a2patch.runner.result import ProbeResult
from a2patch.runner.verdict import Verdict
from a2patch.runner.verify import Subject, request
from a2patch.runner.verify_block import block_request
from a2patch.tree import scratch_folder

SECTIONS: tuple[Section, ...] = get_args(Section)
"""The sections of a report that have figures, in order."""

DRAWN = SECTIONS[1:]
"""Those that a probe draws; the charts of costs need nothing but the costs."""

NO_MAPS = "the block declares no attention maps"
_AN_IMAGE = 60.0  # seconds, for the largest models
_OF_A_SECTION = (WiringDrawn, Sight, Attention, FigureMissing)


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
class Pictures:
    """All figures of a verdict, those that are missing, and the user's images that could not be read."""

    wiring: tuple[Wiring, ...] = ()
    sight: tuple[Sight, ...] = ()
    attention: tuple[Attention, ...] = ()
    missing: tuple[FigureMissing, ...] = ()
    unreadable: tuple[ImageUnreadable, ...] = ()


def take(
    package: Path,
    verdict: Verdict,
    notify: Callable[[str], None],
    environ: Mapping[str, str],
    *,
    only: Collection[str],
    subject: Subject | None = None,
    block: Block | None = None,
    known: Collection[Block] = (),
    images: Sequence[Path] = (),
    timeout: float = 300.0,
) -> Pictures:
    """Have the figures of a verdict drawn under the interpreter that it was found with.

    Nothing is raised for a figure that can't be drawn; it is among the missing.

    Args:
        package: The real path of the package folder.
        verdict: What was found.
        notify: Told, in a few words, what is being drawn.
        environ: The environment to derive the probe's from.
        only: The checks that were asked for; what they did not look at is not drawn.
        subject: The model that was tried; without one, those that the patch adds.
        block: The block that was tried, by models that the probe made.
        known: The other blocks of the tree, which a subject may have layers of.
        images: The user's photographs to draw over; none for the one that upstream ships.
        timeout: Seconds after which a probe that has not ended is taken for hung, besides those for each image.
    """
    declared = _attending([block] if block else known, with_own=block is None)
    reasons = {section: _pointless(section, verdict, only) for section in SECTIONS}
    if not declared:
        reasons["attention"] = reasons["attention"] or NO_MAPS
    missing = [FigureMissing(section, "", reason) for section, reason in reasons.items() if reason]
    wanted = [section for section in DRAWN if not reasons[section]]
    if not wanted:
        return Pictures(missing=tuple(missing))
    of_models = (
        block_request("figures", package, ["import"], block, verdict.base)
        if block
        else request("figures", package, ["import"], subject)
    )
    paths = tuple(map(str, images))
    asked = FiguresRequest(**vars(of_models), sections=tuple(wanted), attention=declared, images=paths)
    with scratch_folder("report", FREE_BYTES) as folder:
        runner = ProbeRunner(verdict.interpreter, folder, environ, notify, timeout + _AN_IMAGE * len(images))
        probe = runner.run([asked])["figures"]
    return Pictures(
        wiring=tuple(map(_wiring, probe.events_of(WiringDrawn))),
        sight=tuple(probe.events_of(Sight)),
        attention=tuple(probe.events_of(Attention)),
        missing=(*missing, *_cut_off(probe, wanted), *probe.events_of(FigureMissing)),
        unreadable=tuple(probe.events_of(ImageUnreadable)),
    )


def _attending(blocks: Collection[Block], *, with_own: bool) -> tuple[AttentionParts, ...]:
    """Return what is known of layers that attend: what blocks declare, and what Double Attention does."""
    own = (AttentionParts(CLASSES, ADDED.maps, ADDED.vectors),) if with_own else ()
    declaring = (block for block in blocks if block.maps)
    return (*own, *(AttentionParts(_in_models(block), block.maps, block.vectors) for block in declaring))


def _in_models(block: Block) -> tuple[str, ...]:
    """Return what the classes of a block are called in a model that was built."""
    return tuple(each.defined or each.name for each in block.classes)


def _pointless(section: Section, verdict: Verdict, only: Collection[str]) -> str:
    """Return why a section has nothing to draw; empty if it has."""
    if any(check.name == "import" and check.result != "pass" for check in verdict.checks):
        return "the tree can't be imported"
    if section == "cost":
        return "" if verdict.costs else NOT_ASKED if "train" not in only else verdict.note or "nothing was counted"
    return "" if ("wiring" if section == "wiring" else "sight") in only else NOT_ASKED


def _cut_off(probe: ProbeResult, wanted: Sequence[Section]) -> list[FigureMissing]:
    """Return what a probe left out that ended too soon: the rest of the section that it was at, and those after it."""
    if probe.done:
        return []
    drawn = [wanted.index(event.section) for event in probe.events if isinstance(event, _OF_A_SECTION)]
    first, *others = wanted[max(drawn, default=0) :]
    return [
        FigureMissing(first, "", probe.ending),
        *(FigureMissing(section, "", "drawing had ended before") for section in others),
    ]


def _wiring(drawn: WiringDrawn) -> Wiring:
    """Return a model beside its base, as graphs."""
    base = Graph(drawn.base_layers) if drawn.base else None
    return Wiring(drawn.model, Graph(drawn.layers), drawn.base, base, drawn.faults)
