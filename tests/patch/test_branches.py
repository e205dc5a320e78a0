"""The branches of `parse_model` for the row rules: their lines, their order, and what is checked of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from a2patch.block import ADDITION, RULES, Addition, Block, BlockClass, addition
from a2patch.patch import edits, validate
from tests.patch.test_chains import applied
from tests.support import miniature
from tests.support.blocks import BLOCKS
from tests.support.trees import NEWEST

RELEASES = ("8.0.0", "8.0.98", "8.1.0", "8.3.253", NEWEST)
TWO = Block(
    "two", b"", (BlockClass("A", RULES["keep"]), BlockClass("B", RULES["width"]), BlockClass("C", RULES["keep"]))
)


@pytest.fixture(scope="module", params=RELEASES)
def tasks(request: pytest.FixtureRequest, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return `nn/tasks.py` of a release."""
    return miniature.cut(request.param, cache, tmp_path_factory.mktemp("tree")).joinpath("nn/tasks.py").read_bytes()


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_of_each_rule_is_registered_once(tasks: bytes, name: str) -> None:
    added = addition(BLOCKS[name], last=False)
    made = applied(tasks, edits.tasks_edits(tasks, added))
    assert validate.fault("nn/tasks.py", made, added) == ""
    assert made.count(f"elif m is {added.classes[0]}:\n".encode()) == 1
    assert validate.fault("nn/tasks.py", tasks, added) != ""


def test_the_width_is_limited_where_the_release_limits_it(tasks: bytes) -> None:
    made = applied(tasks, edits.tasks_edits(tasks, addition(BLOCKS["wide"], last=False))).decode()
    factor = "width" if " width" in made and "gw" not in made else "gw" if "gw" in made else "width"
    limited = "min(args[0], max_channels)" if "max_channels" in made else "args[0]"
    assert f"c1, c2 = ch[f], make_divisible({limited} * {factor}, 8)\n" in made


def test_a_block_has_one_branch_for_each_rule(tasks: bytes) -> None:
    added = addition(TWO, last=False)
    made = applied(tasks, edits.tasks_edits(tasks, added)).decode()
    assert made.index("elif m in (A, C):") < made.index("elif m is B:") < made.index("elif m is Concat")
    assert validate.fault("nn/tasks.py", made.encode(), added) == ""
    once = made.replace("elif m is B:", "elif m is Unheard:").encode()
    assert "expected 2" in validate.fault("nn/tasks.py", once, added)


def test_a_class_under_another_name_is_imported_so(cache: Path, tmp_path: Path) -> None:
    content = miniature.cut(NEWEST, cache, tmp_path).joinpath("nn/modules/__init__.py").read_bytes()
    block = Block("mine", b"", (BlockClass("MyCBAM", RULES["keep"], defined="CBAM"),))
    made = applied(content, edits.modules_edits(content, addition(block, last=False))).decode()
    assert "from .mine import CBAM as MyCBAM\n" in made
    assert '    "MyCBAM",\n' in made


def test_a_module_that_imports_others_of_the_tree_comes_behind_them(cache: Path, tmp_path: Path) -> None:
    content = miniature.cut(NEWEST, cache, tmp_path).joinpath("nn/modules/__init__.py").read_bytes()
    block = Block("attn", b"", (BlockClass("Attn", RULES["keep"]),))
    for last in (False, True):
        made = applied(content, edits.modules_edits(content, addition(block, last=last))).decode()
        assert (made.index("from .attn ") > made.index("from .transformer ")) == last


def test_double_attention_is_one_of_them(tasks: bytes) -> None:
    assert isinstance(ADDITION, Addition)
    assert validate.fault("nn/tasks.py", applied(tasks, edits.tasks_edits(tasks, ADDITION)), ADDITION) == ""
