"""Make one HTML page of a verdict and its pictures; the page needs no other file and no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from a2patch import __version__
from a2patch.block import CLASSES
from a2patch.report import diagram
from a2patch.report.charts import cost_charts
from a2patch.report.costs import LEGEND, cost_table, table_title
from a2patch.report.markup import Markup, element, together
from a2patch.report.verdict import compared_models, conclusion, versions
from a2patch.runner import (
    NOT_ASKED,
    Attention,
    Check,
    Pictures,
    Shares,
    Sight,
    SightMap,
    Verdict,
    Wiring,
    explained,
)

GENERATOR = "a2patch"
"""What the page's `generator` begins with, by which a report is known as one."""

_SIGNS = {"pass": "✓", "fail": "✕", "known": "!", "skip": "–"}
_TITLES = {"cost": "What it costs", "wiring": "Wiring", "sight": "Sight", "attention": "Attention"}
_ABOUT = {
    "cost": LEGEND,
    "wiring": "Each box is a layer, with its place in the file and its stride; the model stands on the right, its base "
    "on the left, layers that are alike side by side. + marks a layer that the base has not, filled where it is one of "
    "ours. A wrong connection is red, thick and crossed; the right one in its place is green and dashed. One "
    "that goes past an added layer, which may be meant, is dotted.",
    "sight": "A patch of noise stands in one place, then in another. Where a map of the model answers to the move, it "
    "knows where things are; a map that answers nowhere is blind. Borders are taken away for this: the image goes on "
    "at its other side. Each map has a colour scale of its own, up to the figure below it.",
    "attention": "Double attention gathers a descriptor by each of its maps, whose shares over all positions sum to "
    "one, then hands each position a mixture of the descriptors, whose shares sum to one there. Shown are the "
    "descriptors whose maps have the highest peaks. A share of 1 is an even one: of a map that looks everywhere alike, "
    "or a mixture of all descriptors alike. The colours are on a logarithmic scale. Both are taken from what convB "
    "and convV give, as the paper has it, whatever the layer makes of them.",
}
_FRESH = (
    "The weights are fresh: nobody trained them, so this shows that the layers tell places apart, not what they look "
    "for. For that, verify a trained checkpoint."
)


def page(verdict: Verdict, pictures: Pictures, facts: Mapping[str, str]) -> str:
    """Return the page.

    Args:
        verdict: What was found.
        pictures: What was drawn.
        facts: What else stands at the top, by its name: the tree, the time.
    """
    body = [
        *_head(verdict, facts),
        _checks(verdict.checks),
        *_section("cost", pictures, _costs(verdict)),
        *_section("wiring", pictures, map(_wiring, pictures.wiring)),
        *_section("sight", pictures, _sights(pictures.sight)),
        *_section("attention", pictures, _attentions(pictures.attention)),
    ]
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="generator", content=f"{GENERATOR} {__version__}"),
        element("title", f"a2patch: {_word(verdict)} in ultralytics {verdict.ultralytics}".strip()),
        element("style", Markup(Path(__file__).with_suffix(".css").read_text(encoding="utf-8"))),
    )
    return "<!doctype html>\n" + element("html", head, element("body", element("main", *body)), lang="en") + "\n"


def _word(verdict: Verdict) -> str:
    return "no fault was found" if verdict.ok else "a fault was found"


def _head(verdict: Verdict, facts: Mapping[str, str]) -> Iterator[Markup]:
    """Yield the verdict, what it is about, and what to look at first."""
    yield element("h1", "What a2patch verify found")
    yield element("p", element("strong", conclusion(verdict)), class_=f"verdict {'pass' if verdict.ok else 'fail'}")
    shown = {**facts, "with": versions(verdict), "interpreter": str(verdict.interpreter)}
    yield element("dl", *(piece for k, v in shown.items() for piece in (element("dt", k), element("dd", v))))
    failed = [element("a", check.name, href=f"#{check.name}") for check in verdict.checks if check.result == "fail"]
    if failed:
        links = [piece for link in failed for piece in (Markup(", "), link)][1:]
        yield element("p", "Failed: ", *links)


def _checks(checks: Sequence[Check]) -> Markup:
    """Return the table of checks."""
    made = [explained(check) for check in checks if not check.unasked]
    rows = (
        element(
            "tr",
            element("th", element("span", f"{_SIGNS[c.result]} {c.result}", class_="badge"), f" {c.name}", scope="row"),
            element("td", *_found(c), class_="found"),
            element("td", f"{c.seconds:.1f} s"),
            class_=c.result,
            id=c.name,
        )
        for c in made
    )
    heads = element("tr", *(element("th", text, scope="col") for text in ("Check", "What was found", "Time")))
    table = element("table", element("thead", heads), element("tbody", *rows), class_="checks")
    unasked = ", ".join(check.name for check in checks if check.unasked)
    note = element("p", f"{NOT_ASKED}: {unasked}", class_="muted") if unasked else Markup()
    return element("section", element("h2", "Checks"), table, note)


def _found(check: Check) -> Iterator[Markup]:
    """Yield what one check found."""
    for line in (*check.figure.splitlines(), *check.meaning.splitlines(), *check.advice.splitlines()):
        yield element("p", line)
    if check.detail:
        yield element("pre", check.detail, tabindex="0")


def _section(name: str, pictures: Pictures, content: Iterable[Markup]) -> Iterator[Markup]:
    """Yield a section, and what is left out of it and why."""
    missing = [item for item in pictures.missing if item.section == name]
    left_out = (
        element("p", f"Left out{' for ' if m.model else ''}{m.model}: {m.reason}", class_="missing") for m in missing
    )
    shown = [*content]
    about = [element("p", _ABOUT[name], class_="muted")] if shown else []
    yield element("section", element("h2", _TITLES[name]), *about, *left_out, *shown, id=f"section-{name}")


def _costs(verdict: Verdict) -> Iterator[Markup]:
    """Yield the charts, and the tables that say the same."""
    if verdict.costs:
        charts = cost_charts(verdict.costs, verdict.base)
        yield element("div", *(element("figure", chart) for chart in charts), class_="charts")
    for model in compared_models(verdict):
        rows = cost_table(verdict.costs, verdict.base, model)
        if rows:
            yield _table(table_title(verdict.base, model), rows[0], rows[1:])
    if verdict.note:
        yield element("p", verdict.note, class_="muted")


def _table(caption: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Return a table with a heading and row names."""
    body = (
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    )
    head = element("tr", *(element("th", cell, scope="col") for cell in heading))
    table = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return _scrolling(table, caption)


def _scrolling(content: Markup, label: str) -> Markup:
    """Return content that may be wider than the page, in a box that the keyboard can scroll too."""
    return element("div", content, class_="scroll", tabindex="0", role="region", aria_label=label)


def _wiring(wiring: Wiring) -> Markup:
    """Return the graph of a model, what is wrong with it, and the same as a table."""
    title = f"{wiring.model}, beside {wiring.base}" if wiring.base else wiring.model
    faults = [element("li", text) for text in dict.fromkeys(fault.text for fault in wiring.faults)]
    count = len({fault.index for fault in wiring.faults})
    summary = f"✕ {count} of {len(wiring.graph.layers)} layers wired wrongly; below the picture stands how."
    picture = _scrolling(diagram.draw(wiring, CLASSES), f"The graph of {wiring.model}")
    heading = ("layer", "kind", "stride", "reads", *(("base", "reads") if wiring.base else ()))
    table = _table(title, heading, _as_rows(wiring))
    as_table = element("details", element("summary", "The same as a table"), table)
    listed = element("ul", *faults) if faults else Markup()
    return together(
        element("h3", title),
        element("p", summary if faults else "No wrong connection was found."),
        picture,
        listed,
        as_table,
    )


def _as_rows(wiring: Wiring) -> Iterator[Sequence[str]]:
    """Yield the layers of a model, and those of its base beside them."""
    for o, i in diagram.aligned(wiring):
        own = ("", "", "", "")
        if i is not None:
            layer = wiring.graph.layers[i]
            stride = "" if layer.stride is None else f"{layer.stride:g}"
            own = (str(i), layer.kind, stride, ", ".join(map(str, layer.sources)))
        if wiring.base_graph is None:
            yield own
            continue
        base = wiring.base_graph.layers[o] if o is not None else None
        yield (*own, f"{o} {base.kind}" if base else "", ", ".join(map(str, base.sources)) if base else "")


def _sights(sights: Sequence[Sight]) -> Iterator[Markup]:
    """Yield, for each model, what was moved and where the model answered."""
    if sights:
        scale = (element("span", "no answer"), element("i"), element("span", "the largest of the map"))
        yield element("p", *scale, class_="scale")
    for sight in sights:
        here, there = (
            element("figure", element("img", src=image, alt=text), element("figcaption", text))
            for image, text in zip(sight.inputs, ("the patch here", "the patch there"), strict=True)
        )
        yield element("h3", sight.model)
        yield element("div", here, there, *map(_sight_map, sight.maps), class_="maps")


def _sight_map(seen: SightMap) -> Markup:
    """Return where one map answered."""
    wide, high = seen.size
    name = seen.name if seen.name.startswith("layer") else f"{seen.name} of the head"
    answer = (
        element("span", f"✕ blind: {seen.answer:.2g}", class_="blind")
        if seen.blind
        else Markup(f"up to {seen.answer:.2g}")
    )
    alt = f"{name} answers {'nowhere' if seen.blind else f'by up to {seen.answer:.2g} of its largest value'}"
    caption = element("figcaption", f"{name}, {wide} × {high}: ", answer)
    return element("figure", element("img", src=seen.image, alt=alt), caption)


def _attentions(layers: Sequence[Attention]) -> Iterator[Markup]:
    """Yield the maps of each added layer over the photograph, which the page holds once."""
    if not layers:
        return
    wide, high = layers[0].size
    photo = element("image", id="photo", href=layers[0].photo, width=wide, height=high)
    yield element("svg", element("defs", photo), class_="hidden", aria_hidden="true", width=0, height=0)
    if any(layer.fresh for layer in layers):
        yield element("p", element("strong", _FRESH))
    scale = (element("span", "the lowest share of the map"), element("i"), element("span", "the highest"))
    yield element("p", *scale, class_="scale")
    for layer in layers:
        grid = f"{layer.grid[0]} × {layer.grid[1]}"
        yield element("h3", f"{layer.model}, {layer.layer}: c_n = {layer.descriptors}, maps of {grid}")
        figures = (
            figure
            for number, gather, distribute in layer.maps
            for figure in (
                _over(layer, gather, f"gathers descriptor {number}"),
                _over(layer, distribute, f"hands out {number}"),
            )
        )
        yield element("div", *figures, class_="maps pairs")


def _over(layer: Attention, shares: Shares, what: str) -> Markup:
    """Return one map over the photograph."""
    wide, high = layer.size
    caption = f"{what}: {'everywhere' if shares.even else f'{shares.low:.3g} to'} {shares.high:.3g}"
    drawn = element(
        "svg",
        element("use", href="#photo"),
        element("image", href=shares.image, width=wide, height=high, preserveAspectRatio="none", opacity=0.6),
        viewBox=f"0 0 {wide} {high}",
        role="img",
        aria_label=f"Over the photograph of a bus: {caption}",
    )
    return element("figure", drawn, element("figcaption", caption))
