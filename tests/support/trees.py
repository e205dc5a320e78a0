"""The releases that tests unpack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

RELEASES = ("8.0.200", "8.1.0", "8.2.0", "8.3.0", "8.3.253", "8.4.0", "8.4.190")
NEWEST = RELEASES[-1]

Unpack = Callable[..., Path]  # what the fixture `unpack` gives
