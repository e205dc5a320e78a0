"""Make one HTML page of verdicts and their pictures; the page needs no other file, no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from a2patch import __version__
from a2patch.block import CLASSES, MODULE
from a2patch.report import chinese, html_checks, html_figures
from a2patch.report.bilingual import both, switch, translated
from a2patch.report.markup import Markup, element, together
from a2patch.report.verdict import conclusion, versions
from a2patch.report.zh import in_chinese
from a2patch.runner import MOST_PHOTOGRAPHS as MOST
from a2patch.runner import FigureMissing, Photographs, Pictures, Verdict

GENERATOR = "a2patch"
"""What the page's `generator` begins with, by which a report is known as one."""


@dataclass(frozen=True)
class Part:
    """One thing that was tried: a block of the tree, or the user's model.

    Attributes:
        name: What to call it.
        verdict: What was found.
        pictures: What was drawn.
        classes: The classes of the blocks that were tried.
    """

    name: str
    verdict: Verdict
    pictures: Pictures
    classes: tuple[str, ...] = CLASSES


@dataclass(frozen=True)
class Origin:
    """How a page came about.

    Attributes:
        command: The command that made it.
        made: When that was.
        tree: The path of the package.
        model: The path of the user's model; empty if the tree was tried.
        photographs: The user's images.
    """

    command: str
    made: str
    tree: str
    model: str = ""
    photographs: Photographs | None = None


def page(parts: Sequence[Part], origin: Origin) -> str:
    """Return the page.

    Args:
        parts: What was tried, in order.
        origin: How the page came about.
    """
    drawn = [part.pictures for part in parts]
    photos = html_figures.photographs(drawn)
    body = [
        element("h1", both("What a2patch verify found", "a2patch verify 的检查结果")),
        *_origin(parts, origin),
        _contents(parts),
        html_figures.held_once(photos),
        *(_part(f"p{number}", part, photos) for number, part in enumerate(parts, 1)),
    ]
    ok = all(part.verdict.ok for part in parts)
    found = "no fault was found" if ok else "a fault was found"
    release = parts[0].verdict.ultralytics if parts else ""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="generator", content=f"{GENERATOR} {__version__}"),
        element("title", f"a2patch: {found} in ultralytics {release}".strip()),
        element("style", Markup(Path(__file__).with_suffix(".css").read_text(encoding="utf-8"))),
    )
    document = element("html", head, element("body", switch(), element("main", *body)), lang="en")
    return f"<!doctype html>\n{document}\n"


def _origin(parts: Sequence[Part], origin: Origin) -> Iterator[Markup]:
    """Yield the verdicts where there are several, and how the page came about."""
    for part in parts if len(parts) > 1 else ():
        yield element(
            "p", _title(part.name), both(": ", "："), *_verdict(part.verdict), class_=_passed(part.verdict, "verdict")
        )
    photographs = origin.photographs
    facts = [
        (both("command", "命令"), element("code", origin.command)),
        (both("made", "生成时间"), f"{origin.made}, a2patch {__version__}"),
        *([(both("model", "模型"), origin.model)] if origin.model else []),
        (both("tree", "源码"), origin.tree),
        *([(both("images", "图像"), _images(photographs, parts))] if photographs else []),
    ]
    for verdict in list({versions(part.verdict): part.verdict for part in parts}.values()):
        facts += [(both("with", "版本"), versions(verdict)), (both("interpreter", "解释器"), str(verdict.interpreter))]
    yield element("dl", *(piece for k, v in facts for piece in (element("dt", k), element("dd", v))))


def _verdict(verdict: Verdict) -> Iterator[Markup]:
    yield element("strong", both(conclusion(verdict), chinese.conclusion(verdict)))


def _passed(verdict: Verdict, *classes: str) -> str:
    return " ".join((*classes, "pass" if verdict.ok else "fail"))


def _title(name: str) -> Markup:
    return both("Double Attention", "双重注意力") if name == MODULE else together(name)


def _images(found: Photographs, parts: Sequence[Part]) -> Markup:
    """Return how many of the user's images were taken, and what became of the others."""
    unreadable = {each.path: each.reason for part in parts for each in part.pictures.unreadable}
    taken = len(found.taken) - len(unreadable)
    left = [*found.left_out, *unreadable.items()]
    bound = (f"; no more than {MOST} are", f"，最多取 {MOST} 幅") if found.beyond else ("", "")
    told = both(f"{taken} of {found.count} taken{bound[0]}", f"共 {found.count} 幅，取用 {taken} 幅{bound[1]}")
    if not left:
        return told
    items = (element("li", path, both(": ", "："), translated(reason)) for path, reason in left)
    return together(told, element("ul", *items))


def _contents(parts: Sequence[Part]) -> Markup:
    """Return the table of contents."""
    titles = {"checks": html_checks.CHECKS_TITLE, **html_checks.TITLES, **html_figures.TITLES}
    items = []
    for number, part in enumerate(parts, 1):
        links = (element("a", title, href=f"#p{number}-section-{key}") for key, title in titles.items())
        own = element("a", _title(part.name), href=f"#p{number}")
        sign = element("span", "✓" if part.verdict.ok else "✕", class_=_passed(part.verdict))
        items.append(element("li", sign, " ", own, element("ul", *(element("li", link) for link in links))))
    return element("nav", element("h2", both("Contents", "目录")), element("ul", *items), class_="contents")


def _part(key: str, part: Part, photos: html_figures.Photos) -> Markup:
    """Return all about one thing that was tried."""
    verdict, pictures = part.verdict, part.pictures
    failed = [element("a", check.name, href=f"#{key}-{check.name}") for check in verdict.checks if _fails(check.result)]
    links = [piece for link in failed for piece in (both(", ", "、"), link)][1:]
    return element(
        "section",
        element("h2", _title(part.name), id=key),
        element("p", *_verdict(verdict), class_=_passed(verdict, "verdict")),
        element("p", both("Failed: ", "有误的检查："), *links) if failed else Markup(),
        translated(verdict.others, "p", class_="muted") if verdict.others else Markup(),
        html_checks.checks(verdict.checks, key),
        *_section(f"{key}-section-cost", "cost", pictures.missing, html_checks.costs(verdict)),
        *_section(
            f"{key}-section-wiring",
            "wiring",
            pictures.missing,
            (html_checks.wiring(one, part.classes) for one in pictures.wiring),
        ),
        *_section(f"{key}-section-sight", "sight", pictures.missing, html_figures.sights(pictures.sight)),
        *_section(
            f"{key}-section-attention",
            "attention",
            pictures.missing,
            html_figures.attentions(pictures.attention, photos),
        ),
        class_="part",
    )


def _fails(result: str) -> bool:
    return result == "fail"


def _section(place: str, name: str, missing: Sequence[FigureMissing], content: Iterable[Markup]) -> Iterator[Markup]:
    """Yield a section, and what is left out of it and why."""
    left_out = (_left_out(item) for item in missing if item.section == name)
    shown = [*content]
    title = {**html_checks.TITLES, **html_figures.TITLES}[name]
    about = [element("p", {**html_checks.ABOUT, **html_figures.ABOUT}[name], class_="muted")] if shown else []
    yield element("section", element("h3", title, id=place), *about, *left_out, *shown)


def _left_out(item: FigureMissing) -> Markup:
    english = f"Left out{' for ' if item.model else ''}{item.model}: {item.reason}"
    told = together(f"{item.model or '这一节'}没有画出：", in_chinese(item.reason))
    return element("p", both(english, told), class_="missing")
