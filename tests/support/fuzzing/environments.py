"""Environments that are not what they say: settings, interpreters, metadata, links to packages, and variables."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.support.fuzzing.mutation import spoiled
from tests.support.fuzzing.world import ENVIRONMENT, PYTHON, SITE, SPECIAL, State, script

_VARIABLES: Mapping[str, Sequence[str | None]] = {
    "PYTHONPATH": ("", ":", "::.", "/", "/dev/null", "{root}/site-packages", "{root}/gone", "\udcff", "a" * 5000, "~"),
    "PYTHONHOME": ("", "/nonexistent", "{root}/env", "/:/"),
    "PYTHONUSERBASE": ("", "/nonexistent", "{root}/env", "\udcff", "n" * 300),
    "PYTHONIOENCODING": ("nonsense", "ascii", "utf-16", ""),
    "PYENV_VERSION": ("", "../..", "/", "system", "3.99:", "\udcff", "n" * 300),
    "VIRTUAL_ENV": (
        "",
        "{root}/env",
        "{root}/env/bin/python3",
        "/nonexistent",
        "n" * 300,
        "\udcff",
        "\n",
        "{root}/loop",
    ),
    "CONDA_PREFIX": ("", "{root}/env", "n" * 300, "/dev/null"),
    "PATH": ("", ":", ".", "/nonexistent", "{root}/env/bin", "{root}/env/bin:/usr/bin:/bin", "n" * 300, "\udcff", None),
    "TMPDIR": ("", ".", "/nonexistent", "{root}/outside/file", "/dev/null", "n" * 300, "\udcff", "/dev/full", None),
    "HOME": (None, "", ".", "/nonexistent", "{root}/outside/file", "n" * 300, "\udcff", "/dev/null"),
    "XDG_CACHE_HOME": (None, "", ".", "/nonexistent", "/dev/null", "n" * 300),
    "USER": (None, "", "nobody\n"),
    "NO_COLOR": ("", "1"),
    "FORCE_COLOR": ("1", ""),
    "TERM": (None, "", "dumb", "xterm-256color", "nonsense"),
    "COLUMNS": ("0", "-1", "1", "99999999", "x", ""),
    "LINES": ("0", "x"),
    "LANG": (None, "", "C", "zh_CN.GBK", "nonsense", "tr_TR.UTF-8"),
    "LC_ALL": ("C", "POSIX", "zh_CN.GB18030", "\udcff"),
    "GIT_DIR": ("", "/nonexistent", "{root}/outside", "{root}/clone/.git", "\udcff"),
    "GIT_WORK_TREE": ("", "/", "{root}/outside"),
    "GIT_INDEX_FILE": ("/dev/null", "{root}/outside/file"),
    "GIT_CONFIG_GLOBAL": ("/dev/null", "{root}/outside/file", "/nonexistent"),
    "GIT_CONFIG_COUNT": ("x", "-1", "99999"),
    "GIT_ICASE_PATHSPECS": ("1", "x"),
    "GIT_LITERAL_PATHSPECS": ("0", "x"),
    "GIT_EXEC_PATH": ("/nonexistent", "{root}/env/bin"),
    "GIT_PYTHON_GIT_EXECUTABLE": ("/nonexistent", "{root}/env/bin/python3"),
    "GIT_TRACE": ("1", "{root}/outside/trace"),
    "GIT_OBJECT_DIRECTORY": ("/nonexistent",),
    "GIT_OPTIONAL_LOCKS": ("1",),
    "A2PATCH_CACHE": ("", "/nonexistent"),
    "SOURCE_DATE_EPOCH": ("x",),
}
_SETTINGS = (
    *(
        b"home = /usr/bin",
        b"home = {root}/env/bin",
        b"home = .",
        b"home =",
        b"home",
        b"=",
        b"home = /dev/null",
        b"HOME=/",
    ),
    *(
        b"home\t=\t/usr/bin\t",
        b"home = /usr/bin\0x",
        b"home = " + b"n" * 300,
        b"home = \xc4\xe3\xba\xc3",
        b"home = \xff",
    ),
    *(
        b"include-system-site-packages = true",
        b"include-system-site-packages = TRUE\0",
        b"include-system-site-packages",
    ),
    *(
        b"version = 3.11.7",
        b"version = ",
        b"version = 3",
        b"version = ../..",
        b"version = " + b"9" * 5000,
        b"version = x.y",
    ),
    *(
        b"version_info = 3.12.0.final.0",
        b"version = \x1b[31m",
        b"executable = {root}/env/bin/python3",
        b"# " + b"x" * 9000,
    ),
    *(
        b"\xef\xbb\xbfhome = /usr/bin",
        b"\xff\xfeh\0o\0m\0e\0",
        b"home = {root}/env/bin/python3",
        b"\x85",
        b"\x0c",
        b"\r",
    ),
)
_LINKS = (
    *(b"{root}/site-packages", b"..", b"../../../../../site-packages", b"/nonexistent", b"n" * 300, b"\0", b"\xff"),
    *(b"import sys", b"import __editable___ultralytics_finder; __editable___ultralytics_finder.install()", b"import"),
    *(
        b"import x.y, \0",
        b"import\tos",
        b"import " + b"a." * 5000 + b"a",
        b"import (",
        b"#",
        b" ",
        b"\xef\xbb\xbf{root}",
    ),
    *(
        b"{root}/outside/file",
        b"{root}/env/bin/python3",
        b"~",
        b"$HOME",
        b"import ../x",
        b"import " + b"n" * 300,
        b"/" * 300,
    ),
)
_FINDERS = (
    *(b"MAPPING = {'ultralytics': '{root}/site-packages/ultralytics'}", b"MAPPING: dict = {'ultralytics': ''}"),
    *(
        b"MAPPING = {'ultralytics': '\\0'}",
        b"MAPPING = {'ultralytics': '\\ud800'}",
        b"MAPPING = {**x, 'ultralytics': 1}",
    ),
    *(
        b"MAPPING = {'ultralytics': '" + b"n" * 5000 + b"'}",
        b"MAPPING = {'ultralytics': '/__init__.py'}",
        b"ultralytics (",
    ),
    *(
        b"F.map_module('ultralytics', '{root}/site-packages/ultralytics/__init__.py')",
        b"F.map_module('ultralytics', '..')",
    ),
    *(b"F.map_module(*'ultralytics')", b"ultralytics = " + b"(" * 5000, b"ultralytics = 1" + b"+1" * 30_000),
    *(b"# -*- coding: nonsense -*-\nMAPPING = {'ultralytics': '/'}", b"MAPPING = {'ultralytics': __import__('os')}"),
)
_METADATA = (
    *(b"", b"Name: ultralytics", b"Name: other", b"Version: 8.4.190\0", b"Version: " + b"9" * 5000, b"\xff\xfe"),
    *(b"Requires-Dist: x; python_version < '" + b"(" * 300, b"Requires-Dist:", b"Name: " + b"n" * 70_000, b"\x1b[31m"),
)
_URLS = (
    *(
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"url": "file:///nonexistent", "dir_info": {"editable": true}}',
        b"\xff",
        b"[" * 5000,
    ),
    *(b'{"url": "file://{root}/outside", "dir_info": {"editable": true}}', b'{"url": 1}', b'{"url": "file://\\u0000"}'),
)
ENDINGS = (
    *(
        "",
        "exit 3",
        "kill -9 $$",
        "kill -11 $$",
        "exec sleep 60",
        "trap '' TERM; exec sleep 60",
        "exec cat",
        "while :; do :; done",
    ),
    *(
        "echo Welcome to the cluster",
        "echo Welcome >&2; exit 1",
        "head -c 200000 /dev/urandom",
        "yes | head -c 3000000 >&2",
    ),
    *("printf '\\033[31m\\000\\377'", "exit 255", "cd / && exec sh -c 'exit 1'"),
)
"""How a script may go on that stands where an interpreter is looked for."""
_NO_SCRIPTS = (
    *(
        b"",
        b"\x7fELF" + bytes(60),
        b"MZ" + bytes(60),
        b"#!/nonexistent\n",
        b"#!\n",
        b"#!" + b"/" * 5000,
        b"\0",
        b"echo x\n",
    ),
    *(b"#!{root}/env/bin/python3\n", b"#!/bin/sh\r\nexit 0\r\n", b"\xff\xfe#\0!\0"),
)


def spoiled_environment(root: Path, before: State, chance: random.Random) -> Iterator[tuple[str, bytes | str]]:
    """Yield files to put in place of those of an environment."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        path, wanted = chance.choice(_PLACES)
        if path.startswith("*"):
            path = next((place for place in before if place.endswith(path[1:])), f"{SITE}/x-1.dist-info{path[1:]}")
        if chance.random() < 0.15:
            yield path, chance.choice(SPECIAL)
        elif wanted is _NO_SCRIPTS:
            yield path, _interpreter(root, chance)
        elif path in before and chance.random() < 0.3:
            yield path, spoiled(before[path][1], chance)
        else:
            yield path, _lines(wanted, chance).replace(b"{root}", str(root).encode())


def _interpreter(root: Path, chance: random.Random) -> bytes:
    if chance.random() < 0.25:
        return chance.choice(_NO_SCRIPTS).replace(b"{root}", str(root).encode())
    return script(root, chance.choice(ENDINGS), chance.choice(("3.11.7", "", "3.7.0", "9" * 500, "\x1b[31m", "é")))


def _lines(wanted: Sequence[bytes], chance: random.Random) -> bytes:
    """Return some lines, ended in one of the ways in which lines end; seldom 5 MB of them."""
    end = chance.choice((b"\n", b"\n", b"\r\n", b"\r", b""))
    lines = end.join(chance.choice(wanted) for _ in range(chance.choice((0, 1, 2, 5)))) + end
    return (lines + b"\n") * (5_000_000 // (len(lines) + 1)) if chance.random() < 0.03 else lines


def odd_variables(root: Path, chance: random.Random) -> dict[str, str | None]:
    """Return one to three variables with odd values; None for one that is not set."""
    names = chance.sample(sorted(_VARIABLES), chance.choice((1, 1, 2, 3)))
    found = {name: chance.choice(_VARIABLES[name]) for name in names}
    return {name: value and value.replace("{root}", str(root)) for name, value in found.items()}


_PLACES: tuple[tuple[str, Sequence[bytes]], ...] = (
    *((f"{ENVIRONMENT}/pyvenv.cfg", _SETTINGS),) * 3,
    *((PYTHON, _NO_SCRIPTS),) * 4,
    (f"{ENVIRONMENT}/bin/python", _NO_SCRIPTS),
    (f"{ENVIRONMENT}/bin/yolo", _NO_SCRIPTS),
    *((f"{SITE}/x.pth", _LINKS),) * 2,
    (f"{SITE}/__editable__.ultralytics-8.pth", _LINKS),
    *((f"{SITE}/__editable___ultralytics_finder.py", _FINDERS),) * 2,
    *(("*/RECORD", _METADATA), ("*/METADATA", _METADATA), ("*/direct_url.json", _URLS)),
    (f"{SITE}/ultralytics-8.egg", _METADATA),
    (f"{SITE}/ultralytics.egg-link", _LINKS),
)
