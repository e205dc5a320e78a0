"""Judge a package by what the probes said of it and of its untouched copy."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from a2patch.block import BASE
from a2patch.patch import Status
from a2patch.protocol import NOT_ASKED, Check, Cost, CostsBeside, CostsUncounted, ModelNoted, StockModel
from a2patch.runner.result import ProbeResult
from a2patch.runner.verdict import CHECKS, Verdict
from a2patch.transaction import LayerStatus
from a2patch.tree import Copy


def judge_source(status: Status) -> Check:
    """Return the check `source`: whether the bytes of a tree are those of a patched one."""
    state = status.state
    sites = ", ".join(f"{site.site} {site.state}" for site in status.sites)
    if state == "applied":
        diffs = ", ".join(site.back.name for site in status.sites if site.back)
        return Check("source", "pass", f"applied: {diffs}")
    if state == "edited":
        paths = ", ".join(change.path for change in status.edits)
        return Check("source", "pass", f"edited: {paths}", "What was edited since it was put in is tried as it is.")
    if state in ("pristine", "foreign"):
        return Check("source", "skip", meaning="the tree is not patched")
    return Check(
        "source",
        "fail",
        state,
        f"The bytes of the tree are not those of a patched one ({sites}), so it is not compared with how it was.",
        "Undo what `a2patch diff` names, or take the patch out with `a2patch revert`."
        if state == "conflict"
        else "Complete the patch with `a2patch apply`, or take it out with `a2patch revert`.",
    )


def judge_block_source(status: LayerStatus) -> Check:
    """Return the check `source` of a block: whether the bytes of a tree are those of one that has it."""
    sites = ", ".join(f"{site} {state}" for site, state in status.sites.items())
    if status.state == "applied":
        return Check("source", "pass", f"applied: {', '.join(status.layer.paths)}")
    if status.state == "edited":
        paths = ", ".join(change.path for change in status.edits)
        return Check("source", "pass", f"edited: {paths}", "What was edited since it was put in is tried as it is.")
    return Check(
        "source",
        "fail",
        status.state,
        f"The bytes of the tree are not those of one with {status.layer.block.name} ({sites}).",
        f"Take it out with `a2patch revert {status.layer.block.name}`, and put it in again with `a2patch apply`.",
    )


_OTHERS_REMEDY = (
    "If this is the tree that you train, uninstall the other copy, or install this one in its place (`pip install -e`)."
)


def with_copies(verdict: Verdict, package: Path, copies: Sequence[Copy]) -> Verdict:
    """Return a verdict that names the commands which use another copy, and what leads them to it."""
    others = [
        f"{copy.used_by} uses {copy.package} ({copy.through})"
        for copy in copies
        if copy.package != package and not copy.is_shadowed
    ]
    if not others:
        return verdict
    return replace(verdict, others=f"Not everybody uses this tree: {'; '.join(others)}. {_OTHERS_REMEDY}")


def judge(
    patched: ProbeResult,
    reference: ProbeResult | None,
    wanted: Collection[str],
    pointless: Mapping[str, str],
    base: str = BASE,
    trainer: ProbeResult | None = None,
) -> dict[str, Check]:
    """Return a check for every name in `CHECKS`, from what the probes said.

    Args:
        patched: What the probe of the patched package said.
        reference: What that of the untouched one said, if there was one.
        wanted: The checks that the probe was asked for.
        pointless: Why checks could not be made that were asked for, by name.
        base: The stock model that is compared.
        trainer: What the probe said that saved and trained a model, if there was one.
    """
    checks = {**(trainer.checks if trainer else {}), **patched.checks}
    for probe in (trainer, patched):
        if probe and not probe.done:
            name = probe.last_started or "import"
            checks[name] = Check(name, "fail", "the probe died", probe.ending)
    if reference and checks["import"].result == "fail":
        checks["import"] = _judge_import(checks["import"], reference)
    if reference and checks.get("base", _PENDING).result == "pass":
        checks["base"] = _judge_base(checks["base"], patched, reference, base)
    why = "the tree can't be imported" if checks["import"].result != "pass" else "the probe had died before"
    reasons = {**dict.fromkeys(CHECKS, NOT_ASKED), **dict.fromkeys(wanted, why), **pointless}
    skipped = {name: Check(name, "skip", meaning=reason) for name, reason in reasons.items()}
    return {name: checks.get(name, skipped[name]) for name in CHECKS}


_PENDING = Check("", "skip")


def _judge_import(check: Check, reference: ProbeResult) -> Check:
    """Return the check `import` of a package that can't be imported: was it broken before the patch?"""
    before = reference.checks.get("import")
    if before is None or before.result != "fail":
        return check
    return replace(
        check,
        meaning=f"Broken before the patch: the untouched package doesn't import either. {before.meaning}",
        advice="Repair or reinstall the package first.",
    )


def _judge_base(check: Check, patched: ProbeResult, reference: ProbeResult, base: str) -> Check:
    """Return the check `base`: are the stock models of the patched tree those of its untouched copy?"""
    if reference.checks.get("base", _PENDING).result != "pass":
        why = "The untouched copy of the package, to compare with, can't be tried. "
        there = next((c for c in reference.checks.values() if c.result == "fail"), None)
        return replace(check, result="skip", figure="", meaning=why + (there.meaning if there else reference.ending))
    now, before = ({(m.file, m.scale): m for m in probe.events_of(StockModel)} for probe in (patched, reference))
    for file, scale in before:
        key = file, scale
        what = _difference(now[key], before[key]) if key in now else "it doesn't build any more"
        if what:
            return replace(
                check,
                result="fail",
                figure=f"scale {scale}",
                meaning=f"The patch changes the stock {file}: at scale {scale}, {what}.",
                advice="Revert; the patch must not touch what other models are made of.",
            )
    return replace(check, figure=_alike(list(before.values()), base))


def _alike(models: Sequence[StockModel], base: str) -> str:
    """Return what was compared, where all of it is alike."""
    mine = [model for model in models if model.file == base]
    scales = f"{len(mine)} scales alike" if len(mine) > 1 else "alike"
    at = f" at {mine[0].scale}" if mine[0].scale else ""
    others = " and ".join(model.file for model in models if model.file != base)
    return f"{scales}, {mine[0].parameters:,} parameters{at}" + (f"; {others} alike" if others else "")


def _difference(now: StockModel, before: StockModel) -> str:
    """Return how two stock models differ; empty where they do not."""
    if now.parameters != before.parameters:
        return f"it has {now.parameters:,} parameters instead of {before.parameters:,}"
    if now.rows != before.rows:
        place = next((i for i, (a, b) in enumerate(zip(now.rows, before.rows, strict=False)) if a != b), None)
        return "it has another number of layers" if place is None else f"layer {place} is another"
    pairs = zip(now.output, before.output, strict=True)
    if not all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5) for a, b in pairs):
        return "the same weights give another output"
    return ""


def without_patch(check: Check, unpatched: ProbeResult, command: str) -> Check:
    """Return the check `checkpoint` with what becomes of the checkpoint in the untouched package."""
    there = unpatched.checks.get("checkpoint", _PENDING)
    if there.result == "pass" and check.result == "pass":
        return replace(check, figure=f"{check.figure}, also without the patch")
    if there.result != "fail":
        return check
    return replace(
        check,
        meaning=f"{check.meaning} An unpatched ultralytics does not load it: {there.meaning}.".strip(),
        advice=f"{check.advice} Run `{command}` wherever it is to be loaded.".strip(),
        seconds=check.seconds + there.seconds,
    )


def with_gpu(check: Check, gpu: ProbeResult) -> Check:
    """Return the check `amp` of the CPU with what was found on a GPU, where one could be used."""
    there = gpu.checks.get("amp", _PENDING)
    if check.result != "pass":
        return check
    if there.result == "skip":
        return replace(check, meaning=f"Only on the CPU: {there.meaning}." if there.meaning else "")
    return replace(there, figure=f"{check.figure}; {there.figure}", seconds=check.seconds + there.seconds)


def excused(check: Check, training: ProbeResult, base: str = BASE) -> Check:
    """Return a check whose failure is known where the untouched package fails in the same way with a stock model."""
    before = training.checks.get(check.name)
    if check.result != "fail" or before is None or (before.result, before.meaning) != ("fail", check.meaning):
        return check
    return replace(
        check,
        result="known",
        figure="as without the patch",
        meaning=f"The untouched package fails in the same way with {base}: {check.meaning}",
        advice="The release and the libraries of its interpreter don't fit; try older libraries.",
    )


def conclude(
    interpreter: Path, checks: Iterable[Check], patched: ProbeResult, reference: ProbeResult | None, base: str
) -> Verdict:
    """Return the verdict on a package.

    Args:
        interpreter: The interpreter that it was tried under.
        checks: The checks, as they were judged.
        patched: What the probe of the patched package said.
        reference: What that of the untouched one said, if there was one.
        base: The model file that costs are compared with, where the probe names no other; empty if there is none.
    """
    beside = patched.last(CostsBeside)
    notes = [event.reason for probe in (patched, reference) if probe for event in probe.events_of(CostsUncounted)]
    return Verdict(
        interpreter=interpreter,
        python=patched.version("python"),
        torch=patched.version("torch"),
        ultralytics=patched.version("ultralytics"),
        checks=tuple(checks),
        costs=tuple(cost for probe in (reference, patched) if probe for cost in probe.events_of(Cost)),
        note=" ".join([*dict.fromkeys(event.note for event in patched.events_of(ModelNoted)), *notes[:1]]),
        base=beside.base if beside else base,
    )
