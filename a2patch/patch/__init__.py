"""Bytes to bytes, pure: diffs, how they fit a tree, what they make of it, and where they come from.

Imports `tree` and `errors`; nothing here writes.
"""

from a2patch.patch.derive import CFG_FOLDERS
from a2patch.patch.fit import Misfit, fit, fit_file, outcome
from a2patch.patch.plan import Change, Plan, SiteStatus, Status, unified
from a2patch.patch.series import SITES, Diff, FileDiff, parse

__all__ = [
    "CFG_FOLDERS",
    "SITES",
    "Change",
    "Diff",
    "FileDiff",
    "Misfit",
    "Plan",
    "SiteStatus",
    "Status",
    "fit",
    "fit_file",
    "outcome",
    "parse",
    "unified",
]
