"""Try every release: choose, apply, check, build both models and run them once, revert, compare to the byte.

    python -m tests.soak.matrix [--sample N] [--derive] [--jobs 2] [--out FOLDER] [RELEASE …]

Writes COMPATIBILITY.md and compatibility.json into the folder, a line a range of releases. A release that was tried
before, with the same diffs and the same code, is not tried again. All 796 take half an hour on two cores, and as long
again to fetch the first time; a release takes five seconds, and loading torch ten.

Each release is built in a process of its own, forked from one that has torch loaded already: 796 imports of torch would
take an hour. Needs a POSIX system for that.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from a2patch.block import Block, bundled
from a2patch.errors import A2PatchError
from a2patch.graph import unscaled
from a2patch.patch import SITES, numbers, series
from a2patch.transaction import Operation, operations
from a2patch.transaction.files import FOLDER
from a2patch.tree import tree as trees
from patches import compatibility, releases
from patches.compatibility import LATER, MODELS, Trial
from tests.support.blocks import WIDTH
from tests.support.builds import build, preload
from tests.support.command import ROOT
from tests.support.files import Contents, contents

BLOCKS = (bundled()["ema"], WIDTH)
BYTECODE = {"__pycache__"}  # upstream's own import leaves it


def main() -> None:
    """Read the arguments, try, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, help="only so many releases, evenly spread, first and last included")
    parser.add_argument("--derive", action="store_true", help="as if there were no versioned diffs of init and tasks")
    parser.add_argument("--jobs", type=int, default=2, help="how many releases at a time")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "patches", help="where COMPATIBILITY.md and compatibility.json go"
    )
    parser.add_argument("releases", nargs="*", help="the releases to try; every one of the registry if none is named")
    arguments = parser.parse_args()
    wanted = sample(arguments.releases or releases.published(), arguments.sample)
    arguments.out.mkdir(parents=True, exist_ok=True)
    place = arguments.out / "compatibility.json"
    done = recorded(place)
    todo = [release for release in wanted if release not in done]
    preload()
    started = time.monotonic()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for count, trial in enumerate(pool.map(trier(arguments.derive), todo), start=1):
            done[trial.release] = trial
            if count % 10 == 0 or count == len(todo) or trial.fault:
                compatibility.save(place, fingerprint(), sorted(done.values(), key=lambda t: numbers(t.release)))
            left = (time.monotonic() - started) / count * (len(todo) - count)
            told = trial.fault or (f"upstream: {trial.upstream}" if trial.upstream else "ok")
            print(f"{count}/{len(todo)}  {trial.release:<9} {told[:150]}  (about {left / 60:.1f} min left)", flush=True)
    trials = [done[release] for release in wanted]
    text = report(trials, time.monotonic() - started, len(todo))
    arguments.out.joinpath("COMPATIBILITY.md").write_text(text, "utf-8")
    print(text)
    raise SystemExit(any(trial.fault for trial in trials))


def sample(wanted: list[str], size: int | None) -> list[str]:
    """So many of them, evenly spread, the first and the last among them."""
    if size is None or size >= len(wanted):
        return wanted
    return [wanted[round(at * (len(wanted) - 1) / max(size - 1, 1))] for at in range(size)]


def trier(derive: bool) -> Callable[[str], Trial]:
    """The function that tries one release."""
    cache = releases.cache(os.environ)

    def attempt(release: str) -> Trial:
        with tempfile.TemporaryDirectory(prefix="a2patch-matrix-") as folder:
            site = Path(folder) / "site-packages"
            package = releases.unpack(release, cache, site)
            return try_release(release, package, derive=derive)

    return attempt


def try_release(release: str, package: Path, *, derive: bool) -> Trial:
    """Try one release, unpacked as pip would."""
    before = contents(package.parent, BYTECODE)
    stock = build(package, MODELS[:1])
    tree = trees.find(package)
    try:
        outcome = operations.apply(tree, lambda text: None) if not derive else apply_derived(tree)
    except A2PatchError as error:
        fault = "" if release in releases.BROKEN and contents(package.parent, BYTECODE) == before else error.message
        return Trial(release, {}, False, {}, fault, releases.BROKEN.get(release, ""))
    diffs: dict[str, str] = {diff.site: diff.name for diff in outcome.diffs}
    fault = static(package, before)
    added = {change.path.rpartition("/")[2] for change in outcome.changes}
    ours = build(package, [*MODELS, *(model for model in LATER if unscaled(model) in added)])
    operations.revert(tree, lambda text: None)
    if not fault and contents(package.parent, BYTECODE) != before:
        fault = "revert does not give back the bytes"
    parameters = {model: found for model, found in ours.items() if isinstance(found, int)}
    upstream = stock[MODELS[0]] if isinstance(stock[MODELS[0]], str) else ""
    if not fault and not upstream:
        if ours[MODELS[0]] != stock[MODELS[0]]:
            fault = f"{MODELS[0]} has {ours[MODELS[0]]} parameters, unpatched {stock[MODELS[0]]}"
        fault = fault or next((f"{model}: {found}" for model, found in ours.items() if isinstance(found, str)), "")
    others: dict[str, int] = {}
    for block in BLOCKS if not fault else ():
        found = try_block(block, tree, package, before, upstream=str(upstream))
        if isinstance(found, int):
            others[block.name] = found
        else:
            fault = fault or found
    return Trial(release, diffs, not fault, parameters, fault, str(upstream), others)


def try_block(block: Block, tree: trees.Tree, package: Path, before: Contents, *, upstream: str) -> int | str:
    """Put a block in, build a model with a row of it, take it out: the parameters of the model, or what went wrong.

    Where upstream builds nothing by itself, there are no parameters.
    """
    named = block.classes[0]
    try:
        operations.apply_blocks(tree, lambda text: None, [block])
    except A2PatchError as error:
        return f"{block.name}: {error.message}: {error.found}"
    fault = static(package, before, f"{block.name}.py")
    row = f"{named.name}:{json.dumps(named.args)}"
    built = build(package, [row])[row]
    operations.revert(tree, lambda text: None)
    if not fault and contents(package.parent, BYTECODE) != before:
        fault = "revert does not give back the bytes"
    if not fault and isinstance(built, str) and not upstream:
        fault = built
    return f"{block.name}: {fault}" if fault else built if isinstance(built, int) else 0


def apply_derived(tree: trees.Tree) -> Operation:
    """Apply as if there were no versioned diffs of init and tasks."""
    load = series.load
    series.load = lambda folder: load(folder) | {"init": (), "tasks": ()}
    try:
        return operations.apply(tree, lambda text: None)
    finally:
        series.load = load


def static(package: Path, before: Contents, *added: str) -> str:
    """What is wrong with a patched package as text, and may have these files besides; empty if nothing is."""
    after = contents(package.parent, BYTECODE)
    changed = {path for path in after if before.get(path) != after[path] and f"/{FOLDER}/" not in path}
    sites = {"double_attention.py", "__init__.py", "modules.py", "tasks.py", "RECORD", *added}
    for path in changed:
        name = path.rpartition("/")[2]
        if name.endswith(".py"):
            compile(after[path], path, "exec")
        if name not in sites and not name.endswith(("_A2.yaml", "_DANet.yaml")):
            return f"{path} should not have changed"
    missing = before.keys() - after.keys()
    return f"{', '.join(sorted(missing))} gone" if missing else ""


def recorded(place: Path) -> dict[str, Trial]:
    """Return what an earlier run found with the same diffs and the same a2patch, by release."""
    if not place.is_file():
        return {}
    of, trials = compatibility.load(place)
    return {trial.release: trial for trial in trials} if of == fingerprint() else {}


def fingerprint() -> str:
    """What a result depends on, of ours: the diffs and the code."""
    places = [*ROOT.glob("patches/*/*/*.diff"), *ROOT.glob("a2patch/patch/*.py"), *ROOT.glob("a2patch/block/*.py")]
    texts = (place.read_bytes() for place in sorted(places))
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]


def report(trials: list[Trial], seconds: float, tried: int) -> str:
    """COMPATIBILITY.md."""
    import torch

    version = torch.__version__.split("+")[0]
    loaded = series.load(series.folder())
    counts = ", ".join(f"{len(loaded[site])} {site}" for site in SITES)
    later, latest = (sum(model in trial.parameters for trial in trials) for model in LATER)
    good = sum(trial.patched for trial in trials)
    built = sum(trial.patched and not trial.upstream for trial in trials)
    tried_blocks = ", ".join(
        f"{block.name} ({block.classes[0].rule.name if block.classes[0].rule else ''}) on {count}"
        for block in BLOCKS
        for count in [sum(block.name in trial.blocks for trial in trials)]
    )
    made = f"Python {platform.python_version()}, torch {version}; {seconds / 60:.1f} minutes for {tried} releases"
    head = f"""# Compatibility

Written by `make matrix`. {good} of {len(trials)} releases take the patch, pass the static checks and are
reverted to the byte; {built} of them build `yolov8n`, `yolov8n_A2` and `yolov8n_DANet` and run each once, the
stock model with as many parameters as unpatched; {later} of them build `yolo11n_A2`
and {latest} `yolo26n_A2` as well. Other blocks, derived from each release's own syntax, built in a model, run and
reverted to the byte: {tried_blocks} releases. {made}, on {os.cpu_count()} cores.
{sum(map(len, loaded.values()))} diffs: {counts}. The figures are parameters at scale n.

"""
    return head + compatibility.table(trials)


if __name__ == "__main__":
    main()
