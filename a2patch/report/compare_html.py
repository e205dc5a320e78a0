"""Placeholder."""

from a2patch.runner import compare as runner


def page(found: runner.Comparison) -> str:
    """Return the page."""
    return ""
