"""Checkpoints are loaded only as far as they are trusted: what a canary does, in each format and each disguise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT
from tests.support.trees import Unpack

pytest.importorskip("torch")
pytest.importorskip("torchvision")

# Files are made and admitted in one process, under the release on the path.
_ADMITTED = """
import collections, json, os, pickle, sys, types
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from a2patch.probe.runtime.sandbox import go_offline
go_offline()
import torch
from ultralytics.nn import modules, tasks
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.load import admit, load_model

class Calls:
    def __init__(self, *call): self.call = call
    def __reduce__(self): return self.call

touched = Path("was_run").absolute()
code = "__import__('pathlib').Path(%r).touch()" % str(touched)
class Library: pass
class Mine: pass
library = types.ModuleType("no_such_library")
library.Library, Library.__module__, sys.modules["no_such_library"] = Library, "no_such_library", library
modules.Mine, Mine.__module__ = Mine, "ultralytics.nn.modules"
net, hooked = (tasks.DetectionModel("yolov8n.yaml", verbose=False) for _ in range(2))
hooked._forward_hooks[0] = os.system
named = {"yolov5": library.Library}
weights = net.state_dict()
objects = {
    "sound": {"model": net, "ema": None, "train_args": {"save_dir": Path("x")}, "best_fitness": 0.5},
    "weights": weights,
    "wrapped": {"model_state_dict": weights, "optimizer": {"state": {}}},
    "touch": {"model": Calls(Path.touch, (touched,))},
    "eval": {"model": Calls(eval, (code,))},
    "system": [Calls(os.system, ("touch was_run",))],
    "built": {"model": Calls(tasks.DetectionModel, ({**net.yaml, "activation": code},))},
    "hooked": {"model": hooked},
    "loaded": {"model": Calls(torch.load, ("eval.zip.pt",))},
    "library": {"model": Library()},
    "mine": {"model": Mine()},
}
for name, value in objects.items():
    torch.save(value, name + ".zip.pt")
    torch.save(value, name + ".legacy.pt", _use_new_zipfile_serialization=False)
    Path(name + ".raw.pt").write_bytes(pickle.dumps(value))
front = [pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {}, {})]
evil = pickle.dumps(Calls(eval, (code,)), 2)
Path("behind.legacy.pt").write_bytes(b"".join(front) + evil)
Path("between.legacy.pt").write_bytes(front[0] + evil + b"".join(front[1:]))
Path("first.legacy.pt").write_bytes(evil + b"".join(front))
del sys.modules["no_such_library"], modules.Mine
told = {}
for place in sorted(Path().glob("*.pt")):
    for trusted in (False, True):
        try:
            admit(place, trusted)
            answer = ["admitted"]
        except DeclinedError as error:
            answer = [str(error), error.found, error.remedy]
        told["{} {}".format(place.name[:-3], "trusted" if trusted else "")] = answer
        assert not touched.exists(), place
told["layers"] = [len(load_model(Path("sound." + kind + ".pt")).model) for kind in ("zip", "legacy")]
Path("told.json").write_text(json.dumps(told))
"""


@pytest.mark.parametrize("release", ["8.0.200", "8.4.190"])
def test_nothing_is_run_unasked(release: str, unpack: Unpack, tmp_path: Path) -> None:
    """The first release knows nothing of restricted loading."""
    site = unpack(release).parent
    variables = os.environ | {"YOLO_CONFIG_DIR": str(tmp_path), "YOLO_OFFLINE": "true", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _ADMITTED, str(site), str(ROOT)]
    answer = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]
    told = json.loads((tmp_path / "told.json").read_text())

    assert told.pop("layers") == [23, 23]
    for format_ in ("zip", "legacy"):
        for name in ("sound", "weights", "wrapped"):
            assert told.pop(f"{name}.{format_} ") == ["admitted"]
        for name, found in (("library", "no_such_library.Library"), ("mine", "ultralytics.nn.modules.Mine")):
            for trust in ("", "trusted"):
                declined = told.pop(f"{name}.{format_} {trust}")
                assert declined[:2] == ["names what this tree does not have", found]
                assert "--trust" not in declined[2]
        for name in ("touch", "eval", "system", "built", "hooked", "loaded"):
            assert "--trust" in told.pop(f"{name}.{format_} ")[2], name
            assert told.pop(f"{name}.{format_} trusted") == ["admitted"]
    assert "--trust" in told.pop("behind.legacy ")[2]
    assert "a bare pickle" in told.pop("first.legacy ")[0]
    for name, declined in told.items():
        assert "trusted" in name or ".raw" in name or name.startswith("between"), name
        assert ".raw" not in name or ("a bare pickle" in declined[0] and "--trust" not in declined[2])
