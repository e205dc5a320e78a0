"""Put blocks into a tree, one upon the other; in memory, nothing is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from a2patch.block import Addition, Block, BlockClass, addition, class_named, imports_siblings
from a2patch.errors import A2PatchError, ConflictError
from a2patch.patch import (
    AnchorError,
    Diff,
    Misfit,
    Site,
    block_diff,
    explain,
    fit,
    names_bound,
    plan_diffs,
    taken_names,
    why_broken,
)
from a2patch.transaction.layers import Layer
from a2patch.transaction.peeling import laid
from a2patch.tree import Tree, find_files, naming

_SHOWN = 8  # of the places of a name; a class such as Conv has a hundred


def put_in(tree: Tree, wanted: Sequence[Block]) -> tuple[Tree, tuple[Layer, ...]]:
    """Put blocks into a tree that has none, one upon the other.

    Args:
        tree: The tree.
        wanted: The blocks, every rule of which is known.

    Returns:
        The tree with them, and what was done for each.

    Raises:
        ConflictError: One has no place, or a name of it is taken.
    """
    layers = []
    for block in wanted:
        tree, layer = _put_one(tree, block)
        layers.append(layer)
    return tree, tuple(layers)


def ships(tree: Tree, name: str) -> bool:
    """Return whether a tree has a class among its modules that no row can name, since `nn/tasks.py` lacks it."""
    modules = tree.read("nn/modules/__init__.py") or tree.read("nn/modules.py") or b""
    tasks = tree.read("nn/tasks.py") or b""
    return name in names_bound(modules) and not naming([name]).search(tasks)


def shipped(tree: Tree, name: str) -> BlockClass | None:
    """Return a class that a tree has and no row can name, with what the names of its parameters tell; else None."""
    found = _home(tree, name) if ships(tree, name) else None
    return found[1] if found else None


def as_tried(tree: Tree, layer: Layer) -> tuple[tuple[str, Block], ...]:
    """Return a block as a tree has it, each part with what to call it: its own classes, and those that are upstream's.

    Args:
        tree: The tree, with the block in it.
        layer: The block.
    """
    block, own = layer.block, layer.own.names()
    mine = tuple(each for each in block.classes if each.name in own)
    parts = [(block.name, replace(block, classes=mine))] if mine else []
    for each in block.classes:
        if each.name not in own and (found := _home(tree, each.name, besides=block.name)):
            name = f"{block.name}: upstream's {each.name}" if parts else block.name
            parts.append((name, Block(found[0], b"", (each,))))
    return tuple(parts)


def _home(tree: Tree, name: str, besides: str = "") -> tuple[str, BlockClass] | None:
    """Return the module of upstream that defines a class, and the class.

    Args:
        tree: The tree.
        name: The name of the class.
        besides: A module that is not upstream's.
    """
    inside = [f"nn/modules/{place.name}" for place in find_files(tree.package / "nn/modules", "*.py")]
    sources = {PurePosixPath(path).stem: tree.read(path) or b"" for path in ("nn/modules.py", *inside)}
    for module, source in sources.items():
        told = b"class " + name.encode() in source and module != besides
        if told and (found := class_named(Block("", source, ()), name)):
            return module, found
    return None


def _put_one(tree: Tree, block: Block) -> tuple[Tree, Layer]:
    """Put one block into a tree, upon what is there."""
    own = tuple(each for each in block.classes if each.defined or not ships(tree, each.name))
    last = imports_siblings(block.source)
    added, mine = addition(block, last=last), addition(replace(block, classes=own), last=last)
    if own and (taken := taken_names(tree, mine, (), [f"nn/modules/{block.name}.py"])):
        raise _taken(tree, mine, taken)
    sites: tuple[Site, ...] = ("module", "init", "tasks") if own else ("tasks",)
    diffs = []
    for site in sites:
        diff = _made(tree, block, site, added if site == "tasks" else mine)
        change = plan_diffs(tree.read, [diff]).changes[0]
        if fault := why_broken(change.path, change.after or b"", added if site == "tasks" else mine):
            raise _unfit(tree, block, f"{change.path}: the patched file would not work: {fault}")
        tree = laid(tree, change.path, change.after)
        diffs.append(diff)
    return tree, Layer(block, tuple(diffs))


def _taken(tree: Tree, added: Addition, taken: Sequence[str]) -> ConflictError:
    """Return what to say of names that are taken: by others, or by the block itself, of which no receipt tells."""
    exports = tree.read("nn/modules/__init__.py") or tree.read("nn/modules.py") or b""
    if added.statement.encode() in exports:
        return ConflictError(
            f"the tree has {added.module} already, not as a2patch puts it in, and no receipt tells what is whose",
            path=tree.package,
            found=_listed(taken),
            remedy="Nothing was written. Take these lines out by hand, and the module file; or reinstall the release. "
            "Then try again.",
        )
    return ConflictError(
        f"the tree already uses a name that {added.module} brings",
        path=tree.package,
        found=_listed(taken),
        remedy="Nothing was written. Import a class under another name with --as NEW=OLD, rename the file where "
        "its name is taken, or take these out by hand.",
    )


def _listed(taken: Sequence[str]) -> str:
    """Return the places of names that are taken: where classes are defined first, and not all of many."""
    ordered = sorted(taken, key=lambda line: not re.search(r":\d+ class ", line))
    more = len(ordered) - _SHOWN
    return "\n".join((*ordered[:_SHOWN], *([f"and {more} more places"] if more > 0 else [])))


def _made(tree: Tree, block: Block, site: Site, added: Addition) -> Diff:
    try:
        diff = block_diff(site, tree.read, added, block.source, tree.version)
    except (AnchorError, RecursionError) as error:
        raise _unfit(tree, block, f"{site}: {error}") from error
    fitted = diff if site == "module" else fit(diff, tree.read)  # a module file keeps its bytes
    if isinstance(fitted, Misfit):
        raise _unfit(tree, block, "\n".join(explain(site, fitted)))
    return fitted


def _unfit(tree: Tree, block: Block, why: str) -> A2PatchError:
    return ConflictError(
        f"this tree has no place for {block.name}",
        path=tree.package,
        found=why,
        remedy="Nothing was written. Undo the edits named above and try again, or paste what is missing by hand.",
    )
