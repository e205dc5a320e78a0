"""Judge a package by what probes said of it and of its untouched copy."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from a2patch.patch import Status
from a2patch.runner.process import Probe
from a2patch.runner.verdict import BASE, CHECKS, NOT_ASKED, SCALES, Check, Verdict
from a2patch.tree import Copy


def judge_source(status: Status) -> Check:
    """Say whether the bytes of a tree are those of a patched one."""
    state = status.state
    told = ", ".join(f"{site.site} {site.state}" for site in status.sites)
    if state == "applied":
        diffs = ", ".join(site.back.name for site in status.sites if site.back)
        return Check("source", "pass", f"applied: {diffs}")
    if state == "pristine":
        return Check("source", "skip", meaning="the tree is not patched")
    return Check(
        "source",
        "fail",
        state,
        f"The bytes of the tree are not those of a patched one ({told}), so it is not compared with how it was.",
        "Complete the patch with `a2patch apply`, or take it out with `a2patch revert`.",
    )


_OTHERS_REMEDY = (
    "If this is the tree that you train, uninstall the other copy, or install this one in its place (`pip install -e`)."
)


def beside(verdict: Verdict, package: Path, copies: Sequence[Copy]) -> Verdict:
    """Tell with the check `import` which commands would use another copy, and what leads them to it."""
    others = [f"{copy.used_by} uses {copy.package} ({copy.through})" for copy in copies if copy.package != package]
    if not others:
        return verdict
    told = f"Not everybody uses this tree: {'; '.join(others)}."

    def with_others(check: Check) -> Check:
        if check.name != "import":
            return check
        return replace(check, meaning=f"{check.meaning} {told}".strip(), advice=check.advice or _OTHERS_REMEDY)

    return replace(verdict, checks=tuple(map(with_others, verdict.checks)))


def judge(
    patched: Probe, reference: Probe | None, wanted: Collection[str], pointless: Mapping[str, str]
) -> dict[str, Check]:
    """Return a check for every name, from what both probes said.

    Args:
        patched: The probe of the patched package.
        reference: That of the untouched one, if there was one.
        wanted: The checks that were to be made.
        pointless: Why checks could not be made that were asked for, by name.
    """
    checks = dict(patched.checks)
    if not patched.done:
        checks[patched.started or "import"] = Check(
            patched.started or "import", "fail", "the probe died", patched.end()
        )
    if reference and checks["import"].result == "fail":
        checks["import"] = _judge_import(checks["import"], reference)
    if reference and checks.get("base", _PENDING).result == "pass":
        checks["base"] = _judge_base(checks["base"], patched, reference)
    why = "the tree can't be imported" if checks["import"].result != "pass" else "the probe had died before"
    reasons = {**dict.fromkeys(CHECKS, NOT_ASKED), **dict.fromkeys(wanted, why), **pointless}
    skipped = {name: Check(name, "skip", meaning=reason) for name, reason in reasons.items()}
    return {name: checks.get(name, skipped[name]) for name in CHECKS}


_PENDING = Check("", "skip")


def _judge_import(check: Check, reference: Probe) -> Check:
    """Say whether a package that can't be imported was broken before the patch."""
    before = reference.checks.get("import")
    if before is None or before.result != "fail":
        return check
    return replace(
        check,
        meaning=f"Broken before the patch: the untouched package doesn't import either. {before.meaning}",
        advice="Repair or reinstall the package first.",
    )


def _judge_base(check: Check, patched: Probe, reference: Probe) -> Check:
    """Compare the stock models of the patched tree with those of its untouched copy."""
    if reference.checks.get("base", _PENDING).result != "pass":
        why = "The untouched copy of the package, to compare with, can't be tried. "
        there = next((c for c in reference.checks.values() if c.result == "fail"), None)
        return replace(check, result="skip", figure="", meaning=why + (there.meaning if there else reference.end()))
    for scale in SCALES:
        now, before = patched.stock[scale], reference.stock[scale]
        what = _difference(now, before)
        if what:
            return replace(
                check,
                result="fail",
                figure=f"scale {scale}",
                meaning=f"The patch changes the stock {BASE}: at scale {scale}, {what}.",
                advice="Revert; the patch must not touch what other models are made of.",
            )
    counts = ", ".join(f"{patched.stock[scale]['parameters']:,}" for scale in SCALES[:1])
    return replace(check, figure=f"{len(SCALES)} scales alike, {counts} parameters at {SCALES[0]}")


def _difference(now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return how two stock models differ, or nothing."""
    if now["parameters"] != before["parameters"]:
        return f"it has {now['parameters']:,} parameters instead of {before['parameters']:,}"
    if now["rows"] != before["rows"]:
        place = next((i for i, (a, b) in enumerate(zip(now["rows"], before["rows"], strict=False)) if a != b), None)
        return "it has another number of layers" if place is None else f"layer {place} is another"
    pairs = zip(now.get("output", ()), before.get("output", ()), strict=True)
    if not all(math.isclose(a, b, rel_tol=1e-4, abs_tol=1e-5) for a, b in pairs):
        return "the same weights give another output"
    return ""


def without_patch(check: Check, unpatched: Probe) -> Check:
    """Tell with the check `checkpoint` what becomes of the checkpoint in the untouched package."""
    there = unpatched.checks.get("checkpoint", _PENDING)
    if there.result == "pass":
        return replace(check, figure=f"{check.figure}, also without the patch")
    if there.result != "fail":
        return check
    return replace(
        check,
        meaning=f"{check.meaning} An unpatched ultralytics does not load it: {there.meaning}.".strip(),
        advice=f"{check.advice} Run `a2patch apply` wherever it is to be loaded.".strip(),
        seconds=check.seconds + there.seconds,
    )


def with_gpu(check: Check, gpu: Probe) -> Check:
    """Add to what was found in fewer bits on the CPU what was found on a GPU, where one could be used."""
    there = gpu.checks.get("amp", _PENDING)
    if check.result != "pass":
        return check
    if there.result == "skip":
        return replace(check, meaning=f"Only on the CPU: {there.meaning}." if there.meaning else "")
    return replace(there, figure=f"{check.figure}; {there.figure}", seconds=check.seconds + there.seconds)


def excused(check: Check, training: Probe) -> Check:
    """Take a failure for known where the untouched package fails in the same way with a stock model."""
    before = training.checks.get(check.name)
    if check.result != "fail" or before is None or (before.result, before.meaning) != ("fail", check.meaning):
        return check
    return replace(
        check,
        result="known",
        figure="as without the patch",
        meaning=f"The untouched package fails in the same way with {BASE}: {check.meaning}",
        advice="The release and the libraries of its interpreter don't fit; try older libraries.",
    )
