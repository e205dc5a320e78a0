"""Parse Python that others wrote, whatever it is."""

from __future__ import annotations

import ast
import warnings


class NotPythonError(ValueError):
    """This interpreter can't parse it; says why."""


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
