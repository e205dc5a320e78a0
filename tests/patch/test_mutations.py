"""Five hundred seeded variations of real trees: each ends in a proved plan or in a refusal, never in a wrong edit.

What a right edit is, is told by running the chain of `parse_model` on stand-ins for the classes: ours must reach our
branch, and every other class the branch that it reached before.
"""

from __future__ import annotations

import ast
import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from a2patch.block import CLASSES
from a2patch.patch import anchors, derive, series, status_of
from a2patch.patch.fit import outcome
from a2patch.tree.tree import PACKAGE
from patches import releases

BASES = ("8.0.0", "8.0.98", "8.0.235", "8.1.14", "8.3.0", "8.4.190")
VARIATIONS = 150

Files = dict[str, bytes]
Mutation = Callable[[random.Random, str], str]


def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def rename(rng: random.Random, text: str) -> str:
    """Another name for something that parse_model uses."""
    names = (
        "c1",
        "c2",
        "ch",
        "args",
        "width",
        "gw",
        "max_channels",
        "legacy",
        "Concat",
        "HGBlock",
        "m",
        "make_divisible",
    )
    name = rng.choice(names)
    return re.sub(rf"\b{name}\b", f"{name}_{rng.choice('xyz')}", text)


def comment(rng: random.Random, text: str) -> str:
    """A comment behind a line, or a line of its own before it."""
    lines = lines_of(text)
    at = _near(rng, lines)
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    return "".join([*lines[:at], f"{indent}# 注释 {rng.random()}\n", *lines[at:]])


def blank(rng: random.Random, text: str) -> str:
    """A blank line put in or taken out."""
    lines = lines_of(text)
    at = _near(rng, lines)
    lines[at : at + 1] = [] if lines[at].strip() == "" else ["\n", lines[at]]
    return "".join(lines)


def reorder(rng: random.Random, text: str) -> str:
    """Two branches of a chain in the other order."""
    branches = list(re.finditer(r"^        elif m .*?(?=^        (?:elif|else))", text, re.MULTILINE | re.DOTALL))
    if len(branches) < 2:
        return text
    at = rng.randrange(len(branches) - 1)
    one, two = branches[at], branches[at + 1]
    return text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]


def their_branch(rng: random.Random, text: str) -> str:
    """A branch for somebody else's module."""
    places = [m.start() for m in re.finditer(r"^        elif m ", text, re.MULTILINE)]
    if not places:
        return text
    at = rng.choice(places)
    test = rng.choice(["m is EMA", "m in {EMA, SimAM}", "m in (EMA,)", "m == EMA"])
    return f"{text[:at]}        elif {test}:\n            args = [ch[f]]\n{text[at:]}"


def their_import(rng: random.Random, text: str) -> str:
    """An import of somebody else's module."""
    places = [m.start() for m in re.finditer(r"^from (\.|ultralytics)", text, re.MULTILINE)]
    at = rng.choice(places)
    return f"{text[:at]}from ultralytics.nn.ema import EMA\n{text[at:]}"


def duplicate(rng: random.Random, text: str) -> str:
    """A second parse_model under another name: every line of its chain stands twice."""
    function = re.search(r"^def parse_model\(.*?(?=^def )", text, re.MULTILINE | re.DOTALL)
    return text if function is None else text + "\n\n" + function[0].replace("parse_model", "parse_model_old")


def drop(rng: random.Random, text: str) -> str:
    """A line near an anchor gone."""
    lines = lines_of(text)
    del lines[_near(rng, lines)]
    return "".join(lines)


def requote(rng: random.Random, text: str) -> str:
    return text.replace('"', "'") if rng.random() < 0.5 else text.replace("'", '"')


def windows(rng: random.Random, text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def mixed(rng: random.Random, text: str) -> str:
    return "".join(line.replace("\n", "\r\n") if rng.random() < 0.5 else line for line in lines_of(text))


def unended(rng: random.Random, text: str) -> str:
    return text.rstrip("\r\n")


MUTATIONS: tuple[Mutation, ...] = (
    rename, comment, comment, blank, blank, reorder, reorder, their_branch, their_branch, their_import, duplicate,
    drop, requote, windows, mixed, unended,
)  # fmt: skip


def _near(rng: random.Random, lines: list[str]) -> int:
    """A line near one that the diffs look at."""
    marks = [
        at for at, line in enumerate(lines) if re.search(r"Concat|BatchNorm2d|__all__|\.head|import \(|Detect", line)
    ]
    return min(max(rng.choice(marks) + rng.randint(-2, 2), 0), len(lines) - 1)


def base(release: str, cache: Path) -> Files:
    with zipfile.ZipFile(releases.wheel(release, cache)) as archive:
        names = [name for name in archive.namelist() if re.search(r"/nn/.*\.py$|yolov8.*\.yaml$", name)]
        return {name.removeprefix(f"{PACKAGE}/"): archive.read(name) for name in names}


def vary(seed: int, files: Files) -> tuple[Files, list[str]]:
    rng = random.Random(seed)
    varied, done = dict(files), []
    init = "nn/modules/__init__.py" if "nn/modules/__init__.py" in files else "nn/modules.py"
    for _ in range(rng.randint(1, 4)):
        path = rng.choice(["nn/tasks.py", "nn/tasks.py", init])
        mutation = rng.choice(MUTATIONS)
        varied[path] = mutation(rng, varied[path].decode("utf-8")).encode("utf-8")
        done.append(f"{mutation.__name__} {path}")
    return varied, done


def reached(content: bytes) -> dict[str, str]:
    """For each class that the chain knows, and ours: the test of the branch that it reaches."""
    branches = anchors.chain(ast.parse(content)).branches
    names = {n.id for branch in branches for n in ast.walk(branch.test) if isinstance(n, ast.Name)} - {"m", "frozenset"}
    names |= set(CLASSES)
    known: dict[str, object] = {name: type(name, (), {}) for name in names}
    known |= {"torch": _Torch(), "nn": _Torch().nn, "frozenset": frozenset}
    result = {}
    for name in names - {"torch", "nn"}:
        for branch in branches:
            try:
                hit = eval(compile(ast.Expression(branch.test), "chain", "eval"), {**known, "m": known[name]})
            except TypeError:  # `m in base_modules`, a name of theirs that is no collection here
                hit = False
            if hit:
                result[name] = ast.unparse(branch.test)
                break
    return result


class _Torch:
    """Stands for `torch` and `torch.nn`: every attribute is a class of its own."""

    def __getattr__(self, name: str) -> object:
        value: object = _Torch() if name == "nn" else type(name, (), {})
        self.__dict__[name] = value
        return value


def judge(files: Files, release: str) -> str:
    """Plan a variation and check the plan; how it went."""
    maker = partial(derive.diff, read=files.get, added=derive.sources(series.folder()), release=release)
    status = status_of(files.get, series.load(series.folder()), release, (), maker)
    if status.state != "pristine":
        assert status.state == "foreign"
        assert all(site.misfits for site in status.sites if site.state == "conflict")
        return "refused"
    diffs = [site.forth for site in status.sites if site.forth]
    after = dict(files)
    for diff in diffs:
        for file in diff.files:
            made = outcome(file, files.get(file.path))
            assert made is not None
            after[file.path] = made
    again = status_of(after.get, series.load(series.folder()), release, diffs)
    assert again.state == "applied"
    for site in again.sites:
        assert site.back is not None
        for file in site.back.files:
            assert outcome(file, after[file.path]) == files.get(file.path)
    before_chain, after_chain = reached(files["nn/tasks.py"]), reached(after["nn/tasks.py"])
    ours = {name: after_chain.pop(name) for name in CLASSES}
    assert len(set(ours.values())) == 1
    assert all(name in next(iter(ours.values())) for name in CLASSES)
    assert after_chain == before_chain
    return "derived" if any(diff.derived for diff in diffs) else "versioned"


@pytest.mark.parametrize("release", BASES)
def test_a_variation_is_planned_rightly_or_refused(release: str, cache: Path) -> None:
    files = base(release, cache)
    assert judge(files, release) == "versioned"
    results: Counter[str] = Counter()
    for seed in range(BASES.index(release), VARIATIONS, len(BASES)):
        varied, done = vary(seed, files)
        try:
            results[judge(varied, release)] += 1
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {'; '.join(done)}") from error
    print(f"{release}: {dict(results)}")
    assert results["refused"] < results.total() / 2
