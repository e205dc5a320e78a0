"""The checks, a file each, under the name that a verdict gives it."""
