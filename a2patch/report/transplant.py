"""Show a transplant as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from a2patch.block import called
from a2patch.runner import Equivalence, Transplant

_SHOWN = 6  # tensors, or layers, that are listed; of more the number is given
_LEFT_OUT = "its layer is left out"
_INDENT = " " * 9
_SOURCES = {"ema": "the weights of its EMA", "model": "its weights", "state dict": "a bare state dict"}


def transplant_lines(result: Transplant, checkpoint: Path, written: Path | None) -> list[str]:
    """Return what `a2patch transplant` says.

    Args:
        result: What came out.
        checkpoint: Where the weights came from.
        written: Where it was written; None if it was not.
    """
    scale = f"scale {result.scale} by {result.scale_by}" if result.scale else "of no scale"
    lines = [
        f"from     {checkpoint.name}: {result.task or 'model'}, {_count(result.classes, 'class')}, {result.dtype}",
        f"{_INDENT}{_SOURCES[result.weights]}",
        f"into     {result.model}: {scale}",
        *_added_lines(result),
        f"carried  {result.carried} of {result.tensors} tensors",
        *_left_lines(result),
        f"by name  {result.by_name} of {result.tensors}, as ultralytics' .load() would;",
        f"{_INDENT}{result.by_name_right} of them into their own layer",
        *_proof_lines("proof", result.proof),
    ]
    if len(result.proof) == 1:
        lines.append(f"{_INDENT}the tree has no photograph in its assets to try besides")
    if result.without:
        lines += [*_proof_lines("without", result.without), f"{_INDENT}({called(result.kinds)} left out of both)"]
    if result.dropped and written:
        lines += [f"dropped  {', '.join(result.dropped)}:", f"{_INDENT}training starts anew, it can't be resumed"]
    return lines + _end_lines(result, written)


def _added_lines(result: Transplant) -> list[str]:
    """Return a line for each added layer: where it comes from, and whether it is the identity."""
    origins = {there: f"moved from {here}" for here, there in result.moved} | dict.fromkeys(result.new, "new")
    present = [f"{_INDENT}{o.index} {o.kind}, {origins.get(o.index, 'kept')}: {_gate(o.gate)}" for o in result.ours]
    return present + [f"{_INDENT}{index} left out: {_gate(gate)}" for index, gate in result.out]


def _gate(gate: float | None) -> str:
    """Return what the gate of an added layer makes of it."""
    if gate is None:
        return "never the identity"
    return f"trained, its gate is at {gate:.3g}" if gate else "the identity"


def _left_lines(result: Transplant) -> list[str]:
    """Return the tensors that were left; those of layers that are gone are only counted."""
    gone = [name for name, reason in result.left if reason == _LEFT_OUT]
    others = [f"{_INDENT}{name}: {reason}" for name, reason in result.left if reason != _LEFT_OUT]
    lines = [f"{_INDENT}{_count(len(gone), 'tensor')} of layers that are left out"] if gone else []
    return lines + others[:_SHOWN] + ([f"{_INDENT}and {len(others) - _SHOWN} more"] if len(others) > _SHOWN else [])


def _proof_lines(title: str, proof: Sequence[Equivalence]) -> list[str]:
    """Return what both models make of each input."""
    titles = [title, *[""] * len(proof)]
    return [f"{front:<9}{each.input:<9}{_outcome(each)}" for front, each in zip(titles, proof, strict=False)]


def _outcome(each: Equivalence) -> str:
    if each.same:
        return f"the same output, bit for bit ({each.values:,} values)"
    if each.difference is None:
        return "another output, of other shapes or not finite"
    return f"another output, up to {each.difference:.3g} apart"


def _end_lines(result: Transplant, written: Path | None) -> list[str]:
    """Return where the result is, or why there is none."""
    if written:
        apart = [] if result.exact else [f"{_INDENT}its output is another than the checkpoint's, as --inexact allows"]
        return [f"written  {written} ({written.stat().st_size / 1e6:.1f} MB)", *apart]
    if not result.exact_without and result.otherwise:
        return [
            "",
            "Nothing was written: this release builds layers otherwise than the one that",
            "saved the checkpoint, so training from it starts elsewhere in any case:",
            *(f"{_INDENT}{line}" for line in result.otherwise[:_SHOWN]),
            "Transplant with the release that saved it.",
        ]
    if not result.exact_without:
        return ["", f"Nothing was written: what is not {called(result.kinds) or 'added'} gives another output there."]
    return [
        "",
        f"Nothing was written, since {called(result.kinds)} changes the output:",
        *(f"{_INDENT}{line}" for line in _causes(result)),
        "All else is carried; --inexact writes it all the same.",
    ]


def _causes(result: Transplant) -> list[str]:
    """Return why the layers of blocks change the output, a line for each layer that does."""
    moved = {there: here for here, there in result.moved}
    causes = [f"{index}, left out, is not the identity: {_gate(gate)}" for index, gate in result.out if gate != 0]
    for layer in result.ours:
        if layer.gate is None:
            causes.append(f"{layer.index} ({layer.kind}) has no residual, so it never is the identity")
        elif layer.gate and layer.index in moved:
            causes.append(f"{layer.index} was trained elsewhere, at {moved[layer.index]}: {_gate(layer.gate)}")
    return causes


def _count(number: int, noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{number} {noun if number == 1 else plural}"
