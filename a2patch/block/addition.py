"""What the edits of a tree's own files put in for a block: its names, and the branches of `parse_model` for them."""

from __future__ import annotations

from dataclasses import dataclass

from a2patch.block.definition import Block, RowRule


@dataclass(frozen=True)
class Branch:
    """A branch of `parse_model`'s chain: the classes that it is for, and what is done with a row of theirs.

    Attributes:
        classes: The classes.
        lines: Its lines, a tab for each step of indentation; `{width}` stands for the factor of the width, and
            `{channels}` for the row's first argument with the limit that the release sets to it.
    """

    classes: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def test(self) -> str:
        """The test that only these classes pass."""
        return f"m is {self.classes[0]}" if len(self.classes) == 1 else f"m in ({', '.join(self.classes)})"


@dataclass(frozen=True)
class LaterModel:
    """A model file for a family that not every release has; a tree without the base goes without it.

    Attributes:
        path: Where it goes, as a POSIX path relative to the package folder.
        base: The stock model of the family, in the same folder.
    """

    path: str
    base: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.rpartition("/")[2]

    @property
    def base_name(self) -> str:
        """The name of the stock model."""
        return self.base.rpartition("/")[2]


@dataclass(frozen=True)
class Addition:
    """What the edits put into a tree for a block.

    Attributes:
        module: The module file without its ending.
        classes: The classes that rows name, by their names in the tree.
        imports: What is imported from the module file, as it is written: `CBAM`, or `CBAM as MyCBAM`.
        branches: The branches of `parse_model` for them.
        models: The model files that come along.
        later: Those for families that not every release has.
        last: Whether the module is imported behind the others of the tree, since it imports from them itself.
    """

    module: str
    classes: tuple[str, ...]
    imports: tuple[str, ...]
    branches: tuple[Branch, ...]
    models: tuple[str, ...] = ()
    later: tuple[LaterModel, ...] = ()
    last: bool = False

    @property
    def statement(self) -> str:
        """The import of the classes next to their module file."""
        return f"from .{self.module} import {', '.join(self.imports)}"


# A tree is patched with these lines, and a receipt that has others is not ours: what is changed here is added instead.
_WIDTH = ("c1, c2 = ch[f], make_divisible({channels} * {width}, 8)", "args = [c1, c2, *args[1:]]")
_LINES = {
    "keep": ("c2 = ch[f]", "args = [c2, *args]"),
    "keep:nothing": ("c2 = ch[f]",),
    "width": _WIDTH,
    "repeat": (*_WIDTH, "args.insert(2, n)  # number of repeats", "n = 1"),
    "join": ("c2 = sum(ch[x] for x in f)", "args = [[ch[x] for x in f], *args]"),
    "join:nothing": ("c2 = sum(ch[x] for x in f)",),
    "merge": ("c2 = ch[f[0]]", "args = [c2, *args]"),
    "merge:nothing": ("c2 = ch[f[0]]",),
}


def branches(classes: dict[str, RowRule]) -> tuple[Branch, ...]:
    """Return the branches of `parse_model` for some classes: one for each rule.

    Args:
        classes: The rule of each class, by its name in the tree.
    """
    rules = list(dict.fromkeys(classes.values()))
    return tuple(Branch(tuple(n for n, of in classes.items() if of == rule), _LINES[rule.name]) for rule in rules)


def addition(block: Block, *, last: bool) -> Addition:
    """Return what the edits put in for a block, every rule of which is known.

    Args:
        block: The block.
        last: Whether its module imports others of the tree.
    """
    rules = {each.name: each.rule for each in block.classes if each.rule}
    imports = tuple(each.imported for each in block.classes)
    return Addition(block.name, block.names(), imports, branches(rules), last=last)
