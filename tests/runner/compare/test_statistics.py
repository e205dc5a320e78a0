"""Statistics of a comparison, held against scipy, and the sentences that they end in."""

from __future__ import annotations

import math
import statistics as standard

import pytest

from a2patch.runner.compare import statistics

STOCK = {0: 0.764, 1: 0.748, 2: 0.780}


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 7, 10, 13, 30, 31, 999])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.975, 0.995])
def test_quantiles_are_those_of_scipy(share: float, freedom: int) -> None:
    scipy = pytest.importorskip("scipy.stats")
    assert statistics.quantile(share, freedom) == pytest.approx(scipy.t.ppf(share, freedom), abs=1e-9, rel=1e-9)


def test_spread_is_the_sample_deviation() -> None:
    values = list(STOCK.values())
    found = statistics.spread(values)
    assert found is not None
    assert (found.count, found.deviation) == (3, standard.stdev(values))
    assert found.mean == pytest.approx(0.764)
    assert statistics.spread([0.5]) == statistics.Spread(1, 0.5, None)
    assert statistics.spread([]) is None


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    scipy = pytest.importorskip("scipy.stats")
    mine = {0: 0.751, 1: 0.745, 2: 0.607}
    found = statistics.difference(mine, STOCK)
    expected = scipy.ttest_rel(list(mine.values()), list(STOCK.values())).confidence_interval(0.95)
    assert found is not None
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high])
    assert found.outcome == "undecided"


def test_only_seeds_that_both_have_are_compared() -> None:
    found = statistics.difference({0: 0.9, 2: 0.8, 5: 0.1}, STOCK)
    assert found is not None
    assert found.count == 2
    assert found.mean == pytest.approx((0.136 + 0.020) / 2)
    assert statistics.difference({7: 0.9}, STOCK) is None


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ((0.050, 0.052, 0.051), "better than stock, with 3 seeds"),
        ((-0.050, -0.052, -0.051), "worse than stock, with 3 seeds"),
        ((0.0, 0.0, 0.0), "can't be told apart from stock with 3 seeds: the figures are the same with each seed"),
        (
            (0.010, -0.006, 0.002),
            "can't be told apart from stock with 3 seeds; for a difference of 0.005 it would take",
        ),
        ((0.5, -0.5, 0.1), "it would take more than 1000"),
        ((0.3,), "one seed decides nothing: +0.300 beside stock may be chance"),
    ],
)
def test_sentences(shifts: tuple[float, ...], expected: str) -> None:
    found = statistics.difference({seed: STOCK[seed] + shift for seed, shift in enumerate(shifts)}, STOCK)
    assert found is not None
    assert expected in statistics.sentence(found, "stock")


def test_as_many_seeds_as_are_told_find_the_difference() -> None:
    """Drawn anew ten thousand times, about four of five such comparisons find it, and with half as many seeds fewer."""
    numpy = pytest.importorskip("numpy")
    scatter = 0.008
    needed = statistics.seeds_for(statistics.RELEVANT, scatter)
    chance = numpy.random.default_rng(0)

    def found(count: int) -> float:
        draws = chance.normal(statistics.RELEVANT, scatter, (10_000, count))
        half = statistics.quantile(0.975, count - 1) * draws.std(axis=1, ddof=1) / math.sqrt(count)
        return float((draws.mean(axis=1) > half).mean())

    assert 0.75 < found(needed) < 0.87
    assert found(needed // 2) < 0.65
    assert statistics.seeds_for(0.005, 0.0) == 2
