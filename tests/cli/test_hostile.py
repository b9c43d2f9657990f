"""No text of an org, a profile, an argument or an answer acts on the terminal, whatever command shows it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import click
import pytest

from syncerr_tui.cli import COMMANDS, LateGroup, _console
from syncerr_tui.cli.root import root
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import ExitCode
from syncerr_tui.text import HOSTILE
from tests.cli.conftest import CommandResult, Shell
from tests.cli.hostile_org import ATTACK, MARK, hostile_mirror
from tests.e2e.orgs import MAPPING
from tests.layers import layered

CODES = {code.value for code in ExitCode}


def harmless(output: CommandResult) -> None:
    for text in (output.out, output.err):
        acting = HOSTILE.search(text)
        assert acting is None, (hex(ord(acting[0])), text[max(0, acting.start() - 80) : acting.end() + 20])
    assert output.code in CODES - {ExitCode.DEFECT}, output.err


def aura_call(row: str) -> str:
    """The body of a call that a recording holds; its names are as hostile as the rest."""
    call = {
        "id": f"1{ATTACK}",
        "descriptor": "aura://ApexActionController/ACTION$execute",
        "params": {
            "namespace": "s_c",
            "classname": f"Sync{ATTACK}",
            "method": f"resync{ATTACK}",
            "params": {f"ids{ATTACK}": [row], "why": ATTACK},
        },
    }
    return urlencode({"message": json.dumps({"actions": [call]}), "aura.token": ATTACK})


@pytest.fixture(scope="module")
def server() -> Iterator[DemoServer]:
    """An org of their own: these tests send rows again, and others compare the lists of the shared one."""
    with DemoServer(DemoOptions(errors=30, processing_delay=0.1)) as own:
        yield own


@pytest.fixture(scope="module")
def mirror(server: DemoServer) -> Iterator[str]:
    with hostile_mirror(server) as url:
        yield url


@pytest.fixture
def hostile(mirror: str, org: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", mirror)
    return shell


def test_every_command_shows_a_hostile_org(
    mirror: str, org: DemoServer, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("--method-set", "name=SyncErrResync", "--method-set", "id_input=changeEventId")
    assert shell("setup", "acme", "--yes", "--method", "apex", *settings).code == 0
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", mirror)

    def hostile(command: str, *words: str) -> CommandResult:
        alone = {"info", "setup", "learn-button"}
        return shell(command, *(() if command in alone else ("--org", "acme")), *words)

    rows = hostile("list", "--json")
    harmless(rows)
    assert rows.code == 0, rows.err
    assert all(MARK in row["message"] for row in rows.lines)
    first, second = (row["id"] for row in rows.lines[:2])
    file, recording = str(tmp_path / "some.plan"), str(tmp_path / "some.har")
    request = {
        "method": "POST",
        "url": f"https://acme.lightning.force.com/aura?r=1&{MARK}",
        "headers": [],
        "postData": {"mimeType": "application/x-www-form-urlencoded", "text": aura_call(first)},
    }
    entry = {"request": request, "response": {"status": 200, "headers": [], "content": {"text": ATTACK}}}
    (tmp_path / "some.har").write_text(json.dumps({"log": {"entries": [entry] * 2}}), encoding="utf-8")
    shown: dict[str, CommandResult] = {}
    for words in (
        ("list",),
        ("list", "--causes"),
        ("list", "--causes", "--json"),
        ("explain", "--id", first),
        ("explain", "--id", first, "--json"),
        ("explain", "--id", first, "--markdown"),
        ("causes",),
        ("causes", "--victims"),
        ("causes", "--json"),
        ("fix", "--id", first),
        ("fix", "--id", first, "--json"),
        ("safeguards",),
        ("safeguards", "--json"),
        ("plan", "--all"),
        ("plan", "--id", first, "--json", "--patience", "0", "-o", file),
        ("apply", file, "--yes"),
        ("resync", "--id", second, "--yes", "--patience", "0", "--reason", ATTACK),
        ("verify",),
        ("resume",),
        ("journal",),
        ("journal", "--id", first),
        ("journal", "--json"),
        ("list", "--json"),
        ("report",),
        ("watch", "--once"),
        ("note", "--id", first, ATTACK),
        ("note", "--json"),
        ("snapshot", "-o", f"{file}.snapshot"),
        ("doctor",),
        ("doctor", "--json"),
        ("info",),
        ("setup", "by-flags", "--yes"),
        ("learn-button", recording),
        ("learn-button", recording, "--json"),
    ):
        output = hostile(*words)
        harmless(output)
        shown[" ".join(words[:2])] = output
        if words[-1] == "--json":
            assert all(isinstance(line, dict) for line in output.lines)
    assert {arguments.split()[0] for arguments in shown} | {"demo"} == set(COMMANDS)
    for arguments in ("list", "explain --id", "causes", "journal"):
        assert MARK in shown[arguments].out, arguments


@pytest.mark.parametrize("method", ["apex", "flow"])
def test_the_dialogue_of_setup(hostile: Shell, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hostile answers to every question, until the input ends; what the org offers is shown on the way."""
    answers = [ATTACK, "", "message", ATTACK, "1", "", *[""] * 6, ATTACK, "x"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in answers)))
    output = hostile("setup", "dialogue", "--way", "environment", "--method", method)
    harmless(output)
    before, offered, after = output.err.partition(f"What this org offers ({method})")
    assert MARK in before
    assert offered
    assert MARK in after


def test_refusals_of_an_org(server: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with hostile_mirror(server, failing=True) as url:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
        for words in ("list", "doctor", "causes", "setup x --yes", "resync --all --yes"):
            output = shell(*words.split())
            harmless(output)
            assert output.code != 0 or "setup" in words


def options() -> Iterator[tuple[str, ...]]:
    """Every option and argument of every command, with a hostile text and with a very long one."""
    assert isinstance(root, LateGroup)
    hostile, long = ATTACK.replace("\x00", ""), f"\n\x1b]0;t\x07{'A' * 100_000}"
    for name in COMMANDS:
        context = root.make_context("syncerr-tui", [name], resilient_parsing=True)
        command = root.get_command(context, name)
        assert command is not None
        for parameter in command.params:
            if isinstance(parameter, click.Argument):
                yield name, hostile
                yield name, long
            elif isinstance(parameter, click.Option) and not parameter.is_flag:
                yield name, parameter.opts[-1], hostile
                yield name, f"{parameter.opts[0]}={long}"
    yield ("\x1b[2J",)
    yield "--org", hostile
    yield "--no-such\x1b[2J", "x"


def test_every_argument_of_every_command(
    org: DemoServer, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # some options name a file to make
    cases = list(options())
    for words in layered("options with a hostile value", Random(5).sample(cases, 60), cases):
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        output = shell(*words, *(["--once"] if words[0] == "watch" else []))  # else it would never end
        harmless(output)
        assert all(len(line) < 3_000 for line in output.err.splitlines()), words[:2]


PROFILE = f"""
environment = "SANDBOX"
org_id = "00D5g000000abcdEAA"
api_version = "64.0"
[way]
kind = "jwt"
client_id = "c"
username = "u"
key_file = "k"
login_url = "https://login.salesforce.com"
[method]
kind = "apex"
name = "A"
id_input = "b"
{MAPPING}
record_key = "s_c__sC_Id__c"
[mapping.event_types]
"Create" = "Create"
"""


def test_every_value_of_a_profile(shell: Shell) -> None:
    shell.profiles.mkdir(parents=True)
    lines = PROFILE.strip().splitlines()
    for number, line in enumerate(lines):
        key, equals, value = line.partition(" = ")
        if not equals:
            continue
        for bad in (f"{key} = {json.dumps(ATTACK)}", f"{json.dumps(ATTACK)} = {value}", f"{line} # \x1b[2J"):
            text = "\n".join([*lines[:number], bad, *lines[number + 1 :]])
            (shell.profiles / "acme.toml").write_text(text, encoding="utf-8")
            for words in (("list", "--org", "acme"), ("info",)):
                harmless(shell(*words))


def test_json_stays_json_where_the_locale_lacks_the_letters(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    value = {"text": "“ä😀€\x7f\x9b\u202e\ud800"}
    for encoding in ("ascii", "iso-8859-15", "utf-8"):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
        _console.prepare_streams()
        _console.emit_json(value)
        _console.emit("“ä😀€")
        first, second = raw.getvalue().decode(encoding).splitlines()
        assert json.loads(first) == value
        assert HOSTILE.search(first) is None
        assert "ä" in second or encoding == "ascii"
