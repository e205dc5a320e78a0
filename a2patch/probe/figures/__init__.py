"""The pictures of a report that are drawn where torch is.

They import `checks`, `models`, `events`, and `a2patch.graph`.
"""
