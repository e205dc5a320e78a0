"""One message as one line of JSON, and back.

A line is a list of two: the name of the message's class, and its fields by name. What a field may hold is read from its
annotation, so a message needs no code of its own. The annotations are evaluated, on Python 3.8 too: they say
`Tuple[int, ...]` and `Optional[float]`, since `tuple[int, ...]` and `float | None` fail there.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any, Dict, Literal, Union, get_args, get_origin, get_type_hints

from a2patch.protocol.compare import MeasureRequest, PrepareRequest, TrainRequest
from a2patch.protocol.events import Event
from a2patch.protocol.requests import (
    FiguresRequest,
    InsertRequest,
    Request,
    TransplantRequest,
    TrialRequest,
    VerifyRequest,
)

Message = Union[Request, Event]
"""Everything that can be sent."""

_COMPARE = (PrepareRequest, TrainRequest, MeasureRequest)
_REQUESTS = (VerifyRequest, InsertRequest, FiguresRequest, TransplantRequest, TrialRequest, *_COMPARE)
_CLASSES: Dict[str, Any] = {kind.__name__: kind for kind in (*_REQUESTS, *get_args(Event))}


class ProtocolError(ValueError):
    """A line is no message. Both sides are of one and the same a2patch, so this is a fault of ours."""


def encode(message: Message) -> str:
    """Return a message as one line of JSON, without its newline.

    Args:
        message: The message; its fields hold only what JSON can say.
    """
    return json.dumps([type(message).__name__, asdict(message)])


def decode(line: str) -> Message:
    """Return the message that a line holds.

    Args:
        line: What `encode` made.

    Returns:
        The message, whose class the caller tells by `isinstance`.

    Raises:
        ProtocolError: The line is no JSON, names no class of a message, or its fields are not those of the class.
    """
    try:
        name, found = json.loads(line)
        message: Message = _built(_CLASSES[name], found)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ProtocolError("{!r} is no message: {!r}".format(line[:200], error)) from error
    return message


def _built(kind: Any, found: Dict[str, Any]) -> Any:
    """Return an object of a class, its fields read from what JSON gave."""
    hints = _hints(kind)
    return kind(**{name: _value(hints[name], value) for name, value in found.items()})


@lru_cache(maxsize=None)
def _hints(kind: Any) -> Dict[str, Any]:
    """Return the types of the fields of a class, by name."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _value(hint: Any, value: Any) -> Any:
    """Return a value as its type asks for it: JSON knows neither dataclasses nor tuples."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return _built(hint, value)
    if origin is tuple:
        each = repeat(inner[0]) if inner[-1] is Ellipsis else inner
        return tuple(_value(part, item) for part, item in zip(each, value))
    if origin is Union and inner[1:] == (type(None),) and value is not None:
        return _value(inner[0], value)
    if origin is Literal and value not in inner:
        raise ValueError("{!r} is none of {}".format(value, inner))
    return value
