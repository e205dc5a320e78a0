"""Runs the verbs of the command line: a file for each, `options`, which they share, and `examples`, for their help.

Imports from `console` downward; only `cli` imports it.
"""

from a2patch.commands.apply import apply
from a2patch.commands.blocks import blocks
from a2patch.commands.compare import compare
from a2patch.commands.diff import diff
from a2patch.commands.examples import EXAMPLES
from a2patch.commands.insert import insert
from a2patch.commands.recover import recover
from a2patch.commands.revert import revert
from a2patch.commands.status import status
from a2patch.commands.transplant import transplant
from a2patch.commands.verify import verify

VERBS = (apply, verify, revert, recover, status, blocks, diff, insert, transplant, compare)
"""The functions of the verbs, in the order in which help lists them."""

__all__ = ["EXAMPLES", "VERBS"]
