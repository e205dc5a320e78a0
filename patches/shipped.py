"""Note what the models of the releases are, so that a file which a user wrote or rewired is never taken for one.

    python -m patches.shipped [--cache FOLDER] [RELEASE …]

Writes `a2patch/graph/shipped.py`: a fingerprint for every wiring that any release shipped in a model file.
"""

from __future__ import annotations

import argparse
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import yaml

from a2patch.graph import GraphError, fingerprint, read
from a2patch.graph.names import FOLDERS
from a2patch.tree import PACKAGE
from patches import releases

PLACE = Path(__file__).resolve().parent.parent / "a2patch" / "graph" / "shipped.py"
HEADER = '''"""How the models of the releases are wired, by fingerprint; written by `python -m patches.shipped`."""

SHIPPED = frozenset(
    """
{}
""".split()  # noqa: SIM905 (a list of a name a line is no better to read)
)
'''
IN_A_LINE = 8


def main() -> None:
    """Read the arguments, look at each release, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=releases.cache(os.environ), help="where released wheels are kept")
    parser.add_argument("releases", nargs="*", help="the releases; every one of the registry if none is named")
    arguments = parser.parse_args()
    wanted = arguments.releases or releases.published()
    found = sorted({mark for release in wanted for mark in fingerprints(releases.wheel(release, arguments.cache))})
    lines = [" ".join(found[at : at + IN_A_LINE]) for at in range(0, len(found), IN_A_LINE)]
    PLACE.write_text(HEADER.format("\n".join(lines)), "utf-8")
    print(f"{len(found)} wirings in {len(wanted)} releases")


def fingerprints(wheel: Path) -> Iterator[str]:
    """Yield the fingerprints of the models of a release."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".yaml") and name.startswith(tuple(f"{PACKAGE}/{folder}/" for folder in FOLDERS)):
                try:
                    graph = read(yaml.load(archive.read(name), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
                except (GraphError, yaml.YAMLError):  # no model, as those of trackers and data sets are none
                    continue
                yield fingerprint(graph)


if __name__ == "__main__":
    main()
