"""Does a model compute the same after export, at another size and in a larger batch too?

A trace keeps what Python worked out while it was made, such as a size that had become a plain number. So each export
runs on the shape that it was made with, and then on one that is longer, wider, and holds two images.
"""

from __future__ import annotations

import inspect
import sys
from copy import deepcopy
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from a2patch.probe.events import Finding, SkipCheckError, failed, passed, skipped
from a2patch.probe.models.build import NAMING, Model, kind, tensors
from a2patch.probe.models.context import Context
from a2patch.probe.models.images import coarsest_stride, fitting_side, input_channels, smooth_images
from a2patch.probe.runtime.compat import tools
from a2patch.probe.runtime.load import load_model
from a2patch.protocol import command_line

FORMATS = {"torchscript": "TorchScript", "onnx": "ONNX"}
MARGIN = 10.0  # times the error that float32 leaves in the model as it is, 1e-5 to 1e-2 in a fresh one
_LEAST = 1e-3  # allowed in any case, for channels that hold next to nothing; a wrong layer leaves 1e-1
_UNSTEADY = 0.1
_NOTHING = 1e-7  # of the largest channel
_ONNX = ("onnx", "onnxruntime")


def check_export(context: Context) -> Finding:
    """Check that what upstream's exporter makes of a model gives what the model gives."""
    figures = []
    missing = [name for name in _ONNX if find_spec(name) is None]
    for spec in context.specs:
        label = context.label(spec.file)
        weights = _saved(context, spec.file)
        reference = load_model(weights).eval()
        for form, name in FORMATS.items():
            if form == "onnx" and missing:
                continue
            context.channel.trying("exporting {} to {}".format(label, name))
            try:
                worst, fault = _parity(reference, weights, form)
            except ModuleNotFoundError as error:
                if not error.name or error.name.startswith("ultralytics"):
                    raise
                missing.append(error.name.partition(".")[0])
                continue
            if fault:
                off = ", off by {:.0e}".format(worst) if worst else ""
                return failed("{} as {}{}".format(label, name, off), "The {} export {}.".format(name, fault), _ADVICE)
            figures.append("{} {} {:.0e}".format(label, name, worst))
    if missing:
        why = "ONNX was not tried: {} not installed.".format(" and ".join(missing) + (" is", " are")[len(missing) > 1])
        install = command_line([sys.executable, "-m", "pip", "install", *missing])
        return skipped("; ".join(figures), why, "`{}`".format(install))
    return passed("; ".join(figures))


_ADVICE = (
    "Work with the sizes of tensors as they come (`x.shape[2]`, `flatten`), and keep `int`, `if` and whatever is "
    "remembered from one call to the next away from them."
)


def _saved(context: Context, file: str) -> Path:
    """Save a model as upstream saves it, for its exporter to load.

    Raises:
        SkipCheckError: If the exporter needs more than the model, or it doesn't build.
    """
    model = context.randomized(file, 2 * coarsest_stride(context.smallest(file)))
    head = kind(model.model[-1])
    if head.startswith(NAMING):
        raise SkipCheckError("a head of the kind {} reads what classes are called, besides images".format(head))
    if input_channels(model) != 3 and '"channels"' not in inspect.getsource(tools("engine.exporter")):
        raise SkipCheckError("this release exports models of images of 3 channels, and this one takes others")
    folder = context.scratch / "export"
    folder.mkdir(exist_ok=True)
    path = folder / (Path(file).stem + ".pt")
    torch.save({"epoch": -1, "model": model, "ema": None, "train_args": {}}, path)
    return path


def _parity(reference: Model, weights: Path, form: str) -> tuple[float, str]:
    """Export a model; return how far off the export is at worst, and what is wrong with it, or nothing."""
    side = fitting_side(reference, 2 * coarsest_stride(reference))
    dynamic = _takes(form, "dynamic")
    try:
        exported = _exported(reference, weights, form, dynamic, side)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        return 0.0, "is not made: {}".format(_first(error))
    worst = 0.0
    larger = _larger(reference, side) if dynamic else []
    for images in [smooth_images(reference, 1, side), *larger]:
        shape = "x".join(map(str, images.shape))
        exact = _output(deepcopy(reference).double(), images.double())
        own = _distance(exact, _output(reference, images))
        if not own <= _UNSTEADY:  # the head picks boxes, and picks others
            raise SkipCheckError("in float32 the model itself gives something else than in float64")
        try:
            got = _run(exported, form, images)
        except Exception as error:
            return worst, "doesn't run on images of {}: {}".format(shape, _last(error))
        if got.shape != exact.shape:
            return worst, "gives {}, not {}, on images of {}".format(tuple(got.shape), tuple(exact.shape), shape)
        off = _distance(exact, got)
        worst = max(worst, off)
        if not off <= MARGIN * own + _LEAST:
            return off, "gives something else than the model on images of {}".format(shape)
    return worst, ""


def _larger(reference: Model, side: int) -> list[Any]:
    """Return two images that are longer and wider; none where the model takes one size only."""
    images = smooth_images(reference, 2, 2 * side)[..., : side + side // 2, :]
    try:
        _output(reference, images)
    except (RuntimeError, ValueError):
        return []
    return [images]


def _first(error: Exception) -> str:
    """Return what an exporter's error says first; what follows can fill pages."""
    return "{}: {}".format(type(error).__name__, (str(error).strip() or "no message").splitlines()[0])


def _last(error: Exception) -> str:
    """Return what a runtime's error says last, behind the places that it went through."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1]


def _output(model: Model, images: Any) -> Any:
    """Return the first of a model's outputs: boxes, or classes."""
    with torch.no_grad():
        return next(tensors(model(images)))


def _takes(form: str, argument: str) -> bool:
    """Return whether this release exports to a format with an argument; the older ones take any."""
    formats = tools("engine.exporter").export_formats()
    if "Arguments" not in formats:
        return True
    return argument in dict(zip(formats["Argument"], formats["Arguments"]))[form]


def _exported(reference: Model, weights: Path, form: str, dynamic: bool, size: int) -> Any:
    """Export a checkpoint to a file beside it, and load that."""
    name = "RTDETR" if kind(reference.model[-1]) == "RTDETRDecoder" else "YOLO"
    options = {"simplify": False} if form == "onnx" else {}  # simplifying takes one more library
    wrapper = getattr(import_module("ultralytics"), name)(str(weights))
    answered = wrapper.export(format=form, dynamic=dynamic, imgsz=size, device="cpu", **options)
    path = (
        answered if isinstance(answered, str) else str(weights.with_suffix("." + form))
    )  # the first releases tell nothing
    if form == "torchscript":
        return torch.jit.load(path)
    return import_module("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])


def _run(exported: Any, form: str, images: Any) -> Any:
    """Run an export on images, and return the first of its outputs."""
    if form == "torchscript":
        return _output(exported, images)
    return torch.from_numpy(exported.run(None, {exported.get_inputs()[0].name: images.numpy()})[0])


def _distance(expected: Any, got: Any) -> float:
    """Return how far an output is from another: the rms over channels, boxes or scores, each by its own size.

    A score that is nothing to float32, far below all others, is nothing here too: runtimes round it otherwise.
    """
    dims = [0, *range(2, expected.dim())]
    apart, size = (x.double().square().sum(dims).sqrt() for x in (got - expected, expected))
    return float((apart / (size + _NOTHING * size.max() + 1e-300)).square().mean().sqrt())
