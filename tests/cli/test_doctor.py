"""`doctor`, `info` and shell completion: what they say, what they find, and what they never print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from syncerr_tui.cli.root import root
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.salesforce.reading import EventReader
from tests.cli.conftest import Shell


def states(shell: Shell, *words: str) -> tuple[int, dict[str, str], str]:
    output = shell("doctor", *words, "--json")
    assert all(list(line) == ["name", "state", "reason", "advice"] for line in output.lines)
    return output.code, {line["name"]: line["state"] for line in output.lines}, output.out + output.err


def test_a_healthy_org_has_no_failed_line(shell: Shell) -> None:
    code, by_check, _ = states(shell, "--demo", "--errors", "10")
    assert code == 0
    assert set(by_check.values()) <= {"ok", "warning"}
    looked_at = {"version", "auth method", "who am I", "org", "API use", "API version", "object", "mapping"}
    assert looked_at | {"sync errors", "permissions", "clock", "network", "journal"} <= set(by_check)


def test_one_line_each_for_people(shell: Shell) -> None:
    output = shell("doctor", "--demo", "--errors", "10")
    assert all(line.startswith(("ok ", "warning ")) for line in output.out.splitlines())
    assert any("10 unresolved" in line for line in output.out.splitlines())


def test_a_field_that_an_upgrade_renamed_is_named_with_its_successor(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell("setup", "acme", "--yes").code == 0
    path = shell.profiles / "acme.toml"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("org_id")]  # each demo is an org of its own
    path.write_text("".join(kept), encoding="utf-8")
    with DemoServer(DemoOptions(errors=30, naming="upgraded")) as upgraded:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", upgraded.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", upgraded.access_token)
        output = shell("doctor", "--org", "acme")
        assert output.code == 1
        renamed = [line for line in output.out.splitlines() if line.startswith("failed   mapping")]
        assert any("s_c__Message__c is gone" in line and "s_c__Error_Message__c" in line for line in renamed)
        listed = shell("list", "--org", "acme")
        assert listed.code == 5
        assert "a package upgrade may have renamed it to" in listed.err
        assert "s_c__Error_Message__c" in listed.err


def test_another_org_behind_the_same_name_is_noticed(shell: Shell, org: DemoServer) -> None:
    assert shell("setup", "acme", "--yes").code == 0
    path = shell.profiles / "acme.toml"
    text = path.read_text(encoding="utf-8")
    org_id = next(line for line in text.splitlines() if line.startswith("org_id"))
    path.write_text(text.replace(org_id, 'org_id = "00D5g000000abcdEAA"'), encoding="utf-8")
    code, by_check, _ = states(shell, "--org", "acme")
    assert (code, by_check["org"]) == (1, "failed")
    assert "sync errors" not in by_check
    assert shell("list", "--org", "acme").code == 5


def test_the_lists_own_query_is_tried(shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    query = EventReader.query
    monkeypatch.setattr(
        EventReader, "query", lambda *which: query(*which).replace("Id, ", "Id, Nope__c, ", 1)
    )
    code, by_check, printed = states(shell)
    assert (code, by_check["sync errors"]) == (1, "failed")
    assert "Nope__c" in printed


def test_a_broken_profile_is_bad_input(shell: Shell) -> None:
    shell.profiles.mkdir(parents=True)
    (shell.profiles / "acme.toml").write_text("lanes = 'x'\n", encoding="utf-8")
    output = shell("doctor", "--org", "acme")
    assert output.code == 2
    assert "acme.toml:1: lanes must be a whole number" in output.err


def test_a_dead_token_ends_the_examination_and_is_not_printed(
    shell: Shell, org: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", "00D5g000000abcd!AQ0123456789012345678901")
    code, by_check, printed = states(shell)
    assert (code, by_check["who am I"]) == (1, "failed")
    assert "0123456789" not in printed


def test_nobody_listening_is_a_failed_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", "00D5g000000abcd!AQ0123456789012345678901")
    code, by_check, printed = states(shell)
    assert (code, by_check["network"]) == (1, "failed")
    assert "0123456789" not in printed


def test_info_names_every_path_and_makes_none(shell: Shell, tmp_path: Path) -> None:
    output = shell("info", "--json")
    payload = json.loads(output.out)
    assert payload["paths"]["config"] == str(shell.home / "config")
    assert set(payload["paths"]) == {"config", "profiles", "state", "log", "cache"}
    assert payload["terminal"]["because"]
    assert payload["orgs"] == []
    assert not shell.home.exists()
    plain = shell("info").out
    assert str(shell.home / "state") in plain
    assert "colour" in plain


def completions(incomplete: str) -> list[str]:
    completer = ShellComplete(root, {}, "syncerr-tui", "_SYNCERR_TUI_COMPLETE")
    return [item.value for item in completer.get_completions(["list", "--org"], incomplete)]


def test_orgs_are_completed_from_profiles_and_the_sf_cli(shell: Shell, tmp_path: Path) -> None:
    assert completions("") == []
    shell.profiles.mkdir(parents=True)
    (shell.profiles / "acme-prod.toml").write_text("", encoding="utf-8")
    (tmp_path / ".sfdx").mkdir()
    (tmp_path / ".sfdx" / "alias.json").write_text(
        '{"orgs": {"acme-dev": "x", "zeta": "y"}}', encoding="utf-8"
    )
    assert completions("") == ["acme-prod", "acme-dev", "zeta"]
    assert completions("acme-d") == ["acme-dev"]
    bare = ShellComplete(root, {}, "syncerr-tui", "_SYNCERR_TUI_COMPLETE").get_completions(["--org"], "z")
    assert [item.value for item in bare] == ["zeta"]


@pytest.mark.parametrize("name", ["list", "doctor", "setup", "info"])
def test_every_command_explains_itself(shell: Shell, name: str) -> None:
    output = shell(name, "--help")
    assert output.code == 0
    assert "Usage: syncerr-tui" in output.out
    assert max(map(len, output.out.splitlines())) <= 80
