"""Model files with one change made at random, and what was changed, worked out without the product's own code."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Model = dict[str, Any]
Row = list[Any]


@dataclass
class Mutant:
    """A changed model file.

    Attributes:
        change: What kind of change it is.
        file: What to call the file.
        content: The file.
        rows: The rows that were changed, or that read another layer than they did.
        words: Words one of which a right reason has, besides the number of such a row.
        sound: Whether only its form was changed.
    """

    change: str
    file: str
    content: bytes = b""
    rows: set[int] = field(default_factory=set)
    words: tuple[str, ...] = ()
    sound: bool = False


def mutant(name: str, stock: Model, rng: random.Random) -> Mutant:
    """Make a changed file of a stock model."""
    model = deepcopy(stock)
    scales = model.get("scales")
    if scales:  # one scale is enough, and it is the smallest
        model["scales"] = {"n": scales["n"]}
    change = rng.choice(list(CHANGES))
    made = Mutant(change, scaled(name))
    CHANGES[change](model, made, rng)
    made.content = made.content or written(model, rng)
    return made


def scaled(name: str) -> str:
    """Return a name that asks for the smallest scale."""
    head, dash, rest = name.removesuffix(".yaml").partition("-")
    return f"{head if head[-1] in 'nt' else head + 'n'}{dash}{rest}-mine.yaml"


def rows_of(model: Model) -> list[Row]:
    """Return the rows of a model, those of the backbone first; they are those of the model, not copies."""
    return [*model["backbone"], *model["head"]]


def sources(row: Row, place: int) -> list[int]:
    """Return what a row reads, as absolute indices; -1 for the image."""
    raw = row[0] if isinstance(row[0], list) else [row[0]]
    return [place + s if s < 0 else s for s in raw]


def rewired(model: Model, before: list[list[int]], now: list[int | None]) -> set[int]:
    """Return the rows that read another layer than they did.

    Args:
        model: The changed model.
        before: What each row of the stock model reads.
        now: For each row of the changed model, which one of the stock model it is; None for one that was put in.
    """
    rows = rows_of(model)

    def meant(place: int) -> int | None:
        while place >= 0 and now[place] is None:  # what was put in stands for what it reads
            place = sources(rows[place], place)[0]
        return now[place] if place >= 0 else -1

    found = set()
    for place, row in enumerate(rows):
        was = now[place]
        reads = sources(row, place)
        if was is not None and (max(reads) >= place or [meant(s) for s in reads] != before[was]):
            found.add(place)
    return found


def _reads(model: Model) -> list[list[int]]:
    return [sources(row, place) for place, row in enumerate(rows_of(model))]


def index_off_by_one(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.choice([i for i, row in enumerate(rows) if isinstance(row[0], list)] or [len(rows) - 1])
    if not isinstance(rows[place][0], list):
        rows[place][0] = [rows[place][0]]
    at = rng.randrange(len(rows[place][0]))
    rows[place][0][at] += rng.choice([-1, 1]) if rows[place][0][at] >= 0 else -1
    made.rows = {place}
    made.words = _neighbours(model, place)


def _neighbours(model: Model, place: int) -> tuple[str, ...]:
    """What a wrong index does is also seen where the layer is read that nobody reads now."""
    return ("nothing reads",)


def row_put_in(model: Model, made: Mutant, rng: random.Random) -> None:
    before = _reads(model)
    part = rng.choice([part for part in ("backbone", "head") if len(model[part]) > 3])
    at = rng.randrange(1, len(model[part]))
    place = at + (len(model["backbone"]) if part == "head" else 0)
    model[part].insert(at, [-1, 1, "DoubleAttentionBlock", [0.25]])
    now: list[int | None] = [*range(place), None, *range(place, len(before))]
    made.rows = rewired(model, before, now)
    made.words = ("nothing reads",)


def row_left_out(model: Model, made: Mutant, rng: random.Random) -> None:
    before = _reads(model)
    part = rng.choice([part for part in ("backbone", "head") if len(model[part]) > 3])
    at = rng.randrange(1, len(model[part]) - 1)
    place = at + (len(model["backbone"]) if part == "head" else 0)
    del model[part][at]
    now: list[int | None] = [*range(place), *range(place + 1, len(before))]
    made.rows = rewired(model, before, now) | {place}
    made.words = ("nothing reads",)


def rows_swapped(model: Model, made: Mutant, rng: random.Random) -> None:
    part = rng.choice([part for part in ("backbone", "head") if len(model[part]) > 3])
    at = rng.randrange(len(model[part]) - 2)
    place = at + (len(model["backbone"]) if part == "head" else 0)
    before = _reads(model)
    rows = model[part]
    if rows[at] == rows[at + 1]:
        made.sound = True
        return
    rows[at], rows[at + 1] = rows[at + 1], rows[at]
    now: list[int | None] = [*range(len(before))]
    now[place], now[place + 1] = place + 1, place
    made.rows = rewired(model, before, now) | {place, place + 1}
    made.words = ("nothing reads", "strides")


def head_in_another_order(model: Model, made: Mutant, rng: random.Random) -> None:
    row = rows_of(model)[-1]
    if not isinstance(row[0], list) or len(row[0]) < 2:
        made.sound = True
        return
    row[0] = [row[0][1], row[0][0], *row[0][2:]]
    made.rows = {len(rows_of(model)) - 1}
    made.words = ("head",)


def argument_of_another_kind(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    numbered = [i for i, row in enumerate(rows) if row[3] and isinstance(row[3][0], int) and row[2] != "Concat"]
    place = rng.choice(numbered)
    rows[place][3][0] = rng.choice(["wide", None, [1, 2]])
    made.rows = {place}


def too_many_arguments(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.randrange(len(rows))
    rows[place][3] = [*rows[place][3], *[1] * 12]
    made.rows = {place}


def class_misspelt(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.randrange(len(rows))
    rows[place][2] = rows[place][2] + rng.choice(["x", "2Z", "_"])
    made.rows = {place}


def class_of_nobody(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.randrange(1, len(rows) - 1)
    rows[place][2] = rng.choice(["CBAM", "nn.NoSuch", "CoordAttention"])
    made.rows = {place}


def entry_missing(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.randrange(len(rows))
    del rows[place][rng.randrange(4)]
    made.rows = {place}


def repeats_of_another_kind(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.randrange(len(rows))
    rows[place][1] = rng.choice(["three", None, [1]])
    made.rows = {place}


def source_of_another_kind(model: Model, made: Mutant, rng: random.Random) -> None:
    rows = rows_of(model)
    place = rng.randrange(1, len(rows))
    rows[place][0] = rng.choice(["a", None, 99, len(rows), -len(rows) - 5])
    made.rows = {place}


def key_missing(model: Model, made: Mutant, rng: random.Random) -> None:
    key = rng.choice([key for key in model if key in ("nc", "backbone", "head", "kpt_shape")])
    del model[key]
    made.words = (f"`{key}`", f"names {key}", "no list of layers", "there is no such layer")
    made.rows = {0} if key == "backbone" else set()


def scale_cut_short(model: Model, made: Mutant, rng: random.Random) -> None:
    if "scales" not in model:
        made.sound = True
        return
    model["scales"]["n"] = rng.choice([model["scales"]["n"][:2], ["a", 0.25, 1024], 3, [*model["scales"]["n"], 1]])
    made.words = ("scale n", "`scales`", "scale")


def channels_asked_for(model: Model, made: Mutant, rng: random.Random) -> None:
    model["ch"] = rng.choice([1, 4, 6])
    made.words = ("ch:",)


def width_of_a_row(model: Model, made: Mutant, rng: random.Random) -> None:
    """Another width is a design."""
    rows = [
        row for row in rows_of(model) if row[2] in ("Conv", "C2f", "C3", "C3k2", "SPPF") and isinstance(row[3][0], int)
    ]
    rng.choice(rows or [rows_of(model)[0]])[3][0] = rng.choice([96, 160, 320])
    made.sound = bool(rows)


def form(model: Model, made: Mutant, rng: random.Random) -> None:
    made.sound = True


def tab(model: Model, made: Mutant, rng: random.Random) -> None:
    lines = plain(model).split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("  - "))
    lines[at] = "\t" + lines[at].strip()
    made.content = "\n".join(lines).encode()
    made.words = (f"line {at + 1}", "tab")


def utf16(model: Model, made: Mutant, rng: random.Random) -> None:
    made.content = plain(model).encode("utf-16")
    made.words = ("UTF-16",)


CHANGES: dict[str, Callable[[Model, Mutant, random.Random], None]] = {
    "an index off by one": index_off_by_one,
    "a row put in": row_put_in,
    "a row left out": row_left_out,
    "two rows swapped": rows_swapped,
    "the head in another order": head_in_another_order,
    "an argument of another kind": argument_of_another_kind,
    "too many arguments": too_many_arguments,
    "a class misspelt": class_misspelt,
    "a class of nobody": class_of_nobody,
    "an entry missing": entry_missing,
    "repeats of another kind": repeats_of_another_kind,
    "a source of another kind": source_of_another_kind,
    "a key missing": key_missing,
    "a scale cut short": scale_cut_short,
    "channels asked for": channels_asked_for,
    "another width": width_of_a_row,
    "another form": form,
    "a tab": tab,
    "UTF-16": utf16,
}


def written(model: Model, rng: random.Random) -> bytes:
    """Write a model in one of the forms in which people write them."""
    parts = ["backbone", "head"] if rng.random() < 0.8 else ["head", "backbone"]
    quote = rng.choice(["", '"', "'"])
    rows_in = rng.choice(["block", "block", "flow", "json"])
    if rows_in == "json":
        return json.dumps(model, indent=rng.choice([None, 2])).encode()
    lines = [f"# {rng.choice(['mine', 'mein Modell', '模型', chr(7) + 'bell'])}", ""]
    lines += [f"{key}: {json.dumps(value)}" for key, value in model.items() if key not in (*parts, "scales")]
    if "scales" in model:
        lines += ["scales:", *(f"  {scale}: {json.dumps(factors)}" for scale, factors in model["scales"].items())]
    for part in parts:
        if part in model:
            lines += _part(part, model[part], quote, rows_in, rng.random() < 0.5)
    ending = rng.choice(["\n", "\n", "\r\n"])
    text = ending.join([*lines, ""])
    if "模" in text and rng.random() < 0.5:
        return text.encode("gbk")
    return (rng.choice(["", "", "\ufeff"]) + text).encode()


def plain(model: Model) -> str:
    """Write a model with a row a line."""
    parts = [f"{key}: {json.dumps(value)}" for key, value in model.items() if key not in ("backbone", "head")]
    return "\n".join([*parts, *(line for p in ("backbone", "head") for line in _part(p, model[p], "", "block", True))])


def _part(part: str, rows: list[Row], quote: str, rows_in: str, labels: bool) -> list[str]:
    def cell(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(cell, value))}]"
        if isinstance(value, str):
            return f"{quote}{value}{quote}" if value.replace(".", "").replace("_", "").isalnum() else json.dumps(value)
        return json.dumps(value) if not isinstance(value, bool) else str(value)

    if rows_in == "flow":
        return [f"{part}: [", *(f"  {cell(row)}," for row in rows), "]"]
    return [f"{part}:", *(f"  - {cell(row)}" + (f" # {i}" if labels else "") for i, row in enumerate(rows))]
