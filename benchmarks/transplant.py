"""Does a transplant pay? YOLOv8n with double attention fine-tuned from nothing, by name, and from a transplant.

    python benchmarks/transplant.py [--seeds 3] [--folder FOLDER] [--plot CURVES.svg] [--table]

A stock YOLOv8n learns to name handwritten digits (`digits.py`). Then `yolov8_A2.yaml` is trained on few images of the
same task, shifted: of a third of the contrast. It starts from scratch; as the tutorial has it, `YOLO(yaml)` and then
`.load(weights)`, which keeps what has the same name and shape; and from `a2patch transplant`. All else is alike. The
mAP50-95 on the shifted task is compared before the first step and after each epoch.

What is done is kept in the folder and not done again: stop when you like, and start again to go on. `--table` trains
nothing, and prints what there is.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import digits
from benchmarks.tree import patched
from benchmarks.tuning import SIZE, Outcome, Tuning
from patches import releases

WAYS = {"scratch": "from scratch", "by name": "weights by name, .load()", "transplant": "a2patch transplant"}
GREY = 114
BASE = "base"  # the way of the stock model that the weights come from
IMAGES = {"name": 320, "shifted": 96}  # to train on; half as many to validate on
EPOCHS = {"name": 20, "shifted": 10}
RATES = {"name": 0.003, "shifted": 0.0007}  # the second as ultralytics chooses it for ten classes


def main() -> None:
    """Read the arguments, train what has not been trained yet, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=releases.cache(os.environ).parent / "transplant")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--plot", type=Path, help="draw the curves into this file")
    arguments = parser.parse_args()
    bench = Bench(arguments.folder.absolute())
    if not arguments.table:
        bench.prepare()
        for seed, way in itertools.product(range(arguments.seeds), WAYS):
            bench.tune(way, seed)
    found = [outcome for outcome in bench.outcomes() if outcome.way in WAYS]
    print(table(found))
    if arguments.plot:
        plot(found, arguments.plot)


class Bench:
    """A folder with a patched tree, the data, the weights and the outcomes, each made when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = folder / "site-packages"
        self.weights = folder / "runs" / f"{BASE}-0" / "weights" / "best.pt"
        self.carried = folder / "carried.pt"
        self.model = folder / "yolov8n_A2-digits.yaml"
        self.log = folder / "outcomes.jsonl"

    def outcomes(self) -> list[Outcome]:
        """What has been trained so far."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [Outcome(**json.loads(line)) for line in lines]

    def prepare(self) -> None:
        """Lay out the tree and the data, train the base, and transplant its weights."""
        if not self.site.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            patched(self.site)
        for task in IMAGES:
            if not (self.folder / task / "data.yaml").exists():
                digits.write(self.folder / task, "name", int(task == "shifted"), IMAGES[task], SIZE)
                if task == "shifted":
                    shift(self.folder / task)
        stock = self.site / "ultralytics/cfg/models/v8/yolov8_A2.yaml"
        text = stock.read_text(encoding="utf-8")
        self.model.with_name("yolov8_A2-digits.yaml").write_text(text.replace("nc: 80", "nc: 10"), encoding="utf-8")
        self.tune(BASE, 0)
        if not self.carried.exists():
            self._a2patch("transplant", str(self.weights), "--model", str(self.model), "-o", str(self.carried))

    def tune(self, way: str, seed: int) -> None:
        """Train one way with one seed, unless that has been done."""
        if any((outcome.way, outcome.seed) == (way, seed) for outcome in self.outcomes()):
            return
        task = "name" if way == BASE else "shifted"
        start = {BASE: "yolov8n.yaml", "transplant": str(self.carried)}.get(way, str(self.model))
        load = str(self.weights) if way == "by name" else ""
        data = str(self.folder / task / "data.yaml")
        tuning = Tuning(way, seed, EPOCHS[task], RATES[task], data, start, load, str(self.folder / "runs"))
        answer = self._run(ROOT / "benchmarks" / "tuning.py", json.dumps(asdict(tuning)))
        with self.log.open("a", encoding="utf-8") as lines:
            lines.write(answer.splitlines()[-1] + "\n")
        print(f"{way} {seed}: {self.outcomes()[-1].curve[-1]:.3f}", flush=True)

    def _a2patch(self, *arguments: str) -> None:
        print(self._run(ROOT / "cli.py", *arguments, "--ultralytics-path", str(self.site)), flush=True)

    def _run(self, program: Path, *arguments: str) -> str:
        """Run a program on one thread with the patched tree to import, its settings in the folder, and no network."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.site),
            "OMP_NUM_THREADS": "1",
            "YOLO_CONFIG_DIR": str(self.folder),
            "YOLO_OFFLINE": "true",
            "YOLO_AUTOINSTALL": "false",
            "ULTRALYTICS_SKIP_REQUIREMENTS_CHECKS": "1",
        }
        command = [sys.executable, str(program), *arguments]
        answer = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        if answer.returncode:
            sys.exit(f"{program.name} failed\n{answer.stderr[-2000:]}")
        return answer.stdout


def shift(data: Path) -> None:
    """Give the images of a data set a third of their contrast, around the grey of their paper."""
    for place in data.joinpath("images").rglob("*.png"):
        with Image.open(place) as image:
            pixels = np.asarray(image)
        Image.fromarray(GREY - GREY // 3 + pixels // 3).save(place)


def table(outcomes: Sequence[Outcome]) -> str:
    """The mAP50-95 of each way at a few moments, mean and standard deviation over the seeds, in Markdown."""
    moments = [0, 1, 2, 4, 6, EPOCHS["shifted"]]
    lines = ["| | before | " + " | ".join(f"epoch {epoch}" for epoch in moments[1:]) + " | seeds |"]
    lines.append("|---" * (len(moments) + 2) + "|")
    for way, title in WAYS.items():
        curves = [outcome.curve for outcome in outcomes if outcome.way == way]
        if curves:
            cells = [_spread([curve[moment] for curve in curves]) for moment in moments]
            lines.append(f"| {title} | {' | '.join(cells)} | {len(curves)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


def plot(outcomes: Sequence[Outcome], place: Path) -> None:
    """Draw the curves: the mean over the seeds, and their span."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "a2patch"  # the same figures give the same file
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(6, 4), layout="constrained")
    for way, title in WAYS.items():
        heights = list(zip(*(outcome.curve for outcome in outcomes if outcome.way == way), strict=True))
        (line,) = panel.plot(range(len(heights)), [statistics.mean(h) for h in heights], label=title)
        least, greatest = [min(h) for h in heights], [max(h) for h in heights]
        panel.fill_between(range(len(heights)), least, greatest, color=line.get_color(), alpha=0.2, linewidth=0)
    panel.set(xlabel="epochs of fine-tuning", ylabel="mAP50-95", ylim=(0, 1))
    panel.legend(loc="upper left", fontsize="small")
    figure.savefig(place, metadata={"Date": None} if place.suffix == ".svg" else None)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
