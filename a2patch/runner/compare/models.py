"""Find what a command names: models in its folder or in the tree, the data, and where ultralytics keeps data sets."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from a2patch.errors import ModelError
from a2patch.graph import model_files, scale_of, unscaled
from a2patch.protocol import ModelSource
from a2patch.runner.compare.plan import CONTROL, Compared, CompareError

# What a comparison sets itself, so that all trainings are alike.
_SET_HERE = {
    **dict.fromkeys(("data", "epochs", "device", "pretrained"), "it is an option of a2patch"),
    **dict.fromkeys(("model", "seed"), "they differ from training to training"),
    **dict.fromkeys(("project", "name", "save_dir", "exist_ok", "resume", "save", "mode", "task"), "a2patch sets it"),
    "deterministic": "the same seed must give the same figures",
    "time": "a time limit would give each model another number of epochs",
    "cfg": "name its values one by one",
}


def source(name: str, package: Path, cwd: Path) -> Compared:
    """Return a model that a command names: a file, or else one of the tree, with or without its scale.

    Args:
        name: As `YOLO` takes it.
        package: The package folder of the tree.
        cwd: The folder that the command was given in.

    Raises:
        ModelError: There is no such model, or it has been trained already.
    """
    if name.endswith(".pt"):
        raise ModelError(
            "a checkpoint has been trained already, which would not be compared fairly",
            path=Path(name),
            remedy="Name its YAML file, and let all start from trained weights with --pretrained.",
        )
    named = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    near = [cwd / named, cwd / named.with_name(unscaled(named.name))]
    shipped = model_files(package) if named == Path(named.name) else {}
    far = [shipped[each] for each in (named.name, unscaled(named.name)) if each in shipped]
    path = next((path for path in (*near, *far) if path.is_file()), None)
    if path is None:
        raise ModelError(
            f"there is no model {name}, neither here nor in the tree",
            path=package,
            remedy="Name a model file; `a2patch apply` adds yolov8_A2.yaml to a tree.",
        )
    model = ModelSource(named.stem, str(path.resolve()), scale_of(named.name))
    return Compared(model, digest(path))


def control(base: Compared, others: Sequence[Compared]) -> Compared:
    """Return the control: the base with as many plain parameters as the first of the others adds."""
    like = others[0]
    source = ModelSource(CONTROL, base.source.path, base.source.scale, like.source.path, like.source.scale)
    return Compared(source, base.digest + like.digest)


def digest(path: Path) -> str:
    """Return what tells the content of a file from others."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16] if sys.version_info >= (3, 11) else _hashed(file)


def _hashed(file: Any) -> str:
    made = hashlib.sha256()
    while block := file.read(1 << 20):
        made.update(block)
    return made.hexdigest()[:16]


def arguments(words: Sequence[str]) -> dict[str, Any]:
    """Return arguments of a training, `name=value`, with their values as ultralytics reads them.

    Raises:
        CompareError: One is given twice, or can't be given here.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name in found:
            raise CompareError(f"{name} is given twice", found=word)
        if name in _SET_HERE:
            raise CompareError(f"{name} can't be given here: {_SET_HERE[name]}", found=word)
        found[name] = json.loads(json.dumps(_value(text)))  # a tuple comes back from a file as a list
    batch = found.get("batch", 1)
    if not isinstance(batch, int) or batch < 1:
        raise CompareError(
            "batch must be a whole number: ultralytics would choose another for each model", found=f"batch={batch}"
        )
    return found


def is_argument(word: str) -> bool:
    """Return whether a word of the command line is an argument of a training, and no model."""
    return re.match(r"[A-Za-z_]\w*=", word) is not None


def _value(text: str) -> Any:
    lower = text.lower()
    if lower in ("none", "true", "false"):
        return {"none": None, "true": True, "false": False}[lower]
    try:
        value = ast.literal_eval(text)
        json.dumps(value)
    except (ValueError, SyntaxError, TypeError):
        return text
    return value


def datasets(variables: Mapping[str, str], cwd: Path) -> str:
    """Return where the user's own ultralytics looks for data sets; a probe has settings of its own."""
    home = Path(variables.get("HOME") or variables.get("USERPROFILE") or Path.home())
    places = {
        "win32": Path(variables.get("APPDATA") or home / "AppData" / "Roaming"),
        "darwin": home / "Library" / "Application Support",
    }
    named = variables.get("YOLO_CONFIG_DIR")
    folder = Path(named) if named else places.get(sys.platform, home / ".config") / "Ultralytics"
    for place in (folder / "settings.json", folder / "Ultralytics" / "settings.json", folder / "settings.yaml"):
        if place.is_file():
            text = place.read_text(encoding="utf-8", errors="replace")
            found = re.search(r"\"?datasets_dir\"?:\s*(\"(?:[^\"\\]|\\.)*\"|\S.*)", text)
            if found:
                value = found[1].strip().rstrip(",")
                return str(json.loads(value)) if value.startswith('"') else value
    return str(cwd / "datasets")
