"""Finds a tree and reads it: the package on disk, the environments that import it, the repository around it.

Imports `errors` only.
"""

from a2patch.tree.environment import Copy, Surroundings
from a2patch.tree.files import LARGEST, read_file, read_start
from a2patch.tree.scratch import clear_leftovers, scratch_folder
from a2patch.tree.syntax import NotPythonError
from a2patch.tree.syntax import parse as parse_python
from a2patch.tree.tree import PACKAGE, RECORD, Kind, Reader, Tree

__all__ = [
    "LARGEST",
    "PACKAGE",
    "RECORD",
    "Copy",
    "Kind",
    "NotPythonError",
    "Reader",
    "Surroundings",
    "Tree",
    "clear_leftovers",
    "parse_python",
    "read_file",
    "read_start",
    "scratch_folder",
]
