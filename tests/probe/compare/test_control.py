"""The control has the base's layers and as many plain parameters, at the same places, as another model adds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from patches import releases
from tests.support.command import ROOT, patch
from tests.support.trees import NEWEST

_CONTROLS = """
import json, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from a2patch.probe.compare.control import PLAIN, control
from a2patch.probe.compare.prepare import build_model, read_model
from a2patch.probe.models.build import count_parameters, kind
from a2patch.probe.transplant.checkpoint import DeclinedError
models = Path(sys.argv[1], "ultralytics", "cfg", "models")
data = {"nc": 7}
told = {}
for name, base, scale, other in json.loads(sys.argv[3]):
    one, two = (
        read_model(str(path if Path(path).is_absolute() else models / path), scale, data) for path in (base, other)
    )
    one_built, two_built = build_model(one), build_model(two)
    try:
        made = control(one, one_built, two, two_built)
    except DeclinedError as error:
        told[name] = {"declined": str(error)}
        continue
    built = build_model(made.described)
    told[name] = {
        "counts": [count_parameters(each) for each in (one_built, two_built, built)],
        "kinds": [kind(layer) for i, layer in enumerate(built.model) if i not in made.places],
        "base": [kind(layer) for layer in one_built.model],
        "places": [kind(built.model[i]) == PLAIN for i in made.places],
        "behind": [i - 1 - n for n, i in enumerate(made.places)],
    }
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def controls(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pytest.importorskip("torchvision")
    site = tmp_path_factory.mktemp("control") / "site-packages"
    package = releases.unpack(NEWEST, cache, site)
    patch(site)
    wide = site / "wide8.yaml"
    text = (package / "cfg/models/v8/yolov8.yaml").read_text(encoding="utf-8")
    wide.write_text(text.replace("[-1, 6, C2f, [512, True]]", "[-1, 6, RepC3, [512]]"), encoding="utf-8")
    asked = [
        ("n", "v8/yolov8.yaml", "n", "v8/yolov8_A2.yaml"),
        ("x", "v8/yolov8.yaml", "x", "v8/yolov8_A2.yaml"),
        ("tutorial", "v8/yolov8.yaml", "n", "v8/yolov8_DANet.yaml"),
        ("itself", "v8/yolov8.yaml", "n", "v8/yolov8.yaml"),
        ("another kind", "v8/yolov8.yaml", "n", str(wide)),
    ]
    variables = {**os.environ, "YOLO_CONFIG_DIR": str(site), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _CONTROLS, str(site), str(ROOT), json.dumps(asked)]
    answer = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]
    told: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return told


@pytest.mark.parametrize("name", ["n", "x", "tutorial"])
def test_as_many_parameters_at_the_same_places(controls: dict[str, Any], name: str) -> None:
    found = controls[name]
    base, other, made = found["counts"]
    assert abs(made - other) <= 0.15 * (other - base)
    assert found["kinds"] == found["base"]
    assert all(found["places"])
    assert found["behind"]


def test_a_model_that_adds_nothing_has_no_control(controls: dict[str, Any]) -> None:
    assert "adds no parameters" in controls["itself"]["declined"]


def test_a_layer_of_another_kind_counts_by_what_it_has_more(controls: dict[str, Any]) -> None:
    found = controls["another kind"]
    base, other, made = found["counts"]
    assert base < other
    assert abs(made - other) <= 0.15 * (other - base), found
