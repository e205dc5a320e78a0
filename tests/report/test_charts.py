"""The charts of costs: what they tell, and that they follow the page's colours."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from a2patch.protocol import Cost
from a2patch.report.charts import cost_charts

NAME = "_$x$<b>&.yaml"
COSTS = (
    Cost(NAME, "n", 9, 2_000_000, 2_000_000, None, None),
    Cost("base.yaml", "n", 8, 1_000_000, 1_000_000, None, 4.0),
    Cost("base.yaml", "s", 8, 3_000_000, 3_000_000, None, 16.0),
)


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("text")]


def test_each_quantity_has_a_chart_of_differences_where_there_are_any() -> None:
    parameters, counted = cost_charts(COSTS, "base.yaml")
    assert texts(parameters) == [
        *("Parameters, millions; beside base.yaml", "参数量（百万），与 base.yaml 之差", NAME),
        *("n", "+100.00 %\u20031.00 → 2.00"),
    ]
    assert texts(counted)[2:] == ["base.yaml", "n", "4.00", "s", "16.00"]


def bars(svg: str) -> list[tuple[float, float]]:
    """Return where each bar begins and how long it is, without those that tell the colours."""
    found = [(float(bar.get("x", "")), float(bar.get("width", ""))) for bar in ET.fromstring(svg).iter("rect")]
    return [bar for bar in found if bar[0] > 1]


def test_bars_are_as_long_as_the_differences_and_less_than_the_base_goes_the_other_way() -> None:
    costs = (*COSTS, Cost("less", "n", 9, 500_000, 1, None, None), Cost("same", "n", 9, 1_000_000, 1, None, None))
    parameters, _ = cost_charts(costs, "base.yaml")
    more, less, same = bars(parameters)
    assert (more[1], less[1], same[1]) == (140, 70, 0)
    assert (more[0], less[0] + less[1], same[0]) == (92, 92, 92)


def test_without_a_base_bars_are_as_long_as_the_values() -> None:
    parameters, _ = cost_charts(COSTS, "")
    found = [length for _, length in bars(parameters)]
    assert [round(length / found[1], 4) for length in found] == [2, 1, 3]


def test_it_has_no_colour_that_the_dark_form_of_the_page_can_not_change() -> None:
    for chart in cost_charts(COSTS, ""):
        assert not re.search(r"#[0-9a-f]{3}", chart)


def test_what_was_not_counted_is_not_drawn() -> None:
    assert len(list(cost_charts(COSTS[:1], ""))) == 1
    assert not list(cost_charts((), ""))
