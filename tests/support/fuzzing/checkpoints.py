"""Checkpoints that are not what they say, of each format that torch has written."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path

from tests.support.fuzzing import archives, pickles
from tests.support.fuzzing.mutation import spoiled

SOUND: Mapping[str, bytes] = {
    "zip": archives.written(archives.sound(pickles.checkpoint(older=False))),
    "legacy": pickles.legacy(pickles.checkpoint(older=True)),
    "raw": pickles.raw(),
}
"""Sound ones by their format, which torch itself has no part in."""


def spoiled_checkpoint(sound: Mapping[str, bytes], canary: Path, chance: random.Random) -> bytes:
    """Return a spoiled checkpoint.

    Args:
        sound: Those to choose from, by names that begin with their format.
        canary: A folder that is made where any code in it is run.
        chance: What to choose by.
    """
    name = chance.choices(sorted(sound), [4 if name.startswith("zip") else 1 for name in sorted(sound)])[0]
    content = sound[name]
    if name.startswith("zip"):
        return archives.spoiled_archive(content, canary, chance)
    if name.startswith("legacy") and chance.random() < 0.5:
        return pickles.legacy(pickles.checkpoint(older=True, extra=pickles.hostile(canary, chance)))
    if chance.random() < 0.5:
        return pickles.spoiled_pickle(content, canary, chance)
    return spoiled(content, chance)
