"""Texts of a page in both of its languages; a switch at its top shows one, without a script."""

from __future__ import annotations

from a2patch.report.markup import Markup, element, together, with_code
from a2patch.report.zh import in_chinese

ENGLISH, CHINESE = "en", "zh-Hans"


def both(english: str, chinese: str, name: str = "span", **attributes: str | float | None) -> Markup:
    """Return a text in both languages.

    Args:
        english: In English.
        chinese: In Chinese.
        name: The element that each stands in.
        attributes: Its attributes.
    """
    texts = ((english, ENGLISH), (chinese, CHINESE))
    pictured = name == "text"  # of SVG, which has no code
    return together(
        *(element(name, text if pictured else with_code(text), lang=code, **attributes) for text, code in texts)
    )


def translated(english: str, name: str = "span", **attributes: str | float | None) -> Markup:
    """Return what was found in both languages; once where it is the same in both, as names and figures are.

    Args:
        english: In English, as a check or a probe says it.
        name: The element that it stands in.
        attributes: Its attributes.
    """
    chinese = in_chinese(english)
    same = chinese == together(english)
    return element(name, with_code(english), **attributes) if same else both(english, chinese, name, **attributes)


def quoted(text: str) -> Markup:
    """Return lines of a file, of a diff or of a log as they are; the first may be ours, and is in both languages."""
    title, end, lines = text.partition("\n")
    return element("pre", translated(title), f"{end}{lines}", tabindex="0")


def switch() -> Markup:
    """Return what switches the language of what follows it on the page."""
    choices = ((ENGLISH, "English"), (CHINESE, "中文"))
    pieces = (
        piece
        for (code, told), checked in zip(choices, ("checked", None), strict=True)
        for piece in (
            element("input", type="radio", name_="language", id=f"show-{code}", class_="language", checked=checked),
            element("label", told, for_=f"show-{code}"),
        )
    )
    return together(*pieces)
