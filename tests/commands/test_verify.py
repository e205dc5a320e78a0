"""What verify makes of real trees: sound ones, broken ones, and interpreters that can't try them."""

from __future__ import annotations

import os
import shutil
import sys
import venv
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from a2patch.errors import ToolMissingError
from a2patch.protocol import Check
from a2patch.runner.verdict import CHECKS, DEFAULT, SCALES, Verdict
from a2patch.runner.verify import verify
from tests.support.command import a2patch, here, patch
from tests.support.files import snapshot
from tests.support.trees import NEWEST, Unpack

pytest.importorskip("torch")
pytest.importorskip("torchvision")


@dataclass(frozen=True)
class Patched:
    """A patched release in a folder of its own, and the untouched one."""

    package: Path
    stock: Path

    def untouched(self) -> dict[str, bytes | None]:
        """The bytes from before of every file that differs."""
        before: dict[str, bytes | None] = {}
        for path in self.package.rglob("*.*"):
            name = path.relative_to(self.package).as_posix()
            old = self.stock / name
            if (
                path.is_file()
                and not name.startswith(".")
                and not (old.exists() and old.read_bytes() == path.read_bytes())
            ):
                before[name] = old.read_bytes() if old.exists() else None
        return before

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Replace pieces of a file, each found exactly once."""
        path = self.package / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, (name, old, text.count(old))
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def verify(self, only: Collection[str] = DEFAULT, interpreter: str = sys.executable) -> Verdict:
        """Verify it, in silence."""
        return verify(self.package, Path(interpreter), self.untouched(), lambda _: None, os.environ, only=only)

    def checks(self, *only: str, interpreter: str = sys.executable) -> dict[str, Check]:
        """Make some checks and return all by name."""
        return {check.name: check for check in self.verify(only, interpreter).checks}


@pytest.fixture
def patched(unpack: Unpack) -> Callable[[str], Patched]:
    """Unpack a release twice and patch it once."""

    def make(release: str) -> Patched:
        return Patched(patch(unpack(release).resolve()), unpack(release, "stock").resolve())

    return make


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter without any library."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def test_a_sound_patch(patched: Callable[[str], Patched]) -> None:
    tree = patched(NEWEST)
    before = snapshot(tree.package)
    said: list[str] = []
    verdict = verify(tree.package, Path(sys.executable), tree.untouched(), said.append, os.environ)

    assert verdict.ok, [check for check in verdict.checks if check.result == "fail"]
    assert [check.name for check in verdict.checks] == list(CHECKS)
    assert {c.name: c.result for c in verdict.checks} == dict.fromkeys(CHECKS, "skip") | dict.fromkeys(
        DEFAULT, "pass"
    ) | {
        "source": "skip",  # nobody looked at the bytes
        "sight": "known",
        "gradient": "known",
    }
    told = next(check.meaning for check in verdict.checks if check.name == "scale")
    assert told == ("A name without a scale letter silently builds scale n: yolov8_DANet.yaml, yolov8_A2.yaml.")
    figures = {check.name: check.figure for check in verdict.checks}
    assert figures["build"] == "12 models"  # the later families at their smallest scale
    assert "yolo11_A2.yaml 26 layers, as yolo11.yaml; yolo26_A2.yaml 26 layers, as yolo26.yaml" in figures["wiring"]
    assert figures["base"].endswith("; yolo11.yaml and yolo26.yaml alike")
    assert verdict.ultralytics == NEWEST
    assert snapshot(tree.package) == before, "verify wrote into the tree"
    assert any("yolov8x_A2.yaml" in text for text in said)

    costs = {(cost.model, cost.scale): cost for cost in verdict.costs}
    assert len(costs) == 3 * len(SCALES)
    assert costs["yolov8.yaml", "n"].parameters == 3_157_200
    assert costs["yolov8_DANet.yaml", "n"].parameters == 3_158_322
    assert costs["yolov8_A2.yaml", "n"].parameters == 3_178_400
    for scale in SCALES:
        assert costs["yolov8_A2.yaml", scale].parameters > costs["yolov8.yaml", scale].parameters
    assert all(cost.gflops and cost.gflops > 1 for cost in costs.values())


def test_an_old_release_in_a_folder_of_another_name(patched: Callable[[str], Patched]) -> None:
    """8.0.200 knows neither restricted loading nor a setting that keeps it offline."""
    tree = patched("8.0.200")
    moved = tree.package.with_name("store-0123")
    shutil.move(tree.package, moved)
    checks = Patched(moved, tree.stock).checks("register", "checkpoint")
    assert {checks[name].result for name in ("import", "register")} == {"pass"}
    assert checks["checkpoint"].result in ("pass", "known")
    assert checks["train"].result == "skip"


@pytest.mark.parametrize("release", ["8.0.200", NEWEST])
def test_what_becomes_of_a_checkpoint_without_the_patch_is_told(
    release: str, patched: Callable[[str], Patched]
) -> None:
    found = patched(release).checks("checkpoint")["checkpoint"]
    assert found.result in ("pass", "known"), found
    assert "An unpatched ultralytics does not load it: it has no ultralytics.nn.modules.double_attention." in (
        found.meaning
    )
    assert "`a2patch apply`" in found.advice


def test_every_fault_is_found_and_hides_no_other(patched: Callable[[str], Patched]) -> None:
    tree = patched(NEWEST)
    # The head's indices as they are without the layer that was inserted: it builds, reading the wrong layers.
    tree.edit("cfg/models/v8/yolov8_DANet.yaml", ("[[16, 19, 22], 1, Detect", "[[15, 18, 21], 1, Detect"))
    # Both softmaxes over the descriptors; and a gradient that is cut off.
    tree.edit(
        "nn/modules/double_attention.py",
        (".softmax(2)", ".softmax(1)"),
        ("self.convA(descriptors.unsqueeze(3))", "self.convA(descriptors.unsqueeze(3)).detach()"),
    )
    # A stock layer that computes something else.
    parser = tree.package / "nn/tasks.py"
    text = parser.read_text(encoding="utf-8")
    assert "x = m(x)  # run" in text
    parser.write_text(text.replace("x = m(x)  # run", "x = m(x) * 1.01 if m.i == 4 else m(x)  # run"), encoding="utf-8")
    checks = tree.checks("register", "formula", "build", "wiring", "scale", "stride", "gradient", "base")

    assert {name for name, check in checks.items() if check.result == "fail"} == {
        "formula",
        "wiring",
        "gradient",
        "base",
    }
    assert "Detect" in checks["wiring"].meaning
    assert "yolov8_DANet.yaml" in checks["wiring"].meaning
    assert "+  - [[16, 19, 22], 1, Detect, [nc]] # Detect(P3, P4, P5)" in checks["wiring"].detail
    assert "convA.weight" in checks["gradient"].meaning
    assert "another output" in checks["base"].meaning
    assert checks["register"].result == checks["scale"].result == checks["stride"].result == "pass"
    assert checks["train"].result == "skip"


def test_a_fault_of_a_later_family_is_found(patched: Callable[[str], Patched]) -> None:
    """What is wrong with its model, and with its stock one, though all is well with YOLOv8."""
    tree = patched(NEWEST)
    tree.edit("cfg/models/26/yolo26_A2.yaml", ("[[18, 21, 24], 1, Detect", "[[17, 20, 23], 1, Detect"))
    insert = "args.insert(2, {})  # number of repeats\n                n = 1\n            if m is C3k2:"
    tree.edit("nn/tasks.py", (insert.format("n"), insert.format("2 if m is C2PSA else n")))
    checks = tree.checks("build", "wiring", "stride", "base")
    assert {name: checks[name].result for name in ("build", "wiring", "stride", "base")} == {
        "build": "pass",
        "wiring": "fail",
        "stride": "pass",
        "base": "fail",
    }
    assert "In yolo26_A2.yaml" in checks["wiring"].meaning
    assert "+  - [[18, 21, 24], 1, Detect, [nc]] # Detect(P3, P4, P5)" in checks["wiring"].detail
    assert "changes the stock yolo11.yaml: at scale n, it has" in checks["base"].meaning


def test_a_model_of_the_tree_is_tried_by_its_name(patched: Callable[[str], Patched]) -> None:
    place = here(patched(NEWEST).package)
    answer = a2patch("verify", "yolo26s_A2.yaml", "--quick", "--json", *place)
    assert answer.code == 0, answer.out
    figures = {check["name"]: check["figure"] for check in answer.document["verdict"]["checks"]}
    assert (figures["build"], figures["wiring"]) == ("5 models", "yolo26_A2.yaml 26 layers, as yolo26.yaml")
    unknown = a2patch("verify", "yolo26_A.yaml", "--json", *place)
    assert (unknown.code, "yolo26_A2.yaml" in unknown.document["error"]["remedy"]) == (2, True)
    for named in ("nope.pt", "there/nope.yaml"):
        assert "does not exist" in a2patch("verify", named, "--json", *place).document["error"]["message"]


def test_a_branch_before_the_chain(patched: Callable[[str], Patched]) -> None:
    """The chain's `else` undoes it; the added models have the widths that this leaves right, other rows have not."""
    tree = patched(NEWEST)
    path = tree.package / "nn/tasks.py"
    text = path.read_text(encoding="utf-8")
    start = text.index("        elif m in (DoubleAttention")
    end = text.index("        elif ", start + 10)
    branch = text[start:end]
    chain = "        if m in base_modules:\n"
    assert text.count(chain) == 1
    text = text.replace(branch, "").replace(chain, branch.replace("elif", "if", 1) + chain)
    path.write_text(text, encoding="utf-8")

    checks = tree.checks("register", "build")
    assert checks["register"].result == "fail"
    assert "chain" in checks["register"].advice


def test_classes_that_the_parser_does_not_know(patched: Callable[[str], Patched]) -> None:
    tree = patched(NEWEST)
    path = tree.package / "nn/tasks.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("DoubleAttentionBlock", "SPP").replace("DoubleAttentionLayer", "SPP"), encoding="utf-8"
    )
    checks = tree.checks("register", "build", "scale", "gradient", "checkpoint", "train")
    assert checks["register"].result == "fail"
    assert "nn.tasks" in checks["register"].meaning
    assert checks["build"].result == "fail"
    assert {checks[name].result for name in ("scale", "gradient", "checkpoint", "train")} == {"skip"}


def test_a_package_that_another_copy_hides(
    patched: Callable[[str], Patched], bare_python: Path, tmp_path: Path
) -> None:
    """The tree is on the path of its interpreter, but behind another copy."""
    tree = patched(NEWEST)
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=os.name != "nt", with_pip=False)
    site = next(environment.rglob("site-packages"))
    libraries = [entry for entry in sys.path if entry.endswith("site-packages")]
    first = f"import sys; sys.path[:0] = [{str(tree.stock.parent)!r}, {str(tree.package.parent)!r}]"
    (site / "a.pth").write_text("\n".join([first, *libraries]) + "\n")
    python = environment / bare_python.relative_to(bare_python.parents[1])

    checks = tree.checks("register", interpreter=str(python))
    assert checks["import"].result == "fail"
    assert str(tree.stock) in checks["import"].meaning
    assert checks["register"].result == "skip"


def test_a_package_that_was_broken_before(patched: Callable[[str], Patched]) -> None:
    tree = patched(NEWEST)
    for package in (tree.package, tree.stock):
        with (package / "__init__.py").open("a") as file:
            file.write("\nraise RuntimeError('it was like this')\n")
    verdict = tree.verify(("register",))
    assert not verdict.ok
    assert "before the patch" in verdict.checks[1].meaning
    assert "it was like this" in verdict.checks[1].meaning


def test_a_probe_that_dies(patched: Callable[[str], Patched]) -> None:
    tree = patched(NEWEST)
    tree.edit(
        "nn/tasks.py",
        ("def parse_model(d, ch, verbose=True):", "def parse_model(d, ch, verbose=True):\n    os.abort()\n"),
    )
    tree.edit("nn/tasks.py", ("import contextlib\n", "import contextlib\nimport os\n"))
    checks = tree.checks("register", "build")
    assert checks["register"].result == "fail"
    assert "signal" in checks["register"].meaning
    assert checks["build"].result == "skip"


def test_an_interpreter_without_torch(patched: Callable[[str], Patched], bare_python: Path) -> None:
    with pytest.raises(ToolMissingError) as caught:
        patched(NEWEST).verify(interpreter=str(bare_python))
    assert "torch" in caught.value.message
    assert f"{bare_python} -m pip install torch torchvision" in caught.value.remedy
    assert "opencv-python" in caught.value.remedy


def test_an_interpreter_that_is_none(patched: Callable[[str], Patched], tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError) as caught:
        patched(NEWEST).verify(interpreter=str(tmp_path / "python"))
    assert caught.value.path == tmp_path / "python"
