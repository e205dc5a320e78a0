"""Do what a request asks, in order."""

from __future__ import annotations

import platform
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Tuple

from a2patch.graph import at_scale
from a2patch.probe.events import Channel, Finding, last_line, missing_library, passed
from a2patch.probe.runtime.compat import move_home
from a2patch.probe.runtime.libraries import missing_libraries
from a2patch.probe.runtime.sandbox import apply_settings, go_offline, put_in_line
from a2patch.protocol import (
    CostsUncounted,
    Done,
    FiguresRequest,
    InsertionRefused,
    InsertRequest,
    LibrariesMissing,
    LibraryUnfit,
    LoadRequest,
    MeasureRequest,
    ModelUnreadable,
    PrepareRequest,
    Request,
    Role,
    TrainRequest,
    TransplantRequest,
    VerifyRequest,
    Version,
    decode,
)

if TYPE_CHECKING:  # it imports torch, and whether torch is there is told first
    from a2patch.probe.models.context import Context

# What importing a release begins with, in the layouts of all releases.
_STARTS = ["nn.tasks", "models", "engine.model", "engine.trainer", "models.yolo.detect", "yolo.engine.model", "yolo.v8"]


def main(request_path: str) -> int:
    """Do what the request in a file asks.

    Args:
        request_path: The file, in the home of this probe, which is where events and files go.

    Returns:
        0: what was found is told by the events.
    """
    path = Path(request_path)
    request = decode(path.read_text(encoding="utf-8"))
    if not isinstance(request, Request):
        raise TypeError("{} holds no request".format(path))
    package = Path(request.package)
    channel = Channel(path.parent, request.checks)
    channel.emit(Version("python", platform.python_version()))
    go_offline()
    channel.added_path = put_in_line(package, channel.scratch)
    move_home(package, channel.scratch)
    ready = _import_libraries(request, channel, package)
    if ready and request.role == "gpu":  # most often there is none: then the tree need not be imported again
        ready = import_module("torch").cuda.is_available()
    if ready and _import_tree(request, channel, package):
        apply_settings()
        _ROLES[request.role](request, channel)
    channel.emit(Done())
    return 0


def _import_libraries(request: Request, channel: Channel, package: Path) -> bool:
    """Import torch, and its vision library where it is asked for; say why where that fails."""
    for name in request.libraries:
        channel.trying("importing " + name)
        if not _import_library(name, channel, package):
            return False
    torch = import_module("torch")
    channel.emit(Version("torch", str(torch.__version__)))
    torch.set_num_threads(request.threads)
    return True


def _import_library(name: str, channel: Channel, package: Path) -> bool:
    try:
        import_module(name)
    except ModuleNotFoundError as error:
        channel.emit(_missing(missing_library(error) or name, package))
        return False
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # a pair that doesn't match, mostly
        channel.emit(LibraryUnfit(name, last_line(error)))
        return False
    return True


def _missing(library: str, package: Path) -> LibrariesMissing:
    """Return what to tell where a library is missing: all that are, so that they can be installed at once."""
    return LibrariesMissing(tuple(sorted({library, *missing_libraries(package, _STARTS)})))


def _import_tree(request: Request, channel: Channel, package: Path) -> bool:
    """Import the tree and prove that it is the tree."""
    from a2patch.probe.checks.register import check_import

    missing: List[LibrariesMissing] = []

    def attempt() -> Finding:
        try:
            found = check_import(package, request.parts)
        except ModuleNotFoundError as error:
            library = missing_library(error)
            if library:
                missing.append(_missing(library, package))
            raise
        channel.emit(Version("ultralytics", str(import_module("ultralytics").__version__)))
        return found

    fine = channel.check("import", "importing " + package.name, attempt)
    if missing:
        channel.emit(missing[0])
    elif not fine:  # a release that imports it by itself fails with it
        _import_library("torchvision", channel, package)
    return fine


def _try_patched(request: VerifyRequest, channel: Channel) -> None:
    """Make every check on a patched package."""
    from a2patch.probe.models.context import Context

    try:
        context = Context(request, channel)
    except Exception as error:  # a model of the user's own may be anything
        traceback.print_exc()  # to the log
        channel.emit(ModelUnreadable(_reason(error)))
        return
    for name, what, check in _checks_of_all_models():
        _check(context, name, what, check)
    files = [spec.file for spec in context.specs]
    trained = context.trained if context.trained in files else files[0]
    _check_checkpoint(context, "saving and loading", trained)
    _check_training(context, trained)
    _check_fully(context)
    bases = [spec.base for spec in context.specs if spec.user and spec.base]
    _count_costs(context, [*dict.fromkeys(bases), *files])


def _reason(error: Exception) -> str:
    """Return why a model can't be read: in our words, else in those of whoever raised."""
    return str(error) if type(error) is ValueError else last_line(error)


def _insert(request: InsertRequest, channel: Channel) -> None:
    """Make model files out of another, and the checks on them."""
    from a2patch.probe.insert import UninsertableError, insert_models

    try:
        made = insert_models(request, channel)
    except UninsertableError as reason:
        channel.emit(InsertionRefused(str(reason)))
    except Exception as error:
        traceback.print_exc()  # to the log
        channel.emit(ModelUnreadable(_reason(error)))
    else:
        _try_patched(made, channel)


def _checks_of_all_models() -> Iterator[Tuple[str, str, Callable[[Context], Finding]]]:
    """Yield the checks of all models: the name, what to say meanwhile, and what makes it."""
    from a2patch.probe.checks import alone, build, finite, formula, learn, register, scale, sight, stride, wiring

    yield "register", "registering the layers", register.check_register
    yield "formula", "comparing the layer with its formula", formula.check_formula
    yield "build", "building the models", build.check_build
    yield "finite", "looking for what is no number", finite.check_finite
    yield "wiring", "following the wires", wiring.check_wiring
    yield "scale", "comparing the scales", scale.check_scale
    yield "stride", "reading the strides", stride.check_stride
    yield "alone", "computing images alone and together", alone.check_alone
    yield "sight", "looking through the layers", sight.check_sight
    yield "gradient", "following the gradients", learn.check_gradient
    yield "learn", "learning one batch", learn.check_learn
    yield "base", "computing the stock models", _measure_stock


# What runs a model tells nothing where a value of it is no number.
_REQUIRED = dict.fromkeys(
    ("alone", "sight", "gradient", "learn", "checkpoint", "train", "amp", "export", "ddp"), ("finite",)
)


def _check(context: Context, name: str, what: str, check: Callable[[Context], Finding]) -> None:
    context.channel.check(name, what, lambda: check(context), _REQUIRED.get(name, ()))


def _check_fully(context: Context) -> None:
    """Make the checks of the full level."""
    from a2patch.probe.checks import amp, ddp, export

    _check(context, "amp", "computing in fewer bits", amp.check_amp)
    _check(context, "export", "exporting", export.check_export)
    _check(context, "ddp", "training with two workers", ddp.check_ddp)


def _check_checkpoint(context: Context, what: str, file: str) -> None:
    from a2patch.probe.checks.checkpoint import check_checkpoint

    _check(context, "checkpoint", what, lambda _: check_checkpoint(context, file))


def _check_training(context: Context, file: str) -> None:
    from a2patch.probe.checks.train import check_train

    name = context.label(file) if context.is_own(file) else at_scale(file, context.scales[0])
    _check(context, "train", "training {} for an epoch".format(name), lambda _: check_train(context, file))


def _try_untouched(request: VerifyRequest, channel: Channel) -> None:
    """Measure the stock models of an untouched package."""
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    _check(context, "base", "computing the stock models", _measure_stock)
    _count_costs(context, [context.base])


def _try_untouched_training(request: VerifyRequest, channel: Channel) -> None:
    """Do with a stock model what failed with the added ones, to learn whose fault it is."""
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    _check_checkpoint(context, "loading a stock model", context.base)
    _check_training(context, context.base)
    _check_fully(context)


def _load_elsewhere(request: LoadRequest, channel: Channel) -> None:
    """Load what the patched package saved."""
    from a2patch.probe.checks.checkpoint import check_elsewhere

    path = Path(request.checkpoint)
    channel.check("checkpoint", "loading the checkpoint without the patch", lambda: check_elsewhere(path))


def _draw(request: FiguresRequest, channel: Channel) -> None:
    """Draw the figures of a report."""
    from a2patch.probe.figures.draw import draw_figures
    from a2patch.probe.models.context import Context

    draw_figures(request, Context(request, channel))


def _try_on_gpu(request: VerifyRequest, channel: Channel) -> None:
    """Make the one check that a GPU can change."""
    from a2patch.probe.checks.amp import check_amp_on_gpu
    from a2patch.probe.models.context import Context

    _check(Context(request, channel), "amp", "computing on the GPU", check_amp_on_gpu)


def _work(request: VerifyRequest, channel: Channel) -> None:
    """Be a worker of the check on distributed training."""
    from a2patch.probe.checks.ddp_worker import work

    work(request, channel)


def _transplant(request: TransplantRequest, channel: Channel) -> None:
    """Carry a checkpoint into another model."""
    from a2patch.probe.transplant.graft import transplant

    transplant(request, channel)


def _prepare(request: PrepareRequest, channel: Channel) -> None:
    """Make models ready to be compared."""
    from a2patch.probe.compare.prepare import prepare

    prepare(request, channel)


def _train(request: TrainRequest, channel: Channel) -> None:
    """Train a model that is compared."""
    from a2patch.probe.compare.train import train

    train(request, channel)


def _measure(request: MeasureRequest, channel: Channel) -> None:
    """Measure how fast models are that are compared."""
    from a2patch.probe.compare.measure import measure

    measure(request, channel)


# The class of a request follows from its role.
_ROLES: Dict[Role, Callable[[Any, Channel], None]] = {
    "patched": _try_patched,
    "untouched": _try_untouched,
    "training": _try_untouched_training,
    "unpatched": _load_elsewhere,
    "gpu": _try_on_gpu,
    "worker": _work,
    "insert": _insert,
    "transplant": _transplant,
    "figures": _draw,
    "prepare": _prepare,
    "train": _train,
    "measure": _measure,
}


def _measure_stock(context: Context) -> Finding:
    """Emit what the stock model is at each scale; the runner, which has the figures of both trees, compares them."""
    from a2patch.probe.checks.base import describe

    for scale in context.scales:
        context.channel.trying("computing stock " + at_scale(context.base, scale))
        context.channel.emit(describe(context, scale))
    return passed("{} scales".format(len(context.scales)))


def _count_costs(context: Context, files: List[str]) -> None:
    """Emit the costs, if they are wanted; counting can fail without any fault in the models."""
    if not context.costs:
        return
    from a2patch.probe.models.costs import report_costs

    try:
        reason = report_costs(context, files)
    except Exception as error:
        reason = "costs are not counted: " + last_line(error)
    if reason:
        context.channel.emit(CostsUncounted(reason))
