"""What of a page is left in English for whoever reads it in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

from a2patch.protocol import Check
from a2patch.report.html import Origin, Part, page
from a2patch.runner.figures import Pictures
from a2patch.runner.verdict import Verdict

EMPTY = frozenset({"meta", "img", "br", "hr", "link", "input"})
CODE = frozenset({"code", "style", "title", "label"})  # commands, and what the choice of a language is called
NAMES = re.compile(r"`[^`]*`|a2patch (?:verify|compare)")
SENTENCE = re.compile(r"[A-Za-z']{2,}(?: [A-Za-z']{2,})+")
OF_OTHERS = re.compile(r"[\w.]*(?:Error|Exception)\b")


class _Shown(HTMLParser):
    """Gathers what is shown in Chinese, and what in that is marked as the words of others."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[tuple[str, str]] = []
        self.pieces: list[str] = []
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self._open.append((tag, dict(attrs).get("lang") or ""))
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()
        self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        languages = [language for _, language in self._open[1:] if language]
        if CODE & {tag for tag, _ in self._open}:
            return
        if languages[:1] == ["zh-Hans"] and languages[-1] == "en":
            self.foreign.append(data)
        elif "en" not in languages and ("pre", "") not in self._open:
            self.pieces.append(data)


def english_left(text: str) -> list[str]:
    """Return what is in English on a page when it is read in Chinese, but for names, code and others' errors."""
    shown = _Shown()
    shown.feed(text)
    left = [found[0] for found in SENTENCE.finditer(NAMES.sub("", "".join(shown.pieces)))]
    return left + [words for words in shown.foreign if not OF_OTHERS.match(words)]


def page_of(checks: Iterable[Check]) -> str:
    """Return the page of a verdict."""
    verdict = Verdict(Path("python"), "3.11.2", "2.9.0", "8.4.190", tuple(checks), ())
    return page([Part("mine.yaml", verdict, Pictures())], Origin("a2patch verify", "", ""))
