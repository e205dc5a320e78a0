"""Checkpoints to transplant, made by a tree under its own interpreter.

    python tests/support/checkpoints.py SITE_PACKAGES REQUESTS.json

Each request names a `model` (a file, or a name that the tree knows), the `file` to write, and if wanted the number of
`classes`, the `gate` of our blocks, `whole` precision, `bare` for a state dict, `older` for v8 as 8.4.0 builds it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def make(request: dict[str, Any]) -> None:
    """Write a checkpoint of a model whose every layer takes part in the output."""
    import torch
    from ultralytics import RTDETR, YOLO

    model = (RTDETR if "rtdetr" in request["model"] else YOLO)(request["model"]).model
    if "classes" in request:
        model = type(model)({**model.yaml, "nc": request["classes"]}, nc=request["classes"], verbose=False)
    model.names = {i: f"thing {i}" for i in range(model.yaml["nc"])}
    torch.manual_seed(int(request.get("seed", 1)))
    blocks = {id(m.bn) for m in model.modules() if type(m).__name__ == "DoubleAttentionBlock"}
    with torch.no_grad():
        for module in model.modules():
            if id(module) in blocks:
                module.weight.fill_(request.get("gate", 0.0))
            elif isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.1)
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.num_batches_tracked.fill_(7)
    if request.get("older"):  # as 8.4.0 builds it
        model.model[9].cv1.act = torch.nn.Identity()
    model.args = {"imgsz": 96, "data": "things.yaml"}
    model = model.float() if request.get("whole") else model.half()
    whole = {"epoch": -1, "model": model, "ema": None, "train_args": {"imgsz": 96}, "date": "some day"}
    torch.save(model.state_dict() if request.get("bare") else whole, request["file"])


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    for each in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8")):
        make(each)
