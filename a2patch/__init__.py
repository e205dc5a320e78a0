"""Adds Double Attention to an ultralytics tree, proves that it works, and takes it back to the byte."""

__version__ = "0.1.0"
