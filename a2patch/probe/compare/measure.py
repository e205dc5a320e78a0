"""How fast models are: side by side, round after round, so that what else the machine does meets all alike."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Dict, List, Tuple

import torch

from a2patch.probe.events import Channel
from a2patch.probe.models.build import Model, build
from a2patch.probe.models.catalog import parsed
from a2patch.probe.models.images import input_channels
from a2patch.probe.runtime.load import load_model
from a2patch.protocol import MeasureRequest, SpeedMeasured

_WARM_UPS = 3
_LEAST, _MOST = 5, 50  # rounds


def measure(request: MeasureRequest, channel: Channel) -> None:
    """Measure all models on each device with each batch, and tell the times of each round."""
    models = [(label, _loaded(Path(path))) for label, path in request.models]
    for device in request.devices:
        for batch in request.batches:
            channel.trying("measuring {} on {}, batch {}".format(" and ".join(dict(models)), device, batch))
            for label, seconds in _times(models, device, batch, request).items():
                channel.emit(SpeedMeasured(label, device, batch, tuple(seconds)))


def _loaded(path: Path) -> Model:
    """Return a model as it predicts: its convolutions and batch norms made one, where the release can."""
    model = load_model(path) if path.suffix == ".pt" else build(_described(path))
    return model.eval().fuse(verbose=False)


def _described(path: Path) -> Dict[str, Any]:
    model = parsed(path.read_text(encoding="utf-8"), path.name)
    scales = model.get("scales")
    return {**model, "scale": next(iter(scales))} if scales else model


def _times(models: List[Tuple[str, Model]], device: str, batch: int, request: MeasureRequest) -> Dict[str, List[float]]:
    """Return the times of each model, in rounds that begin with another model each."""
    images = {}
    for label, model in models:
        model.to(device)
        images[label] = torch.rand(batch, input_channels(model), request.size, request.size, device=device)
    with torch.no_grad():
        for label, model in models * _WARM_UPS:
            _timed(model, images[label])
        once = sum(_timed(model, images[label]) for label, model in models)
        rounds = min(_MOST, max(_LEAST, int(request.seconds / once)))
        found: Dict[str, List[float]] = {label: [] for label, _ in models}
        for number in range(rounds):
            first = number % len(models)
            for label, model in models[first:] + models[:first]:
                found[label].append(_timed(model, images[label]))
    return found


def _timed(model: Model, images: Any) -> float:
    started = time.perf_counter()
    model(images)
    if images.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - started
