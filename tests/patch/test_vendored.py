"""Trees that no versioned diff fits: patched by their own syntax, or refused with the reason; never wrongly edited."""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from a2patch.block import CLASSES
from tests.support.command import a2patch
from tests.support.files import snapshot
from tests.support.trees import NEWEST, Unpack

Edit = Callable[[str], str]


def edit(package: Path, path: str, change: Edit) -> None:
    """Rewrite a file of a tree; a change that changes nothing is a fault of the test."""
    place = package / path
    text = place.read_bytes().decode("utf-8")
    changed = change(text)
    assert changed != text
    place.write_bytes(changed.encode("utf-8"))


def translated(text: str) -> str:
    """Comments in another language around every line of parse_model, as forks have them."""
    before, function, after = text.partition("def parse_model(")
    lines = []
    for line in after.split("\n"):
        if re.match(r"        (el)?if m ", line):
            lines.append(f"        # 解析模块:{line.strip()[:20]}")
        lines.append(re.sub(r"(args = .*|c2 = .*)$", r"\1  # 参数", line))
    return before + function + "\n".join(lines)


def with_try(text: str) -> str:
    """The lookup of the class inside a try, the chain behind it."""
    return re.sub(
        r"( +)m = \(\n(.*?)\n\1\)  # get module\n",
        lambda m: (
            f"{m[1]}try:\n{m[1]}    m = eval(m)\n{m[1]}except (NameError, TypeError):\n{m[1]}    m = globals()[m]\n"
        ),
        text,
        flags=re.DOTALL,
    )


def with_branches(text: str) -> str:
    """Other people's branches before and after the places that the diffs look at."""
    extra = "        elif m in {EMA, SimAM}:\n            args = [ch[f], *args]\n"
    text = text.replace("        elif m is Concat:\n", f"{extra}        elif m in {{Concat, BiFPN}}:\n")
    return text.replace(
        "\ndef parse_model(",
        "\nclass EMA(nn.Module): ...\nclass SimAM(EMA): ...\nclass BiFPN(EMA): ...\n\n\ndef parse_model(",
    )


def tabs(text: str) -> str:
    """Indented with tabs."""
    return re.sub(r"^( {4})+", lambda m: "\t" * (len(m[0]) // 4), text, flags=re.MULTILINE)


TASKS: dict[str, Edit] = {
    "comments in another language": translated,
    "another signature": lambda t: t.replace("def parse_model(d, ch, verbose=True):", "def parse_model(d, ch, verbose=True, *, warehouse=None):"),
    "a try around the lookup": with_try,
    "branches of their own": with_branches,
    "relative imports": lambda t: t.replace("from ultralytics.nn.modules import", "from .modules import"),
    "imports by file": lambda t: t.replace("    Concat,\n", "", 1).replace("from ultralytics.utils import (", "from ultralytics.nn.modules.conv import Concat\nfrom ultralytics.utils import (", 1),
    "tabs": tabs,
    "windows line endings": lambda t: t.replace("\n", "\r\n"),
    "a byte-order mark": lambda t: "\ufeff" + t,
}  # fmt: skip

INIT: dict[str, Edit] = {
    "no __all__": lambda t: t[: t.index("__all__ = (")],
    "a list for __all__": lambda t: t.replace("__all__ = (", "__all__ = [").removesuffix(")\n") + "]\n",
    "an annotated __all__": lambda t: t.replace("__all__ = (", "__all__: tuple = ("),
    "an __all__ on one line": lambda t: re.sub(r"__all__ = \(.*\)\n", lambda m: re.sub(r"\n\s*", " ", m[0]) + "\n", t, flags=re.DOTALL),
    "no newline at the end": lambda t: t.removesuffix("\n"),
    "modules of their own": lambda t: t.replace("from .head import", "from .ema import EMA\nfrom .head import").replace('    "Detect",\n', '    "Detect",\n    "EMA",\n'),
}  # fmt: skip


def check(package: Path, before: dict[str, tuple[str, bytes]]) -> None:
    """Apply, see that the result is right, revert, see that the tree is as it was."""
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 0, answer.err
    tasks = ast.parse(package.joinpath("nn/tasks.py").read_bytes())
    branches = [n for n in ast.walk(tasks) if isinstance(n, ast.If) and CLASSES[0] in ast.unparse(n.test)]
    assert len(branches) == 1
    parents = [n for n in ast.walk(tasks) if isinstance(n, ast.If) and n.orelse == [branches[0]]]
    assert len(parents) == 1, "the branch is not an elif of the chain"
    module = ast.parse(package.joinpath("nn/modules/__init__.py").read_bytes())
    exported = [
        n for n in ast.walk(module) if isinstance(n, ast.Assign | ast.AnnAssign) and "__all__" in ast.unparse(n)
    ]
    for name in CLASSES:
        assert all(ast.unparse(node).count(f"'{name}'") == 1 for node in exported)
    assert a2patch("revert", "--ultralytics-path", package).code == 0
    assert snapshot(package) == before


@pytest.mark.parametrize("variant", TASKS)
def test_a_vendored_tasks_file(unpack: Unpack, variant: str) -> None:
    package = unpack(NEWEST, "vendored")
    edit(package, "nn/tasks.py", TASKS[variant])
    check(package, snapshot(package))


@pytest.mark.parametrize("variant", INIT)
def test_a_vendored_modules_file(unpack: Unpack, variant: str) -> None:
    package = unpack(NEWEST, "vendored")
    if variant == "modules of their own":
        package.joinpath("nn/modules/ema.py").write_text("class EMA: ...\n")
    edit(package, "nn/modules/__init__.py", INIT[variant])
    check(package, snapshot(package))


def test_a_version_of_their_own(unpack: Unpack) -> None:
    package = unpack("8.0.100", "vendored")
    edit(package, "__init__.py", lambda t: re.sub(r"__version__ = .*", '__version__ = "0.0.2"', t))
    check(package, snapshot(package))


def test_a_package_of_another_name(unpack: Unpack) -> None:
    original = unpack(NEWEST, "vendored")
    package = original.with_name("myyolo")
    shutil.move(original, package)
    for place in package.rglob("*.py"):
        place.write_bytes(re.sub(rb"\bultralytics\.", b"myyolo.", place.read_bytes()))
    check(package, snapshot(package))


def test_a_derived_diff_is_said_shown_kept_and_can_be_forbidden(unpack: Unpack) -> None:
    package = unpack(NEWEST, "vendored")
    edit(package, "nn/tasks.py", translated)
    before = snapshot(package)
    refused = a2patch("apply", "--no-derive", "--no-verify", "--ultralytics-path", package)
    assert refused.code == 3
    assert snapshot(package) == before

    shown = a2patch("apply", "--dry-run", "--ultralytics-path", package)
    assert "no versioned diff fits tasks: derived" in shown.err
    assert "+        elif m in (DoubleAttentionBlock, DoubleAttentionLayer):" in shown.out
    applied = a2patch("apply", "--no-verify", "--json", "--ultralytics-path", package)
    assert {c["path"]: c["diff"] for c in applied.document["changes"]}["nn/tasks.py"] == "tasks/derived"
    status = a2patch("status", "--json", "--ultralytics-path", package)
    assert {s["site"]: s["diff"] for s in status.document["tree"]["sites"]}["tasks"] == "tasks/derived"


REFUSED: dict[str, tuple[str, Edit, str]] = {
    "no parse_model": ("nn/tasks.py", lambda t: t.replace("def parse_model(", "def parse_it("), "0 functions named parse_model"),
    "two of them": ("nn/tasks.py", lambda t: t + "\n\ndef parse_model(d, ch):\n    pass\n", "2 functions named parse_model"),
    "no chain": ("nn/tasks.py", lambda t: t.replace("elif m is Concat:", "elif is_join(m):"), "no chain of if and elif in parse_model has a branch that sets c2 for Concat"),
    "not for this interpreter": ("nn/tasks.py", lambda t: t + "\nprint 'hello'\n", "can parse"),
    "an __all__ that is computed": ("nn/modules/__init__.py", lambda t: t.replace("__all__ = (", "__all__ = tuple(sorted((").removesuffix(")\n") + ")))\n", "__all__ is neither"),
    "a class of theirs in tasks": ("nn/tasks.py", lambda t: t + "\n\nclass DoubleAttentionLayer(nn.Module): ...\n", "nn/tasks.py:"),
    "a name that is not bound": ("nn/tasks.py", lambda t: re.sub(r"\bmax_channels\b", "limit", t).replace("width", "breadth"), "width"),
}  # fmt: skip


@pytest.mark.parametrize("variant", REFUSED)
def test_what_cannot_be_patched_is_refused_with_the_reason(unpack: Unpack, variant: str) -> None:
    package = unpack(NEWEST, "vendored")
    path, change, reason = REFUSED[variant]
    edit(package, path, change)
    before = snapshot(package)
    answer = a2patch("apply", "--no-verify", "--ultralytics-path", package)
    assert answer.code == 3, answer.out
    assert reason in answer.err
    assert snapshot(package) == before


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("nn/modules/double_attention.py", "nn/modules/double_attention.py"),
        ("nn/attention.py", "nn/modules/double_attention.py"),
        ("cfg/models/v8/yolov8_A2.yaml", "cfg/models/v8/yolov8_A2.yaml"),
        ("cfg/models/mine/yolov8_DANet.yaml", "cfg/models/v8/yolov8_DANet.yaml"),
    ],
)
def test_a_name_that_is_taken_is_a_conflict_that_names_both_places(unpack: Unpack, path: str, ours: str) -> None:
    package = unpack(NEWEST, "vendored")
    place = package / path
    place.parent.mkdir(exist_ok=True)
    place.write_text("class DoubleAttentionLayer: ...\n" if path.endswith(".py") else "nc: 80\n")
    before = snapshot(package)
    answer = a2patch("apply", "--no-verify", "--json", "--ultralytics-path", package)
    assert answer.code == 3
    assert path in answer.document["error"]["found"]
    assert f"ours goes to {ours}" in answer.document["error"]["found"]
    assert snapshot(package) == before


def test_a_package_that_did_not_import_before_is_told_so(unpack: Unpack) -> None:
    package = unpack(NEWEST, "vendored")
    edit(package, "utils/ops.py", lambda t: t + "\nraise RuntimeError('broken in this fork')\n")
    before = snapshot(package)
    answer = a2patch("apply", "--json", "--ultralytics-path", package)
    assert (answer.code, answer.document["verdict"]["ok"]) == (1, False)
    imported = next(check for check in answer.document["verdict"]["checks"] if check["name"] == "import")
    assert imported["result"] == "fail"
    assert "broken before the patch" in f"{imported['figure']} {imported['meaning']}".lower()
    assert snapshot(package) == before, "a patch that fails its verdict is taken out again"
    assert a2patch("apply", "--keep", "--json", "--ultralytics-path", package).code == 1
    assert a2patch("status", "--json", "--ultralytics-path", package).document["tree"]["state"] == "applied"
