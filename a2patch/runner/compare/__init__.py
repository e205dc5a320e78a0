"""Compares models by training each several times on its user's own data: plan, runs, and what came out.

Pure are `statistics` and `results`; `folder` keeps all of it on disk, `queue` has the runs made.
"""
