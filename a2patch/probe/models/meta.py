"""Models built and run on torch's meta device, where tensors have shapes and no values: no memory, no computation.

torch works out such shapes too, but slowly, and for many functions it first imports its compiler, which takes longer
than all that is done here. So those of the commonest functions are worked out by hand.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Callable

import torch
import torch.overrides

from a2patch.probe.models.build import Model, build

Mode: Any = getattr(torch.overrides, "TorchFunctionMode", object)  # torch < 1.13 has none
PRODUCTS = (torch.bmm, torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__)
"""The functions that multiply matrices."""

_FACTORIES = {torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn, torch.arange}
_FILLING = {"fill_", "kaiming_uniform_", "normal_", "uniform_", "zero_"}


def known(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return what a function gives for tensors without values; None where that is not worked out here.

    What torch would refuse is left to it.
    """
    if func is torch.arange and str(kwargs.get("device")) == "meta":
        made = func(*args, **{**kwargs, "device": "cpu"})
        return torch.empty(made.shape, dtype=made.dtype, device="meta")
    if getattr(func, "__name__", "") in _FILLING:
        filled = args[0] if args else kwargs["tensor"]
        return filled if filled.is_meta else None
    if func not in _SHAPES:
        return None
    operands = args[0] if isinstance(args[0], (list, tuple)) else args[:2]
    numbers = [x for x in operands if torch.is_tensor(x) or isinstance(x, (int, float))]
    shape = _SHAPES[func](*args, **kwargs) if any(getattr(x, "is_meta", False) for x in numbers) else None
    return (
        None if shape is None else torch.empty(shape, dtype=torch.result_type(numbers[0], numbers[-1]), device="meta")
    )


class Shapes(Mode):  # type: ignore[misc]
    """A context in which the commonest functions of tensors without values give theirs at once."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch, or give what it would."""
        made = known(func, args, kwargs or {})
        return func(*args, **(kwargs or {})) if made is None else made


class Valueless(Shapes):
    """A context in which, besides, new tensors have no values, all but those made from values."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function of torch, or give what it would."""
        kwargs = kwargs or {}
        if func in _FACTORIES and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return super().__torch_function__(func, types, args, kwargs)


def meta_model(model: str | dict[str, Any]) -> Model:
    """Build a model without memory or computation, so that the largest takes no longer than the smallest.

    `torch.device("meta")` as a context would also move the strides, which upstream computes with. Where a release or
    a torch can't do without values, the model is built for real.
    """
    if Mode is object:
        return build(model)
    try:
        with Valueless():
            return build(model)
    except (NotImplementedError, RuntimeError):
        return build(model)


def _kept(x: Any, *args: Any, **kwargs: Any) -> list[int]:
    """Return the shape of what gives as many values as it takes."""
    return list(x.shape)


def _softmax(x: Any, dim: int, dtype: Any = None) -> list[int] | None:
    return list(x.shape) if dtype is None and -x.dim() <= dim < x.dim() else None


def _multiplied(one: Any, other: Any) -> list[int] | None:
    """Return the shape of a product of matrices, one for each image."""
    *images, rows, inner = one.shape
    return [*images, rows, other.shape[-1]] if list(other.shape[:-1]) == [*images, inner] else None


def _convolved(
    x: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> list[int] | None:
    """Return the shape of images convolved."""
    if x.dim() != 4 or isinstance(padding, str) or x.shape[1] != groups * weight.shape[1]:
        return None
    sides = _slid(x, weight.shape[2:], stride, padding, dilation)
    return [x.shape[0], weight.shape[0], *sides] if min(sides) > 0 else None


def _pooled(x: Any, kernel: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, **others: Any) -> Any:
    """Return the shape of images pooled."""
    sides = _slid(x, kernel, kernel if stride is None else stride, padding, dilation)
    refused = any(2 * pad > side for pad, side in zip(_pair(padding), _pair(kernel)))
    return [*x.shape[:-2], *sides] if not any(others.values()) and min(sides) > 0 and not refused else None


def _slid(x: Any, kernel: Any, *how: Any) -> list[int]:
    """Return at how many places a kernel is applied in both directions."""
    each = zip(x.shape[-2:], _pair(kernel), *map(_pair, how))
    return [(side + 2 * pad - gap * (size - 1) - 1) // step + 1 for side, size, step, pad, gap in each]


def _resized(x: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", **others: Any) -> Any:
    """Return the shape of images resized by a factor."""
    if x.dim() != 4 or size is not None or scale_factor is None or any(others.values()):
        return None
    sides = [int(side * factor) for side, factor in zip(x.shape[2:], _pair(scale_factor))]
    return [*x.shape[:2], *sides] if min(sides) > 0 and mode == "nearest" else None


def _pair(size: Any) -> Any:
    return (size, size) if isinstance(size, (int, float)) else size


def _elementwise(one: Any, other: Any) -> list[int] | None:
    """Return the shape of a sum, or of what else joins tensors and numbers one by one."""
    shapes = [reversed(x.shape if torch.is_tensor(x) else ()) for x in (one, other)]
    pairs = list(zip_longest(*shapes, fillvalue=1))
    if any(a != b and 1 not in (a, b) for a, b in pairs):
        return None
    return [a if b == 1 else b for a, b in reversed(pairs)]


def _divided(one: Any, other: Any) -> list[int] | None:
    """Return the shape of a quotient, which of whole numbers is of another type."""
    return _elementwise(one, other) if one.is_floating_point() else None


def _joined(tensors: Any, dim: int = 0) -> list[int] | None:
    """Return the shape of tensors joined along a dimension."""
    shapes = [list(x.shape) for x in tensors]
    axis = dim % len(shapes[0])
    rests = [shape[:axis] + shape[axis + 1 :] for shape in shapes]
    if any(rest != rests[0] for rest in rests):
        return None
    return [*rests[0][:axis], sum(shape[axis] for shape in shapes), *rests[0][axis:]]


def _stacked(tensors: Any, dim: int = 0) -> list[int] | None:
    """Return the shape of tensors stacked along a new dimension."""
    shape = list(tensors[0].shape)
    if any(list(x.shape) != shape for x in tensors):
        return None
    axis = dim % (len(shape) + 1)
    return [*shape[:axis], len(tensors), *shape[axis:]]


# What gives the shape of a function's result; None where torch has to be asked, which may refuse.
_SHAPES: dict[Any, Callable[..., list[int] | None]] = {
    torch.nn.functional.batch_norm: _kept,
    torch.nn.functional.silu: _kept,
    torch.Tensor.sigmoid: _kept,
    torch.Tensor.softmax: _softmax,
    torch.nn.functional.max_pool2d: _pooled,
    torch.nn.functional.interpolate: _resized,
    torch.conv2d: _convolved,
    **dict.fromkeys(PRODUCTS, _multiplied),
    torch.add: _elementwise,
    torch.Tensor.add: _elementwise,
    torch.Tensor.__add__: _elementwise,
    torch.Tensor.sub: _elementwise,
    torch.Tensor.mul: _elementwise,
    torch.Tensor.div: _divided,
    torch.cat: _joined,
    torch.stack: _stacked,
}
