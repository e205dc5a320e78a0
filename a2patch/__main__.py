"""Start a2patch. Nothing is imported before Ctrl-C, pressed while all the rest is, can be answered."""

import sys


def main() -> None:
    """Run the command line of this process."""
    try:
        from a2patch.cli import main as run
    except KeyboardInterrupt:
        _end()
    run()


def _end() -> None:
    """End a process that was interrupted before it could do anything, as the command line ends one later."""
    sys.stderr.write("a2patch: interrupted\n")
    if "--json" in sys.argv:
        error = '{"kind": "InterruptionError", "message": "interrupted", "path": null, "found": null, "remedy": null}'
        sys.stdout.write(f'{{"schema": 1, "command": "", "ok": false, "exit_code": 130, "error": {error}}}\n')
    sys.exit(130)


if __name__ == "__main__":
    main()
