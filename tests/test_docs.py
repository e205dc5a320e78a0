"""The READMEs and the pages of docs: what they tell to type is there, and where they lead exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from a2patch.commands import VERBS
from tests.support.command import ROOT
from tests.support.inside import inside

READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
PAGES = [*READMES, *sorted(ROOT.glob("docs/**/*.md"))]
CHINESE = [page for page in PAGES if page.parent.name == "zh" or "zh" in page.name]
NAMES = {verb.__name__ for verb in VERBS}
_CJK = "\u4e00-\u9fff，。；：、！？（）“”"
_TYPED = re.compile(r"(?<![\w/.-])a2patch ((?:[a-z]+|-)[^`\n|]*)")


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def options(verb: str) -> set[str]:
    """Return the options that the help of a verb lists."""
    text = inside(*filter(None, (verb, "--help"))).out.partition("\nExample")[0]
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", text))


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the verb and the words of each command of ours that a text tells to type."""
    for found in _TYPED.finditer(text):
        typed = re.split(r" && |; |   |…", found[1])[0]
        try:
            words = shlex.split(typed, comments=True)
        except ValueError:  # a sentence with an apostrophe
            continue
        if words and (words[0] in NAMES or words[0].startswith("-")):
            yield (words[0] if words[0] in NAMES else ""), words


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_option_that_is_told_to_type_is_in_the_help(page: Path) -> None:
    text = page.read_text("utf-8")
    strange = [
        f"a2patch {' '.join(words)}: {word}"
        for verb, words in commands(text)
        for word in words
        if re.fullmatch(r"--?[a-zA-Z][\w-]*", word) and word not in options(verb)
    ]
    for verb in NAMES:  # as in `apply --keep`, `revert --force`
        for found in re.finditer(rf"`{verb} (--[a-z-]+)", text):
            strange += [] if found[1] in options(verb) else [found[0]]
    assert strange == []


def test_commands_are_found_and_a_wrong_one_is_told() -> None:
    told = [*commands("`a2patch apply --dry-run` and\n$ a2patch verify x.yaml --quick && ls --all\n")]
    assert told == [("apply", ["apply", "--dry-run"]), ("verify", ["verify", "x.yaml", "--quick"])]
    assert "--dry-run" in options("apply") - options("verify")
    found = {verb for page in READMES for verb, _ in commands(page.read_text("utf-8"))}
    assert found >= {"apply", "verify", "revert", "insert", "transplant", "status"}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    assert [target for target in targets if not page.parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("page", READMES, ids=name)
def test_the_first_page_is_short_and_has_a_picture(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(text.splitlines()) < 200
    assert "(docs/wiring.svg)" in text


def test_both_languages_have_what_users_need() -> None:
    developers = {"developing.md"}
    english = {page.name for page in ROOT.glob("docs/*.md")} - developers
    assert {page.name for page in ROOT.glob("docs/zh/*.md")} == english
    for page in READMES:
        linked = set(re.findall(r"\(docs/(?:zh/)?([\w-]+\.md)\)", page.read_text("utf-8")))
        assert english <= linked | developers, page


@pytest.mark.parametrize("page", CHINESE, ids=name)
def test_chinese_reads_as_it_is_written(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text("utf-8"))
    assert re.findall(f"[{_CJK}]\n[{_CJK}]", text) == []
    assert re.findall("您|收据|取下|我们的块|打过补丁的树|已打补丁的树", text) == []


def test_both_languages_show_as_many_commands() -> None:
    for page in sorted(ROOT.glob("docs/*.md")):
        other = page.parent / "zh" / page.name
        if other.exists():
            blocks = [re.findall(r"(?s)```\n(.*?)```", each.read_text("utf-8")) for each in (page, other)]
            assert len(blocks[0]) == len(blocks[1]), page.name
