"""Models of a release, built and run once in a process of their own, forked from one that has torch loaded already."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from patches.compatibility import MODELS
from tests.support.command import ROOT

BUILD_S = 120


def preload() -> None:
    """Load once what every release loads."""
    os.environ["YOLO_CONFIG_DIR"] = tempfile.mkdtemp(prefix="a2patch-matrix-settings-")
    # Upstream installs what it misses with pip, and looks for a network: neither must happen here.
    os.environ |= {"YOLO_AUTOINSTALL": "false", "YOLO_OFFLINE": "true", "PIP_NO_INDEX": "1", "YOLO_VERBOSE": "false"}
    sys.dont_write_bytecode = True
    for name in (
        "torch",
        "torchvision",
        "cv2",
        "numpy",
        "pandas",
        "matplotlib.pyplot",
        "scipy",
        "PIL.Image",
        "requests",
    ):
        importlib.import_module(name)
    import torch

    torch.set_num_threads(1)


def build(package: Path, models: Iterable[str]) -> dict[str, int | str]:
    """Build models and run each once, in a process of its own: the parameters of each, or what went wrong."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(package, models, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    found: dict[str, int | str] = json.loads(answer) if answer else dict.fromkeys(models, "the process died")
    return found


def _child(package: Path, models: Iterable[str], writing: int) -> None:
    found: dict[str, int | str] = {}
    code = 1
    with contextlib.suppress(BaseException):
        signal.alarm(BUILD_S)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.stdout = sys.stderr = io.StringIO()
        os.chdir(os.environ["YOLO_CONFIG_DIR"])
        sys.path[:] = [str(package.parent), *(entry for entry in sys.path if entry not in ("", str(ROOT)))]
        for model in models:
            found[model] = _parameters(model)
        os.write(writing, json.dumps(found).encode())
        code = 0
    os._exit(code)


def _parameters(model: str) -> int | str:
    try:
        import torch

        tasks = importlib.import_module("ultralytics.nn.tasks")
        loaded = _with_row(tasks, model) if ":" in model else _load(tasks, model)
        network = tasks.DetectionModel(loaded, verbose=False).eval()
        with torch.no_grad():
            network(torch.zeros(1, 3, 64, 64))
        return int(sum(parameter.numel() for parameter in network.parameters()))
    except BaseException as error:  # whatever upstream raises is the result
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''} ({last.name})"


def _load(tasks: Any, model: str) -> Any:
    if hasattr(tasks, "yaml_model_load"):
        return tasks.yaml_model_load(model)
    return importlib.import_module("ultralytics.yolo.utils.checks").check_yaml(model)


def _with_row(tasks: Any, row: str) -> Any:
    """Return the stock model with a row of a block in place of a stage of its backbone."""
    import yaml

    found = _load(tasks, MODELS[0])
    model = found if isinstance(found, dict) else yaml.safe_load(Path(found).read_text("utf-8"))
    name, _, args = row.partition(":")
    model["backbone"][6] = [-1, 1, name, json.loads(args)]
    return model
