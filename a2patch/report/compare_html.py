"""Make one HTML page of a comparison; the page needs no other file and no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from a2patch import __version__
from a2patch.report import compare, compare_charts
from a2patch.report.bilingual import both, quoted, switch, translated
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
    "Figures": both(
        "Each model was trained once a seed, by ultralytics itself, with the same arguments; the same seed gives every "
        "model the same order of images. Stated are the mean and the sample standard deviation over the seeds. The "
        "last epoch counts: choosing the best by the very images that are validated on flatters whoever varies most.",
        "由 ultralytics 自己训练，每个模型每个种子一次，参数相同；同一个种子让每个模型得到相同的图像顺序。"
        "给出的是对各个种子的均值和样本标准差。以最后一轮为准：最好的一轮是用评判它的同一批图像选出来的，"
        "对波动最大的模型有利。",
    ),
    "Differences": both(
        "The difference is taken seed by seed. Its interval, by Student's t, holds the true difference in 95 of 100 "
        "such comparisons; where it contains 0, the models can't be told apart. How many seeds it would take is told "
        "for finding a true difference of 0.005 in four of five comparisons.",
        "逐个种子相减。区间按 Student t 分布得出，100 次这样的比较中有 95 次包含真实的差别；区间包含 0 时分不出来。"
        "所说的种子个数，是五次比较中有四次能发现 0.005 的真实差别所需的个数。",
    ),
    "Sizes": both(
        "By the area of its box, in pixels of its own image, an object is small below 32 x 32 and large from 96 x 96. "
        "Behind a size stands how many objects of it the validation has. Worked out by faster-coco-eval from all that "
        f"the last epoch predicted: all sizes together give {runner.MAIN}, but for how the curve of precision is "
        "interpolated.",
        "按目标框在原图中的面积（像素）划分：小于 32 x 32 的是小目标，不小于 96 x 96 的是大目标。"
        "尺寸后面的括号里是验证集中这类目标的个数。由 faster-coco-eval 根据最后一轮的全部预测算出："
        f"所有尺寸合起来就是 {runner.MAIN}，只是精确率曲线的插值方式不同。",
    ),
    "Curves": both(
        "A line is the mean over the seeds, the area around it goes from the least to the greatest.",
        "线是对各个种子的均值，周围的区域从最小到最大。",
    ),
    "Costs": both(
        "Speeds are measured side by side, round after round, after a warm-up: the median, in brackets the quartiles, "
        "images in a second, and how many times as long as the base. An epoch and the memory are those of the "
        "trainings, which may have shared the machine.",
        "速度由所有模型轮流测量，一轮接一轮，先预热：给出中位数、方括号里的四分位数、每秒图像数，"
        "以及用时是基准的几倍。一轮的用时和内存是训练时的，当时可能与别的训练共用一台机器。",
    ),
    "Classes": both(
        f"{runner.MAIN} of each class at the last epoch, the mean over the seeds.",
        f"最后一轮各类别的 {runner.MAIN}，对各个种子取均值。",
    ),
}
_TITLES = {
    "Figures": both("Figures", "数字"),
    "Differences": both("Differences", "差"),
    "Sizes": both("Sizes", "目标尺寸"),
    "Curves": both("Curves", "曲线"),
    "Costs": both("Costs", "开销"),
    "Classes": both("Classes", "类别"),
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
    body = element("body", switch(), element("main", *_body(found)))
    return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _body(found: runner.Comparison) -> Iterator[Markup]:
    yield element("h1", both("What a2patch compare found", "a2patch compare 的结果"))
    yield element("p", translated(f"{compare.headline(found)}.", "strong"), class_="verdict")
    yield element("ul", *(translated(text, "li") for text in (*compare.verdicts(found), *compare.notes(found))))
    yield _failures(found)
    facts = {**compare.facts(found), "made": f"by a2patch {__version__}"}
    yield element("dl", *(piece for k, v in facts.items() for piece in (translated(k, "dt"), _fact(k, v))))
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
        for piece in (translated(f"{runner.MAIN} against {name}", "h3"), element("div", chart, class_="wide"))
    ]
    table = _table("What each model costs", compare.cost_table(found))
    yield _section("Costs", table, compare_charts.legend(found), *costs)
    classes = compare.class_table(found)
    if classes:
        yield _section("Classes", _table("By class", classes))


def _fact(name: str, value: str) -> Markup:
    """Return what a comparison was made with; what its user gave stays as it is."""
    if name == "command":
        return element("dd", element("code", value))
    return translated(value, "dd") if name in ("images", "made") else element("dd", value)


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
        for piece in (translated(f"{run.label}, seed {run.seed}", "h3"), quoted(run.failure))
    )
    return element("section", element("h2", both("Trainings that failed", "失败的训练")), *items)


def _section(title: str, *content: Markup) -> Markup:
    about = element("p", _ABOUT[title], class_="muted")
    return element("section", element("h2", _TITLES[title]), about, *content, id=title.lower())


def _table(caption: str, rows: Sequence[Row]) -> Markup:
    """Return a table with a heading and row names, in a box that the keyboard can scroll."""
    head, *body = rows
    heads = element("tr", *(translated(cell, "th", scope="col") for cell in head))
    table = element("table", translated(caption, "caption"), element("thead", heads), element("tbody", *_rows(body)))
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)


def _rows(rows: Iterable[Row]) -> Iterator[Markup]:
    for row in rows:
        yield element("tr", element("th", row[0], scope="row"), *(translated(cell, "td") for cell in row[1:]))
