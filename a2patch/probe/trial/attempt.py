"""Build a class and run it on maps: what comes out, or what is wrong."""

from __future__ import annotations

import re
from typing import Any, List, NamedTuple, Sequence, Tuple

import torch

from a2patch.probe.events import exhausted, last_line, missing_library
from a2patch.probe.trial.shared import Shared

Size = Tuple[int, int]

EVEN: Size = (20, 14)
"""A map of even sides, as the stages of a model mostly give them: not alike, and no multiples of 4."""

ODD: Size = (13, 9)
"""A map of odd sides, as the last stage gives them for images that are no squares."""

_SQUARES = (7, 8, 14, 16, 20, 28, 32, 40, 56, 64, 80)
_BATCH = 2

# How far an attempt came: what came furthest is told.
BUILT, RAN, GAVE, MOSTLY = 1, 2, 3, 4


class UnfitError(Exception):
    """An attempt failed; the message says why.

    Attributes:
        reached: How far it came.
    """

    def __init__(self, reached: int, text: str) -> None:
        """Tell why, and how far it came."""
        super().__init__(text)
        self.reached = reached


class LibraryMissingError(Exception):
    """A class needs a library that is not installed; the message is its name."""


class Map(NamedTuple):
    """The shape of a map that came out."""

    channels: int
    size: Size


def build(cls: Any, arguments: Sequence[Any]) -> Any:
    """Build a class, in evaluation.

    Raises:
        UnfitError: It doesn't build.
    """
    torch.manual_seed(0)
    shared = Shared()
    try:
        with shared:
            built = cls(*arguments).eval()
    except (Exception, SystemExit) as error:
        _reraise(error)
        given = ", ".join(map(repr, arguments))
        raise UnfitError(0, "{}({}) doesn't build: {}".format(cls.__name__, given, _told(error))) from error
    if shared.changed:
        raise UnfitError(MOSTLY, "building it {}".format(shared.changed))
    if isinstance(built, torch.jit.ScriptModule):
        raise UnfitError(MOSTLY, "it is compiled by torch.jit, and parse_model can't mark such a layer: use nn.Module")
    if any(isinstance(each, torch.nn.parameter.UninitializedParameter) for each in built.parameters()):
        text = "its parameters have no shape before it runs (nn.Lazy), and parse_model counts them: take the channels"
        raise UnfitError(MOSTLY, text)
    return built


def run(module: Any, channels: Sequence[int], size: Size, *, listed: bool = False) -> Map:
    """Run a module on a map, or on a list of maps, and return the shape of what comes out.

    Raises:
        UnfitError: It doesn't run, or gives no map.
    """
    torch.manual_seed(1)
    maps = [torch.rand(_BATCH, count, *size) for count in channels]
    what = "{} channels at {}x{}".format(" and ".join(map(str, channels)), *size)
    shared = Shared()
    try:
        with torch.no_grad(), shared:
            output = module(maps if listed else maps[0])
    except (Exception, SystemExit) as error:
        _reraise(error)
        raise UnfitError(BUILT, "it doesn't run on {}: {}".format(what, _told(error))) from error
    if shared.changed:
        raise UnfitError(MOSTLY, "running it {}".format(shared.changed))
    if not torch.is_tensor(output):
        raise UnfitError(BUILT if listed else GAVE, _no_tensor(output))  # `x * 2` runs on any list
    if output.dim() != 4 or output.shape[0] != _BATCH:
        shape = "x".join(map(str, output.shape))
        raise UnfitError(RAN, "it gives {}, no map, for {} of {} images".format(shape, what, _BATCH))
    if output.dtype != maps[0].dtype:
        raise UnfitError(GAVE, "it gives numbers of the type {} for {}".format(output.dtype, maps[0].dtype))
    return Map(int(output.shape[1]), (int(output.shape[2]), int(output.shape[3])))


def other_layout(module: Any, channels: int) -> str:
    """Return what a module reads where that is no map as a row passes it; empty if it is not known."""
    height, width = EVEN
    layouts: List[Tuple[str, Tuple[int, ...]]] = [
        ("maps with the channels last (B, H, W, C)", (_BATCH, height, width, channels))
    ]
    layouts += [("tokens (B, N, C)", (_BATCH, count, channels)) for count in (height * width, 49, 196, 400, 1600)]
    for text, shape in layouts:
        torch.manual_seed(1)
        try:
            with torch.no_grad(), Shared():
                output = module(torch.rand(*shape))
        except Exception:
            continue
        if torch.is_tensor(output) and output.shape == shape:
            return "it reads {}, and a row passes maps (B, C, H, W): permute them in its forward".format(text)
    return ""


def reads_list(module: Any, channels: int) -> bool:
    """Return whether a module that does not run on one map runs on a list of two or three that are alike."""
    for count in (2, 3):
        try:
            run(module, [channels] * count, EVEN, listed=True)
        except UnfitError:
            continue
        return True
    return False


def only_size(module: Any, channels: int) -> str:
    """Return the side of the squares that a module runs on, where it is the only one or takes its multiples."""
    fitting: List[int] = []
    for side in _SQUARES:
        try:
            run(module, [channels], (side, side))
        except UnfitError:
            continue
        fitting.append(side)
    return "; it runs on {}".format(", ".join("{0}x{0}".format(side) for side in fitting)) if fitting else ""


def _no_tensor(output: Any) -> str:
    """Return what is to be said of an output that is no tensor."""
    if isinstance(output, (list, tuple)) and output and all(map(torch.is_tensor, output)):
        shapes = ", ".join("x".join(map(str, each.shape[1:])) for each in output[:5])
        kind = "list" if isinstance(output, list) else "tuple"
        several = len({each.shape[2:] for each in output}) > 1
        told = "as a backbone does; " if several else ""
        return "it gives a {} of {} ({}): {}a row gives one map".format(kind, len(output), shapes, told)
    return "it gives a {}, no map: a row gives one".format(type(output).__name__)


def _told(error: BaseException) -> str:
    """Return the last line of an error, and what to do where the class puts tensors onto a GPU by itself."""
    text = last_line(error)
    own = re.search(r"NVIDIA driver|not compiled with CUDA|CUDA-capable|No CUDA GPUs|same device", text)
    told = "its code puts tensors onto a GPU by itself; it must use the device of its input ({})"
    return told.format(text) if own else text


def _reraise(error: BaseException) -> None:
    """Raise anew where an error is no fault of the class: a library is missing, or memory."""
    if exhausted(error):
        raise MemoryError(exhausted(error)) from error
    library = missing_library(error)
    if library:
        raise LibraryMissingError(library) from error
