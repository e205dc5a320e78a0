"""Changes a tree completely or not at all, and keeps the receipt of what was changed.

Imports from `patch` downward.
"""

from a2patch.transaction.blocks import as_tried, shipped
from a2patch.transaction.commit import read_consistently
from a2patch.transaction.composition import Operation
from a2patch.transaction.files import temporary, write_atomically
from a2patch.transaction.peeling import LayerStatus
from a2patch.transaction.survey import Survey, refuse_unpatched, untouched
from a2patch.transaction.survey import survey as look_at

__all__ = [
    "LayerStatus",
    "Operation",
    "Survey",
    "as_tried",
    "look_at",
    "read_consistently",
    "refuse_unpatched",
    "shipped",
    "temporary",
    "untouched",
    "write_atomically",
]
