"""However a command ends, its probes end too, and its temporary folders go: at once, or with the next command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import miniature
from tests.support.command import ROOT
from tests.support.inside import inside
from tests.support.trees import NEWEST

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")

# An interpreter that runs the probe with libraries of our own, of which the first never finishes importing.
SLOW = """#!/bin/sh
PYTHONPATH={libraries} exec {python} "$@"
"""


@pytest.fixture
def package(cache: Path, tmp_path: Path) -> Path:
    found = miniature.cut(NEWEST, cache, tmp_path)
    assert inside("apply", "--no-verify", "--ultralytics-path", found).code == 0
    return found


@pytest.fixture
def python(tmp_path: Path) -> Path:
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    marks = tmp_path / "alive"
    marks.mkdir()
    libraries.joinpath("torch.py").write_text(
        f"import os, time\nopen(r'{marks}/' + str(os.getpid()), 'w').close()\nwhile True: time.sleep(0.01)\n"
    )
    place = tmp_path / "python"
    place.write_text(SLOW.format(libraries=libraries, python=sys.executable))
    place.chmod(0o755)
    return place


def is_alive(process: int) -> bool:
    try:
        with Path(f"/proc/{process}/stat").open() as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _heed_signals() -> None:
    """Let a process that is begun be ended by what whoever runs the tests may ignore, as a shell does behind `&`."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def waited_for(holds: Callable[[], bool]) -> bool:
    give_up = time.monotonic() + 30
    while not holds() and time.monotonic() < give_up:
        time.sleep(0.02)
    return holds()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "SIGINT", "SIGKILL"])
def test_probes_end_with_the_command_that_asked_for_them(package: Path, python: Path, tmp_path: Path, how: str) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    started = subprocess.Popen(
        [sys.executable, ROOT / "cli.py", "verify", "--json", "--python", python, "--ultralytics-path", package],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=_heed_signals,
    )
    marks = tmp_path / "alive"
    assert waited_for(lambda: len(list(marks.iterdir())) == 3), "all probes run"
    probes = [int(mark.name) for mark in marks.iterdir()]
    started.send_signal(getattr(signal, how))
    out, _ = started.communicate(timeout=30)
    assert waited_for(lambda: not any(map(is_alive, probes)))
    if how != "SIGKILL":
        assert started.returncode == 130
        assert b'"exit_code": 130' in out
        assert (how.encode() in out) == (how != "SIGINT")
        assert not list(temporary.iterdir())
    else:
        assert list(temporary.glob("a2patch-verify-*"))
        variables = os.environ | {"TMPDIR": str(temporary)}
        subprocess.run(
            [sys.executable, ROOT / "cli.py", "status", "--ultralytics-path", package],
            env=variables,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        assert not list(temporary.iterdir())


def test_the_probes_of_a_comparison_end_with_it(package: Path, python: Path, tmp_path: Path) -> None:
    package.joinpath("utils").mkdir()
    words = ("--data", "coco8.yaml", "--base", "yolov8n.yaml", "-o", tmp_path / "out", "--python", python)
    started = subprocess.Popen(
        [sys.executable, ROOT / "cli.py", "compare", "yolov8_A2.yaml", "--ultralytics-path", package, *words],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    marks = tmp_path / "alive"
    assert waited_for(lambda: bool(list(marks.iterdir())))
    probes = [int(mark.name) for mark in marks.iterdir()]
    started.kill()
    started.wait()
    assert waited_for(lambda: not any(map(is_alive, probes)))


def test_a_signal_that_is_ignored_stays_so(package: Path) -> None:
    code = (
        "import os, signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); from a2patch.console import ended_in_order\n"
        "with ended_in_order(): os.kill(os.getpid(), signal.SIGHUP); print('still here')"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout == "still here\n"


def test_a_signal_while_apply_verifies_tells_that_the_patch_is_in(package: Path, python: Path, tmp_path: Path) -> None:
    assert inside("revert", "--ultralytics-path", package).code == 0
    started = subprocess.Popen(
        [sys.executable, ROOT / "cli.py", "apply", "--python", python, "--ultralytics-path", package],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert waited_for(lambda: bool(list((tmp_path / "alive").iterdir())))
    started.send_signal(signal.SIGTERM)
    _, err = started.communicate(timeout=30)
    assert started.returncode == 130
    assert "ended by SIGTERM" in err
    assert "patch is in, unverified" in err
    assert "Traceback" not in err
