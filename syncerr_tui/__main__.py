"""`python -m syncerr_tui` and the `syncerr-tui` script."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process with a documented exit code."""
    from syncerr_tui.cli import run

    raise SystemExit(run())


if __name__ == "__main__":
    main()
