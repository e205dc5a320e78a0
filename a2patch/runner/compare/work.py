"""The parts of a comparison that start probes: making models ready, training them, measuring how fast they are."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from a2patch.errors import unwritable
from a2patch.protocol import (
    Check,
    ComparisonRefused,
    DataFound,
    MeasureRequest,
    ModelPrepared,
    PrepareRequest,
    Request,
    SpeedMeasured,
    TrainRequest,
    Version,
)
from a2patch.runner.compare import models
from a2patch.runner.compare.asked import Asked, Under
from a2patch.runner.compare.folder import Folder
from a2patch.runner.compare.launch import CPU, Job, Launch, LocalJob
from a2patch.runner.compare.plan import CompareError, Plan, Run, refuse_differing
from a2patch.runner.process import make_home
from a2patch.runner.requirements import require_libraries, require_tools
from a2patch.runner.result import ProbeResult

_MEASURE_SECONDS = 20.0


class Work:
    """The parts of a comparison that start probes."""

    def __init__(
        self, asked: Asked, under: Under, folder: Folder, scratch: Path, notify: Callable[[str], None]
    ) -> None:
        self._asked = asked
        self._under = under
        self._folder = folder
        self._scratch = scratch
        self._notify = notify

    def prepared(self, plan: Plan, there: Plan | None) -> Plan:
        """Have the data looked at and new models made ready, and keep the plan."""
        home = self._home("prepare")
        stage = home / "stage"
        stage.mkdir()
        asked = self._asked
        request = PrepareRequest(
            **self._common("prepare", plan, stage),
            data=str(plan.settings["data"]),
            cwd=str(self._under.cwd),
            datasets=models.datasets(self._under.variables, self._under.cwd),
            arguments=tuple(plan.arguments.items()),
            base=plan.models[0].source,
            models=tuple(model.source for model in plan.unprepared()),
            pretrained=str(asked.pretrained) if asked.pretrained else "",
            trust=asked.trust,
        )
        probe = self._ask(request, home)
        data = probe.last(DataFound)
        if data is None or probe.events_of(ComparisonRefused) or not probe.done:
            raise self._refusal(probe)
        found = self._found(probe, data)
        plan = replace(plan, settings={**plan.settings, **found})
        if there is not None:
            refuse_differing(there.settings, plan.settings, self._folder.path)
        plan = replace(plan.with_prepared(probe.events_of(ModelPrepared)), data=data)
        with explained(self._folder.path):
            shutil.copytree(stage, self._folder.path, dirs_exist_ok=True)
            self._folder.keep_plan(plan)
        return plan

    def _found(self, probe: ProbeResult, data: DataFound) -> dict[str, Any]:
        """Return the settings that only a probe knows.

        Raises:
            CompareError: A device that was named is not there.
        """
        names = self._asked.devices
        missing = [name for name in names if name != CPU and not (name.isdigit() and int(name) < data.gpus)]
        if missing and not self._asked.address:
            raise CompareError(
                f"there is no device {', '.join(missing)} here: torch sees {data.gpus} GPUs",
                remedy="Name `cpu`, or GPUs by their numbers from 0.",
            )
        kind = CPU if (CPU in names if names else not data.gpus) else "gpu"
        versions: Mapping[str, str] = {each.name: each.version for each in probe.events_of(Version)}
        return {
            "device": kind,
            "torch": versions.get("torch", ""),
            "ultralytics": versions.get("ultralytics", ""),
            "data's fingerprint": data.fingerprint,
        }

    def slots(self, plan: Plan) -> list[str]:
        """Return the devices, one for each training that runs at once."""
        devices = list(self._asked.devices) or [CPU if plan.settings["device"] == CPU else "0"]
        jobs = self._asked.jobs or (len(plan.runs()) if self._asked.address else len(devices))  # Ray queues them
        return [devices[i % len(devices)] for i in range(jobs)]

    def starter(self, plan: Plan) -> Callable[[Run, str], Job]:
        """Return what starts a training on a device."""
        if self._asked.address:
            from a2patch.runner.compare.ray_jobs import Cluster

            cluster = Cluster(self._asked.address)
            return lambda run, device: cluster.start(self._launch(plan, run, device))
        return lambda run, device: LocalJob(self._launch(plan, run, device))

    def _launch(self, plan: Plan, run: Run, device: str) -> Launch:
        """Return what starts a training."""
        home = self._folder.begin(run)
        model = plan.model(run.label).prepared
        assert model is not None, run
        by_name = model.start == "names" and self._asked.pretrained
        request = TrainRequest(
            **self._common("train", plan, home),
            model=str(self._folder.path / model.file),
            pretrained=str(by_name or ""),
            data=str(self._folder.path / "data.yaml"),
            arguments=tuple(plan.arguments.items()),
            epochs=plan.epochs,
            seed=run.seed,
            device=device,
        )
        temporary = Path(tempfile.mkdtemp(dir=self._scratch))
        return Launch(self._under.interpreter, home, request, self._under.variables, device != CPU, temporary)

    def measure(self, plan: Plan) -> None:
        """Have the speed of all models measured side by side, unless that was done."""
        there = {each.label for each in self._folder.speeds()}
        if {model.label for model in plan.models} <= there or plan.data is None:
            return
        home = self._home("measure")
        gpu = f"cuda:{next(iter(self._asked.devices), '0')}"
        devices = (CPU,) if plan.settings["device"] == CPU else (CPU, gpu)
        prepared = [(model.label, model.prepared) for model in plan.models]
        request = MeasureRequest(
            **self._common("measure", plan, home),
            models=tuple((label, str(self._folder.path / each.file)) for label, each in prepared if each),
            size=plan.data.size,
            batches=tuple(dict.fromkeys((1, plan.data.batch))),
            devices=devices,
            seconds=_MEASURE_SECONDS,
        )
        probe = self._ask(request, home)
        if probe.done:
            self._folder.keep_speeds(probe.events_of(SpeedMeasured))
        else:
            self._notify(f"speed is not measured: {probe.ending}")

    def _ask(self, request: Request, home: Path) -> ProbeResult:
        """Run a probe to its end."""
        gpu = any(name != CPU for name in self._asked.devices) or not self._asked.devices
        launch = Launch(self._under.interpreter, home, request, self._under.variables, gpu, home / "tmp")
        process = launch.start()
        shown = ""
        try:
            while process.is_running():
                process.listen()
                if process.trying != shown:
                    shown = process.trying
                    self._notify(shown)
                time.sleep(0.05)
            process.listen()
        finally:
            result = process.close()
        require_tools(self._under.interpreter, result)
        require_libraries(self._under.interpreter, [result], result.checks)
        return result

    def _refusal(self, probe: ProbeResult) -> CompareError:
        """Return why the probe could not make everything ready."""
        refused = probe.last(ComparisonRefused)
        if refused:
            return CompareError(refused.message, found=refused.found, remedy=refused.remedy)
        check: Check | None = probe.checks.get("import")
        return CompareError(
            "the models could not be made ready",
            path=self._under.package,
            found=check.meaning if check and check.result == "fail" else probe.ending,
            remedy="`a2patch verify` tells whether the tree works.",
        )

    def _common(self, role: str, plan: Plan, folder: Path) -> dict[str, Any]:
        """Return what all requests have."""
        parts = {"package": str(self._under.package), "libraries": ("torch", "torchvision"), "parts": ("nn.tasks",)}
        rest = {"checks": ("import",), "classes": (), "threads": plan.threads}
        return {"role": role, **parts, **rest, "folder": str(folder)}

    def _home(self, name: str) -> Path:
        """Make the home of a probe that leaves nothing."""
        home = self._scratch / name
        make_home(home)
        return home


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's error of a write into one that says what to do.

    Raises:
        AccessError: Something can't be written.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(error, path, "What is finished is kept; the same command goes on from there.") from error
