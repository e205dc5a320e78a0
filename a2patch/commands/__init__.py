"""The verbs of the command line, a file each, and the options that they share.

Imports from `console` downward; only `cli` imports it.
"""
