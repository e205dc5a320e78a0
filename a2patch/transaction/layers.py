"""A layer: a block that was put into a tree on top of what was there, as the receipt keeps it."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from a2patch.block import (
    CLASSES,
    MODULE,
    RULES,
    Addition,
    Block,
    BlockClass,
    addition,
    imports_siblings,
    is_module_name,
    is_part,
    reread,
)
from a2patch.errors import BlockError
from a2patch.patch import Diff, split_lines
from a2patch.transaction import packing
from a2patch.tree import Tree, naming


@dataclass(frozen=True)
class Layer:
    """A block in a tree.

    Attributes:
        block: The block, every rule of which is known.
        diffs: What was done for it, in order: module, init and tasks; only the last where upstream ships its classes.
    """

    block: Block
    diffs: tuple[Diff, ...]

    @cached_property
    def added(self) -> Addition:
        """What the edits of `nn/tasks.py` put in."""
        return addition(self.block, last=imports_siblings(self.block.source))

    @cached_property
    def own(self) -> Block:
        """The block without the classes that upstream ships: those that its diff of the modules does not name."""
        lines = b"\n".join(
            line
            for diff in self.diffs
            for file in diff.files
            for hunk in file.hunks
            for sign, line in hunk.lines
            if diff.site == "init" and sign == b"+"
        )
        named = [each for each in self.block.classes if naming([each.name]).search(lines)]
        return Block(self.block.name, self.block.source, tuple(named))

    @property
    def paths(self) -> list[str]:
        """The files that it changes or adds."""
        return [file.path for diff in self.diffs for file in diff.files]

    def encode(self) -> dict[str, Any]:
        """Return it as a receipt has it."""
        classes = [
            {"name": each.name, "defined": each.defined, "rule": each.rule.name if each.rule else "", "args": each.args}
            for each in self.block.classes
        ]
        parts = {"maps": self.block.maps, "vectors": self.block.vectors}
        return {
            "name": self.block.name,
            "title": self.block.title,
            "use": self.block.use,
            "paper": self.block.paper,
            "source": packing.packed({"": self.block.source})[""],
            "classes": classes,
            **({"attention": parts} if self.block.maps else {}),
            **({"reference": packing.packed({"": self.block.reference})[""]} if self.block.reference else {}),
            "diffs": [packing.packed_diff(diff) for diff in self.diffs],
        }


def decode(tree: Tree, entries: Sequence[Any]) -> tuple[Layer, ...]:
    """Read the layers of a receipt.

    Raises:
        ValueError: They are not as a2patch writes them.
    """
    layers = tuple(_layer(tree, entry) for entry in entries)
    names = [layer.block.name for layer in layers] + [MODULE]
    classes = [name for layer in layers for name in layer.block.names()] + [*CLASSES]
    for all_of_them in (names, classes):
        if twice := sorted({name for name in all_of_them if all_of_them.count(name) > 1}):
            raise ValueError(f"it names {twice[0]} twice")
    return layers


def _layer(tree: Tree, entry: dict[str, Any]) -> Layer:
    name, title, use, paper = (packing.of(str, entry[key]) for key in ("name", "title", "use", "paper"))
    source = packing.unpacked(entry["source"])
    if not is_module_name(name):
        raise ValueError(f"it names a module {name!r}")
    try:
        reread(name, source)
    except BlockError as error:
        raise ValueError(f"it has a block that is none: {error.message}") from error
    classes = tuple(_class(each) for each in entry["classes"])
    if not classes:
        raise ValueError(f"its block {name} has no class")
    attention = _attention(packing.of(dict, entry.get("attention", {})))
    reference = packing.unpacked(entry["reference"]) if "reference" in entry else b""
    block = Block(name, source, classes, title, use, paper, *attention, reference)
    layer = Layer(block, ())
    diffs = tuple(packing.diff(tree, each, layer.added) for each in entry["diffs"])
    if [diff.site for diff in diffs] not in (["module", "init", "tasks"], ["tasks"]):
        raise ValueError(f"its block {name} has not the diffs that one has")
    if any(len(diff.files) != 1 for diff in diffs):
        raise ValueError(f"a diff of its block {name} is not of one file")
    created = [file.content for diff in diffs if diff.site == "module" for file in diff.files]
    if any(_lines(content) != _lines(source) for content in created):
        raise ValueError(f"its block {name} adds another file than its own")
    return Layer(block, diffs)


def _attention(entry: dict[str, Any]) -> tuple[str, str]:
    """Return the parts that attention maps and vectors are taken from; empty where the block declares none."""
    maps, vectors = (packing.of(str, entry.get(key, "")) for key in ("maps", "vectors"))
    if not all(is_part(part) for part in (maps, vectors) if part):
        raise ValueError("its attention maps are of what is no part of a layer")
    return maps, vectors


def _class(entry: dict[str, Any]) -> BlockClass:
    name, defined, rule = (packing.of(str, entry[key]) for key in ("name", "defined", "rule"))
    if not name.isidentifier() or keyword.iskeyword(name) or (defined and not defined.isidentifier()):
        raise ValueError(f"it names a class {name!r}")
    args = packing.of(list, entry["args"])
    if not all(isinstance(value, str | int | float | bool | type(None)) for value in args):
        raise ValueError(f"the arguments of its class {name} are no plain values")
    return BlockClass(name, RULES[rule], tuple(args), defined)


def _lines(content: bytes) -> list[bytes]:
    return [line.rstrip(b"\r\n") for line in split_lines(content)]
