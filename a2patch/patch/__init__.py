"""Bytes to bytes, pure: diffs, how they fit a tree, what they make of it, and where they come from.

Imports `tree` and `errors`; nothing here writes.
"""

from a2patch.patch.anchors import AnchorError
from a2patch.patch.derive import CFG_FOLDERS, block_diff
from a2patch.patch.diff import SITES, Change, Diff, FileDiff, Site, between, numbers, parse
from a2patch.patch.fit import Misfit, explain, fit, fit_file, outcome
from a2patch.patch.lines import merge, split_lines
from a2patch.patch.ours import MODEL_TAG, is_left, is_model, is_path, may_touch, same_edits
from a2patch.patch.plan import Plan, differing
from a2patch.patch.plan import plan as plan_diffs
from a2patch.patch.scopes import names_bound
from a2patch.patch.status import SiteState, SiteStatus, State, Status, conflict, names_taken, obstacles, status_of
from a2patch.patch.unified_diff import unified
from a2patch.patch.validate import fault as why_broken
from a2patch.patch.validate import taken_names

__all__ = [
    "CFG_FOLDERS",
    "MODEL_TAG",
    "SITES",
    "AnchorError",
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
    "block_diff",
    "conflict",
    "differing",
    "explain",
    "fit",
    "fit_file",
    "is_left",
    "is_model",
    "is_path",
    "may_touch",
    "merge",
    "names_bound",
    "names_taken",
    "numbers",
    "obstacles",
    "outcome",
    "parse",
    "plan_diffs",
    "same_edits",
    "split_lines",
    "status_of",
    "taken_names",
    "unified",
    "why_broken",
]
