"""The blocks that come with a2patch, read from their folders when they are asked for."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from a2patch.block.definition import RULES, Block, BlockClass, is_part
from a2patch.block.double_attention import CLASSES, MODULE
from a2patch.block.folder import folder
from a2patch.block.module_file import defined_classes, is_module_name, read_module_file, read_source
from a2patch.errors import BlockError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@lru_cache(maxsize=1)
def bundled() -> dict[str, Block]:
    """Return the blocks that come with a2patch besides Double Attention, by name."""
    found = sorted(folder().glob("*/block.toml"))
    return {block.name: block for block in map(load_folder, (place.parent for place in found))}


def commands() -> dict[str, str]:
    """Return the command that brings each class and each module that comes with a2patch, by its name."""
    own = dict.fromkeys((*CLASSES, MODULE), "a2patch apply")
    others = ((block.name, name) for block in bundled().values() for name in (*block.names(), block.name))
    return own | {name: f"a2patch apply {block}" for block, name in others}


def bringing(lacking: Iterable[str]) -> str:
    """Return the commands that bring what a tree lacks, as part of a sentence; empty if none brings any of it.

    Args:
        lacking: Classes as rows name them, or with their modules, as saved models do.
    """
    brought = commands()
    parts = (name.split(".") for name in lacking)
    found = (brought.get(each[0] if len(each) == 1 else each[-2]) for each in parts)
    return " and ".join(f"`{command}`" for command in sorted(set(filter(None, found))))


def called(kinds: Iterable[str]) -> str:
    """Return what to call some layers of blocks in a sentence, by their classes."""
    names = dict.fromkeys("double attention" if kind in CLASSES else kind for kind in kinds)
    return " and ".join(names)


def load_folder(folder: Path) -> Block:
    """Read the block of a folder with a `block.toml`.

    Raises:
        BlockError: It is none.
    """
    description = folder / "block.toml"
    try:
        told = tomllib.loads(description.read_text("utf-8"))
        classes = tuple(
            BlockClass(name, RULES[each["row"]], tuple(each.get("args", ()))) for name, each in told["classes"].items()
        )
        source, name = read_module_file(description.with_name(told["file"])), str(told["name"])
        maps, vectors = _attention(told.get("attention", {}))
        reference = _reference(description.with_name("reference.py"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise BlockError(
            "this folder has no block.toml that describes a block",
            path=description,
            found=f"{type(error).__name__}: {error}",
            remedy="Name the module file itself; or write name, file and a table [classes.NAME] with row and args.",
        ) from error
    if missing := sorted({each.name for each in classes} - defined_classes(source.source)):
        raise BlockError(
            "the module file does not define a class that block.toml names",
            path=description,
            found=", ".join(missing),
            remedy="Correct the names under [classes].",
        )
    if not is_module_name(name):
        raise BlockError("a module can't have that name", path=description, found=name, remedy="Change `name`.")
    paper = told.get("paper", {})
    url = str(paper.get("url", "")) if isinstance(paper, dict) else ""
    title, use = str(told.get("title", "")), str(told.get("use", ""))
    return Block(name, source.source, classes, title, use, url, maps, vectors, reference)


def _reference(path: Path) -> bytes:
    """Return the file with the formula of a block; empty where there is none.

    Raises:
        ValueError: It does not define what it must.
        OSError: It can't be read.
    """
    if not path.exists():
        return b""
    content = read_source(path)
    functions = [node.name for node in ast.parse(content).body if isinstance(node, ast.FunctionDef)]
    if "reference" not in functions:
        raise ValueError(f"{path.name} defines no function reference(module, x)")
    return content


def _attention(table: dict[str, object]) -> tuple[str, str]:
    """Return the parts that attention maps are taken from, and the vectors; empty where a block declares none.

    Raises:
        ValueError: They are not declared as they can be.
    """
    maps, vectors = table.get("maps", ""), table.get("vectors", "")
    if unknown := sorted(set(table) - {"maps", "vectors"}):
        raise ValueError(f"[attention] has no key {unknown[0]}; it has maps and vectors")
    if not (isinstance(maps, str) and isinstance(vectors, str)):
        raise ValueError("maps and vectors of [attention] are names")
    for part in filter(None, (maps, vectors)):
        if not is_part(part):
            raise ValueError(f"[attention] names {part!r}, which is no attribute of a layer")
    if table and not maps:
        raise ValueError("[attention] tells of no maps")
    return maps, vectors
