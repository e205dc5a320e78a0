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


def test_each_quantity_has_a_chart_with_the_base_first() -> None:
    parameters, counted = cost_charts(COSTS, "base.yaml")
    assert texts(parameters) == [
        *("Parameters, millions", "base.yaml", NAME),
        *("n", "1.00", "2.00  +100.0 %"),
        *("s", "3.00"),
    ]
    assert texts(counted)[1:] == ["base.yaml", "n", "4.00", "s", "16.00"]


def test_bars_are_as_long_as_their_values() -> None:
    parameters, _ = cost_charts(COSTS, "base.yaml")
    bars = [float(bar.get("width", "")) for bar in ET.fromstring(parameters).iter("rect")][2:]
    assert [round(bar / bars[0], 4) for bar in bars] == [1, 2, 3]


def test_it_has_no_colour_that_the_dark_form_of_the_page_can_not_change() -> None:
    for chart in cost_charts(COSTS, ""):
        assert not re.search(r"#[0-9a-f]{3}", chart)


def test_what_was_not_counted_is_not_drawn() -> None:
    assert len(list(cost_charts(COSTS[:1], ""))) == 1
    assert not list(cost_charts((), ""))
