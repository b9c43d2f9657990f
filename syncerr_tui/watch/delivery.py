"""How a message gets to people through Apprise, and the files of a watch. What fails is told in words."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from syncerr_tui import files
from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.files import read_plain
from syncerr_tui.watch.telling import LastTold

_NOTIFY_SECONDS = 60.0
_STATE_BYTES = 16 * 2**20


class Notifier:
    """One address that Apprise knows how to reach.

    Args:
        url: The address; it holds secrets, and is never shown.
        name: What it is called in messages about it: where the address is kept.

    Raises:
        BadInputError: Apprise is not installed, or knows no such address.
    """

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        try:
            import apprise
        except ImportError:
            raise BadInputError(
                "Nobody can be notified: Apprise is not installed",
                "Install it: pip install 'syncerr-tui[notify]'",
            ) from None
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines name the address
        self._apprise = apprise.Apprise()
        if not self._apprise.add(url):
            raise BadInputError(
                f"{name} is not an address that Apprise knows", "See https://github.com/caronc/apprise/wiki"
            )

    async def send(self, title: str, body: str) -> str:
        """Send one message. Gives what went wrong; empty: delivered."""
        import apprise

        def notify() -> bool:
            return bool(self._apprise.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))

        try:
            async with asyncio.timeout(_NOTIFY_SECONDS):
                delivered = await asyncio.to_thread(notify)
        except TimeoutError:
            return f"{self.name} did not answer within {_NOTIFY_SECONDS:.0f} s"
        except Exception as problem:  # noqa: BLE001 - more than a hundred services, each with failures of its own
            return f"{self.name} failed ({type(problem).__name__})"
        return "" if delivered else f"{self.name} did not take the message"


@dataclass(frozen=True, slots=True)
class LastToldFile:
    """What each channel was told, kept between two starts."""

    path: Path

    def read(self) -> dict[str, LastTold]:
        """Channel -> what it was told. One that is damaged, or was never told anything, is not in it."""
        try:
            held = json.loads(read_plain(self.path, _STATE_BYTES))
            return {str(key): LastTold.of_payload(value) for key, value in held.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def write(self, told: Mapping[str, LastTold]) -> None:
        """Raises: MachineError: It cannot be written."""
        replace_file(self.path, [json.dumps({key: value.payload() for key, value in told.items()})], 0o600)


def replace_file(path: Path, lines: Iterable[str], mode: int) -> None:
    """Write a file so that whoever reads it finds the old one or the new one, whole.

    Raises:
        MachineError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace_file(path, "".join(f"{line}\n" for line in lines), mode)
    except OSError as problem:
        raise MachineError(
            f"{path} cannot be written ({problem.strerror or type(problem).__name__})",
            "Make room, or name another file",
        ) from problem
