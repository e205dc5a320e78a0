"""Do what a request asks, in order."""

from __future__ import annotations

import json
import platform
from importlib import import_module
from pathlib import Path
from typing import Any

from .channel import Channel, last_line, missing_library, passed
from .libraries import missing_libraries
from .surroundings import go_offline, put_in_line, settle

_STARTS = ["nn.tasks", "models", "engine.model", "engine.trainer", "models.yolo.detect"]


def main(request_path: str) -> int:
    """Run the request in a file; its findings go to the file that it names, its exit status says nothing."""
    request: dict[str, Any] = json.loads(Path(request_path).read_text(encoding="utf-8"))
    package = Path(request["package"])
    channel = Channel(Path(request["events"]), "ultralytics", request["checks"])
    channel.emit("python", version=platform.python_version())
    go_offline()
    put_in_line(package, Path(request["scratch"]))
    if _import_torch(request, channel, package) and _import_tree(request, channel, package):
        settle()
        _ROLES[request["role"]](request, channel)
    channel.emit("done")
    return 0


def _import_torch(request: dict[str, Any], channel: Channel, package: Path) -> bool:
    """Import torch and its vision library, and say why where that does not go."""
    channel.trying("importing torch")
    for name in ("torch", "torchvision"):
        try:
            module = import_module(name)
        except ModuleNotFoundError as error:
            library = missing_library(error, "ultralytics") or name
            channel.emit("missing", names=sorted({library, *missing_libraries(package, _STARTS)}))
            return False
        except (ImportError, OSError, RuntimeError, AttributeError) as error:  # a pair that doesn't match, mostly
            channel.emit("unfit", library=name, error=last_line(error))
            return False
        if name == "torch":
            channel.emit("torch", version=str(module.__version__))
            module.set_num_threads(int(request["threads"]))
    return True


def _import_tree(request: dict[str, Any], channel: Channel, package: Path) -> bool:
    """Import the tree and prove that it is the tree."""
    from .registration import check_import

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
    return fine


def _try_patched(request: dict[str, Any], channel: Channel) -> None:
    """Make every check on a patched package."""
    from . import behaviour, registration, saving, structure
    from .bench import Bench

    bench = Bench(request, channel)
    channel.check("register", "registering the layers", lambda: registration.check_register(bench))
    channel.check("formula", "comparing the layer with its formula", lambda: behaviour.check_formula(bench))
    channel.check("build", "building the models", lambda: structure.check_build(bench))
    channel.check("scale", "comparing the scales", lambda: structure.check_scale(bench))
    channel.check("stride", "reading the strides", lambda: structure.check_stride(bench))
    channel.check("blind", "looking through the layers", lambda: behaviour.check_blind(bench))
    channel.check("gradient", "following the gradients", lambda: behaviour.check_gradient(bench))
    channel.check("base", "computing the stock models", lambda: _stock(bench))
    files = [spec["file"] for spec in bench.specs]
    trained = next(file for file in files if file == bench.trained)
    channel.check("checkpoint", "saving and loading", lambda: saving.check_checkpoint(bench, trained))
    _train(bench, trained)
    _costs(bench, files)


def _try_untouched(request: dict[str, Any], channel: Channel) -> None:
    """Measure the stock models of an untouched package."""
    from .bench import Bench

    bench = Bench(request, channel)
    channel.check("base", "computing the stock models", lambda: _stock(bench))
    _costs(bench, [bench.base])


def _try_untouched_training(request: dict[str, Any], channel: Channel) -> None:
    """Do with a stock model what failed with ours, to learn whose fault it is."""
    from . import saving
    from .bench import Bench

    bench = Bench(request, channel)
    channel.check("checkpoint", "loading a stock model", lambda: saving.check_checkpoint(bench, bench.base))
    _train(bench, bench.base)


_ROLES = {"patched": _try_patched, "untouched": _try_untouched, "training": _try_untouched_training}


def _stock(bench: Any) -> Any:
    """Emit what the stock model is at each scale; whoever has both trees' figures compares them."""
    from .models import scaled
    from .stock import describe

    for scale in bench.scales:
        bench.channel.trying("computing stock " + scaled(bench.base, scale))
        bench.channel.emit("stock", scale=scale, **describe(bench, scale))
    return passed("{} scales".format(len(bench.scales)))


def _train(bench: Any, file: str) -> None:
    from . import training
    from .models import scaled

    name = scaled(file, bench.scales[0])
    bench.channel.check("train", "training {} for an epoch".format(name), lambda: training.check_train(bench, file))


def _costs(bench: Any, files: list[str]) -> None:
    """Emit the costs, if they are wanted; counting can fail without any fault in the models."""
    if not bench.costs:
        return
    from .structure import report_costs

    try:
        reason = report_costs(bench, files)
    except Exception as error:
        reason = "costs are not counted: " + last_line(error)
    if reason:
        bench.channel.emit("uncounted", reason=reason)
