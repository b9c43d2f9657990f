"""The org's own button from the command line: learned from a recording, kept, pressed, proven."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from syncerr_tui.cli.learn_button import HOW_TO_RECORD, UNSUPPORTED
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.salesforce.profile_files import read_profile
from syncerr_tui.salesforce.profiles import (
    ApexMethod,
    ApexRestMethod,
    ButtonMethod,
    FieldMethod,
    FlowMethod,
    Method,
)
from tests.cli.conftest import Shell
from tests.independent.recordings import Recorder

ROOT = Path(__file__).parents[2]
EVENT = "s_c__Change_Event__c"
ENTERS = [""] * 2
"""Answers to what `setup` asks between the org's name and the method."""


@pytest.fixture
def har(org: DemoServer, tmp_path: Path) -> Path:
    """A recording of the demo org's button."""
    file = tmp_path / "press.har"
    file.write_text(json.dumps(org.recording()), encoding="utf-8")
    return file


def test_a_newcomer_lives_through_it_from_recording_to_proof(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "press.har")
    assert shell("demo", "--har", file).code == 0
    learned = shell("learn-button", file)
    assert learned.code == 0
    assert "Apex s_c.SyncErrorUtilityController.resyncChangeEvents" in learned.out
    for line in UNSUPPORTED:
        assert line in learned.out
    with DemoServer(DemoOptions(errors=30, processing_delay=0)) as server:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
        kept = shell("setup", "acme", "--yes", "--method", "button", "--har", file, "--patience", "20")
        assert kept.code == 0, kept.err
        rows = shell(
            "list", "--org", "acme", "--filter", "code:UNABLE_TO_LOCK_ROW event:create", "--json"
        ).lines
        pressed = shell("resync", "--org", "acme", "--id", rows[0]["id"], "--yes", "--json")
        assert [row["verdict"] for row in pressed.lines] == ["FIXED"], pressed.err
        assert server.button.executions[rows[0]["id"]] == 1
        token = str(json.loads(Path(file).read_text(encoding="utf-8"))).partition("eyJ")[2][:30]
        for one in shell.home.rglob("*"):
            if one.is_file():
                assert server.access_token.encode() not in one.read_bytes()
                assert token.encode() not in one.read_bytes()


def test_an_org_s_own_list_tells_the_rows(shell: Shell, org: DemoServer, har: Path) -> None:
    known = shell("learn-button", str(har), "--org", "environment", "--json")
    assert known.code == 0
    assert known.lines[0]["candidates"][0]["ids"]["field"] == "event"
    stranger = har.read_text(encoding="utf-8").replace("a0XDe", "a0YDe")
    har.write_text(stranger, encoding="utf-8")
    unknown = shell("learn-button", str(har), "--org", "environment", "--json")
    assert unknown.code == 1
    assert "not those of the rows" in json.dumps(unknown.lines[0]["refused"])


def test_a_recording_that_cannot_be_used_ends_setup_before_anything_else(
    shell: Shell, org: DemoServer, har: Path, tmp_path: Path
) -> None:
    before = org.calls
    (tmp_path / "text.har").write_text("Hello")
    for file in ("text.har", "none.har", ""):
        refused = shell("setup", "acme", "--yes", "--method", "button", "--har", str(tmp_path / file))
        assert refused.code == 2
        assert len(refused.err.splitlines()) == 1
    assert shell("setup", "acme", "--yes", "--method", "guided", "--har", str(har)).code == 2
    assert org.calls == before
    har.write_text(har.read_text(encoding="utf-8").replace("changeEventIds", "x").replace("a0XDe", "nope!"))
    unfit = shell("setup", "acme", "--yes", "--har", str(har))
    assert unfit.code == 2
    assert "does not show the Re-sync button" in unfit.err
    assert not (shell.profiles / "acme.toml").exists()


def test_the_recording_alone_says_that_the_method_is_the_button(
    shell: Shell, org: DemoServer, har: Path
) -> None:
    kept = shell("setup", "acme", "--yes", "--har", str(har))
    assert kept.code == 0, kept.err
    assert "SyncErrResync (apex)" in kept.err  # a public action is proposed before the private call
    assert "holds a session token" in kept.err
    profile = read_profile(shell.profiles, "acme")
    assert profile is not None
    assert isinstance(profile.method, ButtonMethod)
    assert (profile.method.package, profile.method.full_name) == (
        "21.4.0",
        "s_c.SyncErrorUtilityController.resyncChangeEvents",
    )
    output = shell("doctor", "--org", "acme")
    assert "a private call of the package that nobody supports" in output.out
    assert "after a package upgrade record it again" in output.out


@pytest.mark.parametrize(("word", "code"), [("y", 0), ("n", 5)])
def test_a_person_confirms_an_id_that_stays_and_the_call(
    shell: Shell, org: DemoServer, har: Path, monkeypatch: pytest.MonkeyPatch, word: str, code: int
) -> None:
    user = "0055g00000AbCdEAAV"
    har.write_text(har.read_text(encoding="utf-8").replace("UtilityBar%22", f"{user}%22"), encoding="utf-8")
    assert user in har.read_text(encoding="utf-8")
    refused = shell("setup", "acme", "--yes", "--har", str(har))
    assert refused.code == 2
    assert "looks like an id" in refused.err
    answers = ["", "acme", *ENTERS, "y", word, *[""] * 9]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in answers)))
    asked = shell("setup", "--har", str(har))
    assert asked.code == code, asked.err
    assert user in asked.err
    kept = shell.profiles / "acme.toml"
    assert (user in kept.read_text(encoding="utf-8")) if code == 0 else not kept.exists()


ROWS = ("a0XDe0000000001MAA", "a0XDe0000000002MAA")
DATA = "/services/data/v66.0"
INPUTS = [{"changeEventId": row} for row in ROWS]
UPDATES = [{"attributes": {"type": EVENT}, "id": row, "s_c__Status__c": "NEW"} for row in ROWS]
PUBLIC: dict[str, tuple[str, str, object, str, Method]] = {
    "invocable": (
        "POST", f"{DATA}/actions/custom/apex/SyncErrResync", {"inputs": INPUTS}, "",
        ApexMethod("SyncErrResync", "changeEventId"),
    ),
    "flow": (
        "POST", f"{DATA}/actions/custom/flow/SyncErr_Resync", {"inputs": INPUTS}, "",
        FlowMethod("SyncErr_Resync", "changeEventId"),
    ),
    "Apex REST": (
        "POST", "/services/apexrest/syncerr/resync", {"ids": list(ROWS)}, "syncerr",
        ApexRestMethod("syncerr/resync", "ids"),
    ),
    "update of a record": (
        "PATCH", f"{DATA}/sobjects/{EVENT}/{ROWS[0]}", {"s_c__Status__c": "NEW"}, "s_c",
        FieldMethod("s_c__Status__c", "NEW", accept_vendor_warning=True),
    ),
    "update of records": (
        "PATCH", f"{DATA}/composite/sobjects", {"records": UPDATES}, "s_c",
        FieldMethod("s_c__Status__c", "NEW", accept_vendor_warning=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PUBLIC)
def test_a_recording_of_something_public_becomes_the_method_for_it(
    shell: Shell, org: DemoServer, tmp_path: Path, kind: str
) -> None:
    verb, target, body, namespace, method = PUBLIC[kind]
    recorder = Recorder()
    recorder.rest(verb, target, body, {"success": True})
    (tmp_path / "press.har").write_text(recorder.text(), encoding="utf-8")
    words = ("setup", "acme", "--yes", "--har", str(tmp_path / "press.har"), "--namespace", namespace)
    if isinstance(method, FieldMethod):
        unconfirmed = shell(*words)
        assert unconfirmed.code == 5
        assert "never write them" in unconfirmed.err
        words = (*words, "--method-set", "accept_vendor_warning=true")  # type: ignore[assignment]
    kept = shell(*words)
    assert kept.code == 0, kept.err
    profile = read_profile(shell.profiles, "acme")
    assert profile is not None
    assert profile.method == method


def test_a_public_call_for_records_is_not_made_with_change_events(
    shell: Shell, org: DemoServer, tmp_path: Path
) -> None:
    recorder = Recorder()
    orders = ["8015g00000Vb4QAAAZ", "8015g00000Vb4QBAAZ"]
    recorder.rest("POST", "/services/apexrest/s_c/again", {"ids": orders})
    (tmp_path / "press.har").write_text(recorder.text(), encoding="utf-8")
    refused = shell("setup", "acme", "--yes", "--har", str(tmp_path / "press.har"))
    assert refused.code == 2
    assert "takes ids of records" in refused.err


def test_an_org_that_refuses_the_list_is_not_set_up(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with DemoServer(DemoOptions(errors=5, faults=("forbid-permission:query",))) as server:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
        refused = shell("setup", "acme", "--yes")
    assert refused.code == 5
    assert "The list of sync errors cannot be read" in refused.err.splitlines()[-1]
    assert not (shell.profiles / "acme.toml").exists()


def test_the_readme_says_what_the_program_says() -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for line in HOW_TO_RECORD[:4]:
        assert line[3:].split(".")[0].replace("'", '"') in readme
    for words in (
        "This repeats a private call of the package",
        "Neither Salesforce nor StoreConnect supports it",
        "a package upgrade may change it",
        "record the button again",
        "Ask StoreConnect for a public action",
        "it holds a session token",
    ):
        assert words in readme


@pytest.mark.parametrize(
    ("name", "reason"), [("28e-user-id-constant", "looks like an id"), ("20-remoting", "its own page")]
)
def test_what_is_refused_is_not_said_to_be_missing(shell: Shell, name: str, reason: str) -> None:
    done = shell("learn-button", str(ROOT / "tests" / "button" / "har" / f"{name}.har"))
    assert reason in " ".join(done.out.split())
    assert "none of which takes row ids" not in done.out
    assert "log cleared" not in done.out
