"""Know blocks again in a tree whose receipt is lost: those that a2patch, given the tree without them, would put in so.

The tree without a block is made by taking out the lines that it adds. Whether these are its lines is not guessed: put
in again, the block must give the very bytes that are there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from a2patch.block import RULES, Block, addition, bundled, gated, imports_siblings
from a2patch.errors import A2PatchError, BlockError
from a2patch.patch import AnchorError, Diff, Site, block_diff, split_lines
from a2patch.transaction import blocks, record
from a2patch.transaction.files import IGNORE, RECEIPT
from a2patch.transaction.layers import Layer
from a2patch.transaction.peeling import laid
from a2patch.transaction.receipt import Receipt
from a2patch.tree import Tree

_SITES: tuple[Site, ...] = ("init", "tasks")


def recognized(tree: Tree, known: Sequence[Block] = ()) -> tuple[Layer, ...]:
    """Return the blocks that a tree without a receipt has, in the order in which they were put in.

    Args:
        tree: The tree.
        known: Blocks to look for, besides those that come with a2patch.
    """
    branches = b" ".join(re.findall(rb"\bm (?:is|in) (.*):", tree.read("nn/tasks.py") or b""))
    named = set(re.findall(r"\w+", branches.decode("utf-8", "replace")))
    there = [each for each in _candidates(known) if named.issuperset(each.names()) and _is_file(tree, each)]
    wanted = sorted(there, key=lambda each: _place(tree, each))
    found: list[Layer] = []
    while taken := next((each for block in wanted if (each := _taken_off(tree, block))), None):
        tree, layer = taken
        found.append(layer)
        wanted = [block for block in wanted if block.name != layer.block.name]
    return tuple(reversed(found))


def rebuilt(tree: Tree, layers: Sequence[Layer], bare: Mapping[str, bytes | None]) -> Receipt:
    """Return what the receipt that is lost would say, as far as the bytes tell.

    Args:
        tree: The tree.
        layers: The blocks that were known again.
        bare: The bytes that the files of the patch and of the blocks had before; None for one that was not there.
    """
    found = {}
    for path in record.records(tree):
        listed, name = tree.read(path) or b"", tree.package.name
        there = {file: tree.read(file) for file in bare}
        strange = {entry.path for entry in record.entries(listed, there, (), name)}  # not listed as a2patch lists it
        before = {file: content for file, content in bare.items() if file not in strange}
        entries = record.entries(listed, {**before, IGNORE: None, RECEIPT: None}, (), name)
        found[path] = tuple(entry.reversed() for entry in entries)
    return Receipt("", tree.version, (), records=found, blocks=tuple(layers))


def _place(tree: Tree, block: Block) -> int:
    """Return a number that is the smaller, the later a block seems to have been put in: its branch stands lower."""
    return -(tree.read("nn/tasks.py") or b"").rfind(addition(block, last=False).branches[-1].test.encode())


def _candidates(known: Sequence[Block]) -> list[Block]:
    """Return the blocks to look for: each by every rule that it may have been put in by, and each with twins."""
    given = [replaced for block in known for replaced in (block, *_by_other_rules(block))]
    found = []
    for block in (*given, *bundled().values()):
        if all(each.rule for each in block.classes):
            found.append(block)
            with suppress(BlockError):  # no class of it keeps the channels
                found.append(gated(block))
    return found


def _by_other_rules(block: Block) -> list[Block]:
    """Return a block with each rule for all of its classes: what a user told with `--row`, no file tells."""
    return [
        replace(block, classes=tuple(replace(each, rule=rule) for each in block.classes)) for rule in RULES.values()
    ]


def _is_file(tree: Tree, block: Block) -> bool:
    """Return whether the module file of a tree is a block's; one that upstream ships has none."""
    content = tree.read(_module_path(tree, block))
    return content is None or _lines(content) == _lines(block.source)


def _taken_off(tree: Tree, block: Block) -> tuple[Tree, Layer] | None:
    """Return a tree without a block, and what was done for it; None where it is not there as a2patch puts it in."""
    added = addition(block, last=imports_siblings(block.source))
    module, content = _module_path(tree, block), tree.read(_module_path(tree, block))
    bare = laid(tree, module, None) if content is not None else tree
    for site in _SITES if content is not None else _SITES[1:]:
        try:
            again = block_diff(site, tree.read, added, block.source, tree.version)
        except (AnchorError, RecursionError):
            return None
        path = again.files[0].path
        without = _without(again, tree.read(path) or b"")
        if without is None:
            return None
        bare = laid(bare, path, without)
    if content is None and not all(blocks.shipped(bare, name) for name in block.names()):
        return None  # its file is gone, which only a class of upstream can do without
    try:
        whole, (layer,) = blocks.put_in(bare, [block])
    except A2PatchError:
        return None
    same = all(whole.read(path) == tree.read(path) for path in {*layer.paths, module})
    return (bare, layer) if same else None


def _without(again: Diff, content: bytes) -> bytes | None:
    """Return a file without the lines that a diff would add once more; None where they are not there just once."""
    lines = split_lines(content)
    for hunk in again.files[0].hunks:
        new, old = ([line.rstrip(b"\r\n") for sign, line in hunk.lines if sign == kind] for kind in (b"+", b"-"))
        plain = [line.rstrip(b"\r\n") for line in lines]
        if old:  # what is added stands in a line with others
            if len(old) != 1 or len(new) != 1 or plain.count(old[0]) != 1:
                return None
            at = plain.index(old[0])
            bare = _shorter(old[0], new[0])
            if bare is None:
                return None
            lines[at] = bare + lines[at][len(old[0]) :]
            continue
        places = [at for at in range(len(plain)) if plain[at : at + len(new)] == new]
        if len(places) != 1:
            return None
        del lines[places[0] : places[0] + len(new)]
    return b"".join(lines)


def _shorter(line: bytes, longer: bytes) -> bytes | None:
    """Return a line without what a longer one has twice, side by side."""
    more = len(longer) - len(line)
    at = next((at for at in range(len(line)) if line[at] != longer[at]), len(line))
    for start in range(max(0, at - more), at + 1):
        piece = longer[start : start + more]
        if longer[start + more :] == line[start:] and line[start : start + more] == piece:
            return line[:start] + line[start + more :]
    return None


def _module_path(tree: Tree, block: Block) -> str:
    folder = "nn" if tree.read("nn/modules/__init__.py") is None else "nn/modules"
    return f"{folder}/{block.name}.py"


def _lines(content: bytes) -> list[bytes]:
    return [line.rstrip(b"\r\n") for line in split_lines(content)]
