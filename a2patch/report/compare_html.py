"""Make one HTML page of a comparison; the page needs no other file and no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from a2patch import __version__
from a2patch.report import compare, compare_charts
from a2patch.report.compare import KINDS, Row
from a2patch.report.html import GENERATOR
from a2patch.report.markup import Markup, element
from a2patch.runner import compare as runner

_STYLE = """
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; padding: 0; font-size: .9rem; }
.legend svg { vertical-align: middle; }
.wide svg { display: block; width: 100%; max-width: 46rem; height: auto; }
pre { white-space: pre-wrap; }
"""
_ABOUT = {
    "Figures": "Each model was trained once a seed, by ultralytics itself, with the same arguments; the same seed "
    "gives every model the same order of images. Stated are the mean and the sample standard deviation over the seeds. "
    "The last epoch counts: choosing the best by the very images that are validated on flatters whoever varies most.",
    "Differences": "The difference is taken seed by seed. Its interval, by Student's t, holds the true difference in "
    "95 of 100 such comparisons; where it contains 0, the models can't be told apart. How many seeds it would take is "
    "told for finding a true difference of 0.005 in four of five comparisons.",
    "Sizes": "By the area of its box, in pixels of its own image, an object is small below 32 x 32 and large from "
    "96 x 96. Behind a size stands how many objects of it the validation has. Worked out by faster-coco-eval from all "
    f"that the last epoch predicted: all sizes together give {runner.MAIN}, but for how the curve of precision is "
    "interpolated.",
    "Curves": "A line is the mean over the seeds, the area around it goes from the least to the greatest.",
    "Costs": "Speeds are measured side by side, round after round, after a warm-up: the median, in brackets the "
    "quartiles, images in a second, and how many times as long as the base. An epoch and the memory are those of the "
    "trainings, which may have shared the machine.",
    "Classes": f"{runner.MAIN} of each class at the last epoch, the mean over the seeds.",
}


def page(found: runner.Comparison) -> str:
    """Return the page."""
    style = Path(__file__).with_name("html.css").read_text(encoding="utf-8") + _STYLE
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="generator", content=f"{GENERATOR} {__version__}"),
        element("title", f"a2patch compare: {', '.join(model.label for model in found.models)}"),
        element("style", Markup(style)),
    )
    body = element("body", element("main", *_body(found)))
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _body(found: runner.Comparison) -> Iterator[Markup]:
    yield element("h1", "What a2patch compare found")
    yield element("p", element("strong", f"{compare.headline(found)}."), class_="verdict")
    yield element("ul", *(element("li", text) for text in (*compare.verdicts(found), *compare.notes(found))))
    yield _failures(found)
    facts = {**compare.facts(found), "made": f"by a2patch {__version__}"}
    yield element("dl", *(piece for k, v in facts.items() for piece in (element("dt", k), element("dd", v))))
    yield _section("Figures", *(_table(told.capitalize(), compare.figure_table(found, k)) for k, told in KINDS.items()))
    yield from _differences(found)
    if found.objects:
        tables = [(compare.SIZES, compare.size_table(found))]
        tables.append(("Differences by the size of objects, with intervals", compare.size_difference_table(found)))
        yield _section("Sizes", *(_table(caption, rows) for caption, rows in tables if len(rows) > 1))
    curves = compare_charts.curves(found)
    if curves:
        yield _section("Curves", compare_charts.legend(found), element("div", curves, class_="wide"))
    costs = [
        piece
        for name, chart in compare_charts.against_costs(found)
        for piece in (element("h3", f"{runner.MAIN} against {name}"), element("div", chart, class_="wide"))
    ]
    yield _section(
        "Costs", _table("What each model costs", compare.cost_table(found)), compare_charts.legend(found), *costs
    )
    classes = compare.class_table(found)
    if classes:
        yield _section("Classes", _table("By class", classes))


def _differences(found: runner.Comparison) -> Iterator[Markup]:
    drawn = compare_charts.differences(found)
    if drawn:
        tables = (_table(told.capitalize(), compare.difference_table(found, k)) for k, told in KINDS.items())
        yield _section("Differences", element("div", drawn, class_="wide"), *tables)


def _failures(found: runner.Comparison) -> Markup:
    """Return the trainings that failed, with their last lines; nothing if none did."""
    if not found.failed:
        return Markup()
    items = (
        piece
        for run in found.failed
        for piece in (element("h3", f"{run.label}, seed {run.seed}"), element("pre", run.failure, tabindex="0"))
    )
    return element("section", element("h2", "Trainings that failed"), *items)


def _section(title: str, *content: Markup) -> Markup:
    about = element("p", _ABOUT[title], class_="muted")
    return element("section", element("h2", title), about, *content, id=title.lower())


def _table(caption: str, rows: Sequence[Row]) -> Markup:
    """Return a table with a heading and row names, in a box that the keyboard can scroll."""
    head, *body = rows
    heads = element("tr", *(element("th", cell, scope="col") for cell in head))
    table = element("table", element("caption", caption), element("thead", heads), element("tbody", *_rows(body)))
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _rows(rows: Iterable[Row]) -> Iterator[Markup]:
    for row in rows:
        yield element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:]))
