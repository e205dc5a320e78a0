"""What torch holds for all models of a process, and which nothing that is imported or built may change."""

from __future__ import annotations

from types import TracebackType
from typing import Any, List, Optional, Tuple, Type

import torch


class Shared:
    """Watches what torch holds for all models while others' code runs, and puts it back.

    Attributes:
        changed: What the code changed, in words, once it has run; empty if nothing.
    """

    def __enter__(self) -> Shared:
        """Remember what stands there."""
        self.changed = ""
        self._before = _state()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        """Put it back, and note what is another."""
        number, device, gradients = (now for _, now in _state())
        told = [text.format(now) for (text, now), (_, old) in zip(_state(), self._before) if now != old]
        self.changed = " and ".join(told)
        if number != self._before[0][1]:
            torch.set_default_dtype(self._before[0][1])
        if device != self._before[1][1]:
            torch.set_default_device(self._before[1][1])
        if gradients != self._before[2][1]:
            torch.set_grad_enabled(self._before[2][1])


def _state() -> List[Tuple[str, Any]]:
    """Return what is shared, each with how to say it."""
    device = torch.get_default_device() if hasattr(torch, "get_default_device") else None  # from torch 2.3 on
    switched = "on" if torch.is_grad_enabled() else "off"
    return [
        ("makes {} the default type of torch, for all models", torch.get_default_dtype()),
        ("makes {} the default device of torch, for all models", device),
        ("turns gradients {}, for all models".format(switched), torch.is_grad_enabled()),
    ]
