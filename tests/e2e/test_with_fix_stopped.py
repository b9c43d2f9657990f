"""`resync --with-fix` stopped at any step: what is off goes on again, or is on the ledger and said."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import pytest

from syncerr_tui.demo.http import Request
from syncerr_tui.demo.http_server import ClientConnection
from syncerr_tui.demo.options import DemoOptions
from tests import forks
from tests.e2e.orgs import WatchedServer, write_profile
from tests.layers import layered

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="sends signals the POSIX way")

NAME = "Account.Tax_Number_Has_Eleven_Digits"
KEY = f"validation-rule-off:{NAME}"
CODES = {SIGINT: 130, SIGTERM: 143, SIGHUP: 129}


class HoldingOrg(WatchedServer):
    """A demo org that holds one request until the program has reacted to signals."""

    def __init__(self) -> None:
        self.child: forks.Child | None = None
        self.step = ""
        self.signals: tuple[signal.Signals, ...] = ()
        self.writes = 0
        super().__init__(DemoOptions(errors=140, processing_delay=0.1))

    def exchange(self, request: Request, line: ClientConnection) -> bool:
        step = "ask" if b"SyncErrResync" in request.target.encode() and request.method == "POST" else ""
        if request.method == "PATCH":
            self.writes += 1
            step = "off" if self.writes == 1 else "on"
        if step and step == self.step:
            self._interrupt()
        return super().exchange(request, line)

    def _interrupt(self) -> None:
        child, self.step = self.child, ""
        assert child is not None
        for number, sent in enumerate(self.signals, 1):
            child.kill(sent)
            until(partial(_has_reacted, child, number))


def _has_reacted(child: forks.Child, signals: int) -> bool:
    return child.err.count("Stopping") >= signals or "Quit." in child.err


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not met():
        assert time.monotonic() < end, "the program did not react"
        time.sleep(0.02)


STOPS: list[tuple[str, tuple[signal.Signals, ...], bool]] = [
    ("off", (SIGTERM,), False),
    ("ask", (SIGHUP,), False),
    ("ask", (SIGINT, SIGINT), False),
    ("on", (SIGINT,), False),
    ("off", (SIGINT, SIGINT), True),
    ("on", (SIGTERM, SIGINT), True),
    ("off", (SIGINT,), False),
    ("ask", (SIGTERM, SIGTERM), False),
    ("on", (SIGTERM,), False),
    ("on", (SIGHUP,), False),
    ("ask", (SIGINT, SIGINT, SIGINT), True),
]
"""At which step, what signals, and whether the rule stays off. Every run has each step stopped both ways."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("step", "signals", "off"),
    layered("signals at each step of a re-sync with a fix", STOPS[:6], STOPS),
    ids=lambda value: "+".join(one.name for one in value) if isinstance(value, tuple) else str(value),
)
def test_stopped(tmp_path: Path, step: str, signals: tuple[signal.Signals, ...], off: bool) -> None:
    with HoldingOrg() as org:
        write_profile(tmp_path)
        env = {
            "SYNCERR_HOME": str(tmp_path),
            "SYNCERR_INSTANCE_URL": org.instance_url,
            "SYNCERR_ACCESS_TOKEN": org.access_token,
        }
        box = ("--org", "box")
        event = next(
            cause["roots"][0]
            for cause in forks.run("causes", *box, "--json", env=env).rows
            if cause["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
            and KEY in forks.run("fix", *box, "--id", cause["roots"][0], "--json", env=env).out
        )
        asked = ("resync", *box, "--id", event, "--yes", "--json", "--with-fix", KEY)
        child = forks.start(*asked, env=env)
        org.child, org.step, org.signals = child, step, signals
        child.wait()
        assert child.code == CODES[signals[-1] if off else signals[0]], child.err
        assert "Traceback" not in child.err
        if off:
            assert f"{NAME} may be off: 'syncerr-tui safeguards' says so" in child.err
        else:
            assert f"{NAME} is on again" in child.err
            component = org.org.metadata.read("ValidationRule", NAME)
            assert component is not None
            assert component["active"] is True
        assert forks.run("safeguards", *box, "--restore-all", env=env).code == 0
        component = org.org.metadata.read("ValidationRule", NAME)
        assert component is not None
        assert component["active"] is True
