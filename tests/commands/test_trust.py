"""Code in a file runs in no verb unless its user says so, and what a file is else is told in all of them alike."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from a2patch.graph import parse
from a2patch.protocol import Message, ModelNoted, ModelUnreadable, Request, TransplantMade, TransplantRefused
from a2patch.runner import Insertion, Job, Subject
from a2patch.runner.insert import insertion_request
from a2patch.runner.transplant import transplant_request
from a2patch.runner.verify import request
from patches import releases
from tests.support.command import a2patch, here, patch
from tests.support.probes import told
from tests.support.trees import NEWEST

pytest.importorskip("torch")
pytest.importorskip("torchvision")

FORMATS = ("zip", "legacy", "raw")
_MAKE = """
import os, pickle, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import torch
from ultralytics.nn import tasks

class Canary:
    def __reduce__(self): return os.mkdir, (str(Path("was_run").absolute()),)

torch.save({"model": Canary()}, "zip.pt")
torch.save({"model": Canary()}, "legacy.pt", _use_new_zipfile_serialization=False)
Path("raw.pt").write_bytes(pickle.dumps({"model": Canary()}))
net = tasks.DetectionModel("yolov8n.yaml", verbose=False).half()
net.args = {}
weights = net.state_dict()
torch.save({"model": net, "train_args": {"save_dir": Path("x")}}, "sound.pt")
torch.save({"epoch": 3, "model_state_dict": weights, "optimizer": {}}, "wrapped.pt")
torch.save({"ema": weights, "model": None}, "averaged.pt")
net.yaml["activation"] = "__import__('os').mkdir('was_run')"
torch.save({"model": net}, "described.pt")
net.yaml["activation"] = "nn.ReLU()"
torch.save({"model": net}, "relu.pt")
del net.yaml["activation"]
block = net.model[2].m[0]
block.cv1.conv = torch.nn.Conv2d(16, 11, 3, 1, 1, bias=False)
block.cv1.bn = torch.nn.BatchNorm2d(11)
block.cv2.conv = torch.nn.Conv2d(11, 16, 3, 1, 1, bias=False)
torch.save({"model": net.half()}, "pruned.pt")
fused = tasks.DetectionModel("yolov8n.yaml", verbose=False).fuse(verbose=False)
torch.save({"model": fused}, "fused.pt")
"""
# What each file is, by its name; the first word of a remedy that leads somewhere.
TOLD = {
    **dict.fromkeys(FORMATS[:2], ("holds more than models of known classes: it names posix.mkdir", "--trust")),
    "raw": ("is no checkpoint, but a bare pickle", "torch.save"),
    "described": ("upstream would run as code: activation: __import__", "--trust"),
    "wrapped": ("no whole model, but a state dict: it stands under model_state_dict", "--from-state-dict"),
    "averaged": ("no whole model, but a state dict: it stands under ema", "--from-state-dict"),
}
ACTIVATIONS = {
    "nn.ReLU()": "",
    "torch.nn.LeakyReLU(0.1)": "",
    "nn.modules.activation.Hardswish(inplace=True)": "",
    "nn.ReLU": "not called",
    "__import__('os').mkdir('was_run')": "as code",
    "torch.hub.load('x', 'y')": "as code",
    "pickle.loads('x')": "as code",
    "nn.Sequential(nn.ReLU())": "as code",
    "nn.ReLU(open('was_run', 'w'))": "as code",
    "(lambda: nn.ReLU())()": "as code",
    "nn.ReLU().__class__()": "as code",
}


@dataclass(frozen=True)
class Made:
    """Files of every kind, and what every verb told of each."""

    folder: Path
    package: Path
    events: Mapping[str, list[Message]]

    def last(self, name: str) -> tuple[str, str]:
        """Return what was told of a file that was refused, and the remedy; both empty where it was not."""
        for event in self.events[name]:
            if isinstance(event, TransplantRefused):
                return f"{event.message}: {event.found}", event.remedy
            if isinstance(event, ModelUnreadable):
                return event.error, event.remedy
        return "", ""

    def ran(self) -> bool:
        """Whether any code in a file was run."""
        return bool(list(self.folder.parent.rglob("was_run")))


@pytest.fixture(scope="module")
def made(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Everything that takes a second, made once in one process."""
    top = tmp_path_factory.mktemp("trust")
    site, folder, work = top / "site-packages", top / "files", top / "work"
    package = releases.unpack(NEWEST, cache, site).resolve()
    patch(site)
    folder.mkdir()
    work.mkdir()
    variables = os.environ | {"YOLO_CONFIG_DIR": str(top), "YOLO_OFFLINE": "true", "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-c", _MAKE, str(site)], cwd=folder, env=variables, check=True, capture_output=True)
    folder.joinpath("page.pt").write_text("<!doctype html><html>")
    folder.joinpath("renamed.pth").write_bytes(folder.joinpath("sound.pt").read_bytes())
    stock = (package / "cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8")

    def yaml(name: str, activation: str) -> Path:
        path = folder / f"{name}.yaml"
        path.write_text(stock.replace("\nscales:", f'\nactivation: "{activation}"\nscales:'), encoding="utf-8")
        return path

    checks = ["import", "build"]
    requests: dict[str, Request] = {}
    for path in sorted(folder.glob("*.pt*")):
        requests[f"verify {path.stem}"] = request("patched", package, checks, Subject(path))
        requests[f"transplant {path.stem}"] = transplant_request(package, Job(path, "yolov8_A2.yaml"))
    for name in (*FORMATS, "wrapped", "averaged", "sound"):
        job = Job(folder / f"{name}.pt", "yolov8_A2.yaml", base="yolov8n.yaml")
        requests[f"weights {name}"] = transplant_request(package, job)
    relu = yaml("yolov8-relu", "nn.ReLU()")
    code = yaml("yolov8-code", "__import__('os').mkdir('was_run')")
    requests["transplant sound into relu"] = transplant_request(package, Job(folder / "sound.pt", str(relu)))
    requests["transplant sound into code"] = transplant_request(package, Job(folder / "sound.pt", str(code)))
    for number, activation in enumerate(ACTIVATIONS):
        path = yaml(f"own{number}", activation)
        requests[activation] = request("patched", package, ["import"], Subject(path))
    requests["insert code"] = insertion_request(package, Insertion(code, (parse("P4"),)))
    return Made(folder, package, told(requests, work))


@pytest.mark.parametrize("verb", ["verify", "transplant"])
@pytest.mark.parametrize("name", TOLD)
def test_what_a_checkpoint_is(made: Made, verb: str, name: str) -> None:
    found, remedy = made.last(f"{verb} {name}")
    assert TOLD[name][0] in found
    assert TOLD[name][1] in remedy
    assert ("--trust" in remedy) == (TOLD[name][1] == "--trust")
    assert not made.ran()


def test_a_sound_one_needs_no_trust(made: Made) -> None:
    assert made.last("verify sound") == ("", "")
    assert made.last("transplant sound") == ("", "")
    assert made.last("verify page")[0].startswith("It is no checkpoint, but an HTML page")
    assert "Rename it: renamed.pt" in made.last("verify renamed")[1]


def test_a_state_dict_is_found_under_any_key(made: Made) -> None:
    for name in ("wrapped", "averaged"):
        result = next(event for event in made.events[f"weights {name}"] if isinstance(event, TransplantMade))
        assert (result.transplant.carried, result.transplant.weights) == (355, "state dict")
    for name in FORMATS[:2]:
        assert "--trust" in made.last(f"weights {name}")[1]
    assert "--trust" not in made.last("weights raw")[1]
    found, remedy = made.last("weights sound")
    assert "holds a whole model" in found
    assert remedy == "Leave out --from-state-dict and --base."
    assert not made.ran()


def test_another_activation_is_no_fault_of_the_release(made: Made) -> None:
    found = made.last("transplant relu")[0]
    assert "`activation: nn.ReLU()`, yolov8_A2.yaml has none, which is nn.SiLU()" in found
    found = made.last("transplant sound into relu")[0]
    assert "the checkpoint has none, which is nn.SiLU()" in found
    assert "`activation: nn.ReLU()`" in found


def test_a_pruned_or_fused_model_is_told(made: Made) -> None:
    found = made.last("transplant pruned")[0]
    assert "is pruned: 6 of its 355 tensors have other shapes" in found
    assert "model.2.m.0.cv1.conv.weight first (11 x 16 x 3 x 3, not 16 x 16 x 3 x 3)" in found
    assert "is fused" in made.last("transplant fused")[0]
    for name in ("pruned", "fused"):
        assert made.last(f"verify {name}") == ("", "")
        noted = [event.note for event in made.events[f"verify {name}"] if isinstance(event, ModelNoted)]
        assert len(noted) == 1
        assert f"is {name}" in noted[0]
    assert not any(isinstance(event, ModelNoted) for event in made.events["verify sound"])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_is_a_class_called_with_literals(made: Made, activation: str) -> None:
    found, remedy = made.last(activation)
    wanted = ACTIVATIONS[activation]
    if wanted:
        assert wanted in found
        assert f": activation: {activation}" in found
        assert "line " in found
    else:
        assert found == ""
    assert ("--trust" in remedy) == (wanted == "as code")
    assert not made.ran()


def test_an_activation_in_every_verb(made: Made) -> None:
    for name in ("insert code", "transplant sound into code"):
        found, remedy = made.last(name)
        assert "as code" in found
        assert "line " in found
        assert "--trust" in remedy
    assert not made.ran()


def test_the_commands(made: Made) -> None:
    """As their user types them; with trust, the code runs."""
    canary, tree = made.folder / "zip.pt", here(made.package)
    refused = a2patch("verify", canary, "--quick", "--json", *tree, cwd=made.folder)
    assert (refused.code, "--trust" in refused.document["error"]["remedy"]) == (2, True)
    assert not made.ran()
    run = a2patch("verify", canary, "--quick", "--trust", *tree, cwd=made.folder)
    assert run.code == 2
    assert made.ran()
    (made.folder / "was_run").rmdir()


@pytest.mark.parametrize(
    "arguments",
    [
        ("insert", "--at", "P4", "--base", "{}"),
        ("verify", "x.yaml", "--base", "{}"),
        ("transplant", "{}", "--model", "{}"),
        ("transplant", "{}", "--model", "yolov8_A2.yaml", "--from-state-dict", "--base", "{}"),
    ],
)
def test_a_base_is_no_checkpoint(arguments: tuple[str, ...], made: Made, tmp_path: Path) -> None:
    """Nothing is started, and nothing opened."""
    tmp_path.joinpath("x.yaml").write_text("nc: 1")
    typed = [argument.format(made.folder / "zip.pt") for argument in arguments]
    answer = a2patch(*typed, "--json", "--ultralytics-path", made.package, "--python", tmp_path / "none", cwd=tmp_path)
    assert answer.code == 2
    error = answer.document["error"]
    assert "takes a model file, and this is a checkpoint" in error["message"]
    assert "Name the YAML that it was made from" in error["remedy"]
