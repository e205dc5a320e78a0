"""Asks the probe, under the tree's own interpreter, and judges what it said.

Imports from `transaction` downward, `graph` and `protocol`; never torch or ultralytics.
"""
