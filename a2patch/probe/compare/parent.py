"""End with whoever started this process: a training that nobody waits for any more must not go on."""

from __future__ import annotations

import os
import threading
import time

_SECONDS = 0.5


def end_with(parent: int) -> None:
    """Watch a process, the parent of this one, and end this one as soon as it is gone.

    Where systems never give a process another parent, which is on Windows, nothing is watched.

    Args:
        parent: Its number.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_SECONDS)
        os._exit(1)  # nothing is to be tidied up: what is kept is whole at any moment

    if os.name != "nt":
        threading.Thread(target=watch, daemon=True).start()
