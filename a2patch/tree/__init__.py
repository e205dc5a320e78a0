"""Finds a tree and reads it: the package on disk, the environments that import it, the repository around it.

Imports `errors` only.
"""

from a2patch.tree.environment import Copy, Surroundings
from a2patch.tree.tree import PACKAGE, RECORD, Kind, Reader, Tree, find_files, read_file, recorded_path

__all__ = [
    "PACKAGE",
    "RECORD",
    "Copy",
    "Kind",
    "Reader",
    "Surroundings",
    "Tree",
    "find_files",
    "read_file",
    "recorded_path",
]
