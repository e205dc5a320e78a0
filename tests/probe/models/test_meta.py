"""Models built without values, in a real tree: as quick as they are meant to be, and with the figures of real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from patches import releases
from tests.support.command import ROOT
from tests.support.trees import NEWEST

pytest.importorskip("torchvision")

# Those of an open vocabulary mix in tensors that are made from values.
MODELS = ("v8/yolov8.yaml", "v8/yolov8-world.yaml", "v8/yoloe-v8-seg.yaml", "26/yoloe-26.yaml")
_COMPARE = """
import json, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from a2patch.probe.models.build import build
from a2patch.probe.models.catalog import parse
from a2patch.probe.models.flops import counted, summary
from a2patch.probe.models.meta import meta_model
told = {}
for name in sys.argv[3:]:
    described = {**parse(Path(sys.argv[1], "ultralytics/cfg/models", name).read_text()), "scale": "n"}
    one, other = meta_model(described), build(described)
    valued = sum(p.numel() for p in one.parameters() if not p.is_meta)
    told[name] = [valued, *([*summary(m).values(), counted(m)] for m in (one, other))]
print(json.dumps(told))
"""


def test_what_needs_no_values_has_none_and_counts_alike(cache: Path, tmp_path: Path) -> None:
    releases.unpack(NEWEST, cache, tmp_path)
    environment = os.environ | {"YOLO_CONFIG_DIR": str(tmp_path), "YOLO_OFFLINE": "true", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _COMPARE, str(tmp_path), str(ROOT), *MODELS]
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-2000:]
    told = json.loads(answer.stdout.splitlines()[-1])
    assert list(told) == list(MODELS)
    for name, (valued, without, real) in told.items():
        assert valued <= 16, f"{name} was built with {valued} values"
        assert without == real, name
        assert all(without), name
