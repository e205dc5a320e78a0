"""How the probe speaks: events as JSON lines in a file, since ultralytics logs to both standard streams."""

from __future__ import annotations

import json
import time
import traceback
from pathlib import Path
from typing import Any, Callable, NamedTuple, Sequence


class Outcome(NamedTuple):
    """What a check found."""

    result: str  # pass, fail, known or skip
    figure: str
    meaning: str = ""
    advice: str = ""
    detail: str = ""  # lines to be shown as they are, such as a diff


class SkipCheckError(Exception):
    """The check can't be made; the message says why."""


def passed(figure: str, meaning: str = "", advice: str = "", detail: str = "") -> Outcome:
    """Return an outcome without fault."""
    return Outcome("pass", figure, meaning, advice, detail)


def failed(figure: str, meaning: str, advice: str = "", detail: str = "") -> Outcome:
    """Return a fault."""
    return Outcome("fail", figure, meaning, advice, detail)


def known(figure: str, meaning: str, advice: str = "", detail: str = "") -> Outcome:
    """Return a flaw that is expected where it was found."""
    return Outcome("known", figure, meaning, advice, detail)


def skipped(figure: str, meaning: str, advice: str = "") -> Outcome:
    """Return an outcome of a check that could only be made in part, without fault."""
    return Outcome("skip", figure, meaning, advice)


class Channel:
    """Writes events, and makes checks so that none hides those after it.

    Attributes:
        results: The result of each check made so far, by name.
        missing: Libraries that turned out to be missing.
    """

    def __init__(self, path: Path, package: str, wanted: list[str]) -> None:
        self._wanted = wanted
        self._file = path.open("a", encoding="utf-8")
        self._package = package
        self.results: dict[str, str] = {}
        self.missing: list[str] = []

    def emit(self, event: str, **fields: Any) -> None:
        """Write one event."""
        self._file.write(json.dumps({"event": event, **fields}) + "\n")
        self._file.flush()

    def trying(self, what: str) -> None:
        """Say what is being tried, for whoever waits."""
        self.emit("trying", what=what)

    def check(self, name: str, what: str, attempt: Callable[[], Outcome], requires: Sequence[str] = ()) -> bool:
        """Make one check, if it is wanted, and report it; an exception is a fault of what is checked.

        Args:
            name: What it is called.
            what: What to say meanwhile.
            attempt: How to make it.
            requires: Checks without which it tells nothing: where one of them found a fault, it is skipped.

        Returns:
            Whether it found no fault.
        """
        if name not in self._wanted:
            return True
        self.emit("start", name=name)
        self.trying(what)
        started = time.perf_counter()
        try:
            self._require(requires)
            outcome = attempt()
        except SkipCheckError as reason:
            outcome = Outcome("skip", "", str(reason))
        except (Exception, SystemExit) as error:  # upstream exits where a setting is unknown to it
            outcome = self._fault(error)
        self.results[name] = outcome.result
        self.emit("check", name=name, seconds=round(time.perf_counter() - started, 3), **outcome._asdict())
        return outcome.result in ("pass", "known")

    def _require(self, names: Sequence[str]) -> None:
        """Raise if one of some checks found a fault; the first of them names the cause."""
        for name in names:
            if self.results.get(name) == "fail":
                raise SkipCheckError("it tells nothing before what `{}` found is mended".format(name))

    def _fault(self, error: BaseException) -> Outcome:
        """Return what an exception says about the package: a fault, or a library that is not there."""
        traceback.print_exc()  # to the log
        library = missing_library(error, self._package)
        if library:
            self.missing.append(library)
            self.emit("missing", names=[library])
            return Outcome("skip", "", "needs the library {}, which is not installed".format(library))
        return failed("raises", last_line(error))


def missing_library(error: BaseException, package: str) -> str:
    """Return the top-level name of the third-party library whose absence `error` reports, or nothing."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    top = error.name.partition(".")[0]
    return "" if top == package else top


def last_line(error: BaseException) -> str:
    """Return the line that Python ends a traceback with, kept to one line."""
    return " ".join("".join(traceback.format_exception_only(type(error), error)).split())
