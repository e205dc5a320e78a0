"""What a probe said, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from a2patch.protocol import Check, CheckStarted, Done, Event, Exhausted, LibrariesMissing, Version

E = TypeVar("E")


@dataclass(frozen=True)
class ProbeResult:
    """What a probe said, and how it ended.

    Attributes:
        events: What it said, in order.
        ending: How its process ended, with the last lines of its log.
    """

    events: tuple[Event, ...]
    ending: str

    def events_of(self, kind: type[E]) -> list[E]:
        """Return the events of a class, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[E]) -> E | None:
        """Return the last event of a class; None if there is none."""
        return next(reversed(self.events_of(kind)), None)

    @property
    def done(self) -> bool:
        """Whether the probe came to its end."""
        return self.last(Done) is not None

    @property
    def sound(self) -> bool:
        """Whether the probe came to its end, and no check found a fault."""
        return self.done and not self.last(Exhausted) and all(check.result != "fail" for check in self.checks.values())

    @property
    def checks(self) -> dict[str, Check]:
        """The checks that it made, by name."""
        return {check.name: check for check in self.events_of(Check)}

    @property
    def last_started(self) -> str:
        """The check that it began last; empty if it began none."""
        started = self.last(CheckStarted)
        return started.name if started else ""

    @property
    def missing(self) -> LibrariesMissing | None:
        """The libraries that its interpreter lacks; None if it lacks none."""
        return self.last(LibrariesMissing)

    def version(self, name: str) -> str:
        """Return the version of what it ran with; empty if it did not get that far."""
        return next((event.version for event in self.events_of(Version) if event.name == name), "")

    def failed(self, name: str) -> bool:
        """Return whether a check found a fault, or the probe died in it."""
        check = self.checks.get(name)
        return check.result == "fail" if check else not self.done and self.last_started == name
