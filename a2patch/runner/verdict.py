"""What came out of trying a package: the checks, what its models cost, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SCALES = "nsmlx"
"""The letters of the scales that are tried, smallest first."""

BASE = "yolov8.yaml"
"""The stock model that the added ones are made from."""

CHECKS = (
    "source",
    "import",
    "register",
    "formula",
    "build",
    "finite",
    "wiring",
    "scale",
    "stride",
    "alone",
    "sight",
    "gradient",
    "learn",
    "base",
    "checkpoint",
    "train",
    "amp",
    "export",
    "ddp",
)
"""The names of the checks, in the order in which a verdict lists them: those of the full level."""

DEFAULT = CHECKS[: CHECKS.index("amp")]
"""The checks of the default level."""

EXCUSABLE = ("checkpoint", "train", "export")
"""Those that use most of upstream and its libraries; where one fails, a stock model of an untouched tree is tried."""

QUICK = ("source", "import", "register", "build", "finite", "wiring", "scale", "stride")
"""The checks of the quick level: what is static, and what building tells."""

NOT_ASKED = "not asked for"
"""The meaning of a check that was skipped since nobody wanted it."""


@dataclass(frozen=True)
class Check:
    """One check and what it found.

    Attributes:
        name: One of `CHECKS`.
        result: `pass`, `fail`, `known` (a flaw that is expected where it was found) or `skip`.
        figure: What was measured.
        meaning: What it means, in a sentence; empty where `explaining` says all of it.
        advice: What to do about it, in a sentence; likewise.
        seconds: How long the check took.
        detail: Lines to be shown as they are, such as a diff; mostly empty.
    """

    name: str
    result: str
    figure: str = ""
    meaning: str = ""
    advice: str = ""
    seconds: float = 0.0
    detail: str = ""

    @property
    def unasked(self) -> bool:
        """Whether it was not made since nobody wanted it."""
        return self.result == "skip" and self.meaning == NOT_ASKED


@dataclass(frozen=True)
class Cost:
    """What a model costs at one scale, as `model.info()` of the release prints it.

    Attributes:
        model: The model file.
        scale: The scale letter.
        layers: Number of layers.
        parameters: Number of parameters.
        gradients: Number of parameters that get gradients.
        gflops: GFLOPs at 640 px, where the release could count them; its counter sees no matrix products.
        counted: GFLOPs at 640 px as torch counts them, matrix products included; None where torch can't.
    """

    model: str
    scale: str
    layers: int
    parameters: int
    gradients: int
    gflops: float | None
    counted: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What came out of trying a patched package.

    Attributes:
        interpreter: The interpreter that it was tried under.
        python: Its version.
        torch: The version of its torch.
        ultralytics: The version that the package gives itself; empty if it couldn't be imported.
        checks: The checks, in the order of `CHECKS`.
        costs: The costs of the base and of the added models, at each scale that builds.
        note: What else is to be said, such as why GFLOPs are missing.
        base: The model file that costs are compared with; empty if there is none.
    """

    interpreter: Path
    python: str
    torch: str
    ultralytics: str
    checks: tuple[Check, ...]
    costs: tuple[Cost, ...]
    note: str = ""
    base: str = "yolov8.yaml"

    @property
    def ok(self) -> bool:
        """Whether no check found a fault."""
        return all(check.result != "fail" for check in self.checks)
