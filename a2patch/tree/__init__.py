"""Finds a tree and reads it: the package on disk, the environments that import it, the repository around it.

Imports `errors` only.
"""

from a2patch.tree.copying import copy_package, copy_to
from a2patch.tree.environment import Copy, Surroundings
from a2patch.tree.files import LARGEST, find_files, read_file, read_start, remove, remove_folder
from a2patch.tree.scratch import clear_leftovers, scratch_folder
from a2patch.tree.syntax import NotPythonError, naming
from a2patch.tree.syntax import parse as parse_python
from a2patch.tree.tree import PACKAGE, RECORD, Kind, Reader, Tree, recorded_path

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
    "copy_package",
    "copy_to",
    "find_files",
    "naming",
    "parse_python",
    "read_file",
    "read_start",
    "recorded_path",
    "remove",
    "remove_folder",
    "scratch_folder",
]
