"""What to install where modules are missing: never a guess."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from a2patch.probe.events import missing_library
from a2patch.probe.runtime import distributions
from a2patch.probe.runtime.distributions import applies, to_install

METADATA = "Metadata-Version: 2.1\nName: ultralytics\nRequires-Dist: {}\n\nRequires-Dist: of-the-description\n"


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be an interpreter that lacks every library."""

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    monkeypatch.setattr(distributions, "installed", lambda name: False)


def tree(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "ultralytics"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("yaml", "PyYAML"),
        ("cv2", "opencv-python"),
        ("PIL", "pillow"),
        ("skimage", "scikit-image"),
        ("sklearn", "scikit-learn"),
        ("pywt", "PyWavelets"),
        ("git", "GitPython"),
        ("thop", "ultralytics-thop"),
        ("cpuinfo", "py-cpuinfo"),
        ("torch", "torch"),
        ("pynvml", "nvidia-ml-py"),
    ],
)
def test_names_that_differ(module: str, name: str, tmp_path: Path) -> None:
    assert to_install([module], tmp_path / "ultralytics") == ([name], [])


def test_a_module_of_unknown_origin_is_not_guessed(tmp_path: Path) -> None:
    assert to_install(["yaml", "my_ops"], tmp_path / "ultralytics") == (["PyYAML"], ["my_ops"])


@pytest.mark.parametrize(
    "files",
    [
        {"ultralytics-8.4.0.dist-info/METADATA": METADATA.format("My.Ops>=1\nRequires-Dist: pyyaml; extra == 'dev'")},
        {
            "other-1.dist-info/METADATA": "Name: other\nRequires-Dist: x\n",
            "requirements.txt": "# all\nMy.Ops>=1\n-r x\n",
        },
        {"pyproject.toml": '[project]\ndependencies = ["My.Ops[fast]>=1"]\n[tool.x]\ndependencies = ["y"]\n'},
        {
            "pyproject.toml": "[build-system]\nrequires = ['x']\n[project]\ndependencies = [\n"
            "  \"My.Ops; python_version >= '3.8'\",  # ours\n  \"y; sys_platform == 'none'\",\n]\n"
        },
    ],
)
@pytest.mark.usefixtures("lacking")
def test_what_the_tree_declares(files: Mapping[str, str], tmp_path: Path) -> None:
    package = tree(tmp_path, files)
    assert to_install(["my_ops"], package) == (["My.Ops"], [])
    assert to_install([], package) == (["My.Ops"], []), "it is wanted with all else"


def test_what_is_there_is_not_installed_again(tmp_path: Path) -> None:
    """By its name, or by its module, which another distribution can have."""
    package = tree(tmp_path, {"requirements.txt": "pytest\nopencv-python-headless\nno-such-one==1.0\n"})
    assert "no-such-one" in to_install([], package)[0]
    assert "pytest" not in to_install([], package)[0]


def test_one_distribution_is_named_once(tmp_path: Path) -> None:
    package = tree(tmp_path, {"requirements.txt": "pyyaml>=5\nPillow\n"})
    assert to_install(["yaml", "PIL"], package) == (["pillow", "PyYAML"], [])


@pytest.mark.parametrize(
    ("marker", "expected"),
    [
        ("python_version >= '3.8'", True),
        ("python_version < '3.10' and python_version < '3'", False),
        ("python_version >= '3.100'", False),
        ("(sys_platform == 'none' or os_name != 'none') and implementation_name != ''", True),
        ("extra == 'dev'", False),
        ("platform_system in 'Linux Darwin Windows'", True),
        (f"'{sys.platform}' == sys_platform", True),
        ("'none' not in platform_machine", True),
        ("python_version ~= '3.8'", False),
        ("no_such_name == '1'", False),
        ("__import__('os')", False),
    ],
)
def test_markers(marker: str, expected: bool) -> None:
    assert applies(marker) is expected


def test_a_wrapped_error_tells_its_library() -> None:
    def wrapped(chained: str) -> BaseException:
        try:
            try:
                raise ModuleNotFoundError("No module named 'no_such_one'", name="no_such_one.part")
            except ModuleNotFoundError as error:
                if chained == "cause":
                    raise RuntimeError("the data set is wrong") from error
                if chained == "context":
                    raise RuntimeError("the data set is wrong")  # noqa: B904
                raise RuntimeError(f"the data set is wrong: {error}") from None
        except RuntimeError as error:
            return error

    assert {missing_library(wrapped(how)) for how in ("cause", "context", "text")} == {"no_such_one"}
    assert missing_library(RuntimeError("No module named 'json.none'")) == "", "json is there"
    assert missing_library(ModuleNotFoundError("", name="ultralytics.none")) == ""
    assert missing_library(ValueError("wrong")) == ""
