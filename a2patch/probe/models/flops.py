"""Floating-point operations counted by torch itself, which sees matrix products too."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch

from a2patch.probe.models.build import Model
from a2patch.probe.models.images import input_channels

SIZE = 640  # as ultralytics counts


def counted(model: Model) -> float | None:
    """Return a model's GFLOPs for one image, a multiplication and an addition as two; None where torch can't tell.

    It runs on the meta device, so that the largest model takes as long as the smallest.
    """
    try:
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils.flop_counter import flop_registry
    except ImportError:  # torch < 2.1
        return None

    class Counting(TorchDispatchMode):  # type: ignore[misc]
        """Adds up what torch knows of each operation; FlopCounterMode also names modules, at ten times the cost."""

        total = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            known = flop_registry.get(func._overloadpacket)
            if known:
                self.total += known(*args, **(kwargs or {}), out_val=out)
            return out

    if not all(parameter.is_meta for parameter in model.parameters()):
        model = deepcopy(model).to("meta")
    image = torch.empty(1, input_channels(model), SIZE, SIZE, device="meta")
    training = model.training
    try:
        with torch.no_grad(), _shapes_only(), Counting() as counter:
            model.train()(image)
    except (NotImplementedError, RuntimeError, TypeError):  # something needs values
        return None
    finally:
        model.train(training)
    return float(counter.total) / 1e9


def _shapes_only() -> Any:
    """Return a context in which what keeps a shape and is not counted is left out; it takes most of the time."""
    from torch.overrides import TorchFunctionMode

    class ShapesOnly(TorchFunctionMode):  # type: ignore[misc]
        """Gives back what comes in."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func in (torch.nn.functional.batch_norm, torch.nn.functional.silu):
                return args[0]
            return func(*args, **(kwargs or {}))

    return ShapesOnly()
