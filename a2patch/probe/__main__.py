"""Start the probe without getting in the way of what it tries.

Python puts a folder that it runs first on the module search path, where the probe's files would hide modules of the
same name from the libraries. So this program takes the folder off the path, and loads the a2patch that it is part of as
a package, even where the interpreter has another a2patch installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path

PACKAGE = "a2patch"


def load_package(folder: Path) -> None:
    """Take the folder of the probe off the module search path, and make the package around it importable.

    Args:
        folder: The real path of the folder.
    """
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or os.curdir) != str(folder)]
    home = folder.parent
    spec = importlib.util.spec_from_file_location(PACKAGE, home / "__init__.py", submodule_search_locations=[str(home)])
    if spec is None or spec.loader is None:
        raise ImportError("there is no probe in {}".format(folder))
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load_package(Path(__file__).resolve().parent)
    importlib.import_module(PACKAGE + ".probe.runtime.parent").end_with_parent()
    status = importlib.import_module(PACKAGE + ".probe.roles").main(sys.argv[1])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # nothing is left to do but to free memory piece by piece, which takes a tenth of a second
