"""Every position of every stock model of a release takes our block, builds at every scale, and is wired as before.

    python -m tests.soak.insertions [--release RELEASE] [--models FILE …]

Prints what each model takes, and the sums at the end. All models of 8.4.190 take twenty minutes; one, as by
`--models yolov8.yaml`, ten seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from a2patch.block import LATER, MODELS
from a2patch.graph import model_files
from a2patch.protocol import SCRATCH
from a2patch.runner.insert import Insertion, insertion_request
from a2patch.transaction import operations
from a2patch.tree import tree
from patches import releases

_TASKS = {
    "Segment": "segment",
    "YOLOESegment": "segment, open vocabulary",
    "Pose": "pose",
    "OBB": "obb",
    "Classify": "classify",
    "RTDETRDecoder": "rt-detr",
    "WorldDetect": "detect, open vocabulary",
    "YOLOEDetect": "detect, open vocabulary",
    "Depth": "depth",
    "SemanticSegment": "semantic",
}


def main() -> int:
    """Try them all; the exit status is 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", default="8.4.190")
    parser.add_argument("--models", nargs="*", help="the names of model files; all of them without it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="a2patch-insertions-") as folder:
        package = releases.unpack(arguments.release, releases.cache(os.environ), Path(folder) / "site-packages")
        operations.apply(tree.find(package), print)
        os.environ["YOLO_CONFIG_DIR"] = folder
        sys.path.insert(0, str(package.parent))
        return sweep(package, Path(folder), arguments.models)


def sweep(package: Path, folder: Path, named: list[str] | None) -> int:
    """Try the models of a package.

    Args:
        package: The package folder, patched.
        folder: A folder for files.
        named: The names of the models; None for all of them.

    Returns:
        1 where one failed, else 0.
    """
    files = list(model_files(package).values())
    ours = {*MODELS, *(model.name for model in LATER)}
    total: Counter[str] = Counter()
    for path in files:
        if path.name in ours or (named and path.name not in named):
            continue
        started = time.perf_counter()
        task, insertions, models, faults = attempt(package, folder / path.stem, path)
        seconds = time.perf_counter() - started
        print(f"{path.name:<26} {task:<25} {insertions:>2} positions {models:>3} models {seconds:6.1f} s", flush=True)
        for fault in faults:
            print(f"  {fault}", flush=True)
        total.update({f"models: {task}": 1, f"insertions: {task}": insertions})
        total.update(files=1, insertions=insertions, built=models, faults=len(faults))
    for name, count in sorted(total.items()):
        print(f"{count:>6} {name}")
    return 1 if total["faults"] or not total["files"] else 0


def attempt(package: Path, folder: Path, path: Path) -> tuple[str, int, int, list[str]]:
    """Put our block at each position that a model has, build and compare all, and take the block out again.

    Returns:
        The task of the model, how many insertions there were, how many models were built, and what is wrong.
    """
    from a2patch.probe.checks.build import check_build
    from a2patch.probe.checks.wiring import check_wiring
    from a2patch.probe.events import Channel
    from a2patch.probe.insert import insert_models
    from a2patch.probe.models.context import Context

    folder.mkdir()
    (folder / SCRATCH).mkdir()
    request = insertion_request(package, Insertion(path, each=True))
    channel = Channel(folder, [])
    specs = insert_models(request, channel).models
    faults, built = [], 0
    for spec in specs:  # a context each, since it keeps what it builds
        context = Context(replace(request, models=(spec,)), channel)
        for check in (check_build, check_wiring):
            outcome = check(context)
            if outcome.result != "pass":
                faults.append(f"{Path(spec.file).name}: {outcome.figure}: {outcome.meaning}")
        built += len(context.scales_of(spec.file))
        insert_models(replace(request, model=spec.file, remove=True, name="undone.yaml"), channel)
        if (folder / SCRATCH / "undone.yaml").read_bytes() != path.read_bytes():
            faults.append(f"{Path(spec.file).name}: taking the block out again gives another file")
    head = context.described(specs[-1].file)["head"][-1][2]
    task = next((task for kind, task in _TASKS.items() if head.startswith(kind)), "detect")
    return task, len(specs), built, faults


if __name__ == "__main__":
    sys.exit(main())
