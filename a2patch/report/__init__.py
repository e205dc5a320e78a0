"""A result as text for a terminal, as a JSON document, and as one HTML page.

Imports from `runner` downward, and `graph`; nothing here prints or writes into a tree.
"""
