"""`syncerr-tui` itself: with a command it runs that, without one it opens the app."""

from __future__ import annotations

import click

from syncerr_tui import __version__
from syncerr_tui.cli import LateGroup


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="syncerr-tui")
def root() -> None:
    """Clear StoreConnect sync errors: see what blocks, fix it, re-sync, prove it worked."""
