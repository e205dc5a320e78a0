"""The models that are tried: the catalog of the tree, those of the user, and how to build, count and describe them.

They import `runtime`, `events`, and `a2patch.graph`.
"""
