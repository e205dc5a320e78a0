"""Do what a request asks, in order."""

from __future__ import annotations

import gc
import platform
import time
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Tuple, TypeVar

from a2patch.probe.events import Channel, Finding, SkipCheckError, exhausted, last_line, missing_library, passed
from a2patch.probe.runtime.compat import move_home
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.distributions import to_install
from a2patch.probe.runtime.libraries import installed, missing_libraries
from a2patch.probe.runtime.sandbox import apply_settings, go_offline, put_in_line
from a2patch.protocol import (
    CostsUncounted,
    Done,
    Exhausted,
    FiguresRequest,
    InsertionRefused,
    InsertRequest,
    LibrariesMissing,
    LibraryUnfit,
    MeasureRequest,
    ModelUnreadable,
    PrepareRequest,
    Request,
    Role,
    TrainRequest,
    TransplantRequest,
    TrialRequest,
    VerifyRequest,
    Version,
    decode,
)

if TYPE_CHECKING:  # it imports torch, and whether torch is there is told first
    from a2patch.probe.models.context import Context

R = TypeVar("R", bound=VerifyRequest)

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
    channel.package = package.name
    try:
        _do(request, channel, package)
    except Exception as error:
        traceback.print_exc()  # to the log
        what = exhausted(error)
        # Of a module of ours that needs it; what else escapes is a fault of ours.
        library = missing_library(error, package.name) if isinstance(error, ModuleNotFoundError) else ""
        if what:
            channel.emit(Exhausted(what))
        if what or not library:
            raise
        channel.lacks(library)
    if channel.missing:
        channel.emit(_missing(channel.missing, package))
    channel.emit(Done())
    return 0


def _do(request: Request, channel: Channel, package: Path) -> None:
    """Do what a request asks, as far as its libraries and its tree can be imported."""
    channel.emit(Version("python", platform.python_version()))
    gc.disable()  # nearly all that is imported stays, and looking through it again and again takes a fifth of the time
    go_offline()
    channel.added_path = put_in_line(package, channel.scratch)
    move_home(package, channel.scratch)
    ready = _import_libraries(request, channel, package)
    if ready and request.role == "gpu":  # most often there is none: then the tree need not be imported again
        ready = import_module("torch").cuda.is_available()
    if ready and _import_tree(request, channel, package):
        gc.freeze()
        gc.enable()
        apply_settings()
        _ROLES[request.role](request, channel)


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
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        what, library = exhausted(error), missing_library(error, package.name)
        if what:
            channel.emit(Exhausted(what))
        if library and not installed(library):
            channel.lacks(library)
        else:  # a pair that doesn't match, mostly
            channel.emit(LibraryUnfit(name, last_line(error)))
        return False
    return True


def _missing(modules: List[str], package: Path) -> LibrariesMissing:
    """Return what to tell where libraries are missing: all that are, so that they can be installed at once."""
    names = sorted({*modules, *missing_libraries(package, _STARTS)})
    distributions, unknown = to_install(names, package)
    return LibrariesMissing(tuple(names), tuple(distributions), tuple(unknown))


def _import_tree(request: Request, channel: Channel, package: Path) -> bool:
    """Import the tree and prove that it is the tree."""

    def attempt() -> Finding:
        from a2patch.probe.checks.register import check_import

        found = check_import(package, request.parts)
        channel.emit(Version("ultralytics", str(import_module("ultralytics").__version__)))
        return found

    fine = channel.check("import", "importing " + package.name, attempt)
    if not fine and not channel.missing:  # a release that imports it by itself fails with it
        _import_library("torchvision", channel, package)
    return fine


def _try_patched(request: VerifyRequest, channel: Channel) -> None:
    """Make every check on a patched package."""
    from a2patch.probe.models.context import Context

    try:
        context = Context(_with_models(request, channel), channel)
    except Exception as error:  # a model of the user's own may be anything
        traceback.print_exc()  # to the log
        channel.emit(_unreadable(error))
        return
    for name, what, check in _checks_of_all_models():
        _check(context, name, what, check)
    files = [spec.file for spec in context.specs]
    trained = context.trained if context.trained in files else files[0]
    each = files if context.request.block.rules else [trained]
    _check_checkpoint(context, "saving and loading", each)
    _check_training(context, each)
    _check_fully(context)
    bases = [spec.base for spec in context.specs if spec.user and spec.base]
    beside = [base for base in dict.fromkeys(bases) if base != context.base or "base" not in request.checks]
    _count_costs(context, [*beside, *files])


def _with_models(request: R, channel: Channel) -> R:
    """Return a request with models to try, which are made here where it is to be tried by the rules of a block."""
    if request.models or not request.block.rules:
        return request
    from a2patch.probe.block import with_models

    return with_models(request, channel)


def _unreadable(error: Exception) -> ModelUnreadable:
    """Return what to tell of a model that can't be read: in our words, else in those of whoever raised."""
    if isinstance(error, DeclinedError):
        return ModelUnreadable("It {}{}".format(error, ": " + error.found if error.found else ""), error.remedy)
    return ModelUnreadable(str(error) if type(error) is ValueError else last_line(error))


def _insert(request: InsertRequest, channel: Channel) -> None:
    """Make model files out of another, and the checks on them."""
    from a2patch.probe.insert import UninsertableError, insert_models

    try:
        made = insert_models(request, channel)
    except UninsertableError as reason:
        channel.emit(InsertionRefused(str(reason)))
    except Exception as error:
        traceback.print_exc()  # to the log
        channel.emit(_unreadable(error))
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
    from a2patch.probe.checks.code import with_lines

    context.channel.check(name, what, lambda: with_lines(context, name, check(context)), _REQUIRED.get(name, ()))


def _check_fully(context: Context) -> None:
    """Make the checks of the full level."""
    from a2patch.probe.checks import amp, ddp, export

    _check(context, "amp", "computing in fewer bits", amp.check_amp)
    _check(context, "export", "exporting", export.check_export)
    _check(context, "ddp", "training with two workers", ddp.check_ddp)


def _check_checkpoint(context: Context, what: str, files: List[str]) -> None:
    from a2patch.probe.checks.checkpoint import check_checkpoint

    _check(context, "checkpoint", what, lambda _: _of_each(context, files, check_checkpoint))


def _check_training(context: Context, files: List[str]) -> None:
    from a2patch.probe.checks.train import check_train

    file = files[0]
    name = context.label(file) if context.is_own(file) else context.name_at(file, context.scales_of(file)[0])
    _check(context, "train", "training {} for an epoch".format(name), lambda _: _of_each(context, files, check_train))


def _of_each(context: Context, files: List[str], check: Callable[[Context, str], Finding]) -> Finding:
    """Return what a check of one model finds: the first fault, else what it finds of the first model."""
    findings = []
    for file in files:
        findings.append(check(context, file))
        if findings[-1].result == "fail":
            return findings[-1]
    return findings[0]


def _try_untouched(request: VerifyRequest, channel: Channel) -> None:
    """Measure the stock models of an untouched package, and load in it what the patched one saved."""
    from a2patch.probe.checks.checkpoint import check_elsewhere
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    _check(context, "base", "computing the stock models", _measure_stock)
    _count_costs(context, [context.base] if context.text(context.base) else [])
    path = _handed_over(Path(request.awaited)) if request.awaited else ""
    if path:
        what = "loading the checkpoint without the patch"
        channel.check("checkpoint", what, lambda: check_elsewhere(Path(path), channel.package))


def _try_untouched_training(request: VerifyRequest, channel: Channel) -> None:
    """Do with a stock model what failed with the added ones, to learn whose fault it is."""
    from a2patch.probe.models.context import Context

    context = Context(request, channel)
    _check_checkpoint(context, "loading a stock model", [context.base])
    _check_training(context, [context.base])
    _check_fully(context)


def _handed_over(place: Path) -> str:
    """Wait until it is said where a checkpoint lies, and return that; empty if there is none."""
    while not place.exists():  # the runner ends this probe if nobody will say
        time.sleep(0.05)
    return place.read_text(encoding="utf-8")


def _draw(request: FiguresRequest, channel: Channel) -> None:
    """Draw the figures of a report."""
    from a2patch.probe.figures.draw import draw_figures
    from a2patch.probe.models.context import Context

    asked = _with_models(request, channel)
    draw_figures(asked, Context(asked, channel))


def _try_on_gpu(request: VerifyRequest, channel: Channel) -> None:
    """Make the one check that a GPU can change."""
    from a2patch.probe.checks.amp import check_amp_on_gpu
    from a2patch.probe.models.context import Context

    _check(Context(_with_models(request, channel), channel), "amp", "computing on the GPU", check_amp_on_gpu)


def _work(request: VerifyRequest, channel: Channel) -> None:
    """Be a worker of the check on distributed training."""
    from a2patch.probe.checks.ddp_worker import work

    work(request, channel)


def _transplant(request: TransplantRequest, channel: Channel) -> None:
    """Carry a checkpoint into another model."""
    from a2patch.probe.transplant.graft import transplant

    transplant(request, channel)


def _try_classes(request: TrialRequest, channel: Channel) -> None:
    """Try the classes of a module file that is not in the tree yet."""
    from a2patch.probe.trial.trial import try_classes

    try_classes(request, channel)


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
    "trainer": _try_patched,
    "untouched": _try_untouched,
    "training": _try_untouched_training,
    "gpu": _try_on_gpu,
    "worker": _work,
    "insert": _insert,
    "transplant": _transplant,
    "figures": _draw,
    "trial": _try_classes,
    "prepare": _prepare,
    "train": _train,
    "measure": _measure,
}


def _measure_stock(context: Context) -> Finding:
    """Emit what the stock model is at each scale; the runner, which has the figures of both trees, compares them."""
    from a2patch.probe.checks.base import describe

    if not context.text(context.base):
        raise SkipCheckError("the tree has no model {}".format(context.base))
    scales = context.scales_of(context.base)
    for scale in scales:
        context.channel.trying("computing stock " + context.name_at(context.base, scale))
        context.channel.emit(describe(context, scale))
    return passed("{} scales".format(len(scales)))


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
