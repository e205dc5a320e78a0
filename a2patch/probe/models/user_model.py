"""A model of the user's own: a YAML file or a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from a2patch.graph import scale_of
from a2patch.probe.models.build import Model, build
from a2patch.probe.models.catalog import parsed
from a2patch.probe.models.checkpoint import read_whole, unlike_its_description
from a2patch.probe.models.evaluated import refuse_code
from a2patch.probe.models.meta import meta_model
from a2patch.probe.runtime.declined import DeclinedError


class UserModel:
    """A model file or a checkpoint, loaded when it is asked for.

    Attributes:
        path: The file.
        text: What a model file says; empty for a checkpoint.
        model: What it says as data, for a checkpoint the description that is saved in it.
        scales: The scales that it has; one without a name where it has none.
        saved_scale: The scale that a checkpoint was built at, as it says itself; empty where it says none.
        chosen: The scale that was asked for, else that its name says, else the first.
        unscaled: Whether it has scales, and neither its name nor the user says which.
        note: What else is to be said of it; mostly empty.
    """

    def __init__(self, path: Path, scale: str, trusted: bool = False) -> None:
        """Read a model.

        Args:
            path: The file.
            scale: The scale that is asked for; empty for none.
            trusted: Whether the file may run any code.

        Raises:
            DeclinedError: It is of another kind, or would run code.
            ValueError: It is no model file, or has no such scale.
        """
        self.path = path
        self._loaded: Model | None = None
        self.text = ""
        self.note = ""
        if not path.is_file():  # a pipe or a device would be waited for
            raise DeclinedError("is no ordinary file", remedy="Name a model YAML, or a .pt file of a model.")
        if path.suffix not in (".yaml", ".yml"):  # upstream reads no model file by another name
            self._loaded = _load(path, trusted)
            changed = unlike_its_description(self._loaded)
            self.note = changed and "{} {}; it is tried as it is.".format(path.name, changed)
            self.model: dict[str, Any] = self._loaded.yaml
            self.scales = [""]
            self.saved_scale = _saved_scale(self.model)
        else:
            self.text = path.read_text(encoding="utf-8", errors="ignore")  # as upstream reads it
            self.model = parsed(self.text, path.name)
            self.scales = list(self.model.get("scales") or [""])
            if scale and scale not in self.scales:
                raise ValueError("{} has no scale {!r}; it has {}".format(path.name, scale, self.scales))
            refuse_code(self.model, self.text, trusted)
            self.saved_scale = ""
        asked = scale_of(path.name)
        named = scale or (asked if asked in self.scales else "")
        self.unscaled = self._loaded is None and self.scales != [""] and not named
        self.chosen = named or self.scales[0]

    def build(self) -> Model:
        """Return the model at its chosen scale; the one of a checkpoint is always the same object."""
        return self._loaded if self._loaded is not None else build(self._at(self.chosen))

    def meta_model(self, scale: str) -> Model:
        """Return the model at a scale, without values where that can be."""
        return self._loaded if self._loaded is not None else meta_model(self._at(scale))

    def written(self, folder: Path) -> Path:
        """Write the model file with its chosen scale as the only one, which upstream then takes; return the path."""
        scales = self.model.get("scales")
        only = {**self.model, "scales": {self.chosen: scales[self.chosen]}} if scales else self.model
        path = folder / "own.yaml"
        path.write_text(json.dumps(only), encoding="utf-8")  # JSON is YAML
        return path

    def _at(self, scale: str) -> dict[str, Any]:
        return {**self.model, "scale": scale, "yaml_file": str(self.path)} if scale else dict(self.model)


def _load(path: Path, trusted: bool) -> Model:
    """Load a checkpoint, ready to be trained."""
    model = read_whole(path, trusted).model
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".dfl" not in name)  # which is a constant
    return model


def _saved_scale(description: dict[str, Any]) -> str:
    """Return the scale in the description of a checkpoint, one of those that it names."""
    scale, scales = description.get("scale"), description.get("scales")
    return scale if isinstance(scale, str) and isinstance(scales, dict) and scale in scales else ""
