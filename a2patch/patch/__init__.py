"""Bytes to bytes, pure: diffs, how they fit a tree, what they make of it, and where they come from.

Imports `tree` and `errors`; nothing here writes.
"""

from a2patch.patch.derive import CFG_FOLDERS
from a2patch.patch.diff import SITES, Diff, FileDiff, Site, between, numbers, parse
from a2patch.patch.fit import Misfit, fit, fit_file, outcome
from a2patch.patch.lines import merge
from a2patch.patch.ours import is_model, is_path, may_touch
from a2patch.patch.plan import Change, Plan, SiteState, SiteStatus, State, Status
from a2patch.patch.unified_diff import unified

__all__ = [
    "CFG_FOLDERS",
    "SITES",
    "Change",
    "Diff",
    "FileDiff",
    "Misfit",
    "Plan",
    "Site",
    "SiteState",
    "SiteStatus",
    "State",
    "Status",
    "between",
    "fit",
    "fit_file",
    "is_model",
    "is_path",
    "may_touch",
    "merge",
    "numbers",
    "outcome",
    "parse",
    "unified",
]
