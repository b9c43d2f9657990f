"""`python -m syncerr_tui` and the `syncerr-tui` script."""

from __future__ import annotations

import gc
import os


def main() -> None:
    """Run the command line; ends the process with a documented exit code."""
    # Journals, plans and logs hold customers' data: whatever is written is for this user only.
    os.umask(0o077)
    # What is imported stays: looking for garbage among it takes a tenth of the way to the first frame.
    gc.disable()
    try:
        from syncerr_tui.cli import run

        code = run()
    except KeyboardInterrupt:  # while modules are imported
        code = 130
    raise SystemExit(code)


if __name__ == "__main__":
    main()
