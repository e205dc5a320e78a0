"""Texts of a page in both of its languages; a switch at its top shows one, without a script."""

from __future__ import annotations

from a2patch.report.markup import Markup, element, together

ENGLISH, CHINESE = "en", "zh-Hans"


def both(english: str, chinese: str, name: str = "span", **attributes: str | float | None) -> Markup:
    """Return a text in both languages.

    Args:
        english: In English.
        chinese: In Chinese.
        name: The element that each stands in.
        attributes: Its attributes.
    """
    return together(
        element(name, english, lang=ENGLISH, **attributes), element(name, chinese, lang=CHINESE, **attributes)
    )


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
