"""Asks the probe, under the tree's own interpreter, and judges what it said.

Imports from `transaction` downward, `graph` and `protocol`; never torch or ultralytics.
"""

from a2patch.protocol import (
    NOT_ASKED,
    Attention,
    Check,
    Cost,
    Equivalence,
    FigureMissing,
    ImageUnreadable,
    InsertedModel,
    ModelRow,
    Shares,
    Sight,
    SightMap,
    Transplant,
)
from a2patch.runner.figures import Pictures, Wiring
from a2patch.runner.insert import Insertion, InsertResult
from a2patch.runner.named_model import find_model, refuse_checkpoint
from a2patch.runner.photographs import MOST as MOST_PHOTOGRAPHS
from a2patch.runner.photographs import Photographs, collect
from a2patch.runner.transplant import Job, transplant
from a2patch.runner.trial import try_classes
from a2patch.runner.verdict import CHECKS, DEFAULT, QUICK, Verdict, explained
from a2patch.runner.verify import Subject
from a2patch.runner.verify_block import verify_block

__all__ = [
    "CHECKS",
    "DEFAULT",
    "MOST_PHOTOGRAPHS",
    "NOT_ASKED",
    "QUICK",
    "Attention",
    "Check",
    "Cost",
    "Equivalence",
    "FigureMissing",
    "ImageUnreadable",
    "InsertResult",
    "InsertedModel",
    "Insertion",
    "Job",
    "ModelRow",
    "Photographs",
    "Pictures",
    "Shares",
    "Sight",
    "SightMap",
    "Subject",
    "Transplant",
    "Verdict",
    "Wiring",
    "collect",
    "explained",
    "find_model",
    "refuse_checkpoint",
    "transplant",
    "try_classes",
    "verify_block",
]
