"""What an option that names a model file refuses before anything is opened."""

from __future__ import annotations

from pathlib import Path

from a2patch.errors import ModelError

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
