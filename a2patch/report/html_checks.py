"""What a page tells of checks, of costs, and of how models are wired."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from a2patch.report import chinese, diagram
from a2patch.report.bilingual import both, quoted, translated
from a2patch.report.charts import cost_charts
from a2patch.report.costs import LEGEND, cost_table, table_title
from a2patch.report.markup import Markup, element, together
from a2patch.report.verdict import compared_models
from a2patch.runner import NOT_ASKED, Check, Verdict, Wiring, explained

CHECKS_TITLE = both("Checks", "检查")
TITLES = {"cost": both("What it costs", "开销"), "wiring": both("Wiring", "连接")}
"""The titles of the sections, by name."""

ABOUT = {
    "cost": both(
        f"A bar is the difference from the base. {LEGEND}",
        "条形表示与基础模型之差。GFLOPs 是 ultralytics 在 640 像素下打印的数值，它的计数可能漏掉矩阵乘法；"
        "torch 的计数包括矩阵乘法。增幅：参数量 / torch 计数的 GFLOPs。",
    ),
    "wiring": both(
        "Each box is a layer, with its place in the file and, as in the comments of upstream's files, its stage and "
        "stride (P3/8); the model stands on the right, its base on the left, layers that are alike side by side. + "
        "marks a layer that the base has not, filled where it is one of ours. A wrong connection is red, thick and "
        "crossed; the right one in its place is green and dashed. One that goes past an added layer, which may be "
        "meant, is dotted.",
        "每个方框是一层，标着它在文件中的序号，以及阶段和步长（P3/8，写法与上游文件里的注释相同）；"
        "右边是这个模型，左边是它的基础模型，相同的层并排。"
        "+ 表示基础模型没有的层，其中我们的层有底色。错误的连接是打叉的红色粗线，应有的连接是绿色虚线；"
        "绕过新增层的连接可能是有意为之，用点线表示。",
    ),
}
"""What the sections show, by name."""

_SIGNS = {"pass": "✓", "fail": "✕", "known": "!", "skip": "–"}


def checks(made: Sequence[Check], key: str) -> Markup:
    """Return the table of checks.

    Args:
        made: The checks.
        key: What their ids begin with.
    """
    rows = (
        element(
            "tr",
            element("th", _badge(check), f" {check.name}", scope="row"),
            element("td", *_found(check), class_="found"),
            element("td", f"{check.seconds:.1f} s"),
            class_=check.result,
            id=f"{key}-{check.name}",
        )
        for check in made
        if not check.unasked
    )
    titles = (both("Check", "检查"), both("What was found", "结果"), both("Time", "用时"))
    heads = element("tr", *(element("th", title, scope="col") for title in titles))
    table = element("table", element("thead", heads), element("tbody", *rows), class_="checks")
    unasked = [check.name for check in made if check.unasked]
    note = both(f"{NOT_ASKED}: {', '.join(unasked)}", f"没有要求检查：{'、'.join(unasked)}")
    return element(
        "section",
        element("h3", CHECKS_TITLE, id=f"{key}-section-checks"),
        table,
        element("p", note, class_="muted") if unasked else Markup(),
    )


def _badge(check: Check) -> Markup:
    sign = _SIGNS[check.result]
    return element("span", both(f"{sign} {check.result}", f"{sign} {chinese.RESULTS[check.result]}"), class_="badge")


def _found(check: Check) -> Iterator[Markup]:
    """Yield what one check found, what that means, and what to do."""
    told = explained(check)
    yield from _lines(check.figure)
    if check.result == "pass":
        general = told.meaning[: len(told.meaning) - len(check.meaning)].rstrip()
        yield element("p", both(general, chinese.PASSED[check.name]))
    yield from _lines(check.meaning)
    if check.advice or check.result in ("pass", "skip"):
        yield from _lines(told.advice)
    else:
        yield element("p", both(told.advice, chinese.REMEDIES[check.name]))
    if check.detail:
        yield quoted(check.detail)


def _lines(text: str) -> Iterator[Markup]:
    return (translated(line, "p") for line in text.splitlines())


def costs(verdict: Verdict) -> Iterator[Markup]:
    """Yield the charts of costs, and the tables with all figures."""
    if verdict.costs:
        charts = cost_charts(verdict.costs, verdict.base)
        yield element("div", *(element("figure", chart) for chart in charts), class_="charts")
    for model in compared_models(verdict):
        rows = cost_table(verdict.costs, verdict.base, model)
        if rows:
            heading = [both(name, chinese.COLUMNS.get(name, name)) for name in rows[0]]
            yield _table(table_title(verdict.costs, verdict.base, model), heading, rows[1:])
    if verdict.note:
        yield translated(verdict.note, "p", class_="muted")


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


def wiring(drawn: Wiring, block_classes: Sequence[str]) -> Markup:
    """Return the graph of a model, what is wrong with it, and the same as a table.

    Args:
        drawn: The model, beside its base.
        block_classes: The classes of the blocks that were tried.
    """
    title = both(
        f"{drawn.model}, beside {drawn.base}" if drawn.base else drawn.model,
        f"{drawn.model}，左边是 {drawn.base}" if drawn.base else drawn.model,
    )
    faults = [translated(text, "li") for text in dict.fromkeys(fault.text for fault in drawn.faults)]
    count, layers = len({fault.index for fault in drawn.faults}), len(drawn.graph.layers)
    summary = both(
        f"✕ {count} of {layers} layers wired wrongly; below the picture stands how.",
        f"✕ {layers} 层中有 {count} 层连接有误，详见图下。",
    )
    sound = both("No wrong connection was found.", "没有发现错误的连接。")
    picture = _scrolling(diagram.draw(drawn, block_classes), f"The graph of {drawn.model}")
    heading = [
        both("layer", "层"),
        both("kind", "类型"),
        both("stage/stride", "阶段/步长"),
        both("reads", "读取"),
        *((both("base", "基础模型"), both("reads", "读取")) if drawn.base else ()),
    ]
    caption = f"{drawn.model}, {drawn.base}" if drawn.base else drawn.model
    table = _table(caption, heading, _as_rows(drawn))
    as_table = element("details", element("summary", both("The same as a table", "以表格显示")), table)
    listed = element("ul", *faults) if faults else Markup()
    return together(
        element("h4", title), element("p", summary if faults else sound, class_="wired"), picture, listed, as_table
    )


def _as_rows(drawn: Wiring) -> Iterator[Sequence[str]]:
    """Yield the layers of a model, and those of its base beside them."""
    for o, i in diagram.aligned(drawn):
        own = ("", "", "", "")
        if i is not None:
            layer = drawn.graph.layers[i]
            own = (str(i), layer.kind, diagram.stage(layer.stride), ", ".join(map(str, layer.sources)))
        if drawn.base_graph is None:
            yield own
            continue
        base = drawn.base_graph.layers[o] if o is not None else None
        yield (*own, f"{o} {base.kind}" if base else "", ", ".join(map(str, base.sources)) if base else "")
