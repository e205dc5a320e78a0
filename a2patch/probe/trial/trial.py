"""Find how a row that names a class is read: the names of its parameters first, then what comes out when it is tried.

A class whose only parameter is a rate, a number of groups or a switch builds happily with the number of channels in
its place. So where names do not tell, a parameter counts as the channels only if another number fails.
"""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import torch

from a2patch.probe.events import Channel
from a2patch.probe.trial import ways
from a2patch.probe.trial.arguments import BY_NAME, REDUCTIONS, REPEATS, candidates, parameters, unknown
from a2patch.probe.trial.attempt import BUILT, MOSTLY, LibraryMissingError, UnfitError, build, reads_list
from a2patch.probe.trial.load import UnloadableError, load
from a2patch.protocol import ClassTried, TrialRequest

_WAYS: Dict[str, Callable[[Any, Tuple[Any, ...]], ways.Fit]] = {
    "keep": ways.keep,
    "keep:nothing": ways.keep_nothing,
    "width": ways.width,
    "repeat": ways.repeat,
    "join": ways.join,
    "join:nothing": ways.join_nothing,
    "merge": ways.merge,
    "merge:nothing": ways.merge_nothing,
}
_JOINS = ("join", "join:nothing", "merge", "merge:nothing")
_PASSED = {"keep": 1, "width": 2, "repeat": 3, "join": 1, "merge": 1}  # how much each passes; the others nothing
# What is tried where names told a rule; what follows it counts only where the channels are proved to be such.
_BESIDE = {
    "keep": ("width",),
    "keep:nothing": ("keep", "width"),
    "width": (),
    "repeat": ("width",),
    "": ("keep", "width", "keep:nothing"),
}


def try_classes(request: TrialRequest, channel: Channel) -> None:
    """Try the classes of a module file, and emit what came out of each."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = load(Path(request.module), request.name, channel, Path(request.package))
        except UnloadableError as reason:
            for name in request.classes:
                channel.emit(ClassTried(name, "", problem=str(reason)))
            return
        for name, rule, given in zip(request.classes, request.rules, request.given):
            channel.trying("trying " + name)
            try:
                channel.emit(_tried(getattr(module, name, None), name, rule, given))
            except LibraryMissingError as error:
                channel.lacks(str(error))


def _tried(cls: Any, name: str, rule: str, given: Tuple[Any, ...]) -> ClassTried:
    """Return what trying one class told."""
    if not isinstance(cls, type) or not issubclass(cls, torch.nn.Module):
        return ClassTried(name, "", problem="importing the file leaves no nn.Module class of that name")
    inputs = _inputs(cls)
    if len(inputs) > 1:
        text = "its forward takes {} inputs ({}), and a row passes one map or one list of maps"
        return ClassTried(name, "", problem=text.format(len(inputs), ", ".join(inputs)))
    failures: List[UnfitError] = []
    for way, args in _attempts(cls, rule, given, failures):
        try:
            fit = _WAYS[way](cls, args)
        except UnfitError as error:
            if error.reached > BUILT or way not in _JOINS:  # most classes take no list, which says nothing
                failures.append(error)
            continue
        fit = fit if given else _reduced(cls, way, fit)
        return ClassTried(name, fit.rule, fit.args, seen=fit.seen, scale=fit.scale, maps=fit.maps)
    return _unfit(cls, name, rule, failures)


def _inputs(cls: Any) -> List[str]:
    """Return the inputs that a class's forward must be given."""
    try:
        found = list(inspect.signature(cls.forward).parameters.values())[1:]
    except (AttributeError, TypeError, ValueError):  # a class of torch.jit shows none
        return []
    return [p.name for p in found if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _attempts(
    cls: Any, rule: str, given: Tuple[Any, ...], failures: List[UnfitError]
) -> Iterator[Tuple[str, Tuple[Any, ...]]]:
    """Yield ways and arguments to try, the likeliest first."""
    taken = parameters(cls)
    if rule:
        yield from _with_arguments(cls, rule, given, told=True)
    elif taken and taken[0].required and taken[0].name.lower() in BY_NAME:
        yield from _with_arguments(cls, "keep:nothing", given, told=True)
    for way in _BESIDE.get(rule, ()):
        repeats = way == "width" and len(taken) > 2 and taken[2].name.lower() in REPEATS
        yield from _with_arguments(cls, "repeat" if repeats else way, given, told=False)
    if len(taken) > 1 and any(ways.ASKED in str(error) for error in failures):  # the second number is not used
        unused = (COUNT_UNUSED,) if taken[1].required else ()
        for args in candidates(taken[2:]) if unused else [()]:
            yield "keep", (*unused, *args)
    no_channels = rule == "keep:nothing" or (taken and taken[0].name.lower() in BY_NAME)
    for way in ("join:nothing", "merge:nothing", "join", "merge") if no_channels else _JOINS:
        yield from _with_arguments(cls, way, given, told=True)


COUNT_UNUSED = 64
"""What an example row passes for output channels that its class does not use."""


def _with_arguments(cls: Any, way: str, given: Tuple[Any, ...], *, told: bool) -> Iterator[Tuple[str, Tuple[Any, ...]]]:
    """Yield a way with the arguments to try; only where what it passes are channels, unless names told so."""
    if given:
        yield way, given[1:] if way in ("width", "repeat") else given
        return
    taken = parameters(cls)
    for args in candidates(taken[_PASSED.get(way, 0) :]):
        if told or way == "keep:nothing" or _proved(cls, way, args):
            yield way, args


def _proved(cls: Any, way: str, args: Tuple[Any, ...]) -> bool:
    """Return whether a class that is built for a number of channels takes no other."""
    passed = {"keep": (64,), "width": (64, 128), "repeat": (64, 128, 1)}[way]
    try:
        return ways.reads_channels(cls, (*passed, *args), 64, 192)
    except UnfitError:
        return False


def _reduced(cls: Any, way: str, fit: ways.Fit) -> ways.Fit:
    """Return a fit with a fraction in place of a reduction that must be given, if that makes the class smaller.

    `int(channels * ratio)` builds with 16 as well, and is 256 times as wide as meant.
    """
    taken = parameters(cls)[_PASSED.get(way, 0) :]
    place = next((i for i, each in enumerate(taken) if each.required and each.name.lower() in REDUCTIONS), None)
    if way != "keep" or place is None or place >= len(fit.args):
        return fit
    fraction = (*fit.args[:place], 1 / fit.args[place], *fit.args[place + 1 :])
    try:
        other = _WAYS[way](cls, fraction)
        sizes = [sum(p.numel() for p in build(cls, (64, *args)).parameters()) for args in (fraction, fit.args)]
    except UnfitError:
        return fit
    return other if sizes[0] < sizes[1] else fit


_LISTED = (
    "it reads a list of maps, and a row that joins passes it nothing, or their channels, and no other number: "
    "work the channels that it gives out from these"
)


def _reads_list(cls: Any, rule: str) -> bool:
    """Return whether a class that takes no single map takes a list of maps, built as names tell."""
    passed = {"keep": (64,), "width": (64, 64), "repeat": (64, 64, 1)}.get(rule, ())
    first = next(iter(candidates(parameters(cls)[len(passed) :])), ())
    try:
        return reads_list(build(cls, (*passed, *first)), 64)
    except UnfitError:
        return False


def _unfit(cls: Any, name: str, rule: str, failures: List[UnfitError]) -> ClassTried:
    """Return why no way fits a class: what came furthest, or that it stays open."""
    if not any(error.reached >= MOSTLY for error in failures) and _reads_list(cls, rule):
        return ClassTried(name, "", problem=_LISTED)
    worst = max(failures, key=lambda error: error.reached, default=None)
    if worst is not None and worst.reached:
        return ClassTried(name, "", problem=str(worst))
    missing = unknown(parameters(cls)[_PASSED.get(rule, 0) :])
    if missing and (rule or not worst):
        return ClassTried(
            name, "", seen="it must be given `{}`, and the name does not tell what that is".format(missing)
        )
    if worst is None or not rule:
        return ClassTried(name, "", seen="neither names nor a trial tell what its first parameter is")
    return ClassTried(name, "", problem=str(worst))
