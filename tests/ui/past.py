"""Earlier runs for tests: some that ended, some whose process was killed, or lives in another terminal."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from syncerr_tui.journal.attempt import Attempt, OutcomeKind
from syncerr_tui.journal.journal import Journal, JournaledRun, Who
from syncerr_tui.journal.places import open_journal
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.resync.plan import PlanShape, make_plan
from syncerr_tui.resync.proof import cause_key
from tests import forks
from tests.factories import NOW
from tests.ui.fakes import IDENTITY, FakeOrg, some_errors

WHO = Who("ana", "ana@acme.example", "PRODUCTION")


def journal_at(folder: Path) -> Journal:
    return open_journal(folder, IDENTITY.org_id, now=lambda: NOW - timedelta(hours=2))


def begin(journal: Journal, errors: Sequence[SyncError], reason: str = "") -> JournaledRun:
    plan = make_plan(
        errors,
        org=IDENTITY,
        method=FakeOrg(errors).method,
        created_at=NOW,
        parents={},
        shape=PlanShape(proof_timeout=1.0),
    )
    return journal.begin(plan, who=WHO, reason=reason, fingerprint=cause_key)


def send(journal: Journal, run: str, errors: Sequence[SyncError], answered: bool = True) -> dict[str, int]:
    at = NOW - timedelta(hours=2)
    asked = [Attempt(e, wave=1, attempts=1, org_at=at) for e in errors]
    numbers = journal.intend(run, asked)
    if answered:
        journal.outcomes(replace(a, intent=numbers[a.event], kind=OutcomeKind.ACCEPTED) for a in asked)
    return numbers


def ended_run(
    folder: Path,
    errors: Sequence[SyncError],
    verdicts: Sequence[Verdict | None],
    reason: str = "",
    evidence: dict[str, Any] | None = None,
) -> str:
    """A run that ended, with these verdicts for its rows in turn."""
    with journal_at(folder) as journal:
        run = begin(journal, errors, reason).run
        sent = [e for e, verdict in zip(errors, verdicts, strict=True) if verdict is not None]
        numbers = send(journal, run, sent)
        for error, verdict in zip(errors, verdicts, strict=True):
            row = Attempt(error, intent=numbers.get(error.id))
            why = "it fails as before"
            if verdict is Verdict.FIXED:
                why = "the event left the failed state, and its record was written after it"
            ended = row.judged(verdict, why, evidence) if verdict else row.not_sent("the run braked")
            journal.finish_rows(run, [replace(ended, evidence=evidence or {})])
        journal.end(run, "finished", "done")
        return run


@contextmanager
def other_process(
    folder: Path,
    *,
    planned: int = 6,
    sent: int = 2,
    reason: str = "after the flow was repaired",
    user: str | None = None,
) -> Iterator[forks.Child]:
    """Another program that has begun a run and sent some of its rows; it lives until it is killed."""
    job = {"folder": str(folder), "planned": planned, "sent": sent, "reason": reason}
    process = forks.start(
        env={"LOGNAME": user} if user else {}, first=f"from tests.ui import past; past.main({job!r})"
    )
    try:
        while process.out != "begun\n":
            assert process.alive, process.err
            time.sleep(0.005)
        yield process
    finally:
        process.kill()
        process.wait()


def interrupted(folder: Path, **job: Any) -> None:
    """Leave a run behind whose process was killed right after it sent some of its rows."""
    with other_process(folder, **job) as process:
        process.kill()
        process.wait()


def main(job: dict[str, Any]) -> None:
    """What the other process does: begin a run, send some of its rows, and wait to be killed."""
    errors = some_errors(job["planned"])
    journal = journal_at(Path(job["folder"]))
    begun = begin(journal, errors, job["reason"])
    if job["sent"]:
        send(journal, begun.run, errors[: job["sent"]], answered=False)
    print("begun", flush=True)
    signal.pause()
