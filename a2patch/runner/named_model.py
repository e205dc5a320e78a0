"""The model file that an option names: found as upstream finds it, and no checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path

from a2patch.errors import ModelError
from a2patch.graph import files_by_name, unscaled
from a2patch.tree import LARGEST

# How files of trained models are called, as ultralytics saves, exports and downloads them.
_TRAINED = (".pt", ".pth", ".ckpt", ".onnx", ".engine", ".torchscript", ".tflite", ".safetensors", ".h5", ".zip")


def refuse_checkpoint(named: str, option: str) -> None:
    """Make sure that what an option names is no checkpoint, by its name: it is not opened.

    Args:
        named: What its user typed; may be empty.
        option: The option.

    Raises:
        ModelError: It is one.
    """
    if named.lower().endswith(_TRAINED):
        raise ModelError(
            f"{option} takes a model file, and this is a checkpoint",
            path=Path(named),
            remedy="Name the YAML that it was made from, such as yolov8n.yaml; the checkpoint was not opened.",
        )


def find_model(package: Path, named: str, folder: Path, notify: Callable[[str], None]) -> Path:
    """Find the model file that a name means, as upstream does: `yolov8s` means `yolov8.yaml`.

    Args:
        package: The package folder.
        named: The name of a model of the tree, with or without its ending and the letter of a scale, or a path.
        folder: The current folder.
        notify: Told where the tree has others of that name.

    Raises:
        ModelError: There is none.
    """
    name = named if named.endswith((".yaml", ".yml")) else f"{named}.yaml"
    place = folder / name
    if place.is_file():
        if place.suffix != ".pt" and place.stat().st_size > LARGEST:
            raise ModelError(f"this is larger than {LARGEST >> 20} MiB", path=place, remedy="Name the YAML of a model.")
        return place.resolve()
    files = files_by_name(package)
    for known in (name, unscaled(name)):
        if known in files:
            found, *others = files[known]
            if others:
                notify(f"{found} is taken; the tree has others of that name: {', '.join(map(str, others))}")
            return found
    near = [
        f"{stem}.yaml" for stem in get_close_matches(Path(unscaled(name)).stem, [Path(file).stem for file in files])
    ]
    raise ModelError(
        f"no model {named}",
        path=place,
        found=f"neither there nor among the {len(files)} models of the tree",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "Name a model of the tree, or the path of a YAML.",
    )
