"""plan, apply, resync, resume, verify, journal: over the demo org, as a script would use them."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from syncerr_tui.cli._sending import _Narrator
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.resync.events import Counts, Progress, Waiting, WaitKind
from tests import forks
from tests.cli.conftest import Shell
from tests.layers import layered

DEMO = ("--demo", "--errors", "30", "--processing-delay", "0")
KEYS = ["id", "object", "event_type", "processed_at", "salesforce_id", "storeconnect_id", "code", "message"]
PROVEN = {"FIXED", "RESOLVED ELSEWHERE"}


def listed(shell: Shell, *more: str) -> set[str]:
    return {line["id"] for line in shell("list", *DEMO, *more, "--json").lines}


def a_locked_row(shell: Shell, *more: str) -> str:
    """One that a plain retry clears."""
    rows = shell("list", *DEMO, *more, "--filter", "code:UNABLE_TO_LOCK_ROW event:create", "--json").lines
    return str(rows[0]["id"])


def test_one_row_is_cleared_and_proven(shell: Shell, tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "org.db"))
    event = a_locked_row(shell, *db)
    before = listed(shell, *db)
    output = shell("resync", *DEMO, *db, "--id", event, "--yes", "--json")
    assert output.code == 0
    (line,) = output.lines
    assert list(line) == [*KEYS, "verdict", "reason"]
    assert (line["id"], line["verdict"]) == (event, "FIXED")
    assert listed(shell, *db) == before - {event}
    journal = shell("journal", *DEMO, *db, "--json").lines
    assert [run["verdicts"] for run in journal] == [{"FIXED": 1}]
    assert shell("journal", *DEMO, *db, "--id", event, "--json").lines[0]["evidence"]["event"] == "done"


def test_a_row_that_goes_before_the_others_is_told_as_such(shell: Shell, tmp_path: Path) -> None:
    words = ("--filter", "object:Contact,Lead", "--only", "--yes", "--db", str(tmp_path / "org.db"))
    lines = shell("resync", *DEMO, *words).err.splitlines()
    first, *others = (line for line in lines if line.startswith("Wave "))
    assert first == "Wave 1 of 1: 1 row, which goes alone first."
    assert others
    assert not any("alone" in line for line in others)


def test_a_row_whose_cause_stands_still_fails(shell: Shell) -> None:
    rows = shell("list", *DEMO, "--filter", "code:REQUIRED_FIELD_MISSING", "--json").lines
    output = shell("resync", *DEMO, "--id", rows[0]["id"], "--yes", "--json")
    assert output.code == 1
    assert output.lines[0]["verdict"] == "STILL FAILING"


def test_all_of_them_every_row_once_with_verdict_and_reason(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "org.db"))
    output = shell("resync", *demo, "--all", "--yes", "--json", "--reason", "the flow is repaired")
    assert output.code == 1
    counts = Counter(line["id"] for line in output.lines)
    assert set(counts.values()) == {1}
    left_out = {
        line.split()[2].rstrip(":") for line in output.err.splitlines() if line.startswith("Left out")
    }
    assert counts.keys() | left_out == listed(shell)
    assert all(line["verdict"] and line["reason"] for line in output.lines)
    assert shell("journal", *demo, "--json").lines[0]["reason"] == "the flow is repaired"


def test_a_reason_that_several_rows_share_is_said_once(shell: Shell) -> None:
    output = shell("resync", "--demo", "--filter", "code:ENTITY_IS_LOCKED object:OrderItem", "--yes")
    out = [line for line in output.err.splitlines() if line.startswith("Left out: a0X")]
    assert len(out) == 2
    assert out[1].endswith(f": as {out[0].split()[2].rstrip(':')}."), "which reason it is"
    assert output.err.count("only StoreConnect support can clear this") == 1


def test_a_restarted_demo_org_shows_nothing_of_a_past_world(shell: Shell) -> None:
    assert shell("resync", *DEMO, "--all", "--yes", "--json").lines
    assert shell("journal", *DEMO, "--json").lines == []


def test_a_dry_run_shows_each_body_and_sends_none(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "world.db"))
    dry = shell("resync", *demo, "--all", "--dry-run", "--read-only", "--json")
    assert dry.code == 0
    assert "nothing was sent" in dry.err
    assert len(dry.lines[0]["ids"]) == 1
    for line in dry.lines:
        assert line["verb"] == "POST"
        assert line["path"].endswith("/s_c__SyncErrorUtilityController/resyncChangeEvents")
        assert line["body"] == {"changeEventIds": line["ids"], "origin": "UtilityBar"}
    planned = {row["id"] for row in shell("plan", *demo, "--all", "--json").lines if row["planned"]}
    assert {event for line in dry.lines for event in line["ids"]} == planned
    assert shell("journal", *demo, "--json").lines == []
    file = str(tmp_path / "some.plan")
    assert shell("plan", *demo, "--id", dry.lines[0]["ids"][0], "-o", file).code == 0
    (only,) = shell("apply", file, *demo, "--dry-run", "--json").lines
    assert only["body"] == dry.lines[0]["body"]


def test_a_plan_may_be_larger_than_any_list_of_fixes(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, file = (*DEMO, "--db", str(tmp_path / "world.db")), str(tmp_path / "some.plan")
    monkeypatch.setattr("syncerr_tui.fixes.fix_list._LARGEST", 10)
    assert shell("plan", *demo, "--all", "-o", file).code == 0
    assert shell("apply", file, *demo, "--dry-run", "--json").code == 0


def test_without_a_terminal_and_without_yes_nothing_is_sent(shell: Shell) -> None:
    output = shell("resync", *DEMO, "--all")
    assert output.code == 2
    assert "--yes" in output.err
    assert output.out == ""
    assert shell("journal", *DEMO, "--json").lines == []


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--id", "a0X000000000000AAA"], "No unresolved sync error has the id"),
        (["--id", "\x1b]52;c;evil\x07"], "No unresolved sync error has the id"),
        ([], "Nothing is chosen"),
        (["--all", "--filter", "code:X"], "cannot be combined"),
        (["--filter", "age:sideways"], "sideways"),
        (["--cause", "none such"], "No such cause"),
        (["--all", "--lanes", "0"], "--lanes"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(shell: Shell, words: list[str], refusal: str) -> None:
    for command in ("resync", "plan"):
        output = shell(command, *DEMO, *words, *(["--yes"] if command == "resync" else []))
        assert output.code == 2
        assert refusal in output.err
        assert "\x1b" not in output.err
        assert len(output.err.strip().splitlines()) == 1
    assert shell("journal", *DEMO, "--json").lines == []


def test_the_guided_method_without_a_terminal_is_this_machines_trouble(shell: Shell, org: DemoServer) -> None:
    assert shell("setup", "acme", "--yes").code == 0
    output = shell("resync", "--org", "acme", "--all", "--yes")
    assert (output.code, output.out) == (6, "")
    assert "set up another method" in output.err.splitlines()[-1]
    assert shell("journal", "--org", "acme", "--json").lines == []


@pytest.mark.parametrize("words", [["resync", "--all", "--yes"], ["resume", "--continue"]])
def test_read_only_takes_it_away(shell: Shell, words: list[str]) -> None:
    output = shell(words[0], *DEMO, *words[1:], "--read-only")
    assert output.code == 5
    assert "Read-only" in output.err


@pytest.mark.parametrize("words", [["resync", "--all", "--yes"], ["resume", "--continue"]])
def test_read_only_before_the_command_takes_it_away_too(shell: Shell, words: list[str]) -> None:
    output = shell("--read-only", words[0], *DEMO, *words[1:])
    assert output.code == 5
    assert "Read-only" in output.err
    assert shell("--read-only", "journal", *DEMO).err.startswith("Nothing was re-synced yet.")


def test_the_org_may_stand_before_the_command(shell: Shell) -> None:
    after, before = shell("list", "--org", "none such"), shell("--org", "none such", "list")
    assert (before.code, before.err) == (after.code, after.err)
    assert "none such" in before.err
    output = shell("--org", "acme", "info")
    assert output.code == 2
    assert "leave --org out" in output.err


def test_nothing_that_matches_is_nothing_to_do(shell: Shell) -> None:
    output = shell("resync", *DEMO, "--filter", "code:NO_AUTH_PROVIDER", "--yes")
    assert (output.code, output.out) == (0, "")


def a_victim_and_its_cause(shell: Shell, *more: str) -> tuple[str, str]:
    for cause in shell("causes", *DEMO, *more, "--json").lines:
        for victim in cause["victims"]:
            if victim["fact"]:
                return str(victim["id"]), str(cause["roots"][0])
    raise AssertionError("the demo org has no victim")


def test_the_cause_of_a_chosen_victim_comes_along_and_goes_first(shell: Shell) -> None:
    victim, cause = a_victim_and_its_cause(shell)
    output = shell("plan", *DEMO, "--id", victim, "--json")
    assert f"Also sent, and first: its cause {cause}" in output.err
    waves = {line["id"]: line["wave"] for line in output.lines if line["planned"]}
    assert waves[cause] < waves[victim]
    output = shell("resync", *DEMO, "--id", victim, "--yes", "--json")
    assert f"Also sent, and first: its cause {cause}" in output.err
    assert {cause, victim} <= {line["id"] for line in output.lines}


def test_a_run_without_a_row_is_never_begun(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "org.db"))
    victim, cause = a_victim_and_its_cause(shell, *demo[len(DEMO) :])
    output = shell("resync", *demo, "--id", victim, "--only", "--yes")
    assert (output.code, output.out) == (1, "")
    assert "Nothing to send: the one chosen is left out." in output.err
    assert f"Left out: {victim}: its cause {cause} is not in this plan." in output.err
    file = tmp_path / "plan.json"
    shell("plan", *demo, "--id", victim, "--only", "-o", str(file))
    assert shell("apply", str(file), *demo, "--yes").code == 1
    assert shell("journal", *demo, "--json").lines == []


# -- plan and apply


def test_a_plan_is_carried_out_to_the_row(shell: Shell, tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "org.db"))
    file = tmp_path / "plan.json"
    event = a_locked_row(shell, *db)
    planned = shell("plan", *DEMO, *db, "--id", event, "-o", str(file), "--json")
    assert planned.code == 0
    assert [line["planned"] for line in planned.lines] == [True]
    output = shell("apply", str(file), *DEMO, *db, "--yes", "--json")
    assert output.code == 0
    assert [(line["id"], line["verdict"]) for line in output.lines] == [(event, "FIXED")]
    again = shell("apply", str(file), *DEMO, *db, "--yes", "--json")
    assert again.code == 0
    assert f"{event}: no longer unresolved" in again.err
    assert again.lines[0]["verdict"] == "FIXED"


def test_a_plan_whose_rows_have_all_failed_anew_no_longer_fits(shell: Shell, tmp_path: Path) -> None:
    demo = (*DEMO, "--db", str(tmp_path / "org.db"))
    file = str(tmp_path / "plan.json")
    rule = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    cause = next(one for one in shell("causes", *demo, "--json").lines if one["code"] == rule)
    shell("plan", *demo, "--id", cause["id"], "-o", file)
    first = shell("apply", file, *demo, "--yes", "--json")
    assert (first.code, first.lines[0]["verdict"]) == (1, "STILL FAILING")
    again = shell("apply", file, *demo, "--yes", "--json")
    assert (again.code, again.out) == (5, "")
    assert f"{cause['id']}: changed since the plan" in again.err
    assert "no longer fits" in again.err
    assert len(shell("journal", *demo, "--json").lines) == 1


def test_a_changed_plan_is_refused_and_nothing_is_sent(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    shell("plan", *DEMO, "--all", "-o", str(file))
    content = json.loads(file.read_text())
    content["plan"]["rows"].pop()
    file.write_text(json.dumps(content))
    output = shell("apply", str(file), *DEMO, "--yes")
    assert output.code == 5
    assert "was changed" in output.err
    assert shell("journal", *DEMO, "--json").lines == []


def test_a_plan_says_of_every_row_why_it_is_in_or_out(shell: Shell) -> None:
    output = shell("plan", *DEMO, "--all", "--json")
    assert {line["id"] for line in output.lines} == listed(shell)
    assert all(line["reason"] for line in output.lines)
    waits = [line for line in output.lines if line["planned"] and line["wave"] > 1]
    assert waits
    assert all("waits for a0X" in line["reason"] for line in waits)


def test_a_plan_for_a_cause_holds_the_cause_and_its_victims(shell: Shell) -> None:
    cause = shell("causes", *DEMO, "--json").lines[0]
    output = shell("plan", *DEMO, "--cause", cause["key"], "--json")
    assert {line["id"] for line in output.lines} == {
        *cause["roots"],
        *(v["id"] for v in cause["victims"] if v["fact"]),
    }


# -- interrupted

SLOW = ("--demo", "--errors", "30", "--processing-delay", "0.3", "--latency", "0.03")


def started(home: Path, *words: str) -> forks.Child:
    return forks.start(*words, env={"SYNCERR_HOME": str(home)})


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_after_what_is_in_flight_and_writes_everything_down(
    shell: Shell, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    db = ("--db", str(tmp_path / "org.db"))
    process = started(
        shell.home, "resync", *SLOW, *db, "--all", "--yes", "--json", "--batch-size", "1", "--lanes", "1"
    )
    process.wait_for("Wave 1")
    process.kill(sent)
    assert process.wait() == code
    assert "Traceback" not in process.err
    lines = process.rows
    assert {line["verdict"] for line in lines} >= {"NOT SENT"}
    run = shell("journal", *DEMO, *db, "--json").lines[0]
    assert run["state"] == "cancelled"
    assert sum(run["verdicts"].values()) == run["planned"] == len(lines)
    assert shell("resume", *DEMO, *db).err.endswith("No interrupted run.\n")


def test_a_second_ctrl_c_quits_at_once_and_resume_goes_on(shell: Shell, tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "org.db"))
    process = started(shell.home, "resync", *SLOW, *db, "--all", "--yes", "--batch-size", "1", "--lanes", "1")
    process.wait_for("Wave 1")
    process.kill(signal.SIGINT)
    process.wait_for("Stopping after")
    process.kill(signal.SIGINT)
    assert process.wait() == 130
    assert "Quit" in process.err
    waiting = shell("resume", *DEMO, *db, "--json").lines
    assert len(waiting) == 1
    assert (
        waiting[0]["proven"] + waiting[0]["failing"] + waiting[0]["unknown"] + waiting[0]["not_sent"]
        == waiting[0]["planned"]
    )
    assert "Interrupted run" in shell("plan", *DEMO, *db, "--all").err
    output = shell("resume", *DEMO, *db, "--drop", "--json")
    assert len(output.lines) == waiting[0]["planned"]
    assert shell("resume", *DEMO, *db, "--json").lines == []


@pytest.mark.parametrize("seed", range(layered("commands killed and resumed", 1, 12)))
def test_killed_and_resumed_it_ends_as_without_a_kill(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The real program over HTTP; the demo org dies with it, and comes back from its file."""
    monkeypatch.setattr("syncerr_tui.resync.doubt.LEAST_USUAL", 4.0)
    random = Random(seed)
    unharmed, killed = (("--db", str(tmp_path / name)) for name in ("unharmed.db", "killed.db"))
    words = ("--all", "--yes", "--json", "--batch-size", "2", "--lanes", "2", "--patience", "4")
    shell("resync", *DEMO, *unharmed, *words)
    process = started(shell.home, "resync", *SLOW, *killed, *words)
    process.wait_for("Wave 1")
    timer = threading.Timer(random.random() * 1.5, process.kill)
    timer.start()
    process.wait()
    timer.cancel()
    if shell("resume", *DEMO, *killed, "--json").lines:
        output = shell("resume", *DEMO, *killed, "--continue", "--yes", "--again", "--json")
        assert output.code in {0, 1}
    assert listed(shell, *killed) == listed(shell, *unharmed)
    runs = shell("journal", *DEMO, *killed, "--json").lines
    latest = next(run for run in runs if run["state"] != "interrupted")
    assert sum(latest["verdicts"].values()) == latest["planned"]


def test_verify_looks_again_and_sends_nothing(shell: Shell, tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "org.db"))
    event = a_locked_row(shell, *db)
    output = shell(
        "resync",
        "--demo",
        "--errors",
        "30",
        "--processing-delay",
        "1",
        *db,
        "--id",
        event,
        "--yes",
        "--patience",
        "0",
        "--json",
    )
    assert output.code == 1
    assert output.lines[0]["verdict"] == "UNKNOWN"
    found = shell("verify", *DEMO, *db, "--patience", "20", "--json")
    assert [(line["id"], line["verdict"]) for line in found.lines] == [(event, "FIXED")]
    assert found.code == 0
    assert shell("verify", *DEMO, *db).err.endswith("Nothing was sent whose outcome is unknown.\n")
    assert shell("journal", *DEMO, *db, "--id", event, "--json").lines[0]["attempts"] == 1


def test_a_wait_is_told_with_its_beginning_and_its_end() -> None:
    since = datetime.now().astimezone().replace(hour=2, minute=14, second=5)
    end = since.replace(minute=17)
    narrator = _Narrator()
    assert narrator.lines(Waiting(0.0, "", WaitKind.EARLIER, 1, since, end)) == [
        (
            "1 row was sent before (at 02:14:05), and the outcome is not known: "
            "it is read again until 02:17:05 at the latest."
        )
    ]
    assert narrator.lines(Waiting(1.0, "", WaitKind.PROOF, 4, since, end)) == [], "too soon behind the other"
    (err,) = _Narrator().lines(Waiting(20.0, "", WaitKind.PROOF, 4, since - timedelta(days=1), end))
    assert "4 rows wait for the org since " in err
    assert f"{(since - timedelta(days=1)).day} " in err, "the day, where it is another one"
    assert "what it has not done by 02:17:05 is UNKNOWN" in err


def test_a_line_of_progress_is_right_for_one_row_and_for_none() -> None:
    def line(counts: Counts) -> str:
        (line,) = _Narrator().lines(Progress(counts, None))
        return line

    assert line(Counts(planned=1_200, queued=1_199, waiting=1)) == "0 of 1,200 ended, 1 waiting for the org"
    assert line(Counts(planned=3, fixed=3)) == "3 of 3 ended"
