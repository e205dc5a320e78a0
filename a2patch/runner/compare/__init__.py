"""Compares models by training each several times on its user's own data: plan, trainings, and what came out.

Pure are `plan`, `statistics` and `outcome`; `folder` keeps all of it on disk, `queue` has the trainings made, `launch`
starts them, `work` makes and measures the models, `results` works out what came of it, `sizes` that by the size of
objects, and `run` puts these together.
"""

from a2patch.runner.compare.asked import Asked, Under
from a2patch.runner.compare.models import is_argument
from a2patch.runner.compare.outcome import FIGURES, MAIN, Comparison, ModelResult, PairedResult, RunResult, Speed
from a2patch.runner.compare.queue import Progress
from a2patch.runner.compare.run import compare, show
from a2patch.runner.compare.sizes import SIZES
from a2patch.runner.compare.statistics import LEVEL, Difference, Spread

__all__ = [
    "FIGURES",
    "LEVEL",
    "MAIN",
    "SIZES",
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
