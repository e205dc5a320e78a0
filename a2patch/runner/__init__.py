"""Asks the probe, under the tree's own interpreter, and judges what it said.

Imports from `transaction` downward, `graph` and `protocol`; never torch or ultralytics.
"""

from a2patch.runner.explaining import explained
from a2patch.runner.figures import Attention, Pictures, Shares, Sight, SightMap, Wiring
from a2patch.runner.insert import Composition, InsertedModel
from a2patch.runner.transplant import Job, Sameness, Transplant, transplant
from a2patch.runner.verdict import CHECKS, DEFAULT, NOT_ASKED, QUICK, Check, Cost, Verdict
from a2patch.runner.verify import Subject

__all__ = [
    "CHECKS",
    "DEFAULT",
    "NOT_ASKED",
    "QUICK",
    "Attention",
    "Check",
    "Composition",
    "Cost",
    "InsertedModel",
    "Job",
    "Pictures",
    "Sameness",
    "Shares",
    "Sight",
    "SightMap",
    "Subject",
    "Transplant",
    "Verdict",
    "Wiring",
    "explained",
    "transplant",
]
