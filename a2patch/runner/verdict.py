"""What came out of trying a package, and what the result of each check means where the check does not say it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from a2patch.block import BASE
from a2patch.protocol import Check, Cost

SCALES = "nsmlx"
"""The letters of the scales that are tried, smallest first."""

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
    base: str = BASE

    @property
    def ok(self) -> bool:
        """Whether no check found a fault."""
        return all(check.result != "fail" for check in self.checks)


_PASSED = {
    "source": "The bytes of the tree are those of a patched one.",
    "import": "The interpreter imports this very tree.",
    "register": "The new layers are exported, and a model's rows that name them are parsed as they should be.",
    "formula": "The layer computes what the paper says.",
    "build": "Every model builds at every scale that it has, and holds the layers that its file names.",
    "finite": "Every weight and every buffer is a finite number.",
    "wiring": "Every layer reads what it should.",
    "scale": "The scale that is asked for is the scale that is built, and parameters rise with it.",
    "stride": "The head reads maps of rising strides.",
    "alone": "An image gives the same alone, in a batch, and in another order.",
    "sight": "What the head reads still tells where things are.",
    "gradient": "Everything in our layers that can learn gets a gradient.",
    "learn": "A few steps on one batch lower the loss.",
    "base": "The stock models are and compute what they did before the patch.",
    "checkpoint": "A model that is saved comes back with the same output.",
    "train": "A real epoch, validation and prediction come through.",
    "amp": "In fewer bits each layer gives what it gives in float32, as closely as they allow.",
    "export": "What is exported gives what the model gives.",
    "ddp": "Two workers train this very tree, and hold the same gradients.",
}
_REMEDIES = {
    "source": "Complete the patch with `a2patch apply`, or take it out with `a2patch revert`.",
    "import": "Mend what stops the import, or reinstall the package and apply the patch again.",
    "register": "Revert, then apply again: an edit by hand may have removed a line.",
    "formula": "Revert, then apply again: the module file has been edited.",
    "build": "Look at the rows of the YAML: the spelling, the arguments, the channels of what they read.",
    "finite": "Look at how the layer makes its parameters: torch.empty leaves whatever was in memory.",
    "wiring": "Compare what each row reads with the model that it was made from; --base names that.",
    "scale": "Look at the `scales` of the YAML, and at how parse_model scales the layers.",
    "stride": "Let the head read the last layer of each stage, the finest first.",
    "alone": "Look in its forward for a softmax, mean, norm or view over dimension 0, the batch; a softmax without dim "
    "takes that of an input of three dimensions.",
    "sight": "Look for what gives every position the same: a mean, a softmax over one channel, a gain of zero.",
    "gradient": "Look for what cuts the gradient off, or multiplies it by zero.",
    "learn": "Look at what else failed; if nothing did, at what in the model is random or not finite.",
    "base": "Revert: the patch must not touch what other models are made of.",
    "checkpoint": "Look for what a layer keeps outside its parameters and buffers.",
    "train": "Try the stock model of the tree in the same way; if that trains, compare the two YAML files.",
    "amp": "Train with amp=False until it is mended.",
    "export": "Look for what depends on the values or the size of one image in forward.",
    "ddp": "Train on one device until it is mended.",
}


def explained(check: Check) -> Check:
    """Return a check that says what its result means and, unless it passed, what to do.

    What the check itself found comes first for a fault, and last where all is well.

    Args:
        check: The check, as it was made.
    """
    if check.result == "pass":
        return replace(check, meaning=f"{_PASSED[check.name]} {check.meaning}".strip())
    if check.result == "skip":
        return replace(check, advice=check.advice or _when_asked(check))
    return replace(check, advice=check.advice or _REMEDIES[check.name])


def _when_asked(check: Check) -> str:
    """Return how a check is asked for that nobody wanted; nothing to do about one that can't be made."""
    if not check.unasked:
        return ""
    return "Verify without --quick." if check.name in DEFAULT else "Verify with --full."
