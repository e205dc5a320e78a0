"""One training, in a process of its own: `transplant.py` starts it with the patched tree first in line to be imported.

    python benchmarks/tuning.py TUNING

`TUNING` is a tuning as JSON. The last line on standard output is its outcome as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SIZE = 96  # of the images, in pixels


@dataclass(frozen=True)
class Tuning:
    """A training to run.

    Attributes:
        way: What it is called; see `transplant.WAYS`.
        seed: Of all that is drawn at random.
        epochs: How long.
        rate: The learning rate that training starts with.
        data: The description of the data set.
        model: What training starts from: a model file, or a checkpoint.
        load: A checkpoint that is loaded by name into it, as the tutorial does; empty for none.
        folder: For what ultralytics writes.
    """

    way: str
    seed: int
    epochs: int
    rate: float
    data: str
    model: str
    load: str
    folder: str


@dataclass(frozen=True)
class Outcome:
    """What came out of a training.

    Attributes:
        way: The tuning's.
        seed: The tuning's.
        curve: mAP50-95 on the validation images before the first step, then after each epoch.
        versions: Those of torch and ultralytics.
    """

    way: str
    seed: int
    curve: tuple[float, ...]
    versions: dict[str, str]


def run(tuning: Tuning) -> Outcome:
    """Validate, then train and validate after each epoch."""
    import torch
    import ultralytics

    before = _started(tuning).val(data=tuning.data, name="before", **_settings(tuning))
    curve = [float(before.box.map)]

    def keep(trainer: Any) -> None:
        if len(curve) <= tuning.epochs:  # upstream calls it once more when all is over
            curve.append(float(trainer.validator.metrics.box.map))

    model = _started(tuning)
    model.add_callback("on_fit_epoch_end", keep)
    unaltered = dict.fromkeys(("mosaic", "fliplr", "hsv_h", "hsv_s", "hsv_v", "translate", "scale"), 0.0)
    model.train(
        **{**unaltered, **_settings(tuning)},
        data=tuning.data,
        name=f"{tuning.way}-{tuning.seed}".replace(" ", "-"),
        epochs=tuning.epochs,
        patience=tuning.epochs,
        seed=tuning.seed,
        optimizer="AdamW",
        lr0=tuning.rate,
        warmup_epochs=1.0,
        warmup_bias_lr=0.0,  # 0.1 is meant for SGD
        close_mosaic=0,
        nbs=16,  # a step of the optimizer after each batch
        amp=False,
    )
    versions = {"torch": str(torch.__version__), "ultralytics": str(ultralytics.__version__)}
    return Outcome(tuning.way, tuning.seed, tuple(curve), versions)


def _started(tuning: Tuning) -> Any:
    """Return the model as it is before the first step."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(tuning.seed)
    model = YOLO(tuning.model, task="detect")
    return model.load(tuning.load) if tuning.load else model


def _settings(tuning: Tuning) -> dict[str, Any]:
    return {
        "imgsz": SIZE,
        "batch": 16,
        "device": "cpu",
        "workers": 0,
        "plots": False,
        "verbose": False,
        "project": tuning.folder,
        "exist_ok": True,
    }


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from a2patch.probe.runtime.sandbox import apply_settings, go_offline

    go_offline()
    apply_settings()
    outcome = run(Tuning(**json.loads(sys.argv[1])))
    print()
    print(json.dumps(asdict(outcome)))
