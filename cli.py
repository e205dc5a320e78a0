"""Launcher for a checkout: `python cli.py apply …` is `a2patch apply …`."""

from a2patch.__main__ import main

if __name__ == "__main__":
    main()
