"""A team's journal on the command line: set in the profile, moved into, looked at, and lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import ExitCode
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.people import LOOKS
from syncerr_tui.journal.places import shared_place
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.salesforce.profile_files import read_profile
from syncerr_tui.stopwatch import utc_now
from tests.cli.conftest import Shell
from tests.e2e.orgs import write_profile
from tests.journal.opening import open_as
from tests.postgres import PostgresServer
from tests.resync import lying_org
from tests.ui import past

SECRET = "correct horse battery staple"


@pytest.fixture
def fresh(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """An org of this test alone, set up as `acme`."""
    with DemoServer(DemoOptions(errors=30, processing_delay=0.0)) as server:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
        method = (
            "--method",
            "apex",
            "--method-set",
            "name=SyncErrResync",
            "--method-set",
            "id_input=changeEventId",
        )
        output = shell("setup", "acme", "--yes", *method)
        assert output.code == 0, output.err
        yield server


@pytest.fixture(params=["file", "postgresql"])
def name_journal(request: pytest.FixtureRequest, shell: Shell, tmp_path: Path) -> Callable[[], str]:
    """Writes a shared journal into the profile; gives its address."""

    def name() -> str:
        place = str(tmp_path / "shared" / "acme.db")
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            place = server.url(request.getfixturevalue("database"))
        write(shell, f'journal = "{place}"')
        return place

    return name


def write(shell: Shell, *lines: str) -> None:
    path = shell.profiles / "acme.toml"
    kept = [line for line in path.read_text().splitlines() if not line.startswith("journal")]
    path.write_text("\n".join([*lines, *kept]) + "\n")


def a_locked_row(shell: Shell) -> str:
    """One that a plain retry clears."""
    rows = shell("list", "--org", "acme", "--filter", "code:UNABLE_TO_LOCK_ROW event:create", "--json").lines
    return str(rows[0]["id"])


def a_row(shell: Shell) -> str:
    return str(shell("list", "--org", "acme", "--json").lines[0]["id"])


def journal_check(shell: Shell) -> dict[str, str]:
    lines = shell("doctor", "--org", "acme", "--json").lines
    return next(line for line in lines if line["name"] == "journal")


def test_own_runs_are_moved_once_and_new_ones_go_into_the_shared_one(
    shell: Shell, fresh: DemoServer, name_journal: Callable[[], str]
) -> None:
    event = a_locked_row(shell)
    assert shell("resync", "--org", "acme", "--id", event, "--yes").code == 0
    refused = shell("journal", "move", "--org", "acme")
    assert (refused.code, "names no shared journal" in refused.err) == (ExitCode.BAD_INPUT, True)
    place = name_journal()
    assert "none yet" in journal_check(shell)["reason"]
    moved = shell("journal", "move", "--org", "acme")
    assert moved.code == 0, moved.err
    assert "Moved and read back: 1 run, 1 row, 0 fixes." in moved.err
    (run,) = shell("journal", "--org", "acme", "--json").lines
    assert run["verdicts"] == {"FIXED": 1}
    again = shell("journal", "move", "--org", "acme")
    assert (again.code, again.out) == (ExitCode.REFUSED, "")
    assert "was moved before" in again.err
    assert shell("resync", "--org", "acme", "--id", a_row(shell), "--yes").code in {0, 1}
    assert len(shell("journal", "--org", "acme", "--json").lines) == 2
    check = journal_check(shell)
    assert check["state"] == "ok" or "chmod 2770" in check["advice"], check
    assert "schema" in check["reason"]
    shown = json.loads(shell("info", "--json").out)["journals"]["acme"]
    assert shown.split("?")[0].rpartition("@")[2] in place
    write(shell)
    back = shell("resync", "--org", "acme", "--id", a_row(shell), "--yes")
    assert (back.code, "This journal was moved to" in back.err) == (ExitCode.REFUSED, True)


def test_colleagues_are_listed(
    shell: Shell, fresh: DemoServer, name_journal: Callable[[], str], tmp_path: Path
) -> None:
    name_journal()
    assert "Nobody else is working on this org." in shell("journal", "--who", "--org", "acme").err
    profile = read_profile(shell.profiles, "acme")
    assert profile is not None
    assert profile.org_id is not None
    ben = replace(Owner.current(), pid=1, host="ops-2", boot="another kernel/1", machine="another")
    place = shared_place(profile.journal)
    with open_as(tmp_path / "ben", profile.org_id, clock=utc_now, owner=ben, shared=place) as journal:
        journal.present(LOOKS)
        output = shell("journal", "--who", "--org", "acme", "--json")
        (one,) = output.lines
        assert (one["host"], one["doing"]) == ("ops-2", "has the list open")
        assert "on ops-2 has the list open since" in shell("journal", "--who", "--org", "acme").out
        assert "Also on: " in shell("journal", "--org", "acme").err


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        (['journal = "postgresql://127.0.0.1:1/acme"'], ExitCode.MACHINE, "The journal cannot be reached"),
        ([f'journal = "postgresql://ana:{SECRET}@ops/acme"'], ExitCode.BAD_INPUT, "holds a password"),
        (['journal = "mysql://ops/acme"'], ExitCode.BAD_INPUT, "is not the address of a PostgreSQL database"),
        (['journal = "acme.db"'], ExitCode.BAD_INPUT, "neither a file of this machine nor a database"),
        (
            ['journal = "postgresql://127.0.0.1:1/acme"', 'journal_password = "env:NOT_SET"'],
            ExitCode.NOT_LOGGED_IN,
            "There is no journal password",
        ),
        ([f'journal_password = "{SECRET}"'], ExitCode.BAD_INPUT, "must say where the secret is kept"),
    ],
)
def test_a_journal_that_cannot_be_used_is_one_line_and_nothing_is_sent(
    shell: Shell, fresh: DemoServer, lines: list[str], code: ExitCode, words: str
) -> None:
    event = a_locked_row(shell)
    write(shell, *lines)
    for command in (("resync", "--id", event, "--yes"), ("journal",), ("resume",)):
        output = shell(*command, "--org", "acme")
        assert (output.code, output.out) == (code, ""), output.err
        assert words in output.err
        assert len(output.err.splitlines()) <= 2
        assert SECRET not in output.err + output.out
    examined = shell("doctor", "--org", "acme")
    assert examined.code != 0
    assert SECRET not in examined.err + examined.out
    assert SECRET not in shell("info").out
    write(shell)
    assert shell("journal", "--org", "acme", "--json").lines == []
    assert a_locked_row(shell) == event


def test_the_password_comes_from_where_the_profile_says(
    shell: Shell,
    fresh: DemoServer,
    postgres: PostgresServer,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with postgres.guarded(database, SECRET) as url:
        write(shell, f'journal = "{url}"', 'journal_password = "env:PGJOURNAL"')
        monkeypatch.setenv("PGJOURNAL", "wrong")
        assert "password authentication failed" in shell("journal", "--org", "acme").err
        monkeypatch.setenv("PGJOURNAL", SECRET)
        output = shell("resync", "--org", "acme", "--id", a_locked_row(shell), "--yes")
        assert output.code == 0, output.err
        monkeypatch.delenv("PGJOURNAL")
        passfile = shell.home / "pgpass"
        passfile.write_text(f"*:*:*:*:{SECRET}\n")
        passfile.chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(passfile))
        write(shell, f'journal = "{url}"')
        assert len(shell("journal", "--org", "acme", "--json").lines) == 1
        kept = [path for path in shell.home.rglob("*") if path.is_file() and path != passfile]
        assert all(SECRET.encode() not in path.read_bytes() for path in kept)
        assert SECRET not in output.err + output.out
    assert os.environ.get("PGPASSWORD") is None


def test_a_twin_is_named_with_both_addresses_until_somebody_says_that_it_is_merged(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DemoServer(DemoOptions(errors=30, processing_delay=0, faults=("twin",))) as demo:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
        write_profile(shell.home)
        box = ("--org", "box")
        rows = shell("list", *box, "--filter", "code:UNABLE_TO_LOCK_ROW event:create", "--json").lines
        row, name = rows[0]["id"], rows[0]["object"]
        output = shell("resync", *box, "--id", row, "--only", "--yes", "--json")
        assert [line["verdict"] for line in output.lines] == ["TWIN"]
        for words in (("list",), ("causes",), ("plan", "--all")):
            lines = [line for line in shell(*words, *box).err.splitlines() if line.startswith("TWIN")]
            (line,) = lines
            assert row in line
            assert len({word for word in line.split() if f"/lightning/r/{name}/" in word}) == 2
        assert shell("note", *box, "--id", row, "a word").code == 2, "it has left the list"
        assert shell("note", *box, "--id", row, "--merged").code == 0
        assert "TWIN" not in shell("list", *box).err


def test_a_twin_that_is_in_the_list_is_told_beside_its_row_and_its_cause(
    shell: Shell, fresh: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme = ("--org", "acme")
    first = shell("list", *acme, "--filter", "object:Order", "--json").lines[0]
    profile = read_profile(shell.profiles, "acme")
    assert profile is not None
    identity = replace(lying_org.IDENTITY, org_id=profile.org_id or "")
    monkeypatch.setattr(past, "IDENTITY", identity)
    ids = ("801De0000000006IAA", "801De0000000007IAA")
    records = [{"id": one, "modified_at": "2026-11-28T02:14:00+00:00"} for one in ids]
    error = SyncError.of_payload({**first, "created_at": None})
    past.ended_run(shell.home / "state", [error], [Verdict.TWIN], evidence={"records": records})
    rows = {line["id"]: line for line in shell("list", *acme, "--fields", "id,left,records", "--json").lines}
    assert rows[error.id]["left"] == "TWIN"
    assert [ids[0] in rows[error.id]["records"], ids[1] in rows[error.id]["records"]] == [True, True]
    twins = [line["twins"] for line in shell("causes", *acme, "--json").lines if line["twins"]]
    assert [[*found] for found in twins] == [[error.id]]
    assert all(one in address for one, address in zip(ids, twins[0][error.id], strict=True))
    shown = shell("causes", *acme).out
    assert f"TWIN {error.short_name}: " in shown
