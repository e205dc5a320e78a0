"""One of the workers that `torchrun` starts for the check on distributed training."""

from __future__ import annotations

import json
import os
import traceback
from copy import deepcopy
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from a2patch.probe.checks.gradient import backward, new_parameters
from a2patch.probe.events import Channel, last_line
from a2patch.probe.models.build import Model
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import at_fitting_side, small_side, smooth_images
from a2patch.protocol import VerifyRequest

_PATIENCE = timedelta(seconds=60)  # of one worker with the other
_IMAGES = 2


def work(request: VerifyRequest, channel: Channel) -> None:
    """Measure the gradients of all models beside another worker, and write what came out to a file."""
    rank = int(os.environ["RANK"])
    path = channel.scratch / "worker-{}.json".format(rank)
    report: dict[str, Any] = {"met": False, "done": False, "error": "", "models": {}}

    def write_report(**news: Any) -> None:
        report.update(news)
        path.write_text(json.dumps(report), encoding="utf-8")

    try:
        dist.init_process_group("gloo", timeout=_PATIENCE)
        dist.barrier()
        write_report(met=True)
        context = Context(request, channel)
        for spec in context.specs:
            report["models"][spec.file] = _measured(context, spec.file, rank)
        write_report(done=True)
        dist.destroy_process_group()
    except Exception as error:
        traceback.print_exc()  # to the log
        write_report(error=last_line(error))


def _measured(context: Context, file: str, rank: int) -> dict[str, Any]:
    """Return the unused parameters of a model, and how far its gradients are from what they should be."""
    size = small_side(context.smallest(file))
    model = context.randomized(file, size).double().train()
    count = dist.get_world_size()

    def by_each(side: int) -> tuple[list[Any], list[dict[str, Any]]]:
        batches = smooth_images(model, count * _IMAGES, side).double().split(_IMAGES)
        return batches, [_gradients(deepcopy(model), None, batch) for batch in batches]

    batches, alone = at_fitting_side(model, size, by_each)
    unused = [name for name, gradient in alone[rank].items() if gradient is None]
    wrapped = DistributedDataParallel(deepcopy(model), find_unused_parameters=bool(unused))
    for _ in range(2):  # it is at the second step that it misses a gradient of the first
        got = _flat(_gradients(wrapped.module, wrapped, batches[rank]))
    added = new_parameters(model, context.unknown_to_stock(file))
    mean = sum(_flat(gradients) for gradients in alone) / count
    other = got.clone()
    dist.broadcast(other, 0)
    return {
        "unused": [name for name in unused if name in added],
        "unused_elsewhere": len([name for name in unused if name not in added]),
        "mean": float((got - mean).norm() / mean.norm()),
        "other": float((got - other).norm() / mean.norm()),
    }


def _gradients(model: Model, wrapped: Any, images: Any) -> dict[str, Any]:
    """Return the gradients of a model's parameters by name, computed through what wraps it, if anything does."""
    model.zero_grad()
    torch.manual_seed(6)
    backward(wrapped or model, images)
    return {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}


def _flat(gradients: dict[str, Any]) -> Any:
    """Return all gradients as one vector."""
    return torch.cat([gradient.flatten() for gradient in gradients.values() if gradient is not None])
