"""Module files and folders as their users bring them, read by their syntax."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from textwrap import indent

import pytest

from a2patch.block import RULES, BlockClass, bundled, class_named, gated, load_folder, read_module_file
from a2patch.errors import BlockError
from tests.support.blocks import BLOCKS, KEEP, WIDTH, source


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ("c1", "keep"),
        ("channel, reduction=16", "keep"),
        ("inp, oup, reduction=32", "width"),
        ("c1, c2, n=1, shortcut=True", "repeat"),
        ("in_planes", "keep"),
        ("dim, dim_out", "keep"),
        ("rate=0.5", "keep:nothing"),
        ("k", ""),
    ],
)
def test_the_rule_by_the_names_of_parameters(tmp_path: Path, parameters: str, rule: str) -> None:
    place = tmp_path / "Some-File.py"
    place.write_bytes(source("X", parameters))
    block = read_module_file(place)
    assert block.name == "some_file"
    assert [each.rule.name if each.rule else "" for each in block.classes] == [rule]


def test_a_class_that_is_not_for_rows_can_be_named(tmp_path: Path) -> None:
    place = tmp_path / "two.py"
    place.write_bytes(source("Inner", "c1") + source("Outer", "c1", result="Inner(1)(x)"))
    block = read_module_file(place)
    assert block.names() == ("Outer",)
    assert class_named(block, "Inner") == BlockClass("Inner", RULES["keep"])
    assert class_named(block, "Unheard") is None


_BODY = "\n    def __init__(self, c1):\n        super().__init__()\n    def forward(self, x):\n        return x\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"import torch.nn as tnn\nclass A(tnn.Module):{_BODY}", ["A"]),
        (f"from torch import nn as N\nclass A(N.Module):{_BODY}", ["A"]),
        (f"from torch.nn import Module as M\nclass A(M):{_BODY}", ["A"]),
        (f"import torch\nclass A(torch.nn.modules.module.Module):{_BODY}", ["A"]),
        (f"import torch\nclass A(torch.jit.ScriptModule):{_BODY}", ["A"]),
        ("from .block import C2PSA\nclass A(C2PSA):\n    pass\n", ["A"]),
        ("from ultralytics.nn.modules import Detect as D\nclass A(D):\n    pass\n", ["A"]),
        (f"from mmengine.model import BaseModule\nclass A(BaseModule):{_BODY}", ["A"]),
        (f"from models.common import *\nclass A(C3STR):{_BODY}", ["A"]),
        ("try:\n    import x\nexcept ImportError:\n" + indent(f"class A(nn.Module):{_BODY}", "    "), ["A"]),
        (f"class Used(nn.Module):{_BODY}if True:\n    class A(nn.Module):\n        part = Used\n", ["A"]),
        (f"__all__ = ['A']\n__all__ += ['B']\nclass A(nn.Module):{_BODY}class B(A):\n    pass\nclass C(A):\n    pass\n",
         ["A", "B"]),
        (f"__all__ = ['A'] + ['B']\n__all__.append('C')\n__all__.extend(('D',))\nclass A(nn.Module):{_BODY}"
         "class B(A):\n    pass\nclass C(A):\n    pass\nclass D(A):\n    pass\nclass E(A):\n    pass\n",
         ["A", "B", "C", "D"]),
        (f"class A(nn.Module):{_BODY}class B(A):\n    pass\nNew = A\n__all__ = ['New']\n", ["New"]),
        (f"import torch\nclass F(torch.autograd.Function):{_BODY}class A(nn.Module):{_BODY}", ["A"]),
        (f"from torch.utils.data import Dataset\nclass F(Dataset):{_BODY}class A(nn.Module):{_BODY}", ["A"]),
        (f"from pydantic import BaseModel\nclass F(BaseModel):\n    x = 1\nclass A(nn.Module):{_BODY}", ["A"]),
        (f"import enum\nclass F(enum.Enum):{_BODY}class A(nn.Module):{_BODY}", ["A"]),
        (f"class A(A, nn.Module):{_BODY}", ["A"]),
        (f"class B(C):{_BODY}class C(B):{_BODY}class A(nn.Module):{_BODY}", ["A"]),
    ],
)  # fmt: skip
def test_the_classes_for_rows(tmp_path: Path, text: str, names: list[str]) -> None:
    place = tmp_path / "some.py"
    place.write_text(text)
    block = read_module_file(place)
    assert list(block.names()) == names
    assert all(class_named(block, name) for name in names)


def test_another_name_of_a_class_is_imported_as_such(tmp_path: Path) -> None:
    place = tmp_path / "some.py"
    place.write_text(f"class A(nn.Module):{_BODY}New = A\n__all__ = ['New']\n")
    assert read_module_file(place).classes == (BlockClass("New", RULES["keep"], defined="A"),)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"def easy(c1):\n    return nn.Conv2d(c1, c1, 1)\n", "functions easy"),
        ("class A(nn.Module):\n    pass\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_what_is_no_block_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    place = tmp_path / "some.py"
    place.write_bytes(content)
    with pytest.raises(BlockError) as caught:
        read_module_file(place)
    assert told in f"{caught.value.message} {caught.value.found}"


@pytest.mark.parametrize("name", sorted(bundled()))
def test_each_that_comes_along_is_whole(name: str) -> None:
    block = bundled()[name]
    assert block.name == name
    assert all(each.rule and class_named(block, each.name) for each in block.classes)


_ATTENDS = 'name = "x"\nfile = "x.py"\n[classes.X]\nrow = "keep"\n[attention]\n'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name = 1",
        'name = "x"\nfile = "nothing.py"\n[classes.A]\nrow = "keep"',
        'name = "x"\nfile = "x.py"\n[classes.X]\nrow = "often"',
        'name = "x"\nfile = "x.py"\n[classes.Other]\nrow = "keep"',
        'name = "../x"\nfile = "x.py"\n[classes.X]\nrow = "keep"',
        'name = "x"\nfile = "x.py"\nclasses = []',
        _ATTENDS + "maps = 1",
        _ATTENDS + 'maps = "conv()"',
        _ATTENDS + 'vectors = "conv"',
        _ATTENDS + 'map = "conv"',
        'attention = "conv"\n' + _ATTENDS.partition("[attention]")[0],
    ],
)
def test_a_folder_that_describes_no_block_is_refused(tmp_path: Path, text: str) -> None:
    tmp_path.joinpath("block.toml").write_text(text)
    tmp_path.joinpath("x.py").write_bytes(source("X", "c1"))
    with pytest.raises(BlockError):
        load_folder(tmp_path)


def test_a_folder_says_more(tmp_path: Path) -> None:
    text = 'name = "x"\nfile = "x.py"\ntitle = "It"\n[classes.X]\nrow = "width"\nargs = [32]\n'
    text += '[attention]\nmaps = "conv"\nvectors = "branches.0.conv"'
    tmp_path.joinpath("block.toml").write_text(text)
    tmp_path.joinpath("x.py").write_bytes(source("X", "c1"))
    block = load_folder(tmp_path)
    assert block.classes == (BlockClass("X", RULES["width"], (32,)),)
    assert (block.maps, block.vectors) == ("conv", "branches.0.conv")


def test_only_what_keeps_the_channels_gets_a_twin() -> None:
    twin = gated(KEEP)
    assert [(each.name, each.args) for each in twin.classes] == [("Keeping", (5,)), ("GatedKeeping", (5,))]
    doubling = replace(KEEP, classes=(replace(KEEP.classes[0], scale=2.0),))
    for block in (WIDTH, doubling):
        with pytest.raises(BlockError, match="keeps the channels and the size"):
            gated(block)


def test_a_twin_starts_as_the_identity_in_every_form() -> None:
    torch = pytest.importorskip("torch")
    for name in ("keeping", "bare"):
        space: dict[str, object] = {"__name__": "twins"}
        block = gated(BLOCKS[name])
        exec(compile(block.source, "twins.py", "exec"), space)
        twin = space[block.classes[1].name](*((4, 1) if name == "keeping" else ()))  # type: ignore[operator]
        x = torch.randn(1, 4, 5, 5)
        assert torch.equal(twin(x), x)
        assert "gate" in twin.state_dict()
        half = twin.half()
        assert half(x.half()).dtype == torch.float16
        if name == "bare":  # TorchScript needs the source in a file for others
            continue
