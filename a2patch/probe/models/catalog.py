"""The model files of a tree, and YAML as its interpreter reads it."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from a2patch.graph import Graph, GraphError, at_scale, model_files, read, row_lines

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(text: str) -> Any:
    """Return a YAML document as data."""
    return yaml.load(text, Loader=_LOADER)


def graph(text: str, model: dict[str, Any], strides: list[float | None]) -> Graph:
    """Return the graph of a model, with the comments of its file where its rows can be told apart."""
    comments = [comment for _, _, comment in row_lines(text)]
    rows = len(model.get("backbone") or ()) + len(model.get("head") or ())
    return read(model, comments if len(comments) == rows else (), strides)


class Catalog:
    """The model files of a tree, read when they are asked for.

    Attributes:
        package: The package folder of the tree.
    """

    def __init__(self, package: Path) -> None:
        self.package = package

    @lru_cache(maxsize=None)  # noqa: B019 (it lives as long as the process)
    def _files(self) -> dict[str, Path]:
        """Return the model files, by name."""
        return model_files(self.package)

    def text(self, file: str) -> str:
        """Return what a model file says, empty where there is none of that name.

        Before 8.0.55 there is a file for each scale; the smallest then stands for all.
        """
        path = self._files().get(file) or self._files().get(at_scale(file, "n"))
        return path.read_text(encoding="utf-8") if path else ""

    def model(self, file: str) -> dict[str, Any]:
        """Return what a model file says, as data; empty where there is none of that name."""
        found = parse(self.text(file))
        return found if isinstance(found, dict) else {}

    @lru_cache(maxsize=None)  # noqa: B019
    def graphs(self) -> dict[str, Graph]:
        """Return the graphs of all model files, by name."""
        found = {}
        for file in self._files():
            with suppress(GraphError, yaml.YAMLError):
                found[file] = self.graph(file)
        return found

    @lru_cache(maxsize=None)  # noqa: B019
    def graph(self, file: str) -> Graph:
        """Return the graph of a model file.

        Raises:
            GraphError: There is none of that name, or it is no model.
        """
        return graph(self.text(file), self.model(file), [])

    def kinds(self, added: tuple[str, ...]) -> set[str]:
        """Return the kinds of layers of the stock models: of all that use none of the added kinds."""
        stock = [{layer.kind for layer in found.layers} for found in self.graphs().values()]
        return {kind for kinds in stock if not kinds & set(added) for kind in kinds}
