"""How the probe speaks: events as lines in a file, since ultralytics logs to both standard streams."""

from __future__ import annotations

import errno
import os
import re
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Collection, Dict, Iterator, List, Optional, Sequence

from a2patch.probe import raised
from a2patch.probe.runtime.libraries import installed
from a2patch.protocol import (
    EVENTS,
    SCRATCH,
    Check,
    CheckStarted,
    Event,
    Exhausted,
    LibrariesMissing,
    Result,
    Trying,
    encode,
)

PACKAGE = "ultralytics"

# What a machine or a limit of its user lacks.
_SCARCE = (errno.ENOSPC, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(frozen=True)
class Finding:
    """What a check found; its attributes are those of `Check`."""

    result: Result
    figure: str
    meaning: str = ""
    advice: str = ""
    detail: str = ""


class SkipCheckError(Exception):
    """The check can't be made; the message says why."""


def passed(figure: str, meaning: str = "", advice: str = "", detail: str = "") -> Finding:
    """Return that there is no fault."""
    return Finding("pass", figure, meaning, advice, detail)


def failed(figure: str, meaning: str, advice: str = "", detail: str = "") -> Finding:
    """Return a fault."""
    return Finding("fail", figure, meaning, advice, detail)


def known(figure: str, meaning: str, advice: str = "", detail: str = "") -> Finding:
    """Return a flaw that is expected where it was found."""
    return Finding("known", figure, meaning, advice, detail)


def skipped(figure: str, meaning: str, advice: str = "", detail: str = "") -> Finding:
    """Return that the check could be made only in part, and found no fault."""
    return Finding("skip", figure, meaning, advice, detail)


class Channel:
    """The probe's end of the folder that it shares with the runner; makes checks so that none hides those after it.

    Attributes:
        scratch: The folder for the probe's files.
        results: What each check came to that was made so far, by name.
        package: The name of the package folder, which is another where somebody renamed it.
        added_path: What the probe put on the module search path for the tree; empty where it was there already.
        missing: The modules that were found missing.
    """

    def __init__(self, home: Path, checks: Collection[str]) -> None:
        """Open the channel.

        Args:
            home: The home of the probe.
            checks: The names of the checks to make.
        """
        self.scratch = home / SCRATCH
        self.package = PACKAGE
        self.added_path = ""
        self.missing: List[str] = []
        self.results: Dict[str, Result] = {}
        self._checks = checks
        self._file = (home / EVENTS).open("a", encoding="utf-8")

    def emit(self, event: Event) -> None:
        """Write an event."""
        self._file.write(encode(event) + "\n")
        self._file.flush()

    def lacks(self, library: str) -> None:
        """Say that a library is not installed."""
        self.missing.append(library)
        self.emit(LibrariesMissing((library,)))

    def trying(self, what: str) -> None:
        """Say what is being tried, for whoever waits."""
        self.emit(Trying(what))

    def check(self, name: str, what: str, attempt: Callable[[], Finding], requires: Sequence[str] = ()) -> bool:
        """Make one check, if it is wanted, and report it; an exception is a fault of what is checked.

        Args:
            name: What it is called.
            what: What to say meanwhile.
            attempt: How to make it.
            requires: Checks without which it tells nothing: where one of them found a fault, it is skipped.

        Returns:
            Whether it found no fault.
        """
        if name not in self._checks:
            return True
        self.emit(CheckStarted(name))
        self.trying(what)
        started = time.perf_counter()
        try:
            self._require(requires)
            found = attempt()
        except SkipCheckError as reason:
            cause = reason.__cause__ or reason
            found = skipped("", str(reason), raised.advice(cause), raised.line(cause, self.package))
        except (Exception, SystemExit) as error:  # upstream exits where a setting is unknown to it
            found = self._fault(error)
        self.results[name] = found.result
        self.emit(Check(name=name, seconds=round(time.perf_counter() - started, 3), **vars(found)))
        return found.result in ("pass", "known")

    def _require(self, names: Sequence[str]) -> None:
        """Raise if one of some checks found a fault; the first of them names the cause."""
        for name in names:
            if self.results.get(name) == "fail":
                raise SkipCheckError("it tells nothing before what `{}` found is mended".format(name))

    def _fault(self, error: BaseException) -> Finding:
        """Return what an exception says about the package: a fault, or a library that is not there."""
        traceback.print_exc()  # to the log
        what = exhausted(error)
        if what:
            self.emit(Exhausted(what))
            return skipped("", "this machine ran out of something: {}".format(what))
        library = missing_library(error, self.package)
        if library:
            self.lacks(library)
            return skipped("", "needs the library {}, which is not installed".format(library))
        return failed("raises", last_line(error), raised.advice(error), raised.line(error, self.package))


def exhausted(error: Optional[BaseException]) -> str:
    """Return what the machine ran out of, where that is behind an exception; empty where it is not."""
    while error is not None:
        if isinstance(error, OSError) and error.errno and error.errno in _SCARCE:
            return os.strerror(error.errno)
        if isinstance(error, ImportError) and os.strerror(errno.EMFILE) in str(error):  # a library could not be opened
            return os.strerror(errno.EMFILE)
        if isinstance(error, MemoryError):
            return os.strerror(errno.ENOMEM)
        error = error.__cause__ or error.__context__
    return ""


def missing_library(error: BaseException, package: str = PACKAGE) -> str:
    """Return the top-level name of the third-party library whose absence an error reports; empty if it reports none.

    Upstream wraps many an error into another, so what an error came of is looked at too, and what it says.

    Args:
        error: The error.
        package: The name of the package itself, which is none.
    """
    for each in _chain(error):
        told = re.search(r"No module named '([\w.]+)'", str(each))
        named = each.name if isinstance(each, ModuleNotFoundError) else told and told.group(1)
        top = str(named or "").partition(".")[0]
        direct = each is error and isinstance(each, ModuleNotFoundError)
        if top and top not in (PACKAGE, package) and (direct or not installed(top)):
            return top
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those that it came of."""
    seen: List[BaseException] = []
    at: Optional[BaseException] = error
    while at is not None and not any(at is each for each in seen):
        seen.append(at)
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def last_line(error: BaseException) -> str:
    """Return the line that Python ends a traceback with, kept to one line."""
    return " ".join("".join(traceback.format_exception_only(type(error), error)).split())
