"""The pictures of a report, drawn where torch is."""
