"""A bounded part of `make faults`: after any death, one more command finds the tree as it was, or as it was to be."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.support.miniature import KINDS
from tests.support.scenarios import Scenario, scenario

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
if hasattr(os, "fork"):
    from tests.soak import faults, kills

Cases = Callable[[str, str], Scenario]


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=faults.fast()) as folder:
        yield Path(folder).resolve()


@pytest.fixture(scope="module")
def case(base: Path) -> Cases:
    return cache(lambda kind, command: scenario(kind, command, base))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", ["apply", "revert", "upgrade"])
def test_a_kill_at_any_operation_tears_nothing(case: Cases, base: Path, kind: str, command: str) -> None:
    score = faults.every_operation(case(kind, command), "kill", base, step=2)
    assert score.operations > 40
    assert score.torn == 0


@pytest.mark.parametrize("mode", ["tear", "fail", "dying disk", "interrupt"])
@pytest.mark.parametrize("command", ["apply", "revert", "upgrade"])
def test_a_fault_at_any_operation_tears_nothing(case: Cases, base: Path, mode: str, command: str) -> None:
    score = faults.every_operation(case("installed", command), mode, base, step=3)
    assert score.rounds > 15
    assert score.torn == 0


@pytest.mark.parametrize("command", ["undo", "insert"])
def test_a_kill_on_the_way_back_or_of_an_installation_tears_nothing(case: Cases, base: Path, command: str) -> None:
    score = faults.every_operation(case("installed", command), "kill", base, step=2)
    assert score.rounds > 10
    assert score.torn == 0


@pytest.mark.parametrize("mode", ["kill", "fail", "dying disk"])
def test_a_fault_in_the_recovery_tears_nothing(case: Cases, base: Path, mode: str) -> None:
    score = faults.every_operation(case("installed", "upgrade"), "kill", base, step=7, recovery=mode, recovery_step=4)
    assert score.rounds > 20
    assert score.torn == 0


def test_a_kill_at_a_random_moment_tears_nothing(base: Path) -> None:
    assert kills.killed_at_random(("checkout", "vendored"), 40, base, seed=4).torn == 0


def test_two_commands_at_once_tear_nothing(base: Path) -> None:
    assert kills.two_at_once(25, base, seed=4).torn == 0
