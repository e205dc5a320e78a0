"""Give trainings to a Ray cluster, as tasks with their GPUs; the extra `a2patch[ray]`.

The folder of the comparison, the data, the tree and its interpreter must be found under the same paths on each node, as
on a shared file system: a task starts the very process that this machine would.
"""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

import a2patch
from a2patch.errors import ToolMissingError
from a2patch.runner.compare.launch import Ending, Launch, ending_of

_POLL_SECONDS = 0.2


class Cluster:
    """A Ray cluster."""

    def __init__(self, address: str) -> None:
        """Connect to it.

        Raises:
            ToolMissingError: Ray is not installed, or there is no cluster at the address.
        """
        try:
            self._ray: Any = importlib.import_module("ray")
        except ImportError as error:
            raise ToolMissingError(
                "--ray needs the library ray", remedy='Install it beside a2patch: pip install "a2patch[ray]"'
            ) from error
        here = str(Path(a2patch.__file__).resolve().parent.parent)
        environment = {"env_vars": {"PYTHONPATH": here}}  # a checkout is not installed on the nodes
        try:
            self._ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise ToolMissingError(
                f"there is no Ray cluster at {address}", found=str(error), remedy="Start one: `ray start --head`."
            ) from error

    def start(self, launch: Launch) -> RayJob:
        """Give a training to the cluster, which starts it where there is room."""
        task = self._ray.remote(num_cpus=launch.request.threads, num_gpus=int(launch.gpu), max_retries=0)(_train)
        return RayJob(self._ray, task.remote(launch))


class RayJob:
    """A training on a cluster."""

    def __init__(self, ray: Any, task: Any) -> None:
        self._ray = ray
        self._task = task

    def is_running(self) -> bool:
        """Return whether it still runs, or waits for room."""
        return not self._ray.wait([self._task], timeout=0)[0]

    def stop(self) -> None:
        """End it if it runs."""
        self._ray.cancel(self._task, force=True)

    def ending(self) -> Ending:
        """Return how it ended; with its worker or node it may end otherwise the next time."""
        errors = importlib.import_module("ray.exceptions")
        try:
            return ending_of(self._ray.get(self._task))
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError) as error:
            return Ending(f"It was lost with its worker: {error}", True)
        except errors.RayError as error:
            return Ending(f"Ray could not make it: {error}", False)


def _train(launch: Launch) -> str:
    """Make a training on the node that this runs on, and return how it ended."""
    import dataclasses
    import os
    import tempfile

    with tempfile.TemporaryDirectory(prefix="a2p-", ignore_cleanup_errors=True) as folder:
        request: Any = launch.request
        if launch.gpu:
            request = dataclasses.replace(request, device="0")  # of those that Ray lets it see
        visible = {k: v for k, v in os.environ.items() if k == "CUDA_VISIBLE_DEVICES"}
        variables = {**launch.variables, **visible}
        here = dataclasses.replace(launch, request=request, temporary=Path(folder), variables=variables)
        process = here.start()
        try:
            while process.is_running():
                process.listen()
                time.sleep(_POLL_SECONDS)
            process.listen()
        finally:
            result = process.close()
        return result.ending
