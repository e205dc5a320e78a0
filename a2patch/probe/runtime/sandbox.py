"""Where the probe runs: offline, with settings of its own, and with the tree first in line to be imported."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from a2patch.probe.runtime.alias import imports_itself, install
from a2patch.probe.runtime.compat import tools


def go_offline() -> None:
    """Refuse every connection to another machine, at once.

    Releases before 8.1.39 know no setting for this; without it they wait for name servers, look for updates, fetch
    fonts and report events. The local sockets that multiprocessing uses are let through.
    """

    def refuse(event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(args[1], tuple) and not _local(args[1][0]):
            raise ConnectionRefusedError("a2patch verify works offline")
        if event == "socket.getaddrinfo" and not _local(args[0]):
            raise OSError("a2patch verify works offline")

    sys.addaudithook(refuse)


def _local(host: object) -> bool:
    """Return whether a host is this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    return name == "localhost" or name == "::1" or name.startswith("127.")


def put_in_line(package: Path, scratch: Path) -> str:
    """Let `import ultralytics` find the tree as it would for somebody who works in it.

    A tree that is already on the module search path is left where it is, so that whatever stands before it there is
    found out; a checkout is put first, as running a script in its root does. A tree of another name is found by both.

    Returns:
        What was put on the path, empty if nothing was.
    """
    for entry in sys.path:
        if Path(entry, "ultralytics").resolve() == package:
            return ""
    parent = package.parent
    if package.name != "ultralytics" and imports_itself(package):
        install(package.name)
        if str(parent) in sys.path:
            return ""
    elif package.name != "ultralytics":
        parent = scratch / "link"
        parent.mkdir()
        (parent / "ultralytics").symlink_to(package, target_is_directory=True)
    sys.path.insert(0, str(parent))
    return str(parent)


def apply_settings() -> None:
    """Switch off what ultralytics does besides computing; its settings lie in a temporary folder by now."""
    settings = tools("utils").SETTINGS
    settings.update({key: False for key, value in settings.items() if isinstance(value, bool)})
    _lay_font()


def _lay_font() -> None:
    """Put a font where ultralytics looks for Arial before it downloads it; matplotlib ships one."""
    found = find_spec("matplotlib")  # importing it takes longer than all the rest here
    if not found or not found.origin:
        return
    source = Path(found.origin).parent.joinpath("mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
    try:
        for name in ("Arial.ttf", "Arial.Unicode.ttf"):
            shutil.copyfile(source, Path(tools("utils").USER_CONFIG_DIR, name))
    except OSError as error:  # only spares some releases a download that is refused anyway
        print("no font laid out:", error)
