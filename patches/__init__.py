"""The blocks' data, and the tools that make and try it; only the data goes into the wheel."""
