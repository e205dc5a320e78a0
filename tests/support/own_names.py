"""Blocks under names of their own, where a release ships a class of that name: it is ours that is to be tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from a2patch.block import Block
from a2patch.transaction.blocks import ships
from a2patch.tree import tree


def own_names(package: Path, block: Block) -> Block:
    """Return a block whose classes that a package ships, and that no row of it can name, are imported as `OurX`.

    Args:
        package: The package folder, without the block.
        block: The block.
    """
    found = tree.find(package)
    classes = [
        replace(each, name=f"Our{each.name}", defined=each.name) if ships(found, each.name) else each
        for each in block.classes
    ]
    return replace(block, classes=tuple(classes))
