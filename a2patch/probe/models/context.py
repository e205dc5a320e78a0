"""What the checks work on: the request, and the models it names, each built once."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from itertools import zip_longest
from pathlib import Path
from typing import Any

from a2patch.graph import Graph, at_scale, remove
from a2patch.probe.events import Channel, SkipCheckError
from a2patch.probe.models.build import Model, build, is_fresh, randomize_batch_norms
from a2patch.probe.models.catalog import Catalog, graph, parse
from a2patch.probe.models.declared import Mismatch, Watch, branch
from a2patch.probe.models.images import at_fitting_side, smooth_images
from a2patch.probe.models.meta import meta_model
from a2patch.probe.models.user_model import UserModel
from a2patch.protocol import ModelNoted, ModelSpec, VerifyRequest


class Context:
    """The request and the models built for it.

    Attributes:
        request: What the probe was asked to do.
        channel: Where events go.
        scratch: A folder for files.
        specs: The models that every check tries.
        classes: The classes that the patch adds, as rows name them.
        kinds: The same, by the names that they have in a model that was built, and that they are defined by.
        base: The stock model file that the added ones are made from.
        letters: The letters that a name can ask for a scale by, smallest first.
        costs: Whether costs are to be counted.
        modules: The modules that hold, export and register the classes.
        tutorials: The files that are kept as a tutorial has them, faults included.
        catalog: The model files of the tree.
    """

    def __init__(self, request: VerifyRequest, channel: Channel) -> None:
        self.request = request
        self.channel = channel
        self.scratch = channel.scratch
        self.specs = tuple(spec for spec in request.models if not spec.brief)
        self.classes = request.classes
        self.kinds = tuple(a or b for a, b in zip_longest(request.block.defined[: len(self.classes)], self.classes))
        self.base = request.base
        self.letters = request.scales
        self.modules = request.modules
        self.trained = request.trained
        self.costs = request.costs
        self._brief = {spec.file for spec in request.models if spec.brief}
        self.tutorials = {spec.file for spec in self.specs if spec.tutorial}
        self.catalog = Catalog(Path(request.package))
        self._own = {spec.base: UserModel(Path(spec.base), "", spec.trust) for spec in self.specs if spec.user_base}
        self._own.update(
            {spec.file: UserModel(Path(spec.file), spec.scale, spec.trust) for spec in self.specs if spec.user}
        )
        self._meta_models: dict[str, Model | Exception] = {}
        self._watched: dict[str, Watch] = {}
        self._models: dict[str, Model] = {}
        for spec in self.specs:
            if spec.user and self._own[spec.file].note:
                channel.emit(ModelNoted(self._own[spec.file].note))
            if spec.user and spec.base and not self.text(spec.base):
                raise ValueError("the tree has no model file {} to compare with".format(spec.base))

    @property
    def every(self) -> list[ModelSpec]:
        """The models that every check tries, and those of which only the building and the wiring is looked at.

        Of these none is left that the tree has not, or whose base builds no more than it does: its user's parser, or
        the release, then reads that family otherwise.
        """
        brief = [spec for spec in self.request.models if spec.brief and self.text(spec.file)]
        return [*self.specs, *(spec for spec in brief if self.builds(spec.file) or self.builds(spec.base))]

    def later(self) -> list[str]:
        """Return the stock models that build of the families that came later."""
        return [spec.base for spec in self.request.models if spec.brief and self.builds(spec.base)]

    def is_own(self, file: str) -> bool:
        """Return whether a model is the user's own."""
        return file in self._own

    def is_fresh(self, file: str) -> bool:
        """Return whether a model has the weights that it was built with, and was never trained."""
        return not self.is_own(file) or bool(self._own[file].text)

    def label(self, file: str, scale: str = "") -> str:
        """Return what to call a model, at a scale where one is named."""
        if self.is_own(file):
            return Path(file).name + (" at scale " + scale if scale else "")
        return at_scale(file, scale) if scale else file

    def scales_of(self, file: str) -> list[str]:
        """Return the scales of a model file, in a tree's the smallest first; one without a name where it has none."""
        if self.is_own(file):
            return self._own[file].scales
        described = self.described(file).get("scales")
        has = described if isinstance(described, dict) else self.catalog.scales(file, self.letters)
        found = [letter for letter in self.letters if letter in has] or [""]
        return found[:1] if file in self._brief else found

    def counted_as(self, file: str, scale: str) -> str:
        """Return the scale that the costs of a model are those of: of a checkpoint the one that it was saved with."""
        return self._own[file].saved_scale if self.is_own(file) and not scale else scale

    def name_at(self, file: str, scale: str) -> str:
        """Return the name by which a model of the tree is asked for at a scale."""
        return at_scale(file, scale) if scale else file

    def unscaled(self, file: str) -> bool:
        """Return whether the name of a model file leaves its scale open, and nothing else says it.

        Of one that was made here nobody reads the name.
        """
        if self.request.block.rules:
            return False
        return self._own[file].unscaled if self.is_own(file) else bool(self.described(file).get("scales"))

    def text(self, file: str) -> str:
        """Return what a model file says, empty where there is no such file."""
        return self._own[file].text if self.is_own(file) else self.catalog.text(file)

    def described(self, file: str) -> dict[str, Any]:
        """Return what a model file says, as data."""
        return self._own[file].model if self.is_own(file) else self.catalog.model(file)

    def graph(self, file: str) -> Graph:
        """Return the graph of a model file.

        Raises:
            GraphError: There is none of that name, or it is no model.
        """
        return graph(self.text(file), self.described(file), [])

    def unknown_to_stock(self, file: str) -> set[str]:
        """Return the kinds of layers of a model that no stock model has."""
        if not self.is_own(file) or self.request.block.rules:
            return set(self.kinds)
        rows = [*self.described(file)["backbone"], *self.described(file)["head"]]
        return {str(row[2]).rpartition(".")[2] for row in rows} - self.catalog.kinds()

    def meta_model(self, file: str, scale: str) -> Model:
        """Return a model of a scale, without values; it is built once, and fails as it failed the first time."""
        name = self.label(file, scale)
        if name not in self._meta_models:
            self.channel.trying("building " + name)
            own = self._own.get(file)
            try:
                if own:
                    with Watch() as watch:
                        self._watched[name] = watch
                        self._meta_models[name] = own.meta_model(scale)
                else:
                    self._meta_models[name] = meta_model(self.name_at(file, scale))
            except Exception as error:
                self._meta_models[name] = error
        found = self._meta_models[name]
        if isinstance(found, Exception):
            raise found
        return found

    def bare_model(self, file: str, scale: str) -> Model:
        """Return a model of the tree without the layers of the block, of a scale, without values.

        Raises:
            InsertionError: Its rows can't be taken out as text.
        """
        text = self.catalog.text(self.name_at(file, scale))
        whole = parse(text)
        bare = parse(remove(text, graph(text, whole, []), self.classes))
        return meta_model({**bare, "scale": scale, "yaml_file": file})

    def with_classes(self, file: str, scale: str, classes: Any) -> Model:
        """Return a model of the tree for another number of classes, of a scale, without values."""
        described = parse(self.catalog.text(self.name_at(file, scale)))
        return meta_model({**described, "nc": classes, "scale": scale, "yaml_file": file})

    def mismatch(self, file: str, scale: str) -> Mismatch | None:
        """Return the first layer of a user's model that gives other channels than `parse_model` declares, if any."""
        with suppress(Exception):
            self.meta_model(file, scale)
        return self._watched[self.label(file, scale)].mismatch

    def branch(self, file: str, scale: str, place: int) -> str:
        """Return the branch of `parse_model` that a row of a model of the user's own goes through."""
        return branch(lambda: self._own[file].meta_model(scale), place)

    def built(self, file: str) -> dict[str, Model]:
        """Return the scales of a model file that build; why the others don't is for the check on building to say.

        Raises:
            SkipCheckError: If none does.
        """
        models = {}
        for scale in self.scales_of(file):
            with suppress(Exception):
                models[scale] = self.meta_model(file, scale)
        if not models:
            raise SkipCheckError("{} doesn't build, as `build` tells".format(self.label(file)))
        return models

    def builds(self, file: str) -> bool:
        """Return whether a model builds at the scale that was asked for, or at the smallest."""
        try:
            self.chosen(file)
        except SkipCheckError:
            return False
        return True

    def chosen(self, file: str) -> Model:
        """Return the model without values at the scale that was asked for, or at the smallest.

        Raises:
            SkipCheckError: If it doesn't build.
        """
        scale = self._own[file].chosen if self.is_own(file) else self.scales_of(file)[0]
        try:
            return self.meta_model(file, scale)
        except Exception as error:
            raise SkipCheckError("{} doesn't build, as `build` tells".format(self.label(file))) from error

    def smallest(self, file: str) -> Model:
        """Return a fresh model with values, of the scale that was asked for, or of the smallest.

        Raises:
            SkipCheckError: If it doesn't build.
        """
        if file in self._models:
            return deepcopy(self._models[file])
        own = self._own.get(file)
        name = self.label(file) if own else self.name_at(file, self.scales_of(file)[0])
        try:
            model = own.build() if own else build(name)
        except Exception as error:
            raise SkipCheckError("{} doesn't build, as `build` tells".format(name)) from error
        if hasattr(model.model[-1], "num_denoising"):
            model.model[-1].num_denoising = 0  # else the head of RT-DETR computes in training only what has labels
        with suppress(RuntimeError):  # a layer that keeps what it computed, as building lets it, can't be copied
            self._models[file] = deepcopy(model)
        return model

    def randomized(self, file: str, size: int) -> Model:
        """Return a model for inference; one that was never trained gets values of normal size from images of a size.

        Raises:
            SkipCheckError: If it doesn't build.
        """
        model = self.smallest(file)
        if is_fresh(model):
            at_fitting_side(model, size, lambda side: randomize_batch_norms(model, smooth_images(model, 2, side)))
        return model.eval()

    def trainable(self, file: str) -> str:
        """Return a model file of the user's own as one that can be trained on boxes.

        Raises:
            SkipCheckError: If it has been trained already, or finds no boxes.
        """
        own = self._own[file]
        head = str(own.model["head"][-1][2])
        if not own.text:
            raise SkipCheckError("a checkpoint has been trained already")
        if not head.endswith("Detect") or head.startswith(("World", "YOLOE")):
            raise SkipCheckError("the images that are drawn here have no labels for a head of the kind {}".format(head))
        return str(own.written(self.scratch))
