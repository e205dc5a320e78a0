"""A model YAML as a graph: read, compared, checked and edited as text.

The host and the probe use it, so it is Python 3.8 and needs neither torch nor yaml. Imports nothing else of ours.
"""
