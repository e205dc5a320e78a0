"""What is advised reads in a shell as it was meant: of POSIX, and of Windows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from a2patch.protocol import command_line, quoted

WORDS = (
    *("plain", "two words", "用户 甲", "a$HOME", "`id`", 'say "so"', "R&D", "numpy<2", "torch!=2.13.0", "50%", "a,b"),
    *("it's", "back\\slash", r"C:\Program Files\py", r"\\server\share\a b", "ends\\", "ends here\\", 'ends "\\', "(x)"),
)


def arguments(line: str) -> list[str]:
    """Take a line apart as programs of Windows do (CommandLineToArgvW)."""
    found = []
    for part in re.findall(r'(?:\\*"(?:\\.|[^"\\])*(?:\\*")?|[^\s"])+', line):
        text = re.sub(r'(\\*)"', lambda at: "\\" * (len(at[1]) // 2) + ('"' if len(at[1]) % 2 else "\0"), part)
        found.append(text.replace("\0", ""))
    return found


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
def test_a_posix_shell_gets_the_words() -> None:
    line = command_line(WORDS, windows=False)
    assert shlex.split(line) == list(WORDS)
    for word in WORDS:
        said = subprocess.run(["sh", "-c", f"printf %s {quoted(word, windows=False)}"], capture_output=True, check=True)
        assert said.stdout.decode() == word


@pytest.mark.parametrize("word", WORDS)
def test_a_program_of_windows_gets_the_words(word: str) -> None:
    assert arguments(quoted(word, windows=True)) == [word]
    line = command_line(["a2patch", word, "x"], windows=True)
    assert arguments(line) == ["a2patch", word, "x"]
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    assert not set(outside) & set("<>|&^(),'`$!%"), "the shell would take it for its own"


@pytest.mark.skipif(os.name != "nt", reason="cmd.exe")
@pytest.mark.parametrize("word", [word for word in WORDS if "%" not in word and '"' not in word])
def test_cmd_gets_the_words(word: str) -> None:
    line = command_line([sys.executable, "-c", "import sys; print(ascii(sys.argv[1]))", word], windows=True)
    said = subprocess.run(f'cmd /s /c "{line}"', capture_output=True, check=True, text=True)
    assert said.stdout.strip() == ascii(word)


def test_what_needs_no_quotes_gets_none() -> None:
    line = command_line([r"C:\用户\python.exe", "-m", "pip", "install", "torch"], windows=True)
    assert line == r"C:\用户\python.exe -m pip install torch", "PowerShell does not run a program in quotes"
    assert command_line([r"Z:\a b\python.exe", "-m"], windows=True) == r'"Z:\a b\python.exe" -m'
    assert quoted("/here", windows=False) == '"/here"'
