"""Do what a request asks, in order."""

from __future__ import annotations

import json
import platform
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from a2patch.graph import at_scale
from a2patch.probe.events import Channel, last_line, missing_library, passed
from a2patch.probe.runtime.compat import move_home
from a2patch.probe.runtime.libraries import missing_libraries
from a2patch.probe.runtime.sandbox import apply_settings, go_offline, put_in_line

_STARTS = ["nn.tasks", "models", "engine.model", "engine.trainer", "models.yolo.detect", "yolo.engine.model", "yolo.v8"]


def main(request_path: str) -> int:
    """Run the request in a file; its findings go to the file that it names, its exit status says nothing."""
    request: dict[str, Any] = json.loads(Path(request_path).read_text(encoding="utf-8"))
    package = Path(request["package"])
    channel = Channel(Path(request["events"]), "ultralytics", request["checks"])
    channel.emit("python", version=platform.python_version())
    go_offline()
    request["put_in_line"] = put_in_line(package, Path(request["scratch"]))
    move_home(package, Path(request["scratch"]))
    fit = _import_libraries(request, channel, package)
    if fit and request["role"] == "gpu":  # most often there is none: then the tree need not be imported again
        fit = import_module("torch").cuda.is_available()
    if fit and _import_tree(request, channel, package):
        apply_settings()
        _ROLES[request["role"]](request, channel)
    channel.emit("done")
    return 0


def _import_libraries(request: dict[str, Any], channel: Channel, package: Path) -> bool:
    """Import torch, and its vision library where it is asked for, and say why where that does not go."""
    for name in request["libraries"]:
        channel.trying("importing " + name)
        if not _import_library(name, channel, package):
            return False
    torch = import_module("torch")
    channel.emit("torch", version=str(torch.__version__))
    torch.set_num_threads(int(request["threads"]))
    return True


def _import_library(name: str, channel: Channel, package: Path) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        library = missing_library(error, "ultralytics") or name
        channel.emit("missing", names=sorted({library, *missing_libraries(package, _STARTS)}))
        return False
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # a pair that doesn't match, mostly
        channel.emit("unfit", library=name, error=last_line(error))
        return False
    return True


def _import_tree(request: dict[str, Any], channel: Channel, package: Path) -> bool:
    """Import the tree and prove that it is the tree."""
    from a2patch.probe.checks.register import check_import

    parts = request["parts"]
    missing: list[str] = []

    def attempt() -> Any:
        try:
            outcome = check_import(package, parts)
        except ModuleNotFoundError as error:
            library = missing_library(error, "ultralytics")
            if library:
                missing.extend(sorted({library, *missing_libraries(package, _STARTS)}))
            raise
        channel.emit("ultralytics", version=str(import_module("ultralytics").__version__))
        return outcome

    fine = channel.check("import", "importing " + package.name, attempt)
    if missing:
        channel.emit("missing", names=missing)
    elif not fine:  # a release that imports it by itself fails with it
        _import_library("torchvision", channel, package)
    return fine


def _try_patched(request: dict[str, Any], channel: Channel) -> None:
    """Make every check on a patched package."""
    from a2patch.probe.models.context import Context

    try:
        context = Context(request, channel)
    except Exception as error:  # a model of the user's own may be anything
        traceback.print_exc()  # to the log
        channel.emit("unreadable", error=last_line(error))
        return
    for name, what, attempt in _attempts(context):
        channel.check(name, what, attempt)
    files = [spec["file"] for spec in context.specs]
    trained = context.trained if context.trained in files else files[0]
    channel.check("checkpoint", "saving and loading", lambda: _checkpoint(context, trained))
    _train(context, trained)
    _check_fully(context)
    bases = [spec["base"] for spec in context.specs if spec.get("own") and spec["base"]]
    _costs(context, [*dict.fromkeys(bases), *files])


def _try_composed(request: dict[str, Any], channel: Channel) -> None:
    """Make model files out of another, and the checks on them."""
    from a2patch.probe.insert import RefusedError, insert_models

    try:
        models = insert_models(request, channel)
    except RefusedError as reason:
        channel.emit("refused", reason=str(reason))
    except Exception as error:
        traceback.print_exc()  # to the log
        channel.emit("unreadable", error=last_line(error))
    else:
        _try_patched({**request, "models": models}, channel)


def _attempts(context: Any) -> Any:
    """Yield the checks but those of one model only: name, what to say meanwhile, and how to make it."""
    from a2patch.probe.checks import build, formula, learn, register, sight, wiring

    def on_bench(check: Any) -> Any:
        return lambda: check(context)

    for name, what, check in (
        ("register", "registering the layers", register.check_register),
        ("formula", "comparing the layer with its formula", formula.check_formula),
        ("build", "building the models", build.check_build),
        ("wiring", "following the wires", wiring.check_wiring),
        ("scale", "comparing the scales", build.check_scale),
        ("stride", "reading the strides", build.check_stride),
        ("sight", "looking through the layers", sight.check_sight),
        ("gradient", "following the gradients", learn.check_gradient),
        ("learn", "learning one batch", learn.check_learn),
        ("base", "computing the stock models", _stock),
    ):
        yield name, what, on_bench(check)


def _check_fully(context: Any) -> None:
    """Make the checks of the full level."""
    from a2patch.probe.checks import amp, ddp, export

    check = context.channel.check
    check("amp", "computing in fewer bits", lambda: amp.check_amp(context))
    check("export", "exporting", lambda: export.check_export(context))
    check("ddp", "training with two workers", lambda: ddp.check_ddp(context))


def _checkpoint(context: Any, file: str) -> Any:
    from a2patch.probe.checks.checkpoint import check_checkpoint

    return check_checkpoint(context, file)


def _try_untouched(request: dict[str, Any], channel: Channel) -> None:
    """Measure the stock models of an untouched package."""
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    channel.check("base", "computing the stock models", lambda: _stock(context))
    _costs(context, [context.base])


def _try_untouched_training(request: dict[str, Any], channel: Channel) -> None:
    """Do with a stock model what failed with ours, to learn whose fault it is."""
    from a2patch.probe.checks import checkpoint
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    channel.check("checkpoint", "loading a stock model", lambda: checkpoint.check_checkpoint(context, context.base))
    _train(context, context.base)
    _check_fully(context)


def _load_elsewhere(request: dict[str, Any], channel: Channel) -> None:
    """Load what the patched package saved."""
    from a2patch.probe.checks.checkpoint import check_elsewhere

    path = Path(request["checkpoint"])
    channel.check("checkpoint", "loading the checkpoint without the patch", lambda: check_elsewhere(path))


def _draw(request: dict[str, Any], channel: Channel) -> None:
    """Draw the pictures of a report."""
    from a2patch.probe.figures.draw import draw_pictures
    from a2patch.probe.models.context import Context

    draw_pictures(request, Context(request, channel))


def _try_on_gpu(request: dict[str, Any], channel: Channel) -> None:
    """Make the one check that a GPU can change."""
    from a2patch.probe.checks.amp import check_amp_on_gpu
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    channel.check("amp", "computing on the GPU", lambda: check_amp_on_gpu(context))


def _work(request: dict[str, Any], channel: Channel) -> None:
    """Be a worker of the check on distributed training."""
    from a2patch.probe.checks.ddp_worker import work

    work(request, channel)


def _transplant(request: dict[str, Any], channel: Channel) -> None:
    """Carry a checkpoint into another model."""
    from a2patch.probe.transplant.graft import transplant

    transplant(request, channel)


_ROLES = {
    "patched": _try_patched,
    "untouched": _try_untouched,
    "training": _try_untouched_training,
    "unpatched": _load_elsewhere,
    "pictures": _draw,
    "gpu": _try_on_gpu,
    "worker": _work,
    "composed": _try_composed,
    "transplant": _transplant,
}


def _stock(context: Any) -> Any:
    """Emit what the stock model is at each scale; whoever has both trees' figures compares them."""
    from a2patch.probe.checks.base import describe

    for scale in context.scales:
        context.channel.trying("computing stock " + at_scale(context.base, scale))
        context.channel.emit("stock", scale=scale, **describe(context, scale))
    return passed("{} scales".format(len(context.scales)))


def _train(context: Any, file: str) -> None:
    from a2patch.probe.checks import train

    name = context.label(file) if context.is_own(file) else at_scale(file, context.scales[0])
    context.channel.check("train", "training {} for an epoch".format(name), lambda: train.check_train(context, file))


def _costs(context: Any, files: list[str]) -> None:
    """Emit the costs, if they are wanted; counting can fail without any fault in the models."""
    if not context.costs:
        return
    from a2patch.probe.checks.build import report_costs

    try:
        reason = report_costs(context, files)
    except Exception as error:
        reason = "costs are not counted: " + last_line(error)
    if reason:
        context.channel.emit("uncounted", reason=reason)
