"""What a check found, in Chinese: every message of ours by its template, and whatever is not ours as it is.

Checks speak English, in a terminal and in JSON alike. A catalogue maps the template of each of their messages to a
Chinese one; a message is led back to its template, and the names and figures in it are taken over.
"""

from a2patch.report.zh.reading import CATALOGUE, in_chinese

__all__ = ["CATALOGUE", "in_chinese"]
