"""Models built without memory or computation."""

from __future__ import annotations

from typing import Any

import torch

from a2patch.probe.models.build import Model, build

_FACTORIES = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange}
_SUMS = {torch.add, torch.Tensor.add, torch.Tensor.__add__}


def valueless() -> Any:
    """Return a context in which new tensors have a shape and no values, all but those made from values.

    Raises:
        ImportError: torch is older than 1.13.
    """
    from torch.overrides import TorchFunctionMode

    class OnMeta(TorchFunctionMode):  # type: ignore[misc]
        """Sends new tensors to the meta device."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if func in _FACTORIES and kwargs.get("device") is None:
                kwargs["device"] = "meta"
            shape = _shape(func, args, kwargs)
            return func(*args, **kwargs) if shape is None else torch.empty(shape, device="meta")

    return OnMeta()


def meta_model(model: str | dict[str, Any]) -> Model:
    """Build a model without memory or computation, so that the largest takes no longer than the smallest.

    `torch.device("meta")` as a context would also move the strides, which upstream computes with. Where a release or
    a torch can't do without values, the model is built for real.
    """
    try:
        without_values = valueless()
    except ImportError:  # torch < 1.13
        return build(model)
    try:
        with without_values:
            return build(model)
    except (NotImplementedError, RuntimeError):
        return build(model)


def _shape(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[int] | None:
    """Return the shape of what the commonest functions give; None for all others, and for what they should refuse.

    torch works it out too, but slowly for a batch norm, and for sums and joins it first imports its compiler, which
    takes two seconds.
    """
    if func is torch.nn.functional.batch_norm:
        return list(args[0].shape)
    if func in _SUMS:
        return _summed(args) if all(torch.is_tensor(x) for x in args) else None
    if func is torch.cat and all(x.is_meta for x in args[0]):
        return _joined([list(x.shape) for x in args[0]], *args[1:], **kwargs)
    return None


def _summed(tensors: tuple[Any, ...]) -> list[int] | None:
    """Return the shape of the sum of tensors without values, or of one without and one with, which torch refuses."""
    if not any(x.is_meta for x in tensors):
        return None
    return list(torch.broadcast_shapes(*(x.shape for x in tensors)))


def _joined(shapes: list[list[int]], dim: int = 0) -> list[int] | None:
    """Return the shape of tensors joined along a dimension; None where they can't be."""
    axis = dim % len(shapes[0])
    rests = [shape[:axis] + shape[axis + 1 :] for shape in shapes]
    if any(rest != rests[0] for rest in rests):
        return None
    return [*rests[0][:axis], sum(shape[axis] for shape in shapes), *rests[0][axis:]]
