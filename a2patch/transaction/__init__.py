"""Changes a tree wholly or not at all, and keeps the receipt of what was changed.

Imports from `patch` downward.
"""

from a2patch.transaction.commit import settled
from a2patch.transaction.files import put, temporary
from a2patch.transaction.operations import Outcome, Survey

__all__ = ["Outcome", "Survey", "put", "settled", "temporary"]
