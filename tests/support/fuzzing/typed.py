"""What is typed: a verb, options of it that may be odd, and what it is about."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

ODD = (
    *(
        "",
        ".",
        "..",
        "/",
        "-",
        "--",
        "~",
        "~nosuchuser",
        "~nosuchuser/x",
        "n" * 300,
        "a/" * 2000,
        "\n",
        "\t",
        "\x1b[31m",
    ),
    *(
        "\udcff",
        "*",
        "$(x)",
        "é",
        "\u202e",
        "\ufeff",
        "C:\\x",
        "//nonexistent/x",
        "/dev/null",
        "/dev/zero",
        "/dev/full",
        "/proc/self/mem",
    ),
    *("con", "x\ty", " ", "--json", "@x", "%s", "{x}", "/proc/self/fd/0", "/proc/1/root/x", ".a2patch", "a\\b"),
)
_NUMBERS = (
    "1",
    "0",
    "-1",
    "0.5",
    "nan",
    "inf",
    "1e400",
    "9" * 5000,
    "64,16",
    "64,1",
    "(" * 150,
    "x",
    "'a'",
    "",
    "1" + ",1" * 90,
)
VERBS = ("status", "apply", "revert", "diff", "recover", "dry run", "verify", "insert", "transplant")
READ = "read"
"""No verb: what the probe begins with, which needs no torch."""


@dataclass(frozen=True)
class Typed:
    """What is typed.

    Attributes:
        name: What it is counted as.
        options: The verb and its options.
        about: Its argument, which stands last.
        tries: Whether it may start an interpreter.
    """

    name: str
    options: Sequence[str]
    about: Sequence[str] = ()
    tries: bool = False

    @property
    def verb(self) -> str:
        """The verb."""
        return self.options[0]

    @property
    def arguments(self) -> list[str]:
        """All that is typed behind the program's name."""
        return [*self.options, *(["--", *self.about] if self.about else [])]

    @property
    def looks(self) -> bool:
        """Whether it changes no tree."""
        return self.verb in ("status", "diff", "verify", "transplant") or "--dry-run" in self.options

    @property
    def asks_json(self) -> bool:
        """Whether a document is asked for; a path may be called `--json`, too."""
        return self.options[1:2] == ["--json"]

    def with_options(self, options: Sequence[str]) -> Typed:
        """Return it with more options, in front, where none that lacks its value can take one of them for it."""
        return replace(self, options=[self.verb, *options, *self.options[1:]])


def typed(kind: str, chance: random.Random) -> Typed:
    """Return what to type.

    Args:
        kind: What is spoiled.
        chance: What to choose by.
    """
    if kind == "checkpoint":
        return _about_a_checkpoint(chance)
    verb = chance.choices(VERBS, (5, 4, 4, 2, 1, 2, 1, 1, 1) if kind != "environment" else (6, 3, 2, 1, 1, 1, 3, 2, 1))[
        0
    ]
    here = chance.choice(("m.yaml", "m.pt", "none.yaml", "yolov8", "yolov8.yaml", *ODD))
    number = chance.choice(_NUMBERS)
    match verb:
        case "apply":
            verifies = chance.random() < 0.1
            return Typed(verb, ("apply", *(["--no-derive"] if verifies else ["--no-verify"])), tries=verifies)
        case "dry run":
            return Typed(verb, ("apply", "--dry-run"))
        case "revert":
            return Typed(verb, ("revert", "--force") if chance.random() < 0.4 else ("revert",))
        case "status":
            return Typed(verb, chance.choice((("status",), ("status",), ("status", "--check"))))
        case "verify":
            more = chance.choice(((), ("--quick",), ("--report", here), ("--full",)))
            about, options = chance.choice(
                (((), ()), ((), ()), ((here,), ()), ((here,), ("--scale", "s")), ((here,), (f"--base={here}",)))
            )
            return Typed(verb, ("verify", *more, *options), about, tries=True)
        case "insert":
            at = chance.choice(
                (("--at", "P3"), ("--each",), ("--at", f"after:{number}"), ("--remove",), ("--at", here))
            )
            more = chance.choice(
                ((), (f"--e={number}",), (f"--args={number}",), (f"--block={here}",), (f"-o{here}",), ("--install",))
            )
            return Typed(verb, ("insert", f"--base={here}", *at, *more), tries=True)
        case "transplant":
            return Typed(
                verb, ("transplant", f"--model={here}", *chance.choice(((), (f"-o{here}",)))), (here,), tries=True
            )
        case _:
            return Typed(verb, (verb,))


def _about_a_checkpoint(chance: random.Random) -> Typed:
    """Return what can be done with the checkpoint of this folder; most often it is only read."""
    trust = ("--trust",) if chance.random() < 0.1 else ()
    return chance.choices(
        (
            Typed(READ, (READ,)),
            Typed("verify", ("verify", "--quick", *trust), ("m.pt",), tries=True),
            Typed("transplant", ("transplant", "--model=yolov8_A2.yaml", *trust), ("m.pt",), tries=True),
            Typed("insert", ("insert", "--base=m.pt", "--at=P3", *trust)),
            Typed("verify", ("verify", "--base=m.pt"), ("m.yaml",)),
            Typed("transplant", ("transplant", "--model=m.pt"), ("m.pt",)),
            Typed("transplant", ("transplant", "--model=m.yaml", "--from-state-dict", "--base=m.pt"), ("m.pt",)),
            Typed("status", ("status",)),
        ),
        (60, 3, 3, 3, 1, 1, 1, 1),
    )[0]
