"""What a model costs: its parameters, and its floating-point operations as upstream and as torch count them."""

from __future__ import annotations

from contextlib import nullcontext
from copy import deepcopy
from importlib.util import find_spec
from typing import Any

import torch

from a2patch.probe.models.build import Model, count_parameters
from a2patch.probe.models.images import input_channels
from a2patch.probe.models.meta import PRODUCTS, Mode, Shapes, known
from a2patch.probe.runtime.compat import tools

SIZE = 640  # as ultralytics counts


def summary(model: Model) -> dict[str, Any]:
    """Return layers, parameters, gradients and GFLOPs at 640 px as `model.info()` prints them."""
    info = _printed(model)
    if not info[3] and next(model.parameters()).is_meta and find_spec("thop"):  # whose older ones may need values
        info = _printed(_with_values(model))
    return dict(zip(("layers", "parameters", "gradients", "gflops"), (*info[:3], info[3] or None)))


def _printed(model: Model) -> tuple[int, int, int, float]:
    """Return what `model_info` prints; in some releases it only prints."""
    with Shapes() if Mode is not object else nullcontext():
        info = tools("utils.torch_utils").model_info(model, imgsz=SIZE)
        return info or _info(model)


def _with_values(model: Model) -> Model:
    """Return a copy of a model that has values, whichever they are.

    The strides have values already, and upstream's `_apply` takes them along, which `to_empty` would not expect.
    """
    copy = deepcopy(model)._apply(_laid_out)
    for name, value in list(vars(copy).items()):  # some hold a tensor that is no parameter, such as a text's
        if torch.is_tensor(value):
            setattr(copy, name, _laid_out(value))
    return copy


def _laid_out(tensor: Any) -> Any:
    return torch.empty_like(tensor, device="cpu") if tensor.is_meta else tensor


def _info(model: Model) -> tuple[int, int, int, float]:
    gradients = sum(p.numel() for p in model.parameters() if p.requires_grad)
    flops = tools("utils.torch_utils").get_flops(model, imgsz=SIZE)
    return len(list(model.modules())), count_parameters(model), gradients, flops


def why_no_gflops() -> str:
    """Return why ultralytics counts no GFLOPs here."""
    try:
        import thop
    except ImportError:
        return "GFLOPs are not counted: the library thop is not installed"
    if _installed("thop"):  # it and ultralytics-thop are both imported as thop, and the last one installed wins
        return (
            "GFLOPs are not counted: the distribution thop hides ultralytics-thop, and ultralytics' get_flops fails "
            "with it silently; uninstall thop, then reinstall ultralytics-thop"
        )
    return "GFLOPs are not counted: ultralytics' get_flops fails with thop {}".format(getattr(thop, "__version__", "?"))


def _installed(distribution: str) -> bool:
    """Return whether a distribution of exactly this name is installed."""
    from importlib import metadata

    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


# Functions that multiply nothing, those that models call most; all others are looked through for what they multiply.
_UNCOUNTED = {
    *("__get__", "add_", "chunk", "dim", "flatten", "numel", "permute", "reshape"),
    *("size", "split", "squeeze", "transpose", "unsqueeze", "view"),
}


def counted(model: Model) -> float | None:
    """Return a model's GFLOPs for one image, a multiplication and an addition as two; None where torch can't tell.

    It runs on the meta device, so that the largest model takes as long as the smallest.
    """
    try:
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils.flop_counter import flop_registry
    except ImportError:  # torch < 2.1
        return None

    class Operations(TorchDispatchMode):  # type: ignore[misc]
        """Adds up what torch knows of each operation; FlopCounterMode also names modules, at ten times the cost."""

        total = 0

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            out = func(*args, **(kwargs or {}))
            flops = flop_registry.get(func._overloadpacket)
            if flops:
                self.total += flops(*args, **(kwargs or {}), out_val=out)
            return out

    class Functions(Mode):  # type: ignore[misc]
        """Adds up what torch never sees, since its shape is worked out, and leaves the rest to the above."""

        total = 0

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            made = known(func, args, kwargs or {})
            if made is None and getattr(func, "__name__", "") in _UNCOUNTED:
                return func(*args, **(kwargs or {}))
            if made is None:
                with operations:  # only where it is needed: it imports torch's compiler
                    return func(*args, **(kwargs or {}))
            if func is torch.conv2d:
                self.total += 2 * made.numel() * args[1][0].numel()
            elif func in PRODUCTS:
                self.total += 2 * made.numel() * args[0].shape[-1]
            return made

    if not all(parameter.is_meta for parameter in model.parameters()):
        model = deepcopy(model).to("meta")
    image = torch.empty(1, input_channels(model), SIZE, SIZE, device="meta")
    training = model.training
    operations = Operations()
    try:
        with torch.no_grad(), Functions() as functions:
            model.train()(image)
    except (NotImplementedError, RuntimeError, TypeError):  # something needs values
        return None
    finally:
        model.train(training)
    return float(operations.total + functions.total) / 1e9
