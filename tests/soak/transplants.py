"""Transplants of every kind of checkpoint, each proved bit for bit by the command itself.

    python -m tests.soak.transplants [--only TEXT]

Blocks of ours are put behind the last layers of stride 8 and 16 of a backbone. Checkpoints have seven classes and
weights drawn at random, batch statistics too. All scales of v8, 11 and 26; every head and the other families at their
smallest; checkpoints that older releases saved; and older trees, which take theirs with --trust. All but the larger
scales are carried back again. An hour; a model, as by `--only yolov5n`, takes half a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from a2patch.graph import model as modelgraph
from patches import releases
from tests.support.command import ROOT, a2patch, patch
from tests.support.rows import BLOCK, inserted
from tests.support.trees import NEWEST, RELEASES

MAKE = ROOT / "tests" / "support" / "checkpoints.py"
FAMILIES = ("yolov8", "yolo11", "yolo26")
# They build yolov8 otherwise than the newest, whose training from their checkpoints starts elsewhere in any case.
OTHERWISE = ("8.3.0", "8.4.0")
HEADS = ("-seg", "-pose", "-obb", "-cls")
OTHERS = (
    *("yolov3-tiny", "yolov5n", "yolov6n", "yolov8n-p6", "yolov8n-world", "yoloe-v8n", "yolov9t", "yolov10n"),
    *("yolo12n", "yolo26n-sem", "yolo26n-depth", "yolov8n-rtdetr", "rtdetr-l"),
)


@dataclass(frozen=True)
class Case:
    """A checkpoint of a model, the release that saved it, the release that transplants it, and whether back again."""

    model: str
    saved_by: str = NEWEST
    tree: str = NEWEST
    back: bool = True

    def told(self) -> str:
        """The case as text."""
        by = f" saved by {self.saved_by}" if self.saved_by != NEWEST else ""
        return self.model + by + (f" in {self.tree}" if self.tree != NEWEST else "")


def cases() -> Iterator[Case]:
    for family in FAMILIES:
        yield from (Case(family + scale, back=scale == "n") for scale in "nsmlx")
    for family in FAMILIES:
        yield from (Case(f"{family}n{head}") for head in HEADS)
    yield from map(Case, OTHERS)
    yield from (Case("yolov8n", saved_by=release) for release in RELEASES[:-1] if release not in OTHERWISE)
    yield from (Case("yolov8n", release, release) for release in RELEASES[:-1])


def ends_of_stages(model: dict[str, Any]) -> list[int]:
    """The last layers of stride 8 and 16 of a model's backbone."""
    graph = modelgraph.read(model)
    last = {layer.stride: layer.place for layer in graph.layers if layer.part == "backbone"}
    return [last[stride] for stride in (8, 16) if stride in last]


class Workspace:
    """A folder with patched trees, unpacked when they are asked for, and the transplants tried in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "OMP_NUM_THREADS": "1"}

    def tree(self, release: str) -> Path:
        site = self.folder / release
        if not site.exists():
            releases.unpack(release, releases.cache(os.environ), site)
            patch(site)
        return site

    def make(self, case: Case) -> tuple[Path, Path]:
        """The checkpoint of a case, and the file of the model that it goes into."""
        import yaml

        name = case.model + ".yaml"
        checkpoint, request, target = self.folder / "base.pt", self.folder / "request.json", self.folder / "mine.yaml"
        request.write_text(json.dumps([{"model": name, "file": str(checkpoint), "classes": 7}]))
        command = [sys.executable, str(MAKE), str(self.tree(case.saved_by)), str(request)]
        subprocess.run(command, env=self.environment, cwd=self.folder, check=True, capture_output=True)
        stock = find(self.tree(case.tree), name)
        described = yaml.safe_load(stock.read_text(encoding="utf-8"))
        target.write_text(json.dumps(inserted(described, dict.fromkeys(ends_of_stages(described), BLOCK))))
        return checkpoint, target

    def attempt(self, case: Case) -> tuple[bool, str]:
        """Whether a checkpoint goes where it should and, if wanted, comes back; and what is to be said of it."""
        try:
            checkpoint, model = self.make(case)
        except subprocess.CalledProcessError as error:
            return False, "not made: " + error.stderr.decode().strip().splitlines()[-1]
        answers = [self.transplant(case, checkpoint, model, self.folder / "forth.pt")]
        if case.back and "carried" in answers[0]:
            answers.append(
                self.transplant(case, self.folder / "forth.pt", case.model + ".yaml", self.folder / "back.pt")
            )
        if not all(answer.get("exact") for answer in answers):
            return False, json.dumps(answers, indent=1)
        counts = [f"{answer['carried']} of {answer['tensors']}" for answer in answers]
        good = len({answer["carried"] for answer in answers} | {answers[0]["tensors"]}) == 1
        return good, " back ".join(counts) + f", by name {answers[0]['by_name']}"

    def transplant(self, case: Case, checkpoint: Path, model: str | Path, output: Path) -> dict[str, Any]:
        """What the command says of a transplant, or why there is none."""
        trust = [] if case.tree == NEWEST else ["--trust"]
        command = ["transplant", checkpoint, "--model", model, "-o", output, "--force", "--json", *trust]
        document = a2patch(*command, "--ultralytics-path", self.tree(case.tree), cwd=self.folder).document
        found: dict[str, Any] = document.get("transplant") or document["error"]
        return found


def find(site: Path, name: str) -> Path:
    """The file that a name asks for, with its scale letter or without."""
    plain = re.sub(r"(\d+)[nslmx]", r"\1", name, count=1)
    return next(path for wanted in (name, plain) for path in sorted(site.rglob("models/**/" + wanted)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="Try only models whose name has this text.")
    wanted = parser.parse_args().only
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        for case in cases():
            if wanted in case.model:
                good, told = workspace.attempt(case)
                outcomes.append(good)
                print(f"{case.told():<44} {'exact' if good else 'NOT'}  {told}", flush=True)
    print(f"{sum(outcomes)} of {len(outcomes)} transplants are exact")
    sys.exit(not all(outcomes))


if __name__ == "__main__":
    main()
