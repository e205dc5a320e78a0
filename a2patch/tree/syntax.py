"""Parse Python that others wrote, whatever it is."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable


class NotPythonError(ValueError):
    """This interpreter can't parse it; says why."""


def naming(names: Iterable[str]) -> re.Pattern[bytes]:
    """Return what finds any of some names in the bytes of a file; each may be of other letters than ASCII."""
    return re.compile(rb"(?<![\w\x80-\xff])(?:%s)(?![\w\x80-\xff])" % "|".join(names).encode())


def parse(content: str | bytes) -> ast.Module:
    """Return the syntax tree of a file.

    Raises:
        NotPythonError: This interpreter can't parse it: it is no Python, or nested too deeply.
    """
    try:
        with warnings.catch_warnings():  # of the file's own strings; they are none of our user's business
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except (SyntaxError, ValueError) as error:
        raise NotPythonError(str(error)) from error
    except (RecursionError, MemoryError) as error:
        raise NotPythonError("it is nested too deeply") from error
