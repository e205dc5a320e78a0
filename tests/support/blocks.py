"""Blocks of each row rule, as small as can be."""

from __future__ import annotations

from a2patch.block import RULES, Block, BlockClass

_TEXT = """from torch import nn


class {name}(nn.Module):
    def __init__(self, {parameters}):
        super().__init__()
        self.told = ({told})
        self.conv = nn.Conv2d({channels}, 1) if {channels_known} else nn.Identity()

    def forward(self, x):
        return {result}
"""


def source(name: str, parameters: str, channels: str = "", result: str = "self.conv(x)") -> bytes:
    """Return a module file with one class, that keeps what it was built with as `told`."""
    names = [each.partition("=")[0].strip(" *") for each in parameters.split(",") if each.strip()]
    told = "".join(f"{each}, " for each in names)
    return _TEXT.format(
        name=name,
        parameters=parameters,
        told=told,
        channels=channels or "1, 1",
        channels_known=bool(channels),
        result=result,
    ).encode()


def block(module: str, name: str, rule: str, content: bytes, *args: object) -> Block:
    """Return a block of one class."""
    return Block(module, content, (BlockClass(name, RULES[rule], args),))


KEEP = block("keeping", "Keeping", "keep", source("Keeping", "c1, k=3", "c1, c1"), 5)
BARE = block("bare", "Bare", "keep:nothing", source("Bare", "rate=0.5"), 0.25)
WIDTH = block("wide", "Wide", "width", source("Wide", "c1, c2, k=1", "c1, c2"), 64)
REPEAT = block("many", "Many", "repeat", source("Many", "c1, c2, n=1", "c1, c2"), 64)
JOIN = block("joiner", "Joiner", "join", source("Joiner", "channels", result="__import__('torch').cat(x, 1)"))
SUM = block("summer", "Summer", "join:nothing", source("Summer", "*rest", result="__import__('torch').cat(x, 1)"))
MERGE = block("merger", "Merger", "merge", source("Merger", "c1, k=3", result="x[0] + x[1]"), 7)
ADD = block("adder", "Adder", "merge:nothing", source("Adder", "rate=0.5", result="x[0] + x[1]"))
BLOCKS = {each.name: each for each in (KEEP, BARE, WIDTH, REPEAT, JOIN, SUM, MERGE, ADD)}
