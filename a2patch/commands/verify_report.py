"""Write the page of a report: what `a2patch verify` found, with pictures."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from a2patch.block import CLASSES, Block
from a2patch.commands.options import survey
from a2patch.console import Console, progress
from a2patch.protocol import command_line

if TYPE_CHECKING:
    from a2patch.report import html
    from a2patch.runner import Photographs, Subject, Verdict
    from a2patch.tree import Surroundings, Tree


@dataclass(frozen=True)
class Tried:
    """What was tried.

    Attributes:
        name: What to call it: a block, or the user's model.
        verdict: What came out.
        block: The block; None for Double Attention, and for the user's model.
    """

    name: str
    verdict: Verdict
    block: Block | None = None


@dataclass(frozen=True)
class Order:
    """What a report is to be of.

    Attributes:
        tree: The tree.
        around: What the command is run in.
        only: The checks that were asked for.
        subject: The user's model; None if the tree was tried.
        photographs: The user's images to draw over.
    """

    tree: Tree
    around: Surroundings
    only: Collection[str]
    subject: Subject | None
    photographs: Photographs | None


def write_report(console: Console, target: Path, tried: Sequence[Tried], order: Order) -> None:
    """Have the pictures of all that was tried drawn, and write them as one page.

    Args:
        console: Where to say it.
        target: Where `html_file.claim` said that it can be written.
        tried: What was tried.
        order: What the report is to be of.
    """
    from datetime import datetime

    from a2patch.report import html, html_file

    seen = survey(console, order.tree)
    blocks = [one.layer.block for one in seen.layers]
    parts = [_drawn(one, order, blocks) for one in tried]
    origin = html.Origin(
        command=command_line(["a2patch", *sys.argv[1:]]),
        made=f"{datetime.now().astimezone():%Y-%m-%d %H:%M %z}",
        tree=str(order.tree.package),
        model=str(order.subject.file) if order.subject else "",
        photographs=order.photographs,
    )
    html_file.write(target, html.page(parts, origin))
    console.document["report"] = str(target)
    if order.photographs:
        _tell_images(console, order.photographs, parts)
    console.lines(["", f"report   {target}"])


def _drawn(one: Tried, order: Order, blocks: Collection[Block]) -> html.Part:
    """Have the pictures of one thing that was tried drawn."""
    from a2patch.report import html
    from a2patch.runner import figures

    with progress() as notify:
        pictures = figures.take(
            order.tree.package,
            one.verdict,
            notify,
            order.around.variables,
            only=order.only,
            subject=order.subject,
            block=one.block,
            known=blocks,
            images=order.photographs.taken if order.photographs else (),
        )
    tree_classes = order.subject.classes if order.subject else CLASSES
    return html.Part(one.name, one.verdict, pictures, one.block.names() if one.block else tree_classes)


def _tell_images(console: Console, found: Photographs, parts: Sequence[html.Part]) -> None:
    """Say which of the user's images were taken, and why the others were not."""
    from a2patch.runner import MOST_PHOTOGRAPHS

    unreadable = {each.path: each.reason for part in parts for each in part.pictures.unreadable}
    taken = [str(path) for path in found.taken if str(path) not in unreadable]
    left_out = [*found.left_out, *unreadable.items()]
    console.document["images"] = {
        "taken": taken,
        "left_out": [{"path": path, "reason": reason} for path, reason in left_out],
        "beyond": found.beyond,
    }
    bound = f"; a report is drawn over {MOST_PHOTOGRAPHS} at most" if found.beyond else ""
    told = [f"         {path}: {reason}" for path, reason in left_out]
    console.lines(["", f"images   {len(taken)} of {found.count} taken{bound}", *told])
