"""One training of a comparison, by ultralytics itself; what was begun before goes on."""

from __future__ import annotations

import importlib
import math
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch

from a2patch.probe.compare import state
from a2patch.probe.compare.validated import Validated
from a2patch.probe.events import Channel
from a2patch.probe.runtime.compat import tools
from a2patch.probe.runtime.load import ALLOW
from a2patch.protocol import VALIDATED, EpochDone, TrainingBegan, TrainingDone, TrainRequest, decode, encode

RUN = "train"
"""The folder, in that of the run, which ultralytics writes to."""


def train(request: TrainRequest, channel: Channel) -> None:
    """Train a model, or go on with it, and tell what each epoch gave."""
    folder = Path(request.folder)
    place = folder / state.STATE
    kept = state.read(place)
    if kept:  # it may have been ended before it told of the epoch that it had kept
        last = decode(kept["epoch"])
        assert isinstance(last, EpochDone), last
        channel.emit(last)
    if kept and kept["finished"]:  # all but what upstream does to its own checkpoints then
        state.lay_out(kept, folder / RUN, {})
        channel.emit(TrainingDone(kept["memory"]))
        place.unlink()
        return
    where = {"data": request.data, "device": request.device, "project": str(folder), "save_dir": str(folder / RUN)}
    if kept:
        start: str = str(state.lay_out(kept, folder / RUN, where))
        settings: Dict[str, Any] = {"resume": True}
    else:
        shutil.rmtree(folder / RUN, ignore_errors=True)
        start, settings = request.model, _settings(request)
    os.environ[ALLOW] = "1"  # its own checkpoints; that of the user was read with restrictions before
    channel.trying("training")
    recorder = Recorder(request.seed, channel, place, kept)
    _use_threads(request.threads)
    model = importlib.import_module("ultralytics").YOLO(start)
    for event in ("on_train_start", "on_train_epoch_start", "on_model_save"):
        model.add_callback(event, getattr(recorder, event))
    model.train(**settings)
    channel.emit(TrainingDone(memory()))
    place.unlink()


class Recorder:
    """Follows a training: tells its epochs, and keeps what it can go on from."""

    def __init__(self, seed: int, channel: Channel, place: Path, kept: Any) -> None:
        self._seed = seed
        self._channel = channel
        self._place = place
        self._kept = kept
        self._stepper = state.Stepper()
        self._validated = Validated()
        self._since = 0.0

    def on_train_start(self, trainer: Any) -> None:
        """Take over what an interruption would change."""
        self._stepper.take_over(trainer)
        self._validated.follow(trainer)
        self._channel.emit(TrainingBegan(trainer.start_epoch + 1))

    def on_train_epoch_start(self, trainer: Any) -> None:
        """Begin an epoch, the first one of a resumed training where the last one ended."""
        self._since = time.monotonic()
        if self._kept:
            state.put_back(trainer, self._stepper, self._kept)
            self._kept = None
        trainer._oom_retries = 3  # else upstream halves the batch where memory is short, of this model alone
        state.begin_epoch(trainer, self._seed)
        self._validated.begin_epoch()

    def on_model_save(self, trainer: Any) -> None:
        """Tell an epoch, and keep where it ended."""
        finished = bool(trainer.stop) or trainer.epoch + 1 >= trainer.epochs
        if finished:  # before the state says so: whoever goes on from there trains no more
            self._validated.write(self._place.with_name(VALIDATED))
        done = EpochDone(
            trainer.epoch + 1,
            tuple((name, float(value)) for name, value in _validated(trainer)),
            _classes(trainer),
            bool(torch.isfinite(trainer.loss.detach()).all()),
            time.monotonic() - self._since,
        )
        told = {"finished": finished, "memory": memory(), "epoch": encode(done)}
        state.keep(trainer, self._stepper, self._place, told)
        self._channel.emit(done)


def _settings(request: TrainRequest) -> Dict[str, Any]:
    """Return how ultralytics is to train; what a release does not know of ours is left out."""
    ours: Dict[str, Any] = {"patience": request.epochs, "plots": False, "seed": request.seed, "deterministic": True}
    ours.update(data=request.data, epochs=request.epochs, device=request.device, save=True)
    ours.update(project=request.folder, name=RUN, exist_ok=True)
    if request.device == "cpu":
        ours["workers"] = 0
    settings = {**known(ours), **dict(request.arguments)}
    close = settings.get("close_mosaic", tools("utils").DEFAULT_CFG_DICT.get("close_mosaic", 0))
    if close > request.epochs:  # older releases then close it where they resume, and never else
        settings["close_mosaic"] = request.epochs
    return {**settings, "pretrained": request.pretrained} if request.pretrained else settings


def known(arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Return those arguments that the release knows; it refuses others."""
    keys = tools("utils").DEFAULT_CFG_KEYS
    return {name: value for name, value in arguments.items() if name in keys}


def _use_threads(count: int) -> None:
    """Let upstream use so many threads on the CPU: figures depend on it, and it goes by the machine otherwise."""
    for name in ("utils", "utils.torch_utils"):
        if hasattr(tools(name), "NUM_THREADS"):
            tools(name).NUM_THREADS = count


def _validated(trainer: Any) -> List[Tuple[str, Any]]:
    """Return what the validation of this epoch gave, none where it was not validated."""
    last = trainer.epoch + 1 >= trainer.epochs
    return list(trainer.metrics.items()) if trainer.args.val or last else []


def _classes(trainer: Any) -> Tuple[float, ...]:
    """Return mAP50-95 of each class; NaN for one that no label of the validation has."""
    box = getattr(getattr(trainer.validator, "metrics", None), "box", None)
    present = {int(index) for index in getattr(box, "ap_class_index", ())}
    maps = getattr(box, "maps", ())
    return tuple(float(value) if i in present else math.nan for i, value in enumerate(maps))


def memory() -> int:
    """Return the most memory that this process has held, in bytes, of the GPU where it used one; 0 if nobody tells."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else range(0)
    held = max((int(torch.cuda.max_memory_allocated(gpu)) for gpu in gpus), default=0)
    if held:
        return held
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
