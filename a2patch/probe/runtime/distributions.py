"""What to install where modules are missing: names on the registry, from a kept table and from what the tree declares.

A module whose origin is not known is never guessed to have the name of a distribution: anybody may own that name.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from a2patch.probe.runtime.libraries import installed

# The modules of the libraries that releases and forks import, and the distributions that have them.
_KEPT = {
    "IPython": "ipython",
    "PIL": "pillow",
    "albumentations": "albumentations",
    "cpuinfo": "py-cpuinfo",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dill": "dill",
    "einops": "einops",
    "git": "GitPython",
    "hub_sdk": "hub-sdk",
    "hydra": "hydra-core",
    "lap": "lap",
    "matplotlib": "matplotlib",
    "numpy": "numpy",
    "omegaconf": "omegaconf",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "packaging": "packaging",
    "pandas": "pandas",
    "pkg_resources": "setuptools",
    "polars": "polars",
    "psutil": "psutil",
    "pycocotools": "pycocotools",
    "pynvml": "nvidia-ml-py",
    "pywt": "PyWavelets",
    "requests": "requests",
    "safetensors": "safetensors",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "sentry_sdk": "sentry-sdk",
    "setuptools": "setuptools",
    "shapely": "shapely",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorboard": "tensorboard",
    "tensorboardX": "tensorboardX",
    "thop": "ultralytics-thop",
    "timm": "timm",
    "torch": "torch",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
    "transformers": "transformers",
    "typing_extensions": "typing-extensions",
    "wandb": "wandb",
    "yaml": "PyYAML",
}


def to_install(modules: Iterable[str], package: Path) -> Tuple[List[str], List[str]]:
    """Return what to install where modules are missing.

    Args:
        modules: The missing modules, by their top-level names.
        package: The package folder of the tree.

    Returns:
        The distributions that have them, with all else that the tree declares and its interpreter lacks; and the
        modules of unknown origin.
    """
    declared = {_normal(name): name for name in _declared(package)}
    found: Dict[str, str] = {}
    unknown = []
    for module in modules:
        name = _KEPT.get(module) or declared.get(_normal(module), "")
        if name:
            found[_normal(name)] = name
        else:
            unknown.append(module)
    for normal, name in declared.items():
        if normal not in found and not _is_installed(normal):
            found[normal] = _spelled(normal, name)
    return sorted(found.values(), key=str.lower), sorted(unknown)


def applies(marker: str) -> bool:
    """Return whether the marker of a requirement holds for this interpreter and no extra; not where it can't be read.

    Args:
        marker: What stands behind its semicolon.
    """
    try:
        return _holds(ast.parse(marker.strip(), mode="eval").body)
    except (SyntaxError, ValueError, KeyError, TypeError):
        return False


def _declared(package: Path) -> Iterator[str]:
    """Yield the names of the distributions that a tree needs, by the first that it has of metadata and requirements."""
    for read in (_of_metadata, _of_pyproject, _of_requirements):
        lines = read(package)
        if lines:
            for line in lines:
                requirement, _, marker = line.partition(";")
                name = re.match(r"\s*([A-Za-z0-9][\w.-]*)", requirement)
                if name and (not marker.strip() or applies(marker)):
                    yield name.group(1)
            return


def _of_metadata(package: Path) -> List[str]:
    """Return the requirements of the distribution that a package was installed by; none of a checkout."""
    for path in sorted(package.parent.glob("*.dist-info/METADATA")):
        head = path.read_text("utf-8", "replace").partition("\n\n")[0]
        name = re.search(r"(?m)^Name:\s*(\S+)", head)
        if name and _normal(name.group(1)) == _normal(package.name):
            return re.findall(r"(?m)^Requires-Dist:\s*(.+)", head)
    return []


def _of_pyproject(package: Path) -> List[str]:
    """Return the dependencies in the pyproject.toml of a checkout; Python 3.8 reads no TOML, but its arrays."""
    for folder in (package.parent, package.parent.parent):
        text = _text(folder / "pyproject.toml")
        project = ("\n" + text).partition("\n[project]")[2].partition("\n[")[0]
        array = re.search(r"(?ms)^dependencies\s*=\s*(\[.*?\])\s*(?:#[^\n]*)?$", project)
        if array:
            try:
                found = ast.literal_eval(array.group(1))
            except (ValueError, SyntaxError):
                return []
            return [line for line in found if isinstance(line, str)]
    return []


def _of_requirements(package: Path) -> List[str]:
    """Return the lines in the requirements.txt of a checkout that name a distribution."""
    for folder in (package.parent, package.parent.parent):
        lines = [line.partition("#")[0].strip() for line in _text(folder / "requirements.txt").splitlines()]
        found = [line for line in lines if line and not line.startswith("-") and "://" not in line]
        if found:
            return found
    return []


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _spelled(normal: str, name: str) -> str:
    """Return how the registry spells a name."""
    return next((kept for kept in _KEPT.values() if _normal(kept) == normal), name)


def _is_installed(normal: str) -> bool:
    """Return whether a distribution is there, or another that has its module."""
    try:
        importlib.metadata.version(normal)
    except importlib.metadata.PackageNotFoundError:
        modules = [module for module, name in _KEPT.items() if _normal(name) == normal]
        return any(installed(module) for module in modules or [normal.replace("-", "_")])
    return True


def _environment() -> Dict[str, str]:
    """Return what markers ask for."""
    return {
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_machine": platform.machine(),
        "platform_system": platform.system(),
        "platform_release": platform.release(),
        "platform_version": platform.version(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
        "python_version": "{}.{}".format(*sys.version_info[:2]),
        "python_full_version": platform.python_version(),
        "implementation_version": platform.python_version(),
        "extra": "",
    }


def _holds(node: ast.AST) -> bool:
    """Return whether a marker holds; what is no Python, such as `~=`, does not come so far."""
    if isinstance(node, ast.BoolOp):
        return (all if isinstance(node.op, ast.And) else any)(map(_holds, node.values))
    if not isinstance(node, ast.Compare) or len(node.ops) != 1:
        raise ValueError("no marker")
    sides = [node.left, node.comparators[0]]
    values = [_environment()[side.id] if isinstance(side, ast.Name) else ast.literal_eval(side) for side in sides]
    versions = any(isinstance(side, ast.Name) and side.id.endswith("version") for side in sides)
    return _compared(node.ops[0], *(map(_numbers, values) if versions and not _is_in(node.ops[0]) else values))


def _is_in(operator: ast.cmpop) -> bool:
    return isinstance(operator, (ast.In, ast.NotIn))


def _numbers(version: str) -> Tuple[int, ...]:
    """Return the numbers of a version without zeros behind, so that 3.10 and 3.10.0 are one."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _compared(operator: ast.cmpop, one: Any, other: Any) -> bool:
    """Return what an operator of Python gives."""
    if _is_in(operator):
        return (one in other) == isinstance(operator, ast.In)
    outcomes = {
        ast.Eq: one == other,
        ast.NotEq: one != other,
        ast.Lt: one < other,
        ast.LtE: one <= other,
        ast.Gt: one > other,
        ast.GtE: one >= other,
    }
    return bool(outcomes[type(operator)])
