"""Strings in a description that upstream evaluates, as the first releases do with the rows too."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from a2patch.probe.runtime.declined import DeclinedError

torch = pytest.importorskip("torch")

CODE = "__import__('os').abort()"


def evaluates(m: str, a: str) -> Any:
    """Read a row as 8.0.0 does."""
    return eval(m), eval(a)


def reads(m: str, a: str) -> Any:
    """Read a row as newer releases do, which evaluate literals alone."""
    return m, a


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("ultralytics.nn.tasks")
    module.__dict__.update(nn=torch.nn, torch=torch, parse_model=evaluates)
    for name in ("ultralytics", "ultralytics.nn"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "ultralytics.nn.tasks", module)
    return module


@pytest.mark.parametrize(
    ("kind", "argument", "refused"),
    [
        ("Conv", "None", False),
        ("nn.Upsample", "nearest", False),
        ("Conv", "nn.ReLU()", False),
        ("Conv", 3, False),
        (CODE, 3, True),
        ("Conv", CODE, True),
        ("Conv", "torch.load('x')", True),
    ],
)
def test_rows(kind: str, argument: object, refused: bool, tasks: ModuleType) -> None:
    from a2patch.probe.models.evaluated import refuse_code

    text = f"head:\n  - [-1, 1, {kind}, [{argument}]]\n"
    described = {"backbone": None, "head": [[-1, 1, kind, [argument]], "no row"]}
    if refused:
        with pytest.raises(DeclinedError, match="a row that this release would run") as told:
            refuse_code(described, text, False)
        assert told.value.found.startswith("line 2: ")
        assert "--trust" in told.value.remedy
    else:
        refuse_code(described, text, False)
    refuse_code(described, text, True)
    tasks.__dict__["parse_model"] = reads
    refuse_code(described, text, False)


def test_activations_that_are_the_same() -> None:
    from a2patch.probe.models.evaluated import same_activation

    assert same_activation("", "nn.SiLU()")
    assert same_activation("torch.nn.LeakyReLU( 0.1 )", "nn.LeakyReLU(0.1)")
    assert not same_activation("", "nn.ReLU()")
    assert not same_activation("nn.LeakyReLU(0.1)", "nn.LeakyReLU(0.2)")
