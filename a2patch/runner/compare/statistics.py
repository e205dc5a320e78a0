"""Say what a few trainings can tell: means, paired differences with their interval, and how many it would take.

Pure, and without scipy, which the host does not need otherwise; the tests hold it against scipy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

LEVEL = 0.95
"""How often an interval holds the true difference."""

POWER = 0.8
"""How often a difference is to be found where `needed` says how many seeds that takes."""

RELEVANT = 0.005
"""The difference that `needed` is told for, in the unit of the figures."""

MOST = 1000
"""More seeds than that are not told to the number."""

Outcome = Literal["better", "worse", "undecided", "nothing"]
"""What a comparison tells: one of two, or that they can't be told apart, or, with one seed, nothing at all."""


@dataclass(frozen=True)
class Spread:
    """Some figures of one model, one a seed.

    Attributes:
        count: How many there are.
        mean: Their mean.
        deviation: Their sample standard deviation; None of one figure, which has none.
    """

    count: int
    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Difference:
    """How a model differs from another, seed by seed.

    Attributes:
        count: How many seeds both have.
        mean: The mean of the differences.
        low: Where their interval begins; None with one seed, which gives none.
        high: Where it ends; likewise.
        needed: How many seeds it would take to find a difference of `RELEVANT`; `MOST` + 1 for more than `MOST`,
            None with one seed.
        outcome: What that tells.
    """

    count: int
    mean: float
    low: float | None
    high: float | None
    needed: int | None
    outcome: Outcome


def spread(values: Sequence[float]) -> Spread | None:
    """Return the mean of figures and how far they lie apart; None if there is no figure."""
    if not values:
        return None
    return Spread(len(values), math.fsum(values) / len(values), deviation(values))


def deviation(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation; None of fewer than two figures."""
    if len(values) < 2:
        return None
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def difference(mine: Mapping[int, float], other: Mapping[int, float]) -> Difference | None:
    """Return how a model differs from another over the seeds that both have; None if they share none.

    Args:
        mine: The figure of each seed.
        other: Those of the other model.
    """
    deltas = [mine[seed] - other[seed] for seed in sorted(mine) if seed in other]
    if not deltas:
        return None
    mean = math.fsum(deltas) / len(deltas)
    scatter = deviation(deltas)
    if scatter is None:
        return Difference(1, mean, None, None, None, "nothing")
    half = quantile((1 + LEVEL) / 2, len(deltas) - 1) * scatter / math.sqrt(len(deltas))
    low, high = mean - half, mean + half
    outcome: Outcome = "better" if low > 0 else "worse" if high < 0 else "undecided"
    return Difference(len(deltas), mean, low, high, seeds_for(RELEVANT, scatter), outcome)


def seeds_for(wanted: float, scatter: float) -> int:
    """Return about how many seeds find a difference, in a share of `POWER` of all comparisons, at level `LEVEL`.

    Args:
        wanted: The difference.
        scatter: The standard deviation of the differences from seed to seed.

    Returns:
        At least 2; `MOST` + 1 if it is more than `MOST`.
    """
    ratio = scatter / wanted

    def finds(count: int) -> bool:
        both = quantile((1 + LEVEL) / 2, count - 1) + quantile(POWER, count - 1)
        return both * ratio <= math.sqrt(count)

    low, high = 2, MOST + 1
    while low < high:  # the more seeds, the smaller what they find
        middle = (low + high) // 2
        low, high = (low, middle) if finds(middle) else (middle + 1, high)
    return low


def sentence(found: Difference, other: str) -> str:
    """Return a comparison as one sentence.

    Args:
        found: What was found.
        other: What the model is compared with.
    """
    seeds = "one seed" if found.count == 1 else f"{found.count} seeds"
    if found.outcome == "nothing":
        return f"one seed decides nothing: {found.mean:+.3f} beside {other} may be chance"
    if found.outcome in ("better", "worse"):
        return f"{found.outcome} than {other}, with {seeds}"
    told = f"can't be told apart from {other} with {seeds}"
    if found.low == found.high:  # then it is 0 as well
        return f"{told}: the figures are the same with each seed"
    about = f"more than {MOST}" if found.needed is None or found.needed > MOST else f"about {found.needed}"
    return f"{told}; for a difference of {RELEVANT} it would take {about}"


def quantile(share: float, freedom: int) -> float:
    """Return the value that a share of Student's t distribution lies below.

    Args:
        share: From 0.5 up, below 1.
        freedom: The degrees of freedom, at least 1.
    """
    low, high = 0.0, 1.0
    while _below(high, freedom) < share:
        low, high = high, 2 * high
    for _ in range(80):  # each halves the distance; a double has 53 bits
        middle = (low + high) / 2
        low, high = (middle, high) if _below(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def _below(value: float, freedom: int) -> float:
    """Return the share of Student's t distribution that lies below a value of 0 or more.

    By the finite sums for whole degrees of freedom (Abramowitz and Stegun 26.7.3 and 26.7.4).
    """
    angle = math.atan2(value, math.sqrt(freedom))
    cosine = math.cos(angle) ** 2
    odd = freedom % 2
    term = total = math.cos(angle) if odd else 1.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= cosine * (k - 1) / k
        total += term
    if odd:
        inside = angle + (math.sin(angle) * total if freedom > 1 else 0.0)
        return 0.5 + inside / math.pi
    return 0.5 + math.sin(angle) * total / 2
