"""Compares models by training each several times on its user's own data: plan, trainings, and what came out.

Pure are `plan`, `statistics` and `results`; `folder` keeps all of it on disk, `queue` has the trainings made, `launch`
starts them, `work` makes and measures the models, and `run` puts these together.
"""

from a2patch.runner.compare.asked import Asked, Under
from a2patch.runner.compare.models import is_argument
from a2patch.runner.compare.queue import Progress
from a2patch.runner.compare.results import FIGURES, MAIN, Comparison, ModelResult, PairedResult, RunResult, Speed
from a2patch.runner.compare.run import compare, show
from a2patch.runner.compare.statistics import LEVEL, Difference, Spread

__all__ = [
    "FIGURES",
    "LEVEL",
    "MAIN",
    "Asked",
    "Comparison",
    "Difference",
    "ModelResult",
    "PairedResult",
    "Progress",
    "RunResult",
    "Speed",
    "Spread",
    "Under",
    "compare",
    "is_argument",
    "show",
]
