"""What the checks work on: the request, and the models it names, each built once."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from .channel import Channel, SkipCheckError
from .models import Model, build, outline, scaled


class Bench:
    """The request and the models built for it.

    Attributes:
        channel: Where events go.
        scratch: A folder for files.
        specs: The model files that the patch adds: `file`, the `layer` they use and the `places` where it stands.
        classes: The classes that the patch adds.
        base: The stock model file that the added ones are made from.
        scales: The scale letters, smallest first.
        costs: Whether costs are to be counted.
        modules: Dotted names of the modules that hold, export and register the classes.
    """

    def __init__(self, request: dict[str, Any], channel: Channel) -> None:
        self.channel = channel
        self.scratch = Path(request["scratch"])
        self.specs: list[dict[str, Any]] = request["models"]
        self.classes: tuple[str, ...] = tuple(request["classes"])
        self.base: str = request["base"]
        self.scales: str = request["scales"]
        self.modules: dict[str, str] = request["modules"]
        self.trained: str = request["trained"]
        self.costs: bool = request["costs"]
        self._outlines: dict[str, Model] = {}

    def outline(self, file: str, scale: str) -> Model:
        """Return a model of a scale, without values; built once."""
        name = scaled(file, scale)
        if name not in self._outlines:
            self.channel.trying("building " + name)
            self._outlines[name] = outline(name)
        return self._outlines[name]

    def built(self, file: str) -> dict[str, Model]:
        """Return the scales of a model file that build; why the others don't is for the check on building to say.

        Raises:
            SkipCheckError: If none does.
        """
        models = {}
        for scale in self.scales:
            with suppress(Exception):
                models[scale] = self.outline(file, scale)
        if not models:
            raise SkipCheckError("{} doesn't build".format(file))
        return models

    def smallest(self, file: str) -> Model:
        """Return a fresh model of the smallest scale, with values.

        Raises:
            SkipCheckError: If it doesn't build.
        """
        name = scaled(file, self.scales[0])
        try:
            return build(name)
        except Exception as error:
            raise SkipCheckError("{} doesn't build".format(name)) from error
