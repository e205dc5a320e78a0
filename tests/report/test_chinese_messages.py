"""Whatever a check can say is known in Chinese; read out of the source, so that no later message is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html import unescape

import pytest

from a2patch.block import ADDED
from a2patch.report.zh import CATALOGUE, in_chinese
from tests.support.command import ROOT

SPEAKING = (
    "probe/checks/*.py",
    *(f"probe/models/{name}.py" for name in ("asked", "build", "context", "costs", "declared", "explain", "flops")),
    *(f"probe/models/{name}.py" for name in ("checkpoint", "images", "user_model")),
    "probe/figures/*.py",
    *(f"probe/{name}.py" for name in ("events", "imports", "raised", "verify")),
    "graph/lint.py",
    "graph/model.py",
    *(f"runner/{name}.py" for name in ("figures", "judge", "photographs", "process", "verify", "verify_block")),
    "tree/environment.py",
    "runner/compare/statistics.py",
    "probe/compare/start.py",
    "protocol/events.py",
)
"""What says something that comes onto a page."""

CALLS = frozenset({"failed", "passed", "known", "skipped", "Finding", "Check", "Reason", "SkipCheckError", "Fault"})
"""What takes a message; there a single word is one too."""

ELSEWHERE = re.compile(r"(?!SkipCheckError|GraphError)\w+Error$")
"""What takes words that a terminal shows, and no page."""

PLACE = re.compile(r"\{[^{}]*\}")
ADJOINING = re.compile(r"\{\}\(?\{\}\)?")
NO_MESSAGE = frozenset(
    {
        # what files hold, or are matched by
        "path: {}\ntrain: images/train\nval: images/val\nnames:\n  0: square\n  1: disc\n",
        "channels: {}\n",
        "No module named '([\\w.]+)'",
        r"(?:[A-Z]\d \()?(\d{1,9})(?=$|[\s,)-])",
        "not implemented for",
        *("modified by an inplace operation", "all tensors to be on the same device", "should be the same"),
        *("expected scalar type", "to have the same dtype"),
        # names of checks, of results, and of what is compared
        *("import", "base", "checkpoint", "train", "amp", "source", "fail", "pass", "known", "skip"),
        *("rising", "stage", "twice", "unused", "comment", "mean", "other"),
        # of commands and errors
        "Name a checkpoint that ultralytics saved.",
        *("a number", "it holds one "),
        *("a2patch apply {}", "It {}{}", "nothing: on the path of {}, behind another", "it has nothing: {}"),
    }
)
"""Strings of those files that are none."""


def messages(source: str) -> Iterator[tuple[int, str]]:
    """Yield the messages in a module with their lines, places in them written as `{}`."""
    tree = ast.parse(source)
    passed_over = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    asked: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(part) for part in node.values}
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if ELSEWHERE.match(name) or name == "compile":
                passed_over |= {id(each) for each in ast.walk(node)}
            if name in CALLS:
                asked |= {id(each) for each in (*node.args, *(keyword.value for keyword in node.keywords))}
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "remedy":
            passed_over |= {id(each) for each in ast.walk(node)}
    for node in ast.walk(tree):
        text = "" if id(node) in passed_over else PLACE.sub("{}", written(node))
        if re.search("[A-Za-z]{2}", text) and (id(node) in asked or " " in text.strip()):
            yield getattr(node, "lineno", 0), text


def written(node: ast.AST) -> str:
    """Return a string as it is written, or a formatted one with its places; empty for anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


KNOWN = "\n".join(PLACE.sub("{}", english) for english in CATALOGUE)
"""All messages that are known; a part of one is known with it, and one whose places others of ours are put in."""


def is_known(text: str) -> bool:
    words = ADJOINING.sub("{}", text).strip(" {};,").split("{}")
    return text in NO_MESSAGE or bool(re.search(r".*?".join(map(re.escape, words)), KNOWN))


def unknown(source: str) -> list[tuple[int, str]]:
    return [(line, text) for line, text in messages(source) if not is_known(text)]


@pytest.mark.parametrize("pattern", SPEAKING)
def test_every_message_is_known_in_chinese(pattern: str) -> None:
    files = sorted(ROOT.joinpath("a2patch").glob(pattern))
    assert files
    forgotten = {file.name: found for file in files if (found := unknown(file.read_text(encoding="utf-8")))}
    assert not forgotten, "write these into a2patch/report/zh, or name them here as no message"


def test_what_a_block_says_of_itself_is_known_in_chinese() -> None:
    for text in ADDED.unlike:
        assert "<span" not in in_chinese(text)


@pytest.mark.parametrize("source", ['failed("odd", "")', 'passed(f"{n} odd")', 'SkipCheckError("odd: {}".format(n))'])
def test_a_message_that_is_not_known_is_found(source: str) -> None:
    assert unknown(source)


def names(text: str) -> list[str]:
    return [place.strip("{}") for place in PLACE.findall(text)]


def test_every_message_has_the_same_places_in_both_languages() -> None:
    for english, chinese in CATALOGUE.items():
        assert sorted(names(english)) == sorted(set(names(english))) == sorted(names(chinese)), english


def test_every_message_is_led_back_to_its_own_template() -> None:
    for english, chinese in CATALOGUE.items():
        samples = {name: sample(name, number) for number, name in enumerate(names(english))}
        assert plain(in_chinese(english.format(**samples))) == plain(chinese.format(**samples)), english


def sample(name: str, number: int) -> str:
    """Return what may stand in a place: a number, a name, or what is the same in both languages."""
    if re.fullmatch(r"n\d*", name):
        return f"1{number}"
    return f"x{number}.yaml"


def plain(text: str) -> str:
    """Return what is shown, without the spaces between Chinese and Latin letters."""
    return re.sub(r"\s", "", unescape(re.sub("<[^>]*>", "", text)))


@pytest.mark.parametrize("part", ["x reads y where that of z reads w ", "ab cd; ", "Go on. ", "layer of, ", "go and "])
def test_what_goes_on_and_on_is_no_endless_work(part: str) -> None:
    assert in_chinese(part * (3500 // len(part)))


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "In m.yaml layer 12 (Concat, stride 16) reads 6 (Conv, stride 16), whose stage goes on with "
            "7 (C2f, stride 16); 22 (Detect) reads 14 (C2f) where that of base.yaml reads the image; and 2 more. "
            "The row of layer 5 is commented 4: its file was numbered before a row was put in.",
            "m.yaml 中，第 12 层（Concat，步长 16）读取第 6 层（Conv，步长 16），而那一阶段之后还有"
            "第 7 层（C2f，步长 16）；第 22 层（Detect）读取第 14 层（C2f），而 base.yaml 的同一层读取输入图像；"
            "另有 2 处。第 5 层那一行的注释写的是 4：文件里的编号是插入一行之前写的。",
        ),
        (
            "m.yaml at scale n: row 4, [-1, 1, Ema, [3]]: nn/tasks.py does not know Ema. (and 3 more) "
            "In m.yaml the key nc and scales stands more than once, and only the last one counts.",
            "m.yaml（规模 n）：第 4 行 [-1, 1, Ema, [3]]：nn/tasks.py 不认识 Ema。（另有 3 个）"
            "m.yaml 里，键 nc 和 scales 出现了不止一次，只有最后一次有效。",
        ),
        (
            "m.yaml: row 16 (Concat) can't take what it reads, 15 (Up), 2 (C2f): RuntimeError: Sizes differ. Not 3; 4.",
            "m.yaml：第 16 行（Concat）接受不了它读取的第 15 层（Up）、第 2 层（C2f）："
            '<span lang="en">RuntimeError: Sizes differ. Not 3; 4</span>。',
        ),
        ("RuntimeError: it went wrong; see below.", '<span lang="en">RuntimeError: it went wrong; see below.</span>'),
        (
            "A2 looks like double attention, and normalises its maps (convB) over the batch instead of the positions "
            "and its vectors (convV) over the positions instead of the channels.",
            "A2 看起来是双重注意力，但注意力图（convB）在批上归一化，而不是在位置上；"
            "注意力向量（convV）在位置上归一化，而不是在通道上。",
        ),
        ("box loss 1.95, cls loss 1.71", "box 损失 1.95、cls 损失 1.71"),
        ("my model.yaml 24 layers, as yolov8.yaml", "my model.yaml 24 层，与 yolov8.yaml 一致"),
        ("<b>.pt 3 layers", "&lt;b&gt;.pt 3 层"),
    ],
)
def test_messages_of_several_parts(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese
