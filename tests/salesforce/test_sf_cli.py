"""A fake `sf` on the PATH for each behaviour of the real one, old and new."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.errors import BadInputError, MachineError, NotLoggedInError, SyncErrError, UnreachableError
from syncerr_tui.salesforce.auth.sf_cli import SfCli, known_orgs, login_command
from syncerr_tui.salesforce.concurrency import TokenProvider

TOKEN = "00D5g000000abcd!AQEAQsecret.secret_secret"
REDACTED = "[REDACTED] Use 'sf org auth show-access-token' to view"
URL = "https://acme.my.salesforce.com"

PROGRAM = """#!{python}
import json, os, subprocess, sys, time
with open({log!r}, "a") as log:
    call = {{"argv": sys.argv[1:], "env": dict(os.environ), "stdin": sys.stdin.read()}}
    log.write(json.dumps(call) + "\\n")
behaviour = {behaviour!r}
said = behaviour["display" if "display" in sys.argv else "show"]
if said.get("child"):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open({log!r} + ".pid", "w").write(str(child.pid))
time.sleep(said.get("sleep", 0))
sys.stdout.write(said.get("out", ""))
sys.stderr.write(said.get("err", ""))
sys.exit(said.get("exit", 0))
"""

CliOutput = dict[str, Any]


def displayed(token: str = REDACTED, status: str = "Connected", **more: str) -> CliOutput:
    result = {
        "id": "00D5g000000abcdEAA",
        "apiVersion": "67.0",
        "accessToken": token,
        "instanceUrl": f"{URL}/",
        "username": "ana@acme.example",
        "connectedStatus": status,
        **more,
    }
    return {"out": json.dumps({"status": 0, "result": result, "warnings": []})}


def shown(token: str = TOKEN, warning: str = "This command exposes a sensitive Access Token") -> CliOutput:
    return {"out": json.dumps({"status": 0, "result": {"accessToken": token}, "warnings": [warning]})}


def refused(name: str, message: str, code: int = 1) -> CliOutput:
    return {
        "out": json.dumps({"name": name, "message": message, "exitCode": code, "status": code}),
        "exit": code,
    }


UNKNOWN = {"exit": 127, "err": " ›   Warning: org auth show-access-token is not a sf command.\n"}


class FakeSf:
    """The program, and what it was called with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls.jsonl"

    def behaves(self, display: CliOutput, show: CliOutput) -> None:
        program = self.folder / "sf"
        behaviour = {"display": display, "show": show}
        program.write_text(
            PROGRAM.format(python=sys.executable, log=str(self.log), behaviour=behaviour), encoding="utf-8"
        )
        program.chmod(0o755)

    def environ(self, **more: str) -> Mapping[str, str]:
        return {"PATH": str(self.folder), "HOME": str(self.folder), **more}

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def login(self, org: str = "acme", timeout: float = 30.0, **environ: str) -> str:
        token = SfCli(org, self.environ(**environ), timeout=timeout).login()
        assert token.instance_url == URL
        return token.access_token


@pytest.fixture
def sf(tmp_path: Path) -> FakeSf:
    return FakeSf(tmp_path)


def test_a_new_cli_hides_the_token_and_shows_it_when_asked(sf: FakeSf) -> None:
    sf.behaves(displayed(), shown())
    assert sf.login() == TOKEN
    assert [call["argv"] for call in sf.calls] == [
        ["org", "display", "--target-org", "acme", "--json"],
        ["org", "auth", "show-access-token", "--target-org", "acme", "--json"],
    ]


def test_an_old_cli_shows_the_token_at_once(sf: FakeSf) -> None:
    sf.behaves(displayed(TOKEN), UNKNOWN)
    assert sf.login() == TOKEN


def test_the_default_org_needs_no_name(sf: FakeSf) -> None:
    sf.behaves(displayed(), shown())
    assert sf.login("") == TOKEN
    assert all("--target-org" not in call["argv"] for call in sf.calls)


def test_the_cli_is_kept_quiet_and_gets_none_of_our_secrets(sf: FakeSf) -> None:
    sf.behaves(displayed(), shown())
    sf.login(SYNCERR_ACCESS_TOKEN="ours", HTTPS_PROXY="http://proxy")
    for call in sf.calls:
        assert call["env"]["SF_DISABLE_TELEMETRY"] == "true"
        assert call["env"]["SF_AUTOUPDATE_DISABLE"] == "true"
        assert call["env"]["SF_SKIP_NEW_VERSION_CHECK"] == "true"
        assert call["env"]["NO_COLOR"] == "1"
        assert call["env"]["HTTPS_PROXY"] == "http://proxy"
        assert "ours" not in json.dumps(call)
        assert call["stdin"] == ""


BROKEN: list[tuple[str, CliOutput, CliOutput, type[SyncErrError], str, str]] = [
    (
        "no default org",
        refused("NoDefaultEnvError", "No default environment found."),
        {},
        NotLoggedInError,
        "no default org",
        "sf config set target-org",
    ),
    (
        "unknown org",
        refused("NamedOrgNotFoundError", "No authorization found", 2),
        {},
        NotLoggedInError,
        "knows no org 'acme'",
        "sf org login web --alias acme",
    ),
    (
        "dead session that exits 0",
        displayed(status="Session expired or invalid"),
        shown(),
        NotLoggedInError,
        "has expired",
        "sf org login web --alias acme",
    ),
    (
        "stale token that exits 0",
        displayed(),
        shown(warning="Unable to refresh auth for org. Access token may be stale."),
        NotLoggedInError,
        "has expired",
        "sf org login web",
    ),
    (
        "node crash",
        {
            "exit": 1,
            "err": "node:internal/modules/run_main:107\n    throw\nTypeError: webidl.util.markAsUncloneable "
            "is not a function\n    at undici 00D5g000000abcd!AQEAQsecret\n",
        },
        {},
        MachineError,
        "TypeError: webidl.util",
        "Node 22.19",
    ),
    ("text on stdout", {"out": "Welcome to sf\n"}, {}, MachineError, "sf CLI failed", "sf --version"),
    (
        "redacted and no command to show it",
        displayed(),
        UNKNOWN,
        NotLoggedInError,
        "does not give its token",
        "sf update",
    ),
    (
        "a token that is none",
        displayed(),
        shown("a token\nwith a line end"),
        BadInputError,
        "does not hold a token",
        "",
    ),
    (
        "a lightning address",
        {"out": displayed()["out"].replace(".my.salesforce.com", ".lightning.force.com")},
        {},
        BadInputError,
        "address of the web pages",
        "my.salesforce.com",
    ),
    (
        "another refusal",
        refused("SomethingElse", f"Cannot do that with {TOKEN}\nsecond line"),
        {},
        NotLoggedInError,
        "The sf CLI refused: Cannot do that",
        "",
    ),
]


@pytest.mark.parametrize(
    ("display", "show", "error", "title", "hint"),
    [case[1:] for case in BROKEN],
    ids=[case[0] for case in BROKEN],
)
def test_what_goes_wrong_names_the_next_step(
    sf: FakeSf, display: CliOutput, show: CliOutput, error: type[SyncErrError], title: str, hint: str
) -> None:
    sf.behaves(display, show)
    with pytest.raises(error) as caught:
        sf.login()
    assert title in caught.value.title
    assert hint in caught.value.hint
    assert "secret" not in caught.value.line
    assert "\n" not in caught.value.line


def test_a_missing_cli_is_named_with_another_way_in(tmp_path: Path) -> None:
    with pytest.raises(NotLoggedInError, match="not on the PATH") as caught:
        SfCli("acme", {"PATH": str(tmp_path)}).login()
    assert "syncerr-tui setup" in caught.value.hint


def test_a_cli_that_hangs_is_ended_with_its_children(sf: FakeSf) -> None:
    sf.behaves({"sleep": 60, "child": True}, {})
    started = time.monotonic()
    with pytest.raises(UnreachableError, match="did not answer within"):
        sf.login(timeout=1.5)
    assert time.monotonic() - started < 30
    child = int((sf.folder / "calls.jsonl.pid").read_text(encoding="utf-8"))
    for _ in range(100):
        if not _running(child):
            return
        time.sleep(0.05)
    pytest.fail("the child of the CLI is still running")


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def test_an_org_that_looks_like_an_option_is_not_passed_on(sf: FakeSf) -> None:
    sf.behaves(displayed(), shown())
    with pytest.raises(BadInputError, match="cannot be an org"):
        sf.login("--json")
    assert not sf.log.exists()


def test_a_renewal_that_gives_the_old_token_says_expired(sf: FakeSf) -> None:
    sf.behaves(displayed(), shown())
    tokens = TokenProvider(SfCli("acme", sf.environ()).login, next_step="Run sf org login web")
    once_more = tokens.renew(tokens.current())
    with pytest.raises(NotLoggedInError, match="has expired"):
        tokens.renew(once_more)
    assert len(sf.calls) == 6


def test_aliases_are_read_from_the_files_of_the_cli(tmp_path: Path) -> None:
    assert known_orgs(tmp_path) == ()
    (tmp_path / ".sfdx").mkdir()
    (tmp_path / ".sf").mkdir()
    (tmp_path / ".sfdx" / "alias.json").write_text('{"orgs": {"b": "b@x", "a": "a@x"}}', encoding="utf-8")
    (tmp_path / ".sf" / "config.json").write_text('{"target-org": "b"}', encoding="utf-8")
    assert known_orgs(tmp_path) == ("b", "a")
    (tmp_path / ".sfdx" / "alias.json").write_text("{", encoding="utf-8")
    assert known_orgs(tmp_path) == ("b",)


def test_the_login_command_names_an_alias_only() -> None:
    assert login_command("acme") == "sf org login web --alias acme"
    assert login_command("ana@acme.example") == "sf org login web"
