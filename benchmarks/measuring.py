"""Time and memory, as every benchmark here takes them."""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else torch's profiler tells of each start and stop

Run = Callable[[], object]


def medians(runs: Mapping[str, Run], repeats: int) -> dict[str, float]:
    """Time runs, their repeats interleaved; the first of each, for caches, does not count.

    Args:
        runs: What to time, by name.
        repeats: How often.

    Returns:
        The median time of each, in seconds.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def peak(run: Run) -> int:
    """Return the most memory in bytes that torch held on the CPU at once during a run, beyond what it held before.

    What is allocated and given back is read off torch's own profiler, so that neither the allocator's caches nor other
    libraries count. The first run, for what is allocated only once, does not count.
    """
    import torch

    run()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        run()
    with tempfile.TemporaryDirectory(prefix="a2patch-peak-") as folder:
        trace = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    held = most = 0
    for event in sorted((event for event in events if event.get("name") == "[memory]"), key=lambda event: event["ts"]):
        held += event["args"]["Bytes"]
        most = max(most, held)
    return most
