"""The blocks that are patched in: what each is called, which classes its rows name, and how `parse_model` reads them.

It imports `errors` and `protocol`.
"""

from a2patch.block.bundled import bundled, reference
from a2patch.block.definition import Block, BlockClass, RowRule
from a2patch.block.double_attention import ADDED, BASE, BASES, BLOCK, CLASSES, LAYER, MODEL, MODELS, MODULE, TUTORIAL
from a2patch.block.module_file import read_module_file

__all__ = [
    "ADDED",
    "BASE",
    "BASES",
    "BLOCK",
    "CLASSES",
    "LAYER",
    "MODEL",
    "MODELS",
    "MODULE",
    "TUTORIAL",
    "Block",
    "BlockClass",
    "RowRule",
    "bundled",
    "read_module_file",
    "reference",
]
