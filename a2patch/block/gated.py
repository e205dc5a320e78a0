"""Twins of classes that keep the channels: behind a gate that is closed at first, so that a trained model stays."""

from __future__ import annotations

from dataclasses import replace

from a2patch.block.definition import Block, BlockClass
from a2patch.block.module_file import encoding
from a2patch.errors import BlockError

_TWIN = '''

import torch  # noqa: E402
from torch import nn  # noqa: E402


class {twin}(nn.Module):
    """{name} behind a gate: `x + gate * ({name}(x) - x)`, with a gate that starts at 0, so that it gives what it gets.

    Attributes:
        block ({name}): The block.
        gate (nn.Parameter): How much of it is added.
    """

    def __init__(self, *args):
        """Initialize the block, with its own arguments, and the gate."""
        super().__init__()
        self.block = {name}(*args)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        """Return the input, and as much of the block's difference as the gate lets through."""
        return x + self.gate.to(x.dtype) * (self.block(x) - x)
'''


def gated(block: Block) -> Block:
    """Return a block with a twin, `GatedX`, for each class `X` that keeps the channels.

    Args:
        block: The block, every rule of which is known.

    Raises:
        BlockError: It has no such class.
    """
    keeping = [each for each in block.classes if each.rule and each.rule.kind == "keep" and each.scale == 1]
    if not keeping:
        raise BlockError(
            f"no class of {block.name} keeps the channels and the size, so none can stand behind a gate",
            found=", ".join(f"{each.name}: {each.rule.name if each.rule else 'unknown'}" for each in block.classes),
            remedy="Leave --gated out.",
        )
    ending = b"\r\n" if b"\r\n" in block.source else b"\n"
    source, twins = block.source.rstrip(b"\r\n") + ending, []
    for each in keeping:
        twin = BlockClass(f"Gated{each.name}", each.rule, each.args)
        text = _TWIN.format(twin=twin.name, name=each.defined or each.name)
        source += text.encode(encoding(block.source)).replace(b"\n", ending)
        twins.append(twin)
    return replace(block, source=source, classes=(*block.classes, *twins))
