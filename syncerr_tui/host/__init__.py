"""The machine we run on: configuration, paths, terminal profile, clipboard, log."""
