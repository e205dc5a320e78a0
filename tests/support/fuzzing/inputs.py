"""One thing to try, made from its number: what is spoiled, and what is typed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.fuzzing.checkpoints import spoiled_checkpoint
from tests.support.fuzzing.environments import odd_variables, spoiled_environment
from tests.support.fuzzing.mutation import spoiled, spoiled_document
from tests.support.fuzzing.typed import ODD, Typed, typed
from tests.support.fuzzing.world import ENVIRONMENT, JOURNAL, OURS, PYTHON, RECEIPT, SITE, SITES, SPECIAL, World

KINDS = {"tree": 8, "environment": 5, "checkpoint": 6, "path": 2}
"""What an input spoils, and how often."""
OUTSIDE = 500
"""One in so many goes through a process of its own."""
CHECKPOINT = "here/m.pt"

Files = Mapping[str, "bytes | str"]


@dataclass(frozen=True)
class Input:
    """One thing to try.

    Attributes:
        number: What it is made from.
        kind: What is spoiled, of `KINDS`.
        start: The state that it begins with.
        files: What is put in place of files of that state: bytes, or one of `SPECIAL`.
        command: What is typed.
        variables: The environment variables that are set; those with None are not.
        folder: The current folder; it is deleted first where it is empty.
    """

    number: int
    kind: str
    start: str
    files: Files
    command: Typed
    variables: Mapping[str, str | None]
    folder: str

    @property
    def is_outside(self) -> bool:
        """Whether it goes through a process of its own, which these variables let begin."""
        return self.number % OUTSIDE == 0 and {"PYTHONHOME", "PATH", "PYTHONIOENCODING"}.isdisjoint(self.variables)

    def __str__(self) -> str:
        typed = f"{self.command.arguments} in {self.folder or 'a deleted folder'}"
        return f"{self.kind}, {self.start}, {list(self.files)}, {typed}, {dict(self.variables)}"[:1500]


def made(number: int, world: World, sound: Mapping[str, bytes]) -> Input:
    """Make an input from its number.

    Args:
        number: The number.
        world: Where it is tried.
        sound: Checkpoints to spoil, by their formats.
    """
    chance = random.Random(number)
    kind = chance.choices([*KINDS], [*KINDS.values()])[0]
    start = chance.choice(sorted(world.states))
    place = str(world.root / chance.choice(_places(world.tree(start))))
    variables: dict[str, str | None] = {}
    files: Files = {}
    folder = "here"
    command = typed(kind, chance)
    match kind:
        case "tree":
            files = dict(_spoiled_tree(world, start, chance))
        case "environment":
            files = dict(spoiled_environment(world.root, world.states[start], chance))
            place = str(world.root / ENVIRONMENT) if chance.random() < 0.6 else place
            if not files or chance.random() < 0.5:
                variables = odd_variables(world.root, chance)
                files = files if chance.random() < 0.6 else {}
        case "checkpoint":
            files = {CHECKPOINT: spoiled_checkpoint(sound, world.canary, chance)}
        case _:
            place = _odd_place(world, place, chance)
            folder = chance.choice(("here", "", world.tree(start), "outside", f"{ENVIRONMENT}/bin"))
    asked = ["--json"] if chance.random() < 0.9 else []
    named = command.tries and (kind != "environment" or chance.random() < 0.4)
    asked += ["--python", str(world.root / PYTHON)] if named else []
    asked += ["--ultralytics-path", place.replace("\0", "0")]  # which no system lets through
    return Input(number, kind, start, files, command.with_options(asked), variables, folder)


def _places(tree: str) -> tuple[str, ...]:
    """Return what a tree can be named by."""
    return tree, tree.rpartition("/")[0], ENVIRONMENT, SITE


def _odd_place(world: World, place: str, chance: random.Random) -> str:
    odd = chance.choice(ODD)
    misspelled = f"{world.root}/{spoiled(b'site-packages', chance)[:200].decode('latin-1')}"
    return chance.choice((place, odd, f"{place}/{odd}", f"{world.root}/{odd}", misspelled))


def _spoiled_tree(world: World, start: str, chance: random.Random) -> Iterator[tuple[str, bytes | str]]:
    """Yield files to put in place of those of a tree, and what lies around them."""
    before, tree = world.states[start], world.tree(start)

    def there(*paths: str) -> list[str]:
        return [path for path in (f"{tree}/{each}" for each in paths) if path in before]

    documents = there(RECEIPT, JOURNAL)
    records = [path for path in before if path.endswith("/RECORD")]
    repository = f"{tree.rpartition('/')[0]}/.git"
    git = [path for path in before if path.startswith(f"{repository}/") and before[path][0] != "d"] or [repository]
    others = ["here/m.yaml", repository, chance.choice(git), chance.choice(git)]
    others += [f"{tree}/{name}" for name in (".a2patch", ".a2patch/.gitignore", ".a2patch/lock", "nn/modules")]
    groups = [there(*SITES)] * 2 + [group for group in (documents, documents, records, there(*OURS), others) if group]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        path = chance.choice(chance.choice(groups))
        kind, content = before.get(path, ("-", b""))
        if chance.random() < 0.12 or kind == "d":
            yield path, chance.choice(SPECIAL)
        elif path in documents and chance.random() < 0.7:
            yield path, spoiled_document(content, chance)
        else:
            yield path, spoiled(content, chance)
