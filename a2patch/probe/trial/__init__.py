"""Tries the classes of a module file that is not in the tree yet: how does a row that names each have to be read?

Imports `events` and `runtime`.
"""
