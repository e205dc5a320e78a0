"""One training, in a process of its own: `learn.py` starts it with the patched tree first in line to be imported.

    python benchmarks/trial.py TRIAL FOLDER

`TRIAL` is a trial as JSON, `FOLDER` is for what it writes. The last line on standard output is the outcome as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from benchmarks import digits
from benchmarks.contenders import CONTENDERS, Contender
from benchmarks.outcomes import Outcome, Point, Trial

ATTENTION = ("DoubleAttentionLayer", "DoubleAttentionBlock")


def run(trial: Trial, folder: Path) -> Outcome:
    """Train, and validate on the way.

    Args:
        trial: What to do.
        folder: For the data, the model file and what ultralytics writes.
    """
    import torch
    import ultralytics
    from ultralytics import YOLO
    from ultralytics.models.yolo.detect import DetectionTrainer
    from ultralytics.utils import YAML

    from a2patch.probe.checks.sight import answers_to_a_move

    contender = CONTENDERS[trial.contender]
    stock = Path(ultralytics.__file__).parent / "cfg/models/v8" / contender.file
    file = folder / "model.yaml"
    file.write_text(json.dumps(contender.describe(YAML.load(stock))))  # JSON is YAML
    curve: list[Point] = []

    def choose(trainer: Any) -> None:
        trainer.args.val = (trainer.epoch + 1) % trial.every == 0

    def keep(trainer: Any) -> None:
        last = trainer.epoch + 1 == trial.epochs
        if trainer.epoch < trial.epochs and (trainer.args.val or last):
            box = trainer.validator.metrics.box
            curve.append(Point(trainer.epoch + 1, float(box.map), [float(value) for value in box.maps]))

    model = YOLO(str(file), task="detect")
    model.add_callback("on_train_epoch_start", choose)
    model.add_callback("on_fit_epoch_end", keep)
    data = digits.write(folder / "data", trial.task, trial.seed, trial.images, trial.size)
    trainer = _trainer(DetectionTrainer, contender)
    model.train(trainer, data=str(data), project=str(folder), name="run", **_settings(trial))
    trained = model.trainer.ema.ema
    return Outcome(
        trial,
        sum(parameter.numel() for parameter in trained.parameters()),
        curve,
        answers_to_a_move(deepcopy(trained).double(), ATTENTION),
        time.process_time(),
        {"torch": torch.__version__, "ultralytics": ultralytics.__version__},
    )


def _trainer(base: Any, contender: Contender) -> Any:
    """Return a trainer that changes the model it has built as the contender asks, and validates on whole images."""

    class Trainer(base):  # type: ignore[misc]
        def get_model(self, *args: Any, **kwargs: Any) -> Any:
            model = super().get_model(*args, **kwargs)
            if contender.change:
                contender.change(model)
            return model

        def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
            dataset = super().build_dataset(img_path, mode, batch)
            if mode == "val":  # else images of 64 px get a border of 16 px, which no training has shown
                dataset.batch_shapes[:] = self.args.imgsz
            return dataset

    return Trainer


def _settings(trial: Trial) -> Mapping[str, Any]:
    """How ultralytics is to train: nothing chosen by itself, nothing that alters what a digit or an image means."""
    unaltered = dict.fromkeys(
        ("mosaic", "mixup", "fliplr", "flipud", "hsv_h", "hsv_s", "hsv_v", "translate", "scale"), 0.0
    )
    return {
        **unaltered,
        "close_mosaic": 0,
        "imgsz": trial.size,
        "epochs": trial.epochs,
        "patience": trial.epochs,
        "seed": trial.seed,
        "optimizer": "AdamW",
        "lr0": trial.rate,
        "warmup_epochs": 1.0,
        "warmup_bias_lr": 0.0,  # 0.1 is meant for SGD
        "batch": 16,
        "nbs": 16,  # a step of the optimizer after each batch
        "device": "cpu",
        "workers": 0,
        "cache": "ram",
        "amp": False,
        "plots": False,
        "save": False,
        "verbose": False,
    }


def main() -> None:
    """Run the trial that the arguments say, and print its outcome."""
    from a2patch.probe.runtime.sandbox import apply_settings, go_offline

    go_offline()
    apply_settings()
    trial = Trial(**json.loads(sys.argv[1]))
    print()
    print(json.dumps(asdict(run(trial, Path(sys.argv[2])))))


if __name__ == "__main__":
    main()
