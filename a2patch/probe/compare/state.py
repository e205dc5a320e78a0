"""Make an epoch depend on nothing but its number, the seed, and a state that is kept to the last bit.

Upstream resumes from `last.pt`, which holds averaged weights in half precision, and draws its numbers anew. That trains
on, but to other figures than those of a run that nobody interrupted. So what upstream rounds off or leaves out is kept
beside it and put back, and each epoch of every run, interrupted or not, begins with numbers of its own.
"""

from __future__ import annotations

import inspect
import io
import os
import random
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
import torch

STATE = "state.pt"
"""The file of a run that it can go on from; there is none before its first epoch, nor when it is finished."""

_STRIDE = 1_000_003  # between the numbers of two seeds; no run has as many epochs


class Stepper:
    """Says when the optimizer makes a step, as upstream does, but across an interruption too.

    Upstream counts batches since the last step in a variable that a resumed training loses, and its gradients with it.

    Attributes:
        waiting: How many batches have been added up since the last step.
    """

    def __init__(self) -> None:
        self.waiting = 0

    def take_over(self, trainer: Any) -> None:
        """Let a trainer ask after each batch, and make a step when it is due."""
        stepper = self
        upstream: Any = type(trainer)

        class Stepping(upstream):  # type: ignore[misc]
            """Upstream's trainer, whose loop sees that each batch is due."""

            @property
            def accumulate(self) -> int:
                return 1

            @accumulate.setter
            def accumulate(self, value: int) -> None:
                self.__dict__["accumulate"] = value

            def optimizer_step(self) -> None:
                stepper.waiting += 1
                if stepper.waiting >= self.__dict__["accumulate"]:
                    super().optimizer_step()
                    stepper.waiting = 0

        trainer.__class__ = Stepping


def begin_epoch(trainer: Any, seed: int) -> None:
    """Give an epoch numbers that follow from the seed and its own number alone: the order of the data and all else.

    So models that draw more or fewer numbers on their way see the same images, and a resumed run those that it would
    have seen.
    """
    number = (seed * _STRIDE + trainer.epoch) % 2**31
    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)
    loader = trainer.train_loader
    dataset = loader.dataset
    for i in getattr(dataset, "buffer", ()):  # images of the epoch before, which a mosaic would take from
        dataset.ims[i] = dataset.im_hw0[i] = dataset.im_hw[i] = None
    if hasattr(dataset, "buffer"):
        dataset.buffer = []
    if getattr(loader, "generator", None) is not None:
        loader.generator.manual_seed(number)
    if hasattr(loader, "reset"):  # what it has loaded ahead was drawn with other numbers
        loader.reset()


def keep(trainer: Any, stepper: Stepper, place: Path, told: Dict[str, Any]) -> None:
    """Keep all that a run needs to go on from the end of an epoch, in one step, and what else is told of it."""
    buffer = io.BytesIO()
    gradients = {name: p.grad for name, p in trainer.model.named_parameters() if p.grad is not None}
    kept = {
        **told,
        "model": trainer.model.state_dict(),
        "ema": trainer.ema.ema.state_dict(),
        "updates": trainer.ema.updates,
        "optimizer": trainer.optimizer.state_dict(),
        "gradients": gradients,
        "waiting": stepper.waiting,
        "stopper": vars(trainer.stopper),
        "best_fitness": trainer.best_fitness,
        "last": trainer.last.read_bytes(),
        "best": trainer.best.read_bytes() if trainer.best.exists() else b"",
        "table": trainer.csv.read_bytes() if trainer.csv.exists() else b"",
    }
    torch.save(kept, buffer)
    staged = place.with_name(place.name + ".new")
    with staged.open("wb") as file:
        file.write(buffer.getvalue())
        file.flush()
        os.fsync(file.fileno())
    staged.replace(place)


def read(place: Path) -> Optional[Dict[str, Any]]:
    """Return what was kept; None if nothing was."""
    return load(place) if place.is_file() else None


def lay_out(kept: Dict[str, Any], run: Path, changed: Dict[str, Any]) -> Path:
    """Write the files that upstream resumes from, as they were at the end of the epoch, and return its checkpoint.

    Args:
        kept: What was kept.
        run: The folder that upstream writes to.
        changed: Arguments that are others than then: where the folder lies now, and the device.
    """
    weights = run / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    stored = load(io.BytesIO(kept["last"]))
    stored["train_args"].update(changed)
    torch.save(stored, weights / "last.pt")
    if kept["best"]:
        weights.joinpath("best.pt").write_bytes(kept["best"])
    run.joinpath("results.csv").write_bytes(kept["table"])
    return weights / "last.pt"


def put_back(trainer: Any, stepper: Stepper, kept: Dict[str, Any]) -> None:
    """Put back to the last bit what upstream has resumed roughly."""
    trainer.model.load_state_dict(kept["model"])
    trainer.ema.ema.load_state_dict(kept["ema"])
    trainer.ema.updates = kept["updates"]
    trainer.optimizer.load_state_dict(kept["optimizer"])
    for name, parameter in trainer.model.named_parameters():
        gradient = kept["gradients"].get(name)
        parameter.grad = None if gradient is None else gradient.to(parameter.device)
    stepper.waiting = kept["waiting"]
    vars(trainer.stopper).update(kept["stopper"])
    trainer.best_fitness = kept["best_fitness"]


def load(source: Any) -> Any:
    """Read a file of ours, whole."""
    known = inspect.signature(torch.load).parameters
    return torch.load(source, map_location="cpu", **({"weights_only": False} if "weights_only" in known else {}))
