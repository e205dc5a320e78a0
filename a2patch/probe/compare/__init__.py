"""What a comparison does under the tree's interpreter: makes models ready, trains them, and measures how fast they are.

Imports `models`, `transplant` and `runtime` of the probe.
"""
