"""Where the probe runs: its sandbox, how checkpoints are loaded, and what differs between releases and libraries.

Nothing else of the probe is imported here.
"""
