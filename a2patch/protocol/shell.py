"""Write commands as the shell of their reader takes them: a POSIX shell, or on Windows cmd.exe and PowerShell.

What needs no quotes gets none, so that one line does for both shells of Windows; only a program whose path needs them
wants `& ` before it in PowerShell.
"""

import os
import re
import shlex
from typing import Sequence

_WINDOWS = os.name == "nt"
_PLAIN = re.compile(r"[\w.:/\\+=-]+")  # letters of any language among them; `<`, `&` and `,` mean something
_LIVE = re.compile(r'["$`\\!]')  # what a POSIX shell looks for inside double quotes


def quoted(word: str, windows: bool = _WINDOWS) -> str:
    """Return a word in quotes, as a shell reads it back.

    Args:
        word: The word; perhaps a path with spaces.
        windows: Whether it is for the shells of Windows.
    """
    if windows:  # the program itself takes its line apart: there a backslash counts only before a quote
        word = re.sub(r'(\\*)"', r'\1\1\\"', word)
        return '"{}"'.format(re.sub(r"(\\+)\Z", r"\1\1", word))
    return shlex.quote(word) if _LIVE.search(word) else '"{}"'.format(word)


def command_line(words: Sequence[str], windows: bool = _WINDOWS) -> str:
    """Return a command as it can be typed.

    Args:
        words: The program and its arguments.
        windows: Whether it is for the shells of Windows.
    """
    if not windows:
        return shlex.join(words)
    return " ".join(word if _PLAIN.fullmatch(word) else quoted(word, windows=True) for word in words)
