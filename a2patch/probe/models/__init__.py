"""The models that are tried: found, read, built and counted."""
