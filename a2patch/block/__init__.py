"""The blocks that are patched in: what each is called, which classes its rows name, and how `parse_model` reads them.

It imports `errors` and `protocol`.
"""

from a2patch.block.addition import Addition, Branch, LaterModel, addition
from a2patch.block.bundled import bringing, bundled, called, commands, load_folder
from a2patch.block.definition import RULES, Block, BlockClass, RowRule, is_part
from a2patch.block.double_attention import (
    ADDED,
    ADDITION,
    BASE,
    BASES,
    BLOCK,
    CLASSES,
    LATER,
    LAYER,
    MODEL,
    MODELS,
    MODULE,
    TUTORIAL,
)
from a2patch.block.folder import folder as blocks_folder
from a2patch.block.gated import gated
from a2patch.block.module_file import class_named, encoding, imports_siblings, is_module_name, read_module_file, reread

__all__ = [
    "ADDED",
    "ADDITION",
    "BASE",
    "BASES",
    "BLOCK",
    "CLASSES",
    "LATER",
    "LAYER",
    "MODEL",
    "MODELS",
    "MODULE",
    "RULES",
    "TUTORIAL",
    "Addition",
    "Block",
    "BlockClass",
    "Branch",
    "LaterModel",
    "RowRule",
    "addition",
    "blocks_folder",
    "bringing",
    "bundled",
    "called",
    "class_named",
    "commands",
    "encoding",
    "gated",
    "imports_siblings",
    "is_module_name",
    "is_part",
    "load_folder",
    "read_module_file",
    "reread",
]
