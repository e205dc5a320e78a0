"""Weights carried into models that have double attention elsewhere: real checkpoints, in a real tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from a2patch.block import CLASSES as OURS
from a2patch.block import bringing, called
from a2patch.protocol import (
    EVENTS,
    AddedLayer,
    Equivalence,
    Transplant,
    TransplantMade,
    TransplantRefused,
    decode,
    encode,
)
from a2patch.runner import Job
from a2patch.runner.transplant import transplant_request
from patches import releases
from tests.support.command import ROOT, Answer, a2patch, patch
from tests.support.files import snapshot
from tests.support.rows import BLOCK, inserted
from tests.support.trees import NEWEST

# Transplants in one process, which the command would start one for each.
_TRANSPLANTS = """
import json, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
import torch
from tests.support.checkpoints import make
for each in json.loads(Path("make.json").read_text()):
    make(each)
class Foreign:
    def __reduce__(self):
        return (Path.touch, (Path("was_run").absolute(),))
torch.save({"model": Foreign()}, "foreign.pt")
from a2patch.probe.transplant import compare
compare.SIDE = 160  # the command itself is tried at full size
from a2patch.probe.events import Channel
from a2patch.probe.transplant.graft import transplant
from a2patch.protocol import SCRATCH, decode
for name, request in json.loads(Path("transplant.json").read_text()).items():
    home = Path("done", name)
    home.joinpath(SCRATCH).mkdir(parents=True)
    transplant(decode(request), Channel(home, []))
"""

# What somebody does with the result.
_USE = """
import json, sys
from pathlib import Path
import torch
sys.path[:0] = sys.argv[1:3]
from ultralytics import YOLO
from ultralytics.nn.tasks import torch_safe_load
from a2patch.probe.checks.train import draw_dataset
stored = torch_safe_load("carried.pt", safe_only=True)[0]
model = stored["model"]
stock = YOLO("stock.pt").model
by_name = type(model)({**model.yaml}, verbose=False)
by_name.load(stock, verbose=False)
by_name = by_name.state_dict()
again = type(model)({**model.yaml}, verbose=False)
again.load(model, verbose=False)
again, carried = again.state_dict(), model.float().state_dict()
model.half()
told = {
    "names": model.names, "nc": model.yaml["nc"], "stride": model.stride.tolist(), "scale": model.yaml["scale"],
    "args": model.args, "train_args": stored["train_args"], "dtype": str(next(model.parameters()).dtype),
    "kept": {key: stored[key] for key in ("date", "epoch", "ema", "optimizer")},
    "again": sum(torch.equal(value, carried[name]) for name, value in again.items()),
    "by_name": sum(k in by_name and torch.equal(v, by_name[k]) for k, v in stock.float().state_dict().items()),
}
data = draw_dataset(Path("drawn"))
names = "".join("  {}: thing {}\\n".format(i, i) for i in range(7))
data.with_name("seven.yaml").write_text(data.read_text().partition("names:")[0] + "names:\\n" + names)
common = {"imgsz": 64, "batch": 16, "workers": 0, "device": "cpu", "plots": False, "verbose": False}
common.update(project=str(Path("runs").absolute()), exist_ok=True)
YOLO("carried.pt").val(data=str(data.with_name("seven.yaml")), name="val", **common)
told["predicted"] = len(YOLO("carried.pt").predict("drawn/images/val", imgsz=64, verbose=False))
told["exported"] = Path(YOLO("carried.pt").export(format="torchscript", imgsz=64)).is_file()
settings = dict(amp=False, deterministic=False, save_period=1, optimizer="AdamW", lr0=0.01, warmup_epochs=0)
YOLO("carried.pt").train(data=str(data), epochs=1, name="train", **settings, **common)
told["trained_nc"] = YOLO("runs/train/weights/best.pt").model.yaml["nc"]
Path("used.json").write_text(json.dumps(told))
"""


@dataclass(frozen=True)
class Transplants:
    """Some transplants in a patched tree, and what came of each.

    Attributes:
        folder: Holds the checkpoints.
        site: Holds the tree.
        made: The transplants that could be made, by name.
        refused: Those that could not.
    """

    folder: Path
    site: Path
    made: Mapping[str, Transplant]
    refused: Mapping[str, TransplantRefused]

    def command(self, *arguments: str | Path, cwd: Path) -> Answer:
        """Run the command on the tree."""
        return a2patch("transplant", *arguments, "--ultralytics-path", self.site, cwd=cwd)


def python(code: str, site: Path, folder: Path) -> None:
    environment = os.environ | {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    environment["OMP_NUM_THREADS"] = "1"  # several would wait for each other where the machine is busy
    command = [sys.executable, "-c", code, str(site), str(ROOT)]
    answer = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]


@pytest.fixture(scope="module")
def transplants(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Transplants:
    """Everything that takes a second, made once; tests read it."""
    yaml = pytest.importorskip("yaml")
    pytest.importorskip("torchvision")
    folder = tmp_path_factory.mktemp("transplant")
    site = folder / "site-packages"
    package = releases.unpack(NEWEST, cache, site)
    patch(site)
    stock = yaml.safe_load((package / "cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8"))
    ours = yaml.safe_load((package / "cfg/models/v8/yolov8_A2.yaml").read_text(encoding="utf-8"))
    classify = yaml.safe_load((package / "cfg/models/v8/yolov8-cls.yaml").read_text(encoding="utf-8"))

    def model(name: str, described: dict[str, Any]) -> str:
        path = folder / f"{name}.yaml"
        path.write_text(json.dumps(described))  # JSON is YAML
        return str(path)

    unshifted = [*ours["head"][:-1], [[15, 18, 21], *ours["head"][-1][1:]]]
    pooled = [[*row[:3], [row[3][0], 3]] if row[2] == "SPPF" else row for row in ours["backbone"]]
    wider = [[*row[:3], [0.5]] if row[2] == OURS[0] else row for row in ours["backbone"]]
    models = {
        "moved": model("moved", inserted(stock, dict.fromkeys([3, 5], BLOCK))),
        "elsewhere": model("elsewhere", inserted(stock, dict.fromkeys([2, 9], BLOCK))),
        "wider": model("wider", {**ours, "backbone": wider}),
        "classify": model("classify", inserted(classify, {4: BLOCK})),
        "three": model("three", inserted(stock, dict.fromkeys([4, 6, 9], BLOCK))),
        "unshifted": model("unshifted", ours | {"head": unshifted}),
        "pooled": model("pooled", ours | {"backbone": pooled}),
        "another": model("another", inserted(stock, {4: ("EMA", [8])})),
    }
    checkpoints = [
        {"model": "yolov8n.yaml", "file": "stock.pt", "classes": 7},
        {"model": "yolov8n.yaml", "file": "bare.pt", "classes": 7, "whole": True, "bare": True},
        {"model": "yolov8n-cls.yaml", "file": "bare-cls.pt", "classes": 7, "bare": True},
        {"model": "yolov8n.yaml", "file": "older.pt", "classes": 7, "older": True},
        {"model": "yolov8n_A2.yaml", "file": "new.pt", "classes": 7},
        {"model": "yolov8n_A2.yaml", "file": "trained.pt", "classes": 7, "gate": 0.25},
    ]
    folder.joinpath("text.pt").write_text("no checkpoint")
    wanted: dict[str, Job] = {
        "bare": Job(folder / "bare.pt", "yolov8_A2.yaml", base="yolov8n.yaml"),
        "bare classify": Job(folder / "bare-cls.pt", models["classify"], base="yolov8n-cls.yaml"),
        "back": Job(folder / "new.pt", "yolov8n.yaml"),
        "back from trained": Job(folder / "trained.pt", "yolov8n.yaml"),
        "move trained": Job(folder / "trained.pt", models["moved"]),
        "move new": Job(folder / "new.pt", models["elsewhere"]),
        "move trained elsewhere": Job(folder / "trained.pt", models["elsewhere"]),
        "widen trained": Job(folder / "trained.pt", models["wider"]),
        "add to trained": Job(folder / "trained.pt", models["three"]),
        "tutorial": Job(folder / "stock.pt", "yolov8_DANet.yaml"),
        "older": Job(folder / "older.pt", "yolov8_A2.yaml"),
        "pooled": Job(folder / "stock.pt", models["pooled"]),
        "unshifted": Job(folder / "stock.pt", models["unshifted"]),
        "another block": Job(folder / "stock.pt", models["another"]),
        "other scale": Job(folder / "stock.pt", "yolov8s_A2.yaml"),
        "no model": Job(folder / "stock.pt", "coco8.yaml"),
        "foreign": Job(folder / "foreign.pt", "yolov8_A2.yaml"),
        "text": Job(folder / "text.pt", "yolov8_A2.yaml"),
    }
    requests = {name: encode(transplant_request(package.resolve(), job)) for name, job in wanted.items()}
    folder.joinpath("make.json").write_text(json.dumps(checkpoints))
    folder.joinpath("transplant.json").write_text(json.dumps(requests))
    python(_TRANSPLANTS, site, folder)
    last = {name: decode((folder / "done" / name / EVENTS).read_text().splitlines()[-1]) for name in wanted}
    made = {name: event.transplant for name, event in last.items() if isinstance(event, TransplantMade)}
    refused = {name: event for name, event in last.items() if isinstance(event, TransplantRefused)}
    return Transplants(folder, site, made, refused)


def exact(proof: Sequence[Equivalence]) -> bool:
    return bool(proof) and all(each.same for each in proof)


def test_a_pretrained_checkpoint_into_our_model(transplants: Transplants, tmp_path: Path) -> None:
    """As in the README, and then all that its user does with the result."""
    for name in ("stock.pt", "make.json"):
        tmp_path.joinpath(name).write_bytes(transplants.folder.joinpath(name).read_bytes())
    answer = transplants.command("stock.pt", "--model", "yolov8_A2", "-o", "carried.pt", "--json", cwd=tmp_path)
    assert answer.code == 0, answer.err
    told = answer.document["transplant"]
    assert (told["carried"], told["tensors"], told["left"]) == (355, 355, [])
    assert told["exact"]
    assert [each["input"] for each in told["proof"]] == ["bus.jpg", "noise"]
    assert all(each["values"] > 80_000 for each in told["proof"])
    assert (told["scale"], told["scale_by"], told["classes"], told["dtype"]) == ("n", "the checkpoint", 7, "float16")
    assert [ours["gate"] for ours in told["ours"]] == [0.0, 0.0]
    assert told["by_name_right"] < told["by_name"] < 100
    assert {place.name for place in tmp_path.iterdir()} == {"stock.pt", "make.json", "carried.pt"}

    python(_USE, transplants.site, tmp_path)
    used = json.loads(tmp_path.joinpath("used.json").read_text())
    assert used["names"] == {str(i): f"thing {i}" for i in range(7)}
    assert (used["nc"], used["stride"], used["scale"], used["dtype"]) == (7, [8.0, 16.0, 32.0], "n", "torch.float16")
    assert used["args"]["data"] == "things.yaml"
    assert used["train_args"] == {"imgsz": 96}
    assert used["kept"] == {"date": "some day", "epoch": -1, "ema": None, "optimizer": None}
    assert used["by_name"] == told["by_name"]
    assert used["again"] == 355 + 2 * 13, "as `pretrained=` loads it"
    assert used["trained_nc"] == 2
    assert used["predicted"] == 8
    assert used["exported"]

    trained = tmp_path / "runs/train/weights/epoch0.pt"  # as the trainer saves it: EMA, optimizer and all
    before = snapshot(tmp_path)
    refused = transplants.command(trained, "--model", "yolov8n.yaml", cwd=tmp_path)
    assert refused.code == 1, refused.err
    assert "the weights of its EMA" in refused.out
    assert "5, left out, is not the identity: trained, its gate is at 0.0" in refused.out
    assert snapshot(tmp_path) == before


def test_a_bare_state_dict_in_single_precision(transplants: Transplants) -> None:
    answer = transplants.made["bare"]
    assert exact(answer.proof)
    assert (answer.carried, answer.classes, answer.scale) == (355, 7, "n")
    assert (answer.dtype, answer.weights) == ("float32", "state dict")

    answer = transplants.made["bare classify"]
    assert exact(answer.proof)
    assert (answer.task, answer.classes, answer.dtype) == ("classify", 7, "float16"), "as it is loaded"


def test_back_while_the_gate_is_zero(transplants: Transplants) -> None:
    answer = transplants.made["back"]
    assert exact(answer.proof)
    assert answer.out == ((5, 0.0), (8, 0.0))
    assert (answer.carried, answer.tensors) == (355, 355 + 2 * 13)
    assert {reason for _, reason in answer.left} == {"its layer is left out"}

    answer = transplants.made["back from trained"]
    assert not exact(answer.proof)
    assert answer.out == ((5, 0.25), (8, 0.25))
    assert exact(answer.without), "all but our blocks is the same"


def test_blocks_that_are_there_already(transplants: Transplants) -> None:
    answer = transplants.made["move trained"]
    assert answer.moved == ((5, 4), (8, 7))
    assert answer.carried == answer.tensors
    assert [ours.gate for ours in answer.ours] == [0.25, 0.25]
    assert not exact(answer.proof)
    assert exact(answer.without)

    answer = transplants.made["move new"]  # to places of other widths, which is no harm to blocks that do nothing yet
    assert exact(answer.proof)
    assert (answer.carried, answer.moved) == (355, ())
    assert (answer.out, answer.new) == (((5, 0.0), (8, 0.0)), (3, 11))
    reasons = dict(answer.left)
    assert reasons["model.5.attn.convA.weight"] == "its layer has other widths than model.3, and is left out"
    assert len(reasons) == 2 * 13

    # a trained one that does not fit is no less lost for the parts that would, and the reason tells its gate
    for name in ("move trained elsewhere", "widen trained"):
        answer = transplants.made[name]
        assert not exact(answer.proof), name
        assert exact(answer.without), name
        assert answer.out == ((5, 0.25), (8, 0.25)), name
        assert [ours.gate for ours in answer.ours] == [0.0, 0.0], name

    answer = transplants.made["add to trained"]
    assert exact(answer.proof)
    assert (answer.moved, answer.out, answer.new) == ((), (), (12,))
    assert answer.carried == answer.tensors


def test_what_is_never_the_identity(transplants: Transplants) -> None:
    answer = transplants.made["tutorial"]
    assert not exact(answer.proof)
    assert exact(answer.without)
    assert answer.ours == (AddedLayer(3, "DoubleAttentionLayer", None),)
    assert answer.carried == 355


def test_a_model_that_computes_something_else(transplants: Transplants) -> None:
    """Every tensor fits, and only the output tells."""
    answer = transplants.made["pooled"]
    assert answer.carried == 355
    assert not exact(answer.proof)
    assert not exact(answer.without)


def test_a_release_that_builds_a_layer_otherwise(transplants: Transplants) -> None:
    """Every tensor fits; training from it would start elsewhere even without us."""
    answer = transplants.made["older"]
    assert answer.carried == 355
    assert not exact(answer.proof)
    assert answer.otherwise == ("9 (SPPF): cv1.act is Identity in the checkpoint, SiLU here",)
    assert transplants.made["pooled"].otherwise == ()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("unshifted", "layer 24 (Detect) of the model reads"),
        ("another block", "this tree has no EMA"),
        ("other scale", "is of scale n, and its name asks for s"),
        ("no model", "coco8.yaml, which is no model file"),
        ("foreign", "--trust"),
        ("text", "is no checkpoint"),
    ],
)
def test_refused(transplants: Transplants, name: str, found: str) -> None:
    answer = transplants.refused[name]
    assert found in answer.message + answer.found + answer.remedy
    assert not transplants.folder.joinpath("was_run").exists(), "code in a checkpoint was run"


def test_the_command_that_brings_a_missing_block_is_told(transplants: Transplants, tmp_path: Path) -> None:
    answer = transplants.command("stock.pt", "--model", "another.yaml", "-o", tmp_path / "x.pt", cwd=transplants.folder)
    assert answer.code == 3
    assert "`a2patch apply ema`" in answer.err


def test_what_is_added_is_called_by_its_name() -> None:
    assert called(["DoubleAttentionBlock", "DoubleAttentionLayer"]) == "double attention"
    assert called(["EMA", "DoubleAttentionBlock"]) == "EMA and double attention"
    saved = ["ultralytics.nn.modules.ema.EMA", "ultralytics.nn.modules.conv.CBAM", "mine.Own", "SE"]
    assert bringing(saved) == "`a2patch apply ema` and `a2patch apply se`"
    assert bringing(["ultralytics.nn.double_attention.DoubleAttentionBlock"]) == "`a2patch apply`"
    assert bringing(["mine.Own"]) == ""


def test_nothing_is_replaced_unasked(transplants: Transplants, tmp_path: Path) -> None:
    tmp_path.joinpath("mine.pt").write_bytes(b"precious")
    stock, bare = (transplants.folder / name for name in ("stock.pt", "bare.pt"))
    answer = transplants.command(stock, "--model", "yolov8_A2.yaml", "-o", "mine.pt", "--json", cwd=tmp_path)
    assert answer.code == 2
    assert "--force" in answer.document["error"]["remedy"]
    assert tmp_path.joinpath("mine.pt").read_bytes() == b"precious"
    assert transplants.command(bare, "--model", "x.yaml", "--from-state-dict", cwd=tmp_path).code == 2
