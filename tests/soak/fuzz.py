"""Feed spoiled files, environments and arguments to every verb: each has a clear ending, and nothing is torn.

    python -m tests.soak.fuzz [--minutes N] [--inputs N] [--seed N] [--jobs N]

Every input has a number of its own, from which it is made; `--seed N --inputs 1` tries one again. What must hold of
each: an exit code from 0 to 4, one document, no exception, an end within seconds; no byte outside the tree, the tree as
it was wherever a command refuses or only looks, and as it was before once a patch is taken out again. Exit code 5, an
error of ours, counts as a fault. Needs a POSIX system. No model is built: where one would be, the interpreter is a
script whose probe dies.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from a2patch.patch import validate
from patches import releases
from tests.soak.faults import fast
from tests.support.command import Answer
from tests.support.inside import inside
from tests.support.fuzzing.mutation import spoiled, spoiled_document
from tests.support.fuzzing.world import JOURNAL, OURS, RECEIPT, SITES, SPECIAL, TREE, State, World, put, restore, state

SECONDS = 20  # for one command; on a busy machine the slowest takes three


class TooLongError(BaseException):
    """A command has not come to its end in time."""


@dataclass
class Score:
    """What came out."""

    codes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Input:
    """One thing to try.

    Attributes:
        number: What it is made from.
        start: The state that it begins with.
        files: What is put in place of files of that state: bytes, or one of `SPECIAL`.
        arguments: What is typed.
        variables: The environment variables that are set.
    """

    number: int
    start: str
    files: Mapping[str, bytes | str]
    arguments: tuple[str, ...]
    variables: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.start}, {list(self.files)}, {self.arguments}, {dict(self.variables)}"[:1500]


VERBS = ("status", "apply", "revert", "diff", "recover", "dry run", "verify", "insert", "transplant")
_ODD = (
    "",
    ".",
    "..",
    "/",
    "-",
    "--",
    "~nosuchuser",
    "n" * 300,
    "a/" * 2000,
    "\n",
    "\t",
    "\x1b[31m",
    "\udcff",
    "*",
    "$(x)",
)


def made(number: int, world: World) -> Input:
    """Make an input from its number."""
    chance = random.Random(number)
    start = chance.choice(sorted(world.states))
    verb = chance.choices(VERBS, (4, 4, 4, 2, 1, 2, 1, 1, 1))[0]
    files = dict(_spoiled_files(world.states[start], chance)) if chance.random() < 0.9 else {}
    variables = {}
    if chance.random() < 0.1:
        name = chance.choice(("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PATH", "TMPDIR", "HOME", "XDG_CACHE_HOME"))
        variables[name] = chance.choice(
            (*(odd for odd in _ODD if "\x00" not in odd), str(world.root / "env"), "/nonexistent")
        )
    path = str(world.root / chance.choice((TREE, "site-packages", "env", "env/lib/python3.11/site-packages")))
    if chance.random() < 0.1:
        path = chance.choice(
            (
                *_ODD,
                f"{path}/{chance.choice(_ODD)}",
                f"{world.root}/{spoiled(b'site-packages', chance)[:200].decode('latin-1')}",
            )
        )
    path = path.replace("\0", "0")  # which no system lets through
    typed = _typed(verb, chance)
    tries = typed[0] in ("verify", "insert", "transplant") or "--no-derive" in typed
    python = ("--python", str(world.root / "env/bin/python3")) if tries else ()
    arguments = (*typed, "--json", *python, "--ultralytics-path", path)
    return Input(number, start, files, arguments, variables)


def _spoiled_files(before: State, chance: random.Random) -> Iterator[tuple[str, bytes | str]]:
    """Yield files to put in place of those of a state."""
    documents = [path for path in (RECEIPT, JOURNAL) if path in before]
    records = [path for path in before if path.endswith("/RECORD")]
    ours = [path for path in OURS if path in before]
    others = ["env/pyvenv.cfg", "env/lib/python3.11/site-packages/x.pth", "here/m.yaml", "site-packages/.git"]
    others += [f"{TREE}/.a2patch", f"{TREE}/.a2patch/.gitignore", f"{TREE}/.a2patch/lock", f"{TREE}/nn/modules"]
    groups = [group for group in (SITES, SITES, documents, documents, records, ours, others) if group]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(chance.choice(groups))
        kind, content = before.get(path, ("-", b""))
        if chance.random() < 0.12 or kind == "d":
            yield path, chance.choice(SPECIAL)
        elif path in documents and chance.random() < 0.7:
            yield path, spoiled_document(content, chance)
        else:
            yield path, spoiled(content, chance)


def _typed(verb: str, chance: random.Random) -> tuple[str, ...]:
    """Return a verb and options of it."""
    here = chance.choice(("m.yaml", "m.pt", "none.yaml", "yolov8", "yolov8.yaml", *_ODD))
    number = chance.choice(
        ("1", "0", "-1", "0.5", "nan", "1e400", "9" * 5000, "64,16", "64,1", "(" * 150, "x", "'a'", "")
    )
    match verb:
        case "apply":
            return ("apply", "--no-verify") if chance.random() < 0.9 else ("apply", "--no-derive")
        case "dry run":
            return "apply", "--dry-run"
        case "revert":
            return ("revert", "--force") if chance.random() < 0.4 else ("revert",)
        case "verify":
            return "verify", *chance.choice(((), ("--quick",), (here,), (here, "--scale", "s"), ("--report", here)))
        case "insert":
            at = chance.choice(
                (("--at", "P3"), ("--each",), ("--at", f"after:{number}"), ("--remove",), ("--at", here))
            )
            more = chance.choice(
                ((), ("--e", number), ("--args", number), ("--block", here), ("-o", here), ("--install",))
            )
            return "insert", f"--base={here}", *at, *more
        case "transplant":
            return "transplant", "--model", here, *chance.choice(((), ("-o", here))), "--", here
        case _:
            return (verb,)


def tried(given: Input, world: World) -> tuple[str, list[str]]:
    """Try an input; return what it came to, and what is wrong with that."""
    now = state(world.root)
    restore(world.root, world.states[given.start], now)
    for path, content in given.files.items():
        put(world.root, path, content)
    before = state(world.root)
    arguments = [*given.arguments]
    if "--" in arguments[1:2] or arguments[0] == "transplant":  # its argument comes last
        rest = arguments[arguments.index("--") :]
        arguments = arguments[: arguments.index("--")] + rest[2:] + rest[:2]
    faults: list[str] = []
    answer = _answer(arguments, given, faults)
    if answer is None:
        return "none", faults
    faults += _judged(answer, before, state(world.root), given)
    if not faults and given.arguments[0] == "apply" and answer.code == 0 and given.start.startswith("pristine"):
        faults += _taken_back(given, before, world)
    return f"{given.arguments[0]} {answer.code}", faults


def _answer(arguments: Sequence[str], given: Input, faults: list[str]) -> Answer | None:
    """Run a command in this process, within its time."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise TooLongError("".join(traceback.format_stack(frame)[-6:]))

    signal.signal(signal.SIGALRM, give_up)
    kept = dict(os.environ)
    os.environ.update(given.variables)
    tempfile.tempdir = None
    signal.alarm(SECONDS)
    try:
        return inside(*arguments)
    except TooLongError as error:
        faults.append(f"no end within {SECONDS} s:\n{error}")
    except BaseException:
        faults.append(f"an exception came through:\n{traceback.format_exc()[-2000:]}")
    finally:
        signal.alarm(0)
        os.environ.clear()
        os.environ.update(kept)
        os.chdir(_HERE)
    return None


_HERE = ""


def _judged(answer: Answer, before: State, after: State, given: Input) -> list[str]:
    """Return what is wrong with an answer, and with what became of the files."""
    if answer.code not in range(5):
        details = _details(answer)
        return [f"exit code {answer.code}\n{answer.out[-600:]}{answer.err[-600:]}{details}"]
    try:
        document = json.loads(answer.out)
    except ValueError:
        return [f"no document, but {answer.out[:300]!r}\n{answer.err[-600:]}"]
    faults = []
    if document["exit_code"] != answer.code or document["ok"] != (answer.code == 0):
        faults.append("the document names another exit code")
    if "Traceback" in answer.err:
        faults.append(f"a traceback:\n{answer.err[-2000:]}")
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    allowed = [f"{TREE}/", "site-packages/ultralytics-"]
    if given.arguments[0] == "insert" or not {"--report", "--force"}.isdisjoint(given.arguments):
        allowed.append("here/")
        changed -= {path for path in changed if path.startswith("here/") and path not in before}
    if outside := [path for path in changed if not path.startswith(tuple(allowed))]:
        faults.append(f"changed outside the tree: {outside[:5]}")
    looks = given.arguments[0] in ("status", "diff", "verify", "transplant") or "--dry-run" in given.arguments
    if changed and not document.get("recovered") and (looks or answer.code) and not _recovers(given, before):
        faults.append(f"exit code {answer.code}, and yet changed: {sorted(changed)[:5]}")
    return faults


def _recovers(given: Input, before: State) -> bool:
    """Whether a command may find what it takes for the rest of a dead one, and clear it away."""
    return given.start.startswith("interrupted") or JOURNAL in before or f"{TREE}/.a2patch/lock" in before


def _details(answer: Answer) -> str:
    """Return the end of what an error of ours left in its file."""
    try:
        return Path(json.loads(answer.out)["error"]["path"]).read_text()[-2500:]
    except (ValueError, KeyError, TypeError, OSError):
        return ""


def _taken_back(given: Input, before: State, world: World) -> list[str]:
    """Take a patch out again, and return what is not as it was."""
    if "--dry-run" in given.arguments:
        return []
    faults: list[str] = []
    path = given.arguments[given.arguments.index("--ultralytics-path") + 1]
    answer = _answer(["revert", "--json", "--ultralytics-path", path], given, faults)
    if answer is None:
        return faults
    after = state(world.root)
    before = {path: entry for path, entry in before.items() if path != f"{TREE}/.a2patch"}  # ours, if it is empty
    changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
    if answer.code or changed:
        return [f"revert {answer.code} leaves {sorted(changed)[:5]}\n{answer.out[-600:]}"]
    return []


def worker(job: int, jobs: int, first: int, inputs: int, give_up: float, base: Path, cache: Path) -> Score:
    """Try every so many inputs, until there are enough or time is up."""
    global _HERE
    folder = base / f"job-{job}"
    folder.joinpath("world").mkdir(parents=True)
    os.environ.update(
        {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "XDG_CACHE_HOME": str(folder / "home")}
    )
    # What is proved of the same bytes once need not be proved again, and nothing need survive the end of power.
    validate.fault = functools.lru_cache(512)(validate.fault)
    os.fsync = lambda handle: None  # type: ignore[assignment]
    world, score = World(folder / "world", cache), Score()
    # Beside the tree, and a folder that is there whatever becomes of the tree.
    _HERE = str(world.root / "here")
    for number in range(first + job, first + inputs, jobs):
        if time.monotonic() > give_up:
            break
        restore(world.root, world.states[min(world.states)], state(world.root))
        os.chdir(_HERE)
        given = made(number, world)
        came, faults = tried(given, world)
        score.codes[came] += 1
        for fault in faults:
            told = f"FAULT: seed {number}: {given}\n{fault}"
            score.faults.append(told)
            print(told, file=sys.stderr, flush=True)
    os.chdir("/")
    left = [place.name for place in folder.joinpath("tmp").iterdir()]
    if left:
        score.faults.append(f"FAULT: left in the folder for temporary files: {left[:5]}")
    return score


def run(*, first: int, inputs: int, seconds: float, jobs: int) -> Score:
    """Try inputs, and return what they came to."""
    give_up, total = time.monotonic() + seconds, Score()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=fast()) as folder:
        base = Path(folder).resolve()
        cache = releases.cache(os.environ)  # before each job gets a home of its own
        asked = [(job, jobs, first, inputs, give_up, base, cache) for job in range(jobs)]
        with multiprocessing.get_context("spawn").Pool(jobs) as pool:
            for score in pool.starmap(worker, asked):
                total.codes.update(score.codes)
                total.faults += score.faults
    return total


def main() -> int:
    """Run everything, print how many inputs came to what, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10, help="when to stop")
    parser.add_argument("--inputs", type=int, default=10**9, help="how many to try at most")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the number of the first")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2, help="how many to try at once")
    asked = parser.parse_args()
    print(f"seeds from {asked.seed}", flush=True)
    total = run(first=asked.seed, inputs=asked.inputs, seconds=asked.minutes * 60, jobs=min(asked.jobs, asked.inputs))
    for came, count in sorted(total.codes.items()):
        print(f"{came:<16} {count:>7}")
    print(f"{sum(total.codes.values())} inputs, {len(total.faults)} faults")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
