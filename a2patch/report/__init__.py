"""Shows a result: as text for a terminal, as a JSON document, and as one HTML page.

- Text: `tree`, `verdict`, `costs`, `insert` and `transplant`, each on its subject; `text` lays it out.
- JSON: `json`, all that `--json` prints.
- HTML: `html` makes the page, from `diagram` and `markup`; `html_file` writes it.

Imports from `runner` downward, and `graph`; nothing here prints or writes into a tree.
"""
