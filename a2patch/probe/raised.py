"""What an exception tells beyond its own words: the line of the package that it came of, and what it mostly means."""

from __future__ import annotations

import traceback
from pathlib import Path

_ADVICE = {
    "modified by an inplace operation": "What a gradient needs is changed in place. Look in forward for `x *= …`, "
    "`x += …`, methods such as `x.mul_(…)`, and inplace=True; write `x = x * …` instead.",
    "all tensors to be on the same device": "A tensor is made on one device, whatever the input's: make it with "
    "device=x.device, or keep it as a parameter or a buffer.",
    **dict.fromkeys(
        ("should be the same", "expected scalar type", "to have the same dtype"),
        "A tensor is made of one type, whatever the input's: make it with dtype=x.dtype.",
    ),
}


def advice(error: BaseException) -> str:
    """Return what to do about an error of torch whose own words do not lead there; empty for any other."""
    return next((told for words, told in _ADVICE.items() if words in str(error)), "")


def line(error: BaseException, package: str) -> str:
    """Return the innermost line in a layer of the package that an exception came of, and where; empty for none.

    Args:
        error: The exception.
        package: The name of the package folder.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).parts
        if package in parts and "modules" in parts[parts.index(package) :] and frame.line:
            place = "/".join(parts[len(parts) - parts[::-1].index(package) :])
            return "\n".join(["It was raised at", "{}:{}: {}".format(place, frame.lineno, frame.line)])
    return ""
