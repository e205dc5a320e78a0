"""Does a model train on several devices as it does on one?

`torchrun` starts two workers on the CPU, as upstream starts its own: each is this very probe in the role of a worker.
Both put a model into DistributedDataParallel and give it different images. Both must then hold the mean of the
gradients that each of them would get alone.
"""

from __future__ import annotations

import inspect
import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from a2patch.probe.events import Finding, SkipCheckError, failed, known, passed
from a2patch.probe.models.context import Context
from a2patch.probe.runtime.compat import tools
from a2patch.protocol import EVENTS, REQUEST, SCRATCH, Check, decode, encode

WORKERS = 2
SECONDS = 240  # for all of it: on a busy machine, importing ultralytics twice can take a minute
_NIL = 1e-9  # of the gradients; float64 leaves about 1e-15


def check_ddp(context: Context) -> Finding:
    """Check that two workers import this tree, agree on the gradients of all models, and use every parameter."""
    if find_spec("torch.distributed.run") is None or not import_module("torch.distributed").is_available():
        raise SkipCheckError("this torch has no torchrun")
    folder = context.scratch / "ddp"
    folder.mkdir()
    status = _launch(context, folder)
    strangers = [check for check in _checks(folder) if check.name == "import" and check.result == "fail"]
    if strangers:
        return failed("another import", strangers[0].meaning, strangers[0].advice)
    reports = [_report(folder, rank) for rank in range(WORKERS)]
    if not all(worker["met"] for worker in reports):
        why = next((worker["error"] for worker in reports if worker["error"]), "torchrun {}".format(status))
        raise SkipCheckError("two workers don't meet on this machine: {}".format(why))
    for rank, worker in enumerate(reports):
        if worker["error"] or not worker["done"]:
            why = worker["error"] or "torchrun {}".format(status)
            return failed("worker {} of {} died".format(rank + 1, WORKERS), why)
    return _judged(context, reports)


def _judged(context: Context, reports: list[dict[str, Any]]) -> Finding:
    """Judge what both workers measured."""
    worst = 0.0
    remarks = []
    for spec in context.specs:
        label = context.label(spec.file)
        measured = [worker["models"][spec.file] for worker in reports]
        unused = measured[0]["unused"]
        if unused:
            return failed(
                "{} unused".format(len(unused)),
                "In {} no output depends on {}: DistributedDataParallel stops at the second step, waiting for a "
                "gradient, unless it is told to look for such parameters.".format(label, ", ".join(unused)),
                "Use it in forward, or take it out.",
            )
        if measured[0]["unused_elsewhere"]:
            count = measured[0]["unused_elsewhere"]
            remarks.append("Of the stock layers of {}, {} parameters are unused.".format(label, count))
        for worker in measured:
            for whose in ("mean", "other"):
                if not worker[whose] <= _NIL:
                    what = {"mean": "the mean of those of single workers", "other": "those of the other worker"}[whose]
                    return failed(
                        "{:.0e}".format(worker[whose]),
                        "The gradients of a worker for {} are not {}: they are off by {:.0e} of their size.".format(
                            label, what, worker[whose]
                        ),
                        "Look for parameters that come into being in forward, and for what draws or remembers values.",
                    )
                worst = max(worst, worker[whose])
    figure = "{} workers, gradients alike to {:.0e}".format(WORKERS, worst)
    astray = _astray(context.channel.added_path)
    if astray:
        return known(figure, " ".join([*remarks, astray]), _advice(context.channel.added_path))
    return passed(figure, " ".join(remarks))


def _astray(put: str) -> str:
    """Return what is to be said where the workers that this release starts itself don't import the tree.

    Newer releases hand them the module search path of whoever starts them. Before, they have what their interpreter
    has, and a tree that somebody works in, such as a checkout, need not be there.
    """
    source = inspect.getsource(tools("utils.dist").generate_ddp_file)
    if not put or "sys.path" in source:
        return ""
    name = import_module("ultralytics").__name__  # another where the package was renamed
    spec = PathFinder.find_spec(name, [entry for entry in sys.path if entry != put])
    found = "import {}".format(Path(spec.origin).parent) if spec and spec.origin else "don't find this tree"
    return "The workers that this release itself starts on several GPUs {}.".format(found)


def _advice(put: str) -> str:
    return "Set PYTHONPATH={} when you train on several GPUs, or install the tree.".format(put)


def _launch(context: Context, folder: Path) -> str:
    """Let torchrun start the workers, wait for them, and return how that ended."""
    folder.joinpath(SCRATCH).mkdir()
    asked = folder / REQUEST
    asked.write_text(encode(replace(context.request, role="worker", threads=1)), encoding="utf-8")
    command = [sys.executable, "-B", "-m", "torch.distributed.run", "--nproc_per_node", str(WORKERS)]
    command += ["--master_addr", "127.0.0.1", "--master_port", str(_free_port())]
    command += [str(Path(__file__).parent.parent / "__main__.py"), str(asked)]
    # The workers read this, as the probe does: when it ends, so do they, although torchrun gives them sessions of their
    # own. Windows hands the pipe to nobody but torchrun; there a worker that is left alone ends when its patience does.
    torchrun = subprocess.Popen(command, stdin=subprocess.PIPE, env=_environment(context.channel.added_path))
    try:
        return "ended with status {}".format(torchrun.wait(SECONDS))
    except subprocess.TimeoutExpired:
        return "was still running after {} s".format(SECONDS)
    finally:
        if torchrun.stdin:
            torchrun.stdin.close()
        try:
            torchrun.wait(10)
        except subprocess.TimeoutExpired:
            torchrun.kill()
            torchrun.wait()


def _environment(put: str) -> dict[str, str]:
    """Return the environment of the workers, who find the tree where this process does and talk over loopback."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
    if os.name == "nt":
        environment["USE_LIBUV"] = "0"  # torchrun asks for it by default, and torch for Windows is built without
    if put:
        environment["PYTHONPATH"] = put
    loopback = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    if loopback:
        environment["GLOO_SOCKET_IFNAME"] = loopback[0]
    return environment


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _checks(folder: Path) -> list[Check]:
    """Return the checks that the workers made while they were starting."""
    path = folder / EVENTS
    events = map(decode, path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()
    return [event for event in events if isinstance(event, Check)]


def _report(folder: Path, rank: int) -> dict[str, Any]:
    """Return what a worker told last."""
    path = folder / SCRATCH / "worker-{}.json".format(rank)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"met": False, "error": ""}
