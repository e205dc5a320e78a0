"""Every message comes out of its line as it went in, and what is no message is refused."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from a2patch.protocol import (
    Check,
    Cost,
    Event,
    FiguresRequest,
    InsertedModel,
    InsertRequest,
    MeasureRequest,
    Message,
    ModelRow,
    PrepareRequest,
    ProtocolError,
    TrainRequest,
    TransplantRequest,
    TrialRequest,
    VerifyRequest,
    decode,
    encode,
)

COMPARE = (PrepareRequest, TrainRequest, MeasureRequest)
REQUESTS = (VerifyRequest, InsertRequest, FiguresRequest, TransplantRequest, TrialRequest, *COMPARE)
KINDS = (*REQUESTS, *get_args(Event))
SAMPLES: dict[Any, Any] = {str: "lone \udcff, ü\n", int: 7, float: 0.5, bool: True, Any: [-1, 6], type(None): None}


def sample(hint: Any, *, absent: bool) -> Any:
    """A value of a type; None and empty tuples where they may be, if they are to be absent."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return make(hint, absent=absent)
    if origin is tuple and inner[-1] is Ellipsis:
        return () if absent else (sample(inner[0], absent=False), sample(inner[0], absent=True))
    if origin is tuple:
        return tuple(sample(part, absent=absent) for part in inner)
    if origin is list:
        return [0.25, True, None, "nearest"]
    if origin is Union:
        return sample(inner[-1 if absent else 0], absent=absent)
    return inner[-1] if origin is Literal else SAMPLES[hint]


def make(kind: Any, *, absent: bool) -> Any:
    hints = get_type_hints(kind)
    return kind(**{field.name: sample(hints[field.name], absent=absent) for field in fields(kind)})


@pytest.mark.parametrize("absent", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.__name__))
def test_a_message_survives(kind: Any, absent: bool) -> None:
    message: Message = make(kind, absent=absent)
    line = encode(message)
    assert line.isascii()
    assert "\n" not in line
    again = decode(line)
    assert type(again) is kind
    assert again == message
    assert encode(again) == line


def test_not_a_number_survives() -> None:
    found = decode(encode(Cost("a.yaml", "n", 1, 2, 3, float("inf"))))
    assert isinstance(found, Cost)
    assert found.gflops == float("inf")


def test_the_bytes_of_a_model_file_survive() -> None:
    content = "# Stärke\r\n".encode("gbk", "replace") + b"\xff\r\nnc: 80"
    rows = (ModelRow(0, [-1, 6], 1, "Concat", [1], False),)
    found = decode(encode(InsertedModel("a.yaml", content.decode("utf-8", "surrogateescape"), (), rows)))
    assert isinstance(found, InsertedModel)
    assert found.content == content


NAME, FIELDS = json.loads(encode(Check("build", "pass")))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Traceback (most recent call last):",
        "{}",
        json.dumps([FIELDS]),
        json.dumps(["Checked", FIELDS]),
        json.dumps([[NAME], FIELDS]),
        json.dumps([NAME, {**FIELDS, "result": "passed"}]),
        json.dumps([NAME, {**FIELDS, "colour": "green"}]),
        json.dumps([NAME, {"name": "build"}]),
    ],
    ids=[
        "nothing",
        "a log",
        "an object",
        "no class",
        "unknown",
        "odd",
        "no such result",
        "a newer field",
        "a field less",
    ],
)
def test_what_is_no_message_is_refused(line: str) -> None:
    with pytest.raises(ProtocolError, match="is no message"):
        decode(line)
