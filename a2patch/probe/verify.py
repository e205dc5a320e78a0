"""Try models: those of a patched package, stock ones of an untouched one, and what was made by inserting rows."""

from __future__ import annotations

import time
import traceback
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

from a2patch.probe.block import with_models
from a2patch.probe.checks import (
    alone,
    base,
    build,
    finite,
    formula,
    gradient,
    learn,
    register,
    scale,
    sight,
    stride,
    wiring,
)
from a2patch.probe.checks.code import with_lines
from a2patch.probe.events import Channel, Finding, SkipCheckError, last_line, passed
from a2patch.probe.insert import UninsertableError, insert_models
from a2patch.probe.models.context import Context
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.protocol import (
    CostsBeside,
    CostsUncounted,
    InsertionRefused,
    InsertRequest,
    ModelUnreadable,
    VerifyRequest,
)


def try_patched(request: VerifyRequest, channel: Channel) -> None:
    """Make every check on a patched package."""
    try:
        context = Context(with_models(request, channel), channel)
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
    _count_costs(context, files)


def _unreadable(error: Exception) -> ModelUnreadable:
    """Return what to tell of a model that can't be read: in our words, else in those of whoever raised."""
    if isinstance(error, DeclinedError):
        text = "It {}{}".format(error, ": " + error.found if error.found else "")
        return ModelUnreadable(text, error.remedy, error.lacking)
    return ModelUnreadable(str(error) if type(error) is ValueError else last_line(error))


def try_inserted(request: InsertRequest, channel: Channel) -> None:
    """Make model files out of another, and the checks on them."""
    try:
        made = insert_models(request, channel)
    except UninsertableError as reason:
        channel.emit(InsertionRefused(str(reason)))
    except Exception as error:
        traceback.print_exc()  # to the log
        channel.emit(_unreadable(error))
    else:
        try_patched(made, channel)


def _checks_of_all_models() -> Iterator[Tuple[str, str, Callable[[Context], Finding]]]:
    """Yield the checks of all models: the name, what to say meanwhile, and what makes it."""
    yield "register", "registering the layers", register.check_register
    yield "formula", "comparing the layer with its formula", formula.check_formula
    yield "build", "building the models", build.check_build
    yield "finite", "looking for what is no number", finite.check_finite
    yield "wiring", "following the wires", wiring.check_wiring
    yield "scale", "comparing the scales", scale.check_scale
    yield "stride", "reading the strides", stride.check_stride
    yield "alone", "computing images alone and together", alone.check_alone
    yield "sight", "looking through the layers", sight.check_sight
    yield "gradient", "following the gradients", gradient.check_gradient
    yield "learn", "learning one batch", learn.check_learn
    yield "base", "computing the stock models", _measure_stock


# What runs a model tells nothing where a value of it is no number.
_REQUIRED = dict.fromkeys(
    ("alone", "sight", "gradient", "learn", "checkpoint", "train", "amp", "export", "ddp"), ("finite",)
)


def _check(context: Context, name: str, what: str, check: Callable[[Context], Finding]) -> None:
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


def try_untouched(request: VerifyRequest, channel: Channel) -> None:
    """Measure the stock models of an untouched package, and load in it what the patched one saved."""
    from a2patch.probe.checks.checkpoint import check_elsewhere

    context = Context(request, channel)
    _check(context, "base", "computing the stock models", _measure_stock)
    if "base" in request.checks and context.text(context.base):
        _count_costs(context, [context.base])
    path = _handed_over(Path(request.awaited)) if request.awaited else ""
    if path:
        what = "loading the checkpoint without the patch"
        channel.check("checkpoint", what, lambda: check_elsewhere(Path(path), channel.package))


def try_untouched_training(request: VerifyRequest, channel: Channel) -> None:
    """Do with a stock model what failed with the added ones, to learn whose fault it is."""
    context = Context(request, channel)
    _check_checkpoint(context, "loading a stock model", [context.base])
    _check_training(context, [context.base])
    _check_fully(context)


def _handed_over(place: Path) -> str:
    """Wait until it is said where a checkpoint lies, and return that; empty if there is none."""
    while not place.exists():  # the runner ends this probe if nobody will say
        time.sleep(0.05)
    return place.read_text(encoding="utf-8")


def try_on_gpu(request: VerifyRequest, channel: Channel) -> None:
    """Make the one check that a GPU can change."""
    from a2patch.probe.checks.amp import check_amp_on_gpu

    _check(Context(with_models(request, channel), channel), "amp", "computing on the GPU", check_amp_on_gpu)


def _measure_stock(context: Context) -> Finding:
    """Emit what the stock models are, the base at each scale; the runner has the figures of both trees to compare."""
    if not context.text(context.base):
        raise SkipCheckError("the tree has no model {}".format(context.base))
    scales = context.scales_of(context.base)
    for letter in scales:
        context.channel.trying("computing stock " + context.name_at(context.base, letter))
        context.channel.emit(base.describe(context, context.base, letter))
    for file in context.later():
        context.channel.emit(base.describe(context, file, context.scales_of(file)[0]))
    return passed("{} scales".format(len(scales)))


def _count_costs(context: Context, files: List[str]) -> None:
    """Emit the costs, if they are wanted; counting can fail without any fault in the models."""
    if not context.costs:
        return
    from a2patch.probe.models.costs import report_costs

    try:
        base = wiring.base_of_own(context)
        if base:
            context.channel.emit(CostsBeside(context.label(base)))
        reason = report_costs(context, files, base)
    except Exception as error:
        reason = "costs are not counted: " + last_line(error)
    if reason:
        context.channel.emit(CostsUncounted(reason))
