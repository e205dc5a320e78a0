"""The ways in which `parse_model` can call a class, and what each must come to."""

from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Sequence, Set, Tuple

from a2patch.probe.trial.attempt import (
    BUILT,
    EVEN,
    GAVE,
    MOSTLY,
    ODD,
    Map,
    Size,
    UnfitError,
    build,
    only_size,
    other_layout,
    run,
)

COUNTS = (64, 128, 192, 256, 320, 384, 512, 576, 640)
"""The channels behind the stages at P3, P4 and P5 of the stock models, at their scales."""

ASKED = " channels are asked for"
_TWO = ((64, 128), (128, 64), (192, 128))  # channels that are read, and that are asked for
_REPEATED = (1, 2, 3)


class Fit(NamedTuple):
    """A way that works.

    Attributes:
        rule: Its rule.
        args: The arguments of an example row.
        seen: What came out, in a few words.
        scale: How large a map it gives: 0.5, 1 or 2 times that which it reads.
        maps: How many maps it reads.
    """

    rule: str
    args: Tuple[Any, ...]
    seen: str
    scale: float = 1.0
    maps: int = 1


def keep(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed the channels that it reads, and gives as many."""
    return _kept(cls, "keep", args, lambda c: (c, *args))


def keep_nothing(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed no channels, and gives as many as it reads."""
    return _kept(cls, "keep:nothing", args, lambda c: args)


def _kept(cls: Any, rule: str, args: Tuple[Any, ...], passed: Callable[[int], Sequence[Any]]) -> Fit:
    remarks, sizes = set(), set()
    for count in COUNTS:
        with_args = _Module(cls, passed(count), count)
        got = with_args.at(EVEN)
        if got.channels != count:
            raise UnfitError(GAVE, _other_channels(count, got))
        sizes.add(got.size)
        scale = _scaled(sizes)
        if count in COUNTS[:2]:
            remarks.add(with_args.odd(ODD))
    told = "gives as many channels as it reads" + _SCALES[scale] + "".join(sorted(remarks))
    return Fit(rule, args, told, scale)


def width(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed the channels that it reads and those that it is to give."""
    return _widened(cls, "width", args, lambda c1, c2: (c1, c2, *args))


def repeat(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed the repeats besides."""
    fit = _widened(cls, "repeat", args, lambda c1, c2: (c1, c2, 1, *args))
    c1, c2 = _TWO[0]
    shapes = {run(build(cls, (c1, c2, n, *args)), [c1], EVEN) for n in _REPEATED}
    if len(shapes) > 1:
        raise UnfitError(GAVE, "it gives maps of another shape for another number of repeats")
    return fit


def _widened(cls: Any, rule: str, args: Tuple[Any, ...], passed: Callable[[int, int], Sequence[Any]]) -> Fit:
    pairs, told = _pairs(cls, passed)
    sizes = set()
    remarks = set()
    for c1, c2 in pairs:
        module = _Module(cls, passed(c1, c2), c1)
        got = module.at(EVEN)
        if got.channels != c2:
            raise UnfitError(GAVE, "{}{}, and {}".format(c2, ASKED, _other_channels(c1, got)))
        sizes.add(got.size)
        remarks.add(module.odd(ODD) if c1 in COUNTS[:2] else "")
    scale = _scaled(sizes)
    seen = "gives the channels that are asked for" + told + _SCALES[scale] + "".join(sorted(remarks))
    return Fit(rule, (256, *args), seen, scale)


_SCALES = {1.0: "", 0.5: ", at half the size", 2.0: ", at twice the size"}


def _scaled(sizes: Set[Size]) -> float:
    """Return by how much larger maps came out than those of even sides that were read.

    Raises:
        UnfitError: They are neither as they were, nor half or twice as large, or not alike.
    """
    told = {(int(EVEN[0] * scale), int(EVEN[1] * scale)): scale for scale in _SCALES}
    odd = next((size for size in sizes if size not in told), None)
    if odd or len(sizes) > 1:
        raise UnfitError(GAVE, _other_size(EVEN, Map(0, odd or max(sizes))))
    return told[next(iter(sizes))]


def _pairs(cls: Any, passed: Callable[[int, int], Sequence[Any]]) -> Tuple[List[Tuple[int, int]], str]:
    """Return the channels to read and to ask for, and what is to be said where these must be as many as those."""
    alike = [(count, count) for count in COUNTS]
    try:
        c1, c2 = _TWO[0]
        run(build(cls, passed(c1, c2)), [c1], EVEN)
    except UnfitError as error:
        try:
            run(build(cls, passed(c1, c1)), [c1], EVEN)
        except UnfitError:
            raise error from None
        return alike, ", which must be as many as it reads"
    return [*_TWO, *alike], ""


def join(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed a list of the channels of each map that it reads."""
    return _joined(cls, "join", args, lambda counts: (list(counts), *args))


def join_nothing(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed no channels, and reads several maps."""
    return _joined(cls, "join:nothing", args, lambda counts: args)


def _joined(cls: Any, rule: str, args: Tuple[Any, ...], passed: Callable[[Sequence[int]], Sequence[Any]]) -> Fit:
    alike: Tuple[int, ...] = (64, 64)
    try:
        got = run(build(cls, passed(alike)), alike, EVEN, listed=True)
    except UnfitError:
        alike = (64, 64, 64)
        got = run(build(cls, passed(alike)), alike, EVEN, listed=True)
    if got.size != EVEN:
        raise UnfitError(GAVE, _other_size(EVEN, got))
    for pair in (alike, (128, 64), (256, 512), (192, 384), (320, 640)):
        counts = (*pair, pair[0])[: len(alike)]
        got = run(build(cls, passed(counts)), counts, EVEN, listed=True)
        if got.channels != sum(counts):
            text = "it reads a list of maps, and gives {} channels for {}"
            raise UnfitError(GAVE, text.format(got.channels, " and ".join(map(str, counts))))
    several = "" if len(alike) == 2 else "three "
    return Fit(rule, args, "reads a list of {}maps, whose channels add up".format(several), maps=len(alike))


def merge(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed the channels of one of several maps that are alike, and gives as many."""
    return _merged(cls, "merge", args, lambda count: (count, *args))


def merge_nothing(cls: Any, args: Tuple[Any, ...]) -> Fit:
    """Try a class that is passed no channels, reads several maps that are alike, and gives as many channels."""
    return _merged(cls, "merge:nothing", args, lambda count: args)


def _merged(cls: Any, rule: str, args: Tuple[Any, ...], passed: Callable[[int], Sequence[Any]]) -> Fit:
    maps = 2
    try:
        run(build(cls, passed(COUNTS[0])), COUNTS[:1] * maps, EVEN, listed=True)
    except UnfitError:
        maps = 3
    for count in COUNTS:
        got = run(build(cls, passed(count)), [count] * maps, EVEN, listed=True)
        if got != Map(count, EVEN):
            text = "it reads a list of maps, and gives {} channels at {}x{} for {} of {} channels at {}x{}"
            raise UnfitError(GAVE, text.format(got.channels, *got.size, maps, count, *EVEN))
    told = "reads a list of {}maps that are alike, and gives as many channels as each"
    return Fit(rule, args, told.format("" if maps == 2 else "three "), maps=maps)


def reads_channels(cls: Any, passed: Sequence[Any], count: int, other: int) -> bool:
    """Return whether a class that was built for a number of channels refuses another: that is no rate then.

    Args:
        cls: The class.
        passed: What it is built with.
        count: The number of channels in that.
        other: Another.
    """
    module = build(cls, passed)
    try:
        run(module, [other], EVEN)
    except UnfitError:
        return True
    return False


class _Module:
    """A class built for a number of channels."""

    def __init__(self, cls: Any, arguments: Sequence[Any], channels: int) -> None:
        try:
            self.built = build(cls, arguments)
        except UnfitError as error:
            raise self._placed(error, channels) from error
        self.channels = channels

    def at(self, size: Size) -> Map:
        """Run it on even sides."""
        try:
            return run(self.built, [self.channels], size)
        except UnfitError as error:
            other = other_layout(self.built, self.channels) if error.reached == BUILT else ""
            if other:
                raise UnfitError(MOSTLY, other) from error
            fixed = only_size(self.built, self.channels) if error.reached == BUILT else ""
            if fixed:
                raise UnfitError(MOSTLY, "it wants maps of a fixed size: {}{}".format(error, fixed)) from error
            raise self._placed(error, self.channels) from error

    def odd(self, size: Size) -> str:
        """Return what is to be said of odd sides, if anything."""
        even = run(self.built, [self.channels], EVEN)
        try:
            got = run(self.built, [self.channels], size)
        except UnfitError:
            return ", on maps of even sides only"
        kept = even.size != EVEN or got.size == size
        return "" if kept else ", at odd sides of another size"

    def _placed(self, error: UnfitError, channels: int) -> UnfitError:
        """Return an error that counts as further where only some numbers of channels fail."""
        return UnfitError(error.reached + (MOSTLY if channels != COUNTS[0] else 0), str(error))


def _other_channels(count: int, got: Map) -> str:
    if got.size == (1, 1):
        return "it gives {} channels at 1x1: weights to multiply a map with, and no map".format(got.channels)
    told = "it gives {} channels where it reads {}".format(got.channels, count)
    return told + ", so a map of weights and no features" if got.channels == 1 else told


def _other_size(size: Size, got: Map) -> str:
    if got.size == (1, 1):
        return "it gives weights at 1x1 to multiply a map with, and no map"
    return "it gives maps of {}x{} for {}x{}: a row's map is as large, half as large or twice".format(*got.size, *size)
