"""The curves of the comparisons that `worth.py` has made: the mean over the seeds, and their span.

    python benchmarks/curves.py CURVES.svg [TASK...]

Without a task, all of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.tasks import TASKS
from benchmarks.worth import folder_of


def draw(comparisons: Sequence[tuple[str, dict[str, Any]]], place: Path) -> None:
    """Draw a panel a comparison.

    Args:
        comparisons: The title of each, and what its `compare.json` says.
        place: The picture to be written.
    """
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "a2patch"  # the same figures give the same file
    from matplotlib import pyplot

    width = 3.6 * len(comparisons)
    figure, panels = pyplot.subplots(1, len(comparisons), figsize=(width, 3.8), layout="constrained", squeeze=False)
    for panel, (title, found) in zip(panels[0], comparisons, strict=True):
        for model in found["models"]:
            runs = [run["curve"] for run in found["runs"] if run["label"] == model["label"]]
            epochs = [epoch for epoch, _ in runs[0]]
            heights = [[value for _, value in points] for points in zip(*runs, strict=True)]
            (line,) = panel.plot(epochs, [statistics.mean(each) for each in heights], label=model["label"])
            least, greatest = [min(each) for each in heights], [max(each) for each in heights]
            panel.fill_between(epochs, least, greatest, color=line.get_color(), alpha=0.2, linewidth=0)
        panel.set_title(title, fontsize="medium")
        panel.set(xlabel="epoch", ylim=(0, None))
        panel.legend(loc="best", fontsize="small")
    panels[0][0].set_ylabel("mAP50-95")
    figure.savefig(place, metadata={"Date": None} if place.suffix == ".svg" else None)
    pyplot.close(figure)


def main() -> None:
    """Draw what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("tasks", nargs="*", metavar="TASK", default=list(TASKS))
    arguments = parser.parse_args()
    places = {task: folder_of(task) / "runs" / "compare.json" for task in arguments.tasks}
    draw([(TASKS[task].title, json.loads(place.read_text())) for task, place in places.items()], arguments.picture)


if __name__ == "__main__":
    main()
