"""The user's own images that a report is to be drawn over: found, bounded in number and in size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

MOST = 8
"""How many images a report is drawn over."""

LARGEST = 64 << 20
"""How many bytes an image may have."""

ENDINGS = (
    *(".avif", ".bmp", ".dng", ".heic", ".heif", ".jfif", ".jp2"),
    *(".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"),
)
"""How the names of the images of a folder end."""


@dataclass(frozen=True)
class Photographs:
    """What was found of images that were asked for.

    Attributes:
        taken: The images to draw over.
        left_out: Those that are not, each by its path with the reason.
        beyond: How many there were beyond the most that are taken.
    """

    taken: tuple[Path, ...]
    left_out: tuple[tuple[str, str], ...]
    beyond: int

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self.taken) + len(self.left_out) + self.beyond


def collect(places: Sequence[Path]) -> Photographs:
    """Find the images to draw over: files as they are named, and those in folders, by name.

    Args:
        places: Files and folders.
    """
    found = list(dict.fromkeys(Path(os.path.realpath(path)) for path in _images(places)))
    taken: list[Path] = []
    left_out: list[tuple[str, str]] = []
    beyond = 0
    for path in found:
        reason = _unfit(path)
        if reason:
            left_out.append((str(path), reason))
        elif len(taken) < MOST:
            taken.append(path)
        else:
            beyond += 1
    return Photographs(tuple(taken), tuple(left_out), beyond)


def _images(places: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that were named, and the images of the folders that were."""
    for place in places:
        if place.is_dir():
            yield from sorted(path for path in place.iterdir() if path.suffix.lower() in ENDINGS and path.is_file())
        else:
            yield place


def _unfit(path: Path) -> str:
    """Return why a file can't be drawn over; empty if nothing tells against it."""
    try:
        if not path.is_file():
            return "this is no ordinary file"
        size = path.stat().st_size
    except OSError as error:
        return error.strerror or str(error)
    return f"it is larger than {LARGEST >> 20} MiB" if size > LARGEST else ""
