"""What can be chosen when the demo org is started."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The demo org's settings. Same seed, same errors: same org, with the same ids."""

    errors: int = 140
    """Unresolved sync errors when the world is new, 0 to 100,000 (exactly that many)."""
    seed: int = 1
    latency: float = 0.0
    """Seconds added to every HTTP answer."""
    processing_delay: float = 2.0
    """Seconds until the sync engine works on an event that was asked to be tried again."""
    page_size: int = 2000
    """Most records in one query answer."""
    db: Path | None = None
    """Where the state is kept; None keeps it in memory."""
    port: int = 0
    """0 picks a free one."""
    faults: tuple[str, ...] = ()
    """`name` or `name:argument`: ways in which the transport or the engine misbehaves."""
    naming: str = "assumed"
    """Which vocabulary the change event object speaks: a key of `naming.SCHEMA_VARIANTS`."""
    clears_victims: bool = False
    """When a cause is fixed, the org tries what it held up again by itself."""
    deletes_done: bool = False
    """A change event that succeeded is deleted instead of leaving the failed state."""
    manual_clock: bool = False
    """Time stands still until a test moves it (`POST .../demo/advance`)."""
