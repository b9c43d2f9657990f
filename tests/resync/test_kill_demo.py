"""Killed over HTTP: the demo org lives on and counts, the client dies and comes back."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.journal.history import History
from syncerr_tui.journal.places import open_journal
from syncerr_tui.model import Verdict
from tests import forks
from tests.layers import layered

OPTIONS = DemoOptions(errors=30, processing_delay=0.1, latency=0.01)


def start(server: DemoServer, folder: Path, *, kill_after: float | None = None) -> int:
    """Carry out the plan in a process of its own; it is killed so many seconds after the run has begun."""
    job = (server.instance_url, server.access_token, str(folder))
    process = forks.start(
        env={}, first=f"from tests.resync import demo_client; demo_client.main(*{job!r}); raise SystemExit"
    )
    if kill_after is not None:
        while process.alive and "begun" not in process.out:
            time.sleep(0.005)
        timer = threading.Timer(kill_after, process.kill)
        timer.start()
        code = process.wait()
        timer.cancel()
        return code
    return process.wait()


def ask(server: DemoServer, path: str) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{server.instance_url}/services/apexrest/demo/{path}",
        headers={"Authorization": f"Bearer {server.access_token}"},
    )
    with urllib.request.urlopen(request) as answer:
        body: dict[str, Any] = json.load(answer)
        return body


def verdicts(server: DemoServer, folder: Path) -> dict[str, Verdict | None]:
    """What the journal says of every row, after it was held against the org's own counts."""
    (file,) = (folder / "journals").glob("*.db")
    with open_journal(folder, file.stem.removeprefix("journal-")) as journal:
        history = History(journal)
        (run,) = history.runs()
        assert run.how == "finished"
        rows = history.rows_of(run.id)
        intents = {
            row["event"]: row["n"]
            for row in journal.read("SELECT event, count(*) AS n FROM intents GROUP BY 1")
        }
    assert all(row.ended and row.reason for row in rows)
    for event, counts in ask(server, "counts").items():
        assert counts["requested"] <= intents.get(event, 0), "sent without an intent"
        assert counts["processed"] <= counts["requested"]
        assert counts["requested"] <= 1, "sent twice"
    return {row.error.id: row.verdict for row in rows}


@pytest.mark.parametrize("seed", range(layered("re-syncs killed over HTTP", 1, 40)))
def test_killed_over_http_each_event_is_processed_at_most_once(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    with DemoServer(OPTIONS) as server:
        assert start(server, tmp_path / "unharmed") == 0
        expected = verdicts(server, tmp_path / "unharmed")
    with DemoServer(OPTIONS) as server:
        for _ in range(random.randint(1, 3)):
            start(server, tmp_path / "killed", kill_after=random.random() * 1.2)
        assert start(server, tmp_path / "killed") == 0
        ended = verdicts(server, tmp_path / "killed")
    # A kill between an intent and its request leaves a row that goes again only with a person's consent.
    wrong = {event: verdict for event, verdict in ended.items() if verdict is not expected[event]}
    assert set(wrong.values()) <= {Verdict.UNKNOWN, None}
    assert Verdict.UNKNOWN in wrong.values() or not wrong
