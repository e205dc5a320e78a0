"""End this process when the one that asked for it is gone, however that one ended."""

from __future__ import annotations

import os
import stat
import threading


def end_with_parent() -> None:
    """Watch the standard input, where that is a pipe: nothing comes out of it, and it ends with its other end.

    The other end is in the process that asked for this one, and in no other. Nobody has to look again and again whether
    that process is still there, and no number of a process can be mistaken for another's.
    """

    def listen() -> None:
        os.read(0, 1)  # not through sys.stdin, whose lock would be held when the interpreter ends
        os._exit(1)

    try:
        piped = stat.S_ISFIFO(os.fstat(0).st_mode)
    except OSError:  # there is no standard input
        return
    if piped:
        threading.Thread(target=listen, daemon=True).start()
