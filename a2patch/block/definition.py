"""What a block is: one Python file with classes for the rows of a model YAML, and how each row is read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

_PART = re.compile(r"[^\W\d]\w*(\.\w+)*", re.ASCII)

RuleKind = Literal["keep", "width", "repeat", "join", "merge"]
Passed = Literal["channels", "nothing"]


@dataclass(frozen=True)
class RowRule:
    """How `parse_model` reads a row that names a class.

    Attributes:
        kind: `keep` (the output has the channels of the input), `width` (the first argument is the number of output
            channels, scaled by the width), `repeat` (likewise, and the repeats are passed on), `join` (it reads
            several layers, whose channels add up) or `merge` (it reads several layers of as many channels, and gives
            as many).
        passed: What is passed before the row's own arguments: the channels, or nothing.
    """

    kind: RuleKind
    passed: Passed = "channels"

    @property
    def name(self) -> str:
        """The rule as it is typed: `keep`, or `keep:nothing` where no channels are passed."""
        return self.kind if self.passed == "channels" else f"{self.kind}:{self.passed}"


def is_part(name: str) -> bool:
    """Return whether a name can be that of a part of a layer, as `convB` or `branches.0.conv`."""
    return bool(_PART.fullmatch(name))


RULES = {
    rule.name: rule
    for rule in (
        RowRule("keep"),
        RowRule("keep", "nothing"),
        RowRule("width"),
        RowRule("repeat"),
        RowRule("join"),
        RowRule("join", "nothing"),
        RowRule("merge"),
        RowRule("merge", "nothing"),
    )
}
"""Every rule, by its name."""


@dataclass(frozen=True)
class BlockClass:
    """A class that rows of a model YAML name.

    Attributes:
        name: Its name in the tree.
        rule: How a row that names it is read; None where that is not known yet.
        args: Arguments of an example row, without what the rule passes.
        defined: Its name in the module file, where that is another.
        scale: How large a map it gives, beside that which it reads; as far as a trial told.
        maps: How many maps it reads; likewise.
    """

    name: str
    rule: RowRule | None = None
    args: tuple[object, ...] = ()
    defined: str = ""
    scale: float = field(default=1.0, compare=False)
    maps: int = field(default=1, compare=False)

    @property
    def reads_several(self) -> bool:
        """Whether it reads several layers."""
        return self.rule is not None and self.rule.kind in ("join", "merge")

    @property
    def imported(self) -> str:
        """What an import statement names: the class, and under which name it is imported."""
        return f"{self.defined} as {self.name}" if self.defined and self.defined != self.name else self.name


@dataclass(frozen=True)
class Block:
    """What is patched in besides Double Attention.

    Attributes:
        name: Its name, which is that of its module file in the tree, without the ending.
        source: The bytes of the module file.
        classes: The classes that rows name.
        title: What it is, in a few words.
        use: What it is for, in a sentence.
        paper: Where it was published, as a link; empty if that is not known.
        maps: The part of a layer that a softmax over the positions makes attention maps of, as a dotted attribute;
            empty where it declares none.
        vectors: The part whose softmax over the channels tells how much of each map a position is handed; likewise.
        reference: The bytes of the file with its formula, a function `reference(module, x)`; empty where there is none.
    """

    name: str
    source: bytes
    classes: tuple[BlockClass, ...]
    title: str = ""
    use: str = ""
    paper: str = ""
    maps: str = ""
    vectors: str = ""
    reference: bytes = b""

    def names(self) -> tuple[str, ...]:
        """Return the names of its classes in the tree."""
        return tuple(each.name for each in self.classes)
