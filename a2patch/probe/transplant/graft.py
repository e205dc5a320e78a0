"""Carry the weights of a checkpoint into a model that has layers of ours in other places, and try the result."""

from __future__ import annotations

import importlib
import re
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.nn import Parameter

from a2patch.graph import Graph
from a2patch.probe.events import Channel
from a2patch.probe.models.build import Model, build, kind, without_downloads
from a2patch.probe.models.checkpoint import Checkpoint, read_whole, unlike_its_description
from a2patch.probe.models.images import input_channels
from a2patch.probe.runtime.compat import tools
from a2patch.probe.runtime.declined import DeclinedError
from a2patch.probe.runtime.load import load_model
from a2patch.probe.transplant import checkpoint, compare
from a2patch.probe.transplant.mapping import Places, UnlikeError, places
from a2patch.probe.transplant.target import base_description, class_count, describe
from a2patch.protocol import (
    AddedLayer,
    Equivalence,
    Layer,
    Transplant,
    TransplantMade,
    TransplantRefused,
    TransplantRequest,
)

_UNFIT = "its layer has other widths than model.{}, and is left out"
# What a model object holds besides its layers that is not the same in another model, or only there while it is trained.
_NOT_KEPT = {"yaml", "save", "stride", "pt_path", "criterion", "training"}


def transplant(request: TransplantRequest, channel: Channel) -> None:
    """Make the checkpoint that a request asks for, try it, and tell what came out."""
    try:
        channel.emit(_made(request, channel))
    except DeclinedError as error:
        channel.emit(TransplantRefused(str(error), error.found, error.remedy, error.lacking))


class Graft(NamedTuple):
    """A model that the weights of a base were carried into.

    Attributes:
        model: The model.
        places: Where the layers of the base stand in it.
        names: What each tensor of the base is called in it; empty where its layer is left out.
        left: The tensors of the base that are not in it, each with the reason.
    """

    model: Model
    places: Places
    names: dict[str, str]
    left: dict[str, str]


def _made(request: TransplantRequest, channel: Channel) -> TransplantMade:
    """Make and try a checkpoint.

    Raises:
        DeclinedError: The weights can't go into the model.
    """
    ours = request.classes
    channel.trying("loading the checkpoint")
    base = _base(request)
    channel.trying("building the model")
    described, told = describe(request.model, base.model.yaml, request.scale, request.trust)
    graft = _graft(base, described, ours)
    by_name = _by_name(base.model, graft.model)
    channel.trying("writing the checkpoint")
    result = channel.scratch / "transplant.pt"
    dropped = checkpoint.write(result, graft.model, base.stored, base.dtype)
    made = load_model(result).eval()
    carried = _arrived(base.model, made, graft.names)
    left = {name: "it did not arrive" for name in graft.names if name not in carried}
    left.update(graft.left)
    channel.trying("comparing the outputs")
    fits = all(_is_added(base.model, name, ours) for name in left)
    there = graft.places
    proof, without = _proof(base.model, made, Path(request.package), ours if fits else ())
    found = Transplant(
        **told,
        weights=base.weights,
        dtype=str(base.dtype).rpartition(".")[2],
        task=str(getattr(made, "task", "")),
        classes=len(made.names),
        ours=tuple(AddedLayer(i, kind(x), _gate(x)) for i, x in enumerate(made.model) if kind(x) in ours),
        new=there.new,
        kinds=tuple(sorted({kind(x) for model in (base.model, made) for x in model.model} & set(ours))),
        moved=tuple((i, there.matched[i]) for i in there.moved),
        out=tuple((i, _gate(base.model.model[i])) for i in there.out),
        tensors=len(graft.names),
        carried=len(carried),
        left=tuple(sorted(left.items())),
        by_name=len(by_name),
        by_name_right=sum(graft.names[name] == name for name in by_name),
        dropped=tuple(dropped),
        otherwise=tuple(_other_modules(base.model, made, there)),
        proof=tuple(proof),
        without=tuple(without),
    )
    return TransplantMade(found, str(result))


def _graft(base: Checkpoint, described: dict[str, Any], added: tuple[str, ...]) -> Graft:
    """Build a model of the base's class by a description, and carry the base's weights and attributes into it."""
    torch.manual_seed(0)  # for our layers, which start at random behind a gate that is shut
    start = {"ch": input_channels(base.model), "nc": described.get("nc"), "verbose": False}
    model = type(base.model)(without_downloads(described), **start)
    model.yaml.update(backbone=described["backbone"], head=described["head"])
    wished = _places(base.model, model, added)
    there = wished.leaving_out(_unfit(base.model, model, wished, added))
    names = _names(base.model, there)
    left = _carry(base.model, model, names)
    lost = {i: wished.matched[i] for i in wished.matched if i not in there.matched}
    left.update({name: _UNFIT.format(goal) for i, goal in lost.items() for name in names if _layer_of(name) == i})
    _keep_attributes(base.attributes, model)
    return Graft(model, there, names, left)


def _proof(
    base: Model, made: Model, package: Path, ours: tuple[str, ...]
) -> tuple[list[Equivalence], list[Equivalence]]:
    """Return what both models make of the same images and, if that differs, without layers of some kinds."""
    images = compare.inputs(package, input_channels(base))
    proof = compare.compare(base, made, images)
    needed = bool(ours) and not all(each.same for each in proof)
    without = compare.compare(base, made, images, ours) if needed else []
    return proof, without


def _base(request: TransplantRequest) -> Checkpoint:
    """Read the checkpoint, or build what a bare state dict is of."""
    path = Path(request.checkpoint)
    if not request.base:
        whole = read_whole(path, request.trust)
        changed = unlike_its_description(whole.model)
        if changed:
            raise DeclinedError(changed, remedy="Transplant the checkpoint that it was made from.")
        return whole
    weights = checkpoint.read_weights(path, request.trust)
    described = base_description(request.base, request.scale, request.trust)
    described["nc"] = class_count(weights, described)
    model = build(described)
    missing = [name for name, value in model.state_dict().items() if _shape(weights.get(name)) != value.shape]
    if missing:
        raise DeclinedError(
            "is no state dict of {}".format(request.base),
            "{} of its {} tensors are missing or of another shape, {} first".format(
                len(missing), len(model.state_dict()), missing[0]
            ),
            "Name the model that it is of with --base, and its scale with --scale.",
        )
    model.load_state_dict(weights)
    model.args = {}
    model.task = importlib.import_module("ultralytics.nn.tasks").guess_model_task(described)
    floating = next(value.dtype for value in weights.values() if value.is_floating_point())
    stored = {"train_args": {"task": model.task}}  # where older releases look for it
    return Checkpoint(model.float().eval(), dict(vars(model)), stored, "state dict", floating)


def _shape(tensor: Any) -> Any:
    return None if tensor is None else tensor.shape


def _graph(model: Model) -> Graph:
    """Return the graph of a built model; what was built is what its weights belong to, whatever its file says."""
    layers = []
    for i, layer in enumerate(model.model):
        written = (layer.f,) if isinstance(layer.f, int) else tuple(layer.f)
        sources = tuple(i + source if source < 0 else source for source in written)
        layers.append(Layer(i, kind(layer), sources, written, (), "", None))
    return Graph(tuple(layers))


def _places(base: Model, model: Model, added: tuple[str, ...]) -> Places:
    try:
        return places(_graph(base), _graph(model), added)
    except UnlikeError as error:
        raise DeclinedError(
            "and the model differ by more than layers of blocks",
            str(error),
            "Name a model that is the checkpoint's but for its blocks; `a2patch verify MODEL` tries its wiring.",
        ) from error


def _unfit(base: Model, model: Model, there: Places, added: tuple[str, ...]) -> list[int]:
    """Return the layers of ours that would go where other widths are; a part of one is of no use.

    The gain of its batch norm may fit where its attention does not, and would then let through what is new and random.
    """
    pairs = ((i, base.model[i], model.model[j]) for i, j in there.matched.items() if kind(base.model[i]) in added)
    return [i for i, one, other in pairs if _shapes(one) != _shapes(other)]


def _shapes(layer: Any) -> dict[str, Any]:
    return {name: value.shape for name, value in layer.state_dict().items()}


def _names(base: Model, there: Places) -> dict[str, str]:
    """Return what each tensor of the base would be called in the other model; those without a place there are empty."""
    found = {}
    for name in base.state_dict():
        index = _layer_of(name)
        if index is None:
            found[name] = name
        else:
            within = name.split(".", 2)[2]
            found[name] = "model.{}.{}".format(there.matched[index], within) if index in there.matched else ""
    return found


def _layer_of(name: str) -> int | None:
    """Return the layer that a tensor belongs to; None for one of no layer, such as what a text model holds."""
    found = re.match(r"model\.(\d+)\.", name)
    return int(found.group(1)) if found else None


def _carry(base: Model, model: Model, names: dict[str, str]) -> dict[str, str]:
    """Load the tensors of the base into a model under other names, and return those that were left, with the reason."""
    source, target = base.state_dict(), model.state_dict()
    left = {}
    loaded = {}
    for name, there in names.items():
        if not there:
            left[name] = "its layer is left out"
        elif there not in target:
            left[name] = "the model has no {}".format(there)
        elif source[name].shape != target[there].shape:
            shapes = [" x ".join(map(str, shape)) or "a number" for shape in (source[name].shape, target[there].shape)]
            left[name] = "it is {}, and {} is {}".format(shapes[0], there, shapes[1])
        else:
            loaded[there] = source[name]
    model.load_state_dict(loaded, strict=False)
    return left


def _keep_attributes(attributes: dict[str, Any], model: Model) -> None:
    """Give a model the class names, the arguments and what else the base holds besides its layers."""
    for name, value in attributes.items():
        if not name.startswith("_") and name not in _NOT_KEPT:
            setattr(model, name, dict(value) if name == "args" else deepcopy(value))  # as upstream's `strip_optimizer`


def _by_name(base: Model, model: Model) -> list[str]:
    """Return the tensors of the base that ultralytics' own loading would keep, `model.load(base)`."""
    intersect = tools("utils.torch_utils").intersect_dicts
    return list(intersect(base.state_dict(), model.state_dict()))


def _arrived(base: Model, made: Model, names: dict[str, str]) -> set[str]:
    """Return the tensors of the base that stand, bit for bit, in the model that was made."""
    source, target = base.state_dict(), made.state_dict()
    pairs = [(name, source[name], target.get(there)) for name, there in names.items()]
    return {name for name, one, other in pairs if other is not None and torch.equal(one, other)}


def _other_modules(base: Model, made: Model, there: Places) -> list[str]:
    """Tell which layers hold other modules than the checkpoint's: releases build some of them otherwise than others."""
    found = []
    for i, j in sorted(there.matched.items()):
        one, other = (_kinds(layer) for layer in (base.model[i], made.model[j]))
        names = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
        if names:
            pair = [kinds.get(names[0], "missing") for kinds in (one, other)]
            text = "{} ({}): {} is {} in the checkpoint, {} here"
            found.append(text.format(i, kind(base.model[i]), names[0], *pair))
    return found


def _kinds(layer: Any) -> dict[str, str]:
    return {name: type(module).__name__ for name, module in layer.named_modules()}


def _is_added(model: Model, name: str, added: tuple[str, ...]) -> bool:
    index = _layer_of(name)
    return index is not None and kind(model.model[index]) in added


def _gate(layer: Any) -> float | None:
    """Return how far a layer of ours is from the identity: its greatest gain or bias; None where it never is one."""
    gates = [module.gate for module in layer.modules() if isinstance(getattr(module, "gate", None), Parameter)]
    if gates:
        return max(float(gate.abs().max()) for gate in gates)
    norms = [module for module in layer.modules() if hasattr(module, "attn") and hasattr(module, "bn")]
    if not norms:
        return None
    return max(float(value.abs().max()) for module in norms for value in (module.bn.weight, module.bn.bias))
