"""Changes a tree wholly or not at all, and keeps the receipt of what was changed.

Imports from `patch` downward.
"""
