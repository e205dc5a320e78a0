"""The blocks that come with a2patch, read from their folders when they are asked for."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

from a2patch.block.definition import RULES, Block, BlockClass
from a2patch.block.folder import folder

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@lru_cache(maxsize=1)
def bundled() -> dict[str, Block]:
    """Return the blocks that come with a2patch besides Double Attention, by name."""
    found = sorted(folder().glob("*/block.toml"))
    return {block.name: block for block in map(_load, found)}


def reference(block: Block) -> Path | None:
    """Return the formula of a block that comes with a2patch and that is as it came; None of any other."""
    mine = bundled().get(block.name)
    path = folder() / block.name / "reference.py"
    return path if mine and mine.source == block.source and path.is_file() else None


def _load(description: Path) -> Block:
    told = tomllib.loads(description.read_text("utf-8"))
    classes = tuple(
        BlockClass(name, RULES[each["row"]], tuple(each.get("args", ()))) for name, each in told["classes"].items()
    )
    source = description.with_name(told["file"]).read_bytes()
    return Block(told["name"], source, classes, told["title"], told["use"], told["paper"]["url"])
