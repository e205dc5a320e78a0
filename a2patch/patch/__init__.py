"""Bytes to bytes, pure: diffs, how they fit a tree, what they make of it, and where they come from.

Imports `tree` and `errors`; nothing here writes.
"""
