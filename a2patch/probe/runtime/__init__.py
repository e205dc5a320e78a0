"""Where the probe runs: its sandbox, and what differs between releases and libraries."""
