"""A patched copy of a release for the benchmarks that train, and the command that makes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from patches import releases

ROOT = Path(__file__).resolve().parent.parent
RELEASE = "8.4.190"


def patched(site: Path) -> Path:
    """Unpack a release into a folder and patch it; give the folder."""
    releases.unpack(RELEASE, releases.cache(os.environ), site)
    a2patch("apply", "--no-verify", "--ultralytics-path", str(site))
    return site


def a2patch(*words: str) -> None:
    """Run a command of the checkout, and show what it says only where it fails.

    Raises:
        subprocess.CalledProcessError: It ended with another code than 0.
    """
    answer = subprocess.run([sys.executable, str(ROOT / "cli.py"), *words], capture_output=True, check=False)
    if answer.returncode:
        sys.stderr.buffer.write(answer.stdout + answer.stderr)
        answer.check_returncode()
