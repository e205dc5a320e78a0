"""Finds a tree and reads it: the package on disk, the environments that import it, the repository around it.

Imports `errors` only.
"""
