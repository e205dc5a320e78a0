"""The checks, one file for each, under the name that a verdict gives it.

They import `models`, `runtime`, `events`, and `a2patch.graph`.
"""
