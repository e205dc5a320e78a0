"""The parts of the probe that need no tree."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from a2patch.probe.events import Channel, Finding, SkipCheckError, failed, passed
from a2patch.probe.runtime.libraries import missing_libraries
from a2patch.protocol import EVENTS, Check, LibrariesMissing, ModelSpec, decode
from tests.support.command import ROOT

PROBE = ROOT / "a2patch" / "probe"


OLD = [
    *sorted(PROBE.rglob("*.py")),
    PROBE.parent / "__init__.py",
    *sorted(PROBE.parent.joinpath("graph").glob("*.py")),
    *sorted(PROBE.parent.joinpath("protocol").glob("*.py")),
]


@pytest.mark.parametrize("path", OLD, ids=lambda path: path.relative_to(PROBE.parent).as_posix())
def test_it_is_python_3_8_and_alone(path: Path) -> None:
    tree = ast.parse(path.read_bytes(), feature_version=(3, 8))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        ours = {name for name in names if name.partition(".")[0] == "a2patch"}
        assert all(name.startswith(("a2patch.graph", "a2patch.probe", "a2patch.protocol")) for name in ours), path.name


def test_a_check_that_raises_hides_none_after_it(tmp_path: Path) -> None:
    channel = Channel(tmp_path, ["a", "b", "c", "d"])

    def raises() -> Finding:
        raise ValueError("first line\nlast line")

    def lacks() -> Finding:
        raise ModuleNotFoundError("No module named 'tqdm'", name="tqdm.auto")

    def skips() -> Finding:
        raise SkipCheckError("nothing was built")

    for name, attempt in (("a", raises), ("b", lacks), ("c", skips), ("unwanted", raises)):
        channel.check(name, "trying", attempt)
    assert channel.check("d", "trying", lambda: passed("4"))

    events = [decode(line) for line in (tmp_path / EVENTS).read_text().splitlines()]
    checks = {event.name: event for event in events if isinstance(event, Check)}
    assert [checks[name].result for name in "abcd"] == ["fail", "skip", "skip", "pass"]
    assert checks["a"].meaning == "ValueError: first line last line"
    assert checks["c"].meaning == "nothing was built"
    assert [event.names for event in events if isinstance(event, LibrariesMissing)] == [("tqdm",)]


def test_a_check_is_skipped_where_what_it_requires_found_a_fault(tmp_path: Path) -> None:
    channel = Channel(tmp_path, ["cause", "unmade", "follows", "stands"])
    channel.check("cause", "trying", lambda: failed("1", "it is broken"))
    made = []

    def attempt() -> Finding:
        made.append(1)
        return passed("1")

    assert not channel.check("follows", "trying", attempt, requires=("absent", "cause"))
    assert not made
    assert channel.check("stands", "trying", attempt, requires=("absent",))
    events = [decode(line) for line in (tmp_path / EVENTS).read_text().splitlines()]
    checks = {event.name: event for event in events if isinstance(event, Check)}
    assert checks["follows"].result == "skip"
    assert "`cause`" in checks["follows"].meaning


def test_missing_libraries_are_found_all_at_once(tmp_path: Path) -> None:
    files = {
        "__init__.py": "from ultralytics.models import YOLO\nfrom .utils import LOGGER",
        "models/__init__.py": "from .yolo import YOLO\nimport absent_one.inner as x, json",
        "models/yolo.py": "from ..utils.ops import clip\nclass YOLO:\n    import absent_two\n",
        "utils/__init__.py": "from . import extra\ntry:\n    import absent_but_tried\nexcept ImportError:\n    pass",
        "utils/extra.py": "from absent_three import thing\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import absent_but_typed\ndef f():\n    import absent_but_late",
        "utils/ops.py": "import sys",
        "unused.py": "import absent_but_unused",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert missing_libraries(tmp_path, ["models"]) == ["absent_one", "absent_three", "absent_two"]


def test_it_is_offline_at_once() -> None:
    program = (
        "import socket, sys, time\n"
        f"sys.path.insert(0, {str(PROBE.parent.parent)!r})\n"
        "from a2patch.probe.runtime.sandbox import go_offline\n"
        "go_offline()\n"
        "for attempt in (lambda: socket.create_connection(('1.1.1.1', 53)), lambda: socket.getaddrinfo('x.org', 80)):\n"
        "    try:\n"
        "        attempt()\n"
        "    except OSError as error:\n"
        "        assert 'offline' in str(error), error\n"
        "    else:\n"
        "        raise SystemExit('connected')\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname()).close()\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)


def test_rows_join_readers_to_the_source_of_what_is_left_out() -> None:
    pytest.importorskip("torch")
    from a2patch.probe.models.build import Row, rows

    def layer(kind: str, source: int | list[int]) -> Any:
        return SimpleNamespace(type="nn.modules." + kind, f=source, parameters=lambda: [])

    plain = [layer("Conv", -1), layer("C2f", -1), layer("Conv", -1), layer("Concat", [-1, 1]), layer("Detect", [2, 3])]
    added = [*plain[:2], layer("Ours", -1), plain[2], layer("Concat", [-1, 2]), layer("Detect", [3, 4])]
    base = rows(SimpleNamespace(model=plain))
    assert rows(SimpleNamespace(model=added), leave_out=("Ours",)) == base
    assert base[3] == Row("Concat", 0, (2, 1))
    unshifted = [*added[:4], layer("Concat", [-1, 2]), layer("Detect", [2, 3])]
    assert rows(SimpleNamespace(model=unshifted), leave_out=("Ours",)) != base


def test_a_thop_that_hides_the_other_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("thop")
    from importlib import metadata

    from a2patch.probe.models.flops import why_no_gflops

    assert "hides" not in why_no_gflops()
    monkeypatch.setattr(metadata, "version", lambda name: "0.1.1")
    assert "uninstall thop" in why_no_gflops()


def test_matrix_products_are_counted() -> None:
    torch = pytest.importorskip("torch")
    from a2patch.probe.models.flops import SIZE, counted

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 1, stride=64)

        def forward(self, x: Any) -> Any:
            x = self.conv(x).flatten(2)
            return torch.bmm(x, x.transpose(1, 2))

    places = (SIZE // 64) ** 2
    assert counted(Net()) == 2 * places * (3 * 4 + 4 * 4) / 1e9


@pytest.mark.parametrize(("slope", "result"), [(1.0, "pass"), (-1.0, "fail"), (0.0, "fail")])
def test_learning_is_told_from_not_learning(monkeypatch: pytest.MonkeyPatch, slope: float, result: str) -> None:
    """A gradient that points the wrong way, or nowhere, does not lower the loss."""
    torch = pytest.importorskip("torch")
    from a2patch.probe.checks import learn

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(4))
            self.model = [SimpleNamespace(type="ultralytics.nn.modules.head.Detect")]

        def loss(self, batch: Any) -> Any:
            value = (self.weight**2).sum()
            return (value.detach() + slope * (value - value.detach()), None)

    monkeypatch.setattr(learn, "tools", lambda name: SimpleNamespace(get_cfg=dict))
    context: Any = SimpleNamespace(specs=[ModelSpec("x")], label=str, smallest=lambda file: Net())
    assert learn.check_learn(context).result == result
