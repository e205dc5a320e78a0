"""Changes a tree completely or not at all, and keeps the receipt of what was changed.

Imports from `patch` downward.
"""

from a2patch.transaction.commit import read_consistently
from a2patch.transaction.files import temporary, write_atomically
from a2patch.transaction.operations import Operation, Survey

__all__ = ["Operation", "Survey", "read_consistently", "temporary", "write_atomically"]
