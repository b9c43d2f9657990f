"""`list` against the demo org, over the same client as any other org."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from datetime import datetime
from pathlib import Path

import pytest

from syncerr_tui.cli._console import padded, row
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.salesforce.session import OrgSession
from syncerr_tui.text import cells, clean
from tests.cli.conftest import Shell
from tests.factories import sync_error
from tests.salesforce.test_sf_cli import FakeSf, displayed, shown


def lists(monkeypatch: pytest.MonkeyPatch, *errors: SyncError) -> None:
    """Let the org have these errors."""

    async def pages(_session: OrgSession) -> AsyncGenerator[tuple[SyncError, ...], None]:
        yield errors

    monkeypatch.setattr(OrgSession, "errors", pages)


KEYS = ["id", "object", "event_type", "processed_at", "salesforce_id", "storeconnect_id", "code", "message"]


def test_json_has_one_object_a_line_with_the_keys_of_the_contract(shell: Shell) -> None:
    output = shell("list", "--demo", "--errors", "25", "--json")
    assert output.code == 0
    assert len(output.lines) == 25
    for line in output.lines:
        assert list(line) == KEYS
        assert re.fullmatch(r"[0-9A-Za-z]{18}", line["id"])
        assert line["event_type"] in {"Create", "Update", "Delete"}
        when = datetime.fromisoformat(line["processed_at"])
        assert when.utcoffset() is not None
        assert line["salesforce_id"] is None or len(line["salesforce_id"]) == 18
    assert output.err == "25 sync errors.\n"


def test_the_oldest_come_first(shell: Shell, listed: DemoServer) -> None:
    times = [line["processed_at"] for line in shell("list", "--json").lines]
    assert times == sorted(times)


def test_a_filter_and_a_limit_are_counted_on_stderr(shell: Shell, listed: DemoServer) -> None:
    every = shell("list", "--json").lines
    orders = [line["id"] for line in every if line["object"] == "Order"]
    assert orders
    output = shell("list", "--json", "--filter", "object:Order")
    assert [line["id"] for line in output.lines] == orders
    assert output.err == f"{len(orders)} of 30 sync errors.\n"
    output = shell("list", "--json", "--filter", "object:Order", "--limit", "1")
    assert [line["id"] for line in output.lines] == orders[:1]


def test_what_can_match_nothing_is_refused_with_what_exists(shell: Shell, listed: DemoServer) -> None:
    output = shell("list", "--filter", "code:INVALID")
    assert output.code == 2
    assert "No status code is called 'INVALID'" in output.err
    assert "code:INVALID*" in output.err
    assert shell("list", "--filter", "event:upd").code == 2
    assert shell("list", "--filter", "cause:nobody").code == 2


def test_a_cause_is_a_filter_of_the_commands_too(shell: Shell, listed: DemoServer) -> None:
    rows = shell("list", "--json", "--causes").lines
    cause = rows[0]["cause"]
    output = shell("list", "--json", "--filter", f"cause:{rows[0]['id']}")
    assert [line["id"] for line in output.lines] == [row["id"] for row in rows if row["cause"] == cause]
    assert list(output.lines[0]) == KEYS


def test_pages_are_printed_as_they_come(shell: Shell) -> None:
    output = shell("list", "--demo", "--errors", "30", "--page-size", "7", "--json")
    assert len({line["id"] for line in output.lines}) == 30


def test_a_limit_stops_the_reading(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    original = OrgSession.errors

    async def counted(self: OrgSession) -> AsyncGenerator[tuple[SyncError, ...], None]:
        async for page in original(self):
            pages.append(len(page))
            yield page

    monkeypatch.setattr(OrgSession, "errors", counted)
    output = shell("list", "--demo", "--errors", "30", "--page-size", "5", "--limit", "7", "--json")
    assert (len(output.lines), pages) == (7, [5, 5])


def test_plain_lines_fit_the_terminal(
    shell: Shell, listed: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for columns in (60, 80, 130, 180, 240):
        monkeypatch.setenv("COLUMNS", str(columns))
        output = shell("list")
        lines = output.out.splitlines()
        assert len(lines) == 31
        assert lines[0].startswith("ID ")
        assert max(cells(line) for line in lines) <= columns


def test_what_is_cut_tells_what_matters_of_a_message(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "130")
    output = shell("list", "--demo").out
    assert "statusCode" not in output
    assert "REQUIRED_FIELD_MISSING: empty: Cost_Centre__c" in " ".join(output.split())
    assert "statusCode" in shell("list", "--demo", "--fields", "id,message").out


def test_a_code_that_the_wording_tells_is_marked_for_eyes_and_null_for_machines(
    shell: Shell, listed: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(monkeypatch, sync_error(1, code=None, message=clean("Required fields are missing: [Fax]")))
    assert [line["code"] for line in shell("list", "--json").lines] == [None]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "240")
    assert "~REQUIRED_FIELD_MISSING" in shell("list").out
    assert "~REQUIRED_FIELD_MISSING" in shell("list", "--fields", "id,code").out


def test_nothing_is_cut_for_a_pipe(shell: Shell, listed: DemoServer) -> None:
    messages = [line["message"] for line in shell("list", "--json").lines]
    plain = shell("list").out
    assert all(" ".join(message.split()) in plain for message in messages)


def test_no_errors_is_said(shell: Shell) -> None:
    output = shell("list", "--demo", "--errors", "0", "--json")
    assert (output.code, output.out, output.err) == (0, "", "No unresolved sync errors.\n")


def test_an_org_of_the_environment_needs_no_name(shell: Shell, org: DemoServer) -> None:
    output = shell("list", "--json", "--limit", "3")
    assert output.code == 0
    assert len(output.lines) == 3


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("list",), 2, "No org is configured. Run 'syncerr-tui setup' to add one, or add --demo"),
        (("list", "--errors", "5"), 2, "--errors is a setting of the demo org. Add --demo"),
        (("list", "--demo", "--org", "x"), 2, "--org and --demo name two different orgs"),
        (("list", "--demo", "--filter", 'object:"Order'), 2, ""),
        (("list", "--demo", "--errors", "-1"), 2, ""),
        (("list", "--demo", "--naming", "nope"), 2, "nope"),
        (("list", "--demo", "--bogus"), 2, "--bogus"),
        (("list", "--org", "../../etc/passwd"), 4, "sf"),
    ],
)
def test_bad_input_is_one_clear_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, line: str
) -> None:
    monkeypatch.setenv("PATH", str(shell.home))
    output = shell(*words)
    assert output.code == code, output.err
    assert line in output.err
    assert output.err.startswith("syncerr-tui: ")
    assert output.err.count("\n") == 1
    assert output.out == ""


def test_several_orgs_want_a_name(shell: Shell) -> None:
    shell.profiles.mkdir(parents=True)
    for name in ("a", "b"):
        (shell.profiles / f"{name}.toml").write_text("", encoding="utf-8")
    output = shell("list")
    assert output.code == 2
    assert "Several orgs are configured. Name one with --org: a, b" in output.err


def test_a_dead_token_is_said_once_and_calmly(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", "00D5g000000abcd!AQ0123456789012345678901")
    output = shell("list")
    assert output.code == 4
    assert "expired" in output.err
    assert "0123456789" not in output.out + output.err


def test_wide_letters_keep_the_columns_straight() -> None:
    assert cells("処理") == 4
    assert cells("e\u0301") == 1
    assert padded("処理失敗", 5) == "処理…"
    assert padded("処理失敗", 4) == "処… "
    assert padded("ab", 4) == "ab  "
    assert row(["処理", "x"], [6], 20) == "処理   x"
    assert cells(row(["a", "b" * 50], [3], 20)) == 20


def test_json_is_what_a_machine_reads(shell: Shell, listed: DemoServer) -> None:
    output = shell("list", "--json")
    assert "\x1b" not in output.out
    assert all(json.loads(line)["message"] for line in output.out.splitlines())


def test_a_dead_session_names_the_step_of_its_way_in(shell: Shell) -> None:
    output = shell("list", "--demo", "--errors", "5", "--fault", "expire-forever")
    assert output.code == 4
    assert output.err.startswith("syncerr-tui: The Salesforce session has expired. Start the demo again")


def test_a_single_refusal_of_a_good_token_goes_unnoticed(shell: Shell) -> None:
    output = shell("list", "--demo", "--errors", "5", "--fault", "expire-once", "--json")
    assert (output.code, len(output.lines)) == (0, 5)


def test_an_alias_of_the_sf_cli_needs_no_profile(
    shell: Shell, server: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sf = FakeSf(tmp_path)
    sf.behaves(displayed(instanceUrl=server.instance_url), shown(server.access_token))
    monkeypatch.setenv("PATH", str(tmp_path))
    output = shell("list", "--org", "acme", "--json", "--limit", "2")
    assert (output.code, len(output.lines)) == (0, 2), output.err
    assert all(server.access_token not in " ".join(call["argv"]) for call in sf.calls)


@pytest.mark.parametrize("columns", [80, 200])
def test_hostile_text_stays_on_its_line(
    shell: Shell, listed: DemoServer, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    error = SyncError(
        id="a0X000000000001AAA",
        object=clean("Or\nder\x1b[2J"),
        event_type=EventType.CREATE,
        processed_at=None,
        salesforce_id=None,
        storeconnect_id="a\nb",
        message=clean("first\r\nsecond\x07"),
        code=None,
    )
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(columns))
    lists(monkeypatch, error)
    output = shell("list")
    _heading, line = output.out.splitlines()
    assert "\x1b" not in line
    assert cells(line) <= columns
