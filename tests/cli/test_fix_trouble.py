"""`fix`, `safeguards` and `resync --with-fix` against an org in trouble, over HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.fixes.fixer import Fixer
from syncerr_tui.fixes.model import FixResult, FixState
from syncerr_tui.salesforce.fix_targets import FixTargets
from tests.cli.conftest import CommandResult, Shell
from tests.cli.test_fix import BOX, find_option
from tests.e2e.orgs import write_profile
from tests.fixes.test_fixer import FullDisk

RULE = ("validation-rule-off:Contact", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
FIRST = ("validation-rule-off", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
"""The component that is read first: what happens once happens to it."""
DUPLICATE = ("duplicate-rule-off:Account", "DUPLICATES_DETECTED")
VALUE = ("add-value:Delivery_Methods__gvs", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")

Start = Callable[..., DemoServer]


@pytest.fixture
def start(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a demo org with faults, as the org that the profile `box` names."""
    with ExitStack() as stack:

        def begin(*faults: str, profile: str = "") -> DemoServer:
            options = DemoOptions(errors=140, processing_delay=0.1, faults=faults)
            server = stack.enter_context(DemoServer(options))
            monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
            monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
            write_profile(shell.home)
            path = shell.profiles / "box.toml"
            path.write_text(path.read_text() + profile)
            return server

        yield begin


def apply(shell: Shell, which: tuple[str, str], *more: str) -> tuple[CommandResult, dict[str, Any]]:
    cause, option = find_option(shell, *which)
    output = shell("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes", "--json", *more)
    return output, json.loads(output.out) if output.out else {}


def test_a_lock_leaves_nothing_changed(shell: Shell, start: Start) -> None:
    start("setup-locked")
    output, result = apply(shell, DUPLICATE)
    assert (output.code, result["state"], result["verified"]) == (5, "refused", False)
    assert "locked" in result["detail"]
    assert shell("safeguards", *BOX, "--json").lines == []


def test_an_opaque_error_is_unknown_and_watched(shell: Shell, start: Start) -> None:
    start("setup-locked")
    output, result = apply(shell, RULE)
    assert (output.code, result["state"]) == (1, "unknown")
    assert [line["state"] for line in shell("safeguards", *BOX, "--json").lines] == ["on"]
    assert "safeguard off" not in shell("list", *BOX).err


@pytest.mark.parametrize("which", [RULE, DUPLICATE, VALUE], ids=["tooling", "soap", "value"])
def test_an_error_although_done_is_applied(shell: Shell, start: Start, which: tuple[str, str]) -> None:
    start("setup-error-though-done")
    output, result = apply(shell, which)
    assert (output.code, result["state"], result["verified"]) == (0, "applied", True)


@pytest.mark.parametrize("which", [RULE, DUPLICATE], ids=["tooling", "soap"])
def test_a_lost_answer_whose_change_was_made_is_applied(
    shell: Shell, start: Start, which: tuple[str, str]
) -> None:
    start("drop-after:metadata:1" if which is DUPLICATE else "drop-after:PATCH:1")
    output, result = apply(shell, which)
    assert (output.code, result["verified"]) == (0, True), output.err


def test_a_late_write_is_not_forgotten(shell: Shell, start: Start) -> None:
    start("setup-late")
    output, result = apply(shell, RULE)
    assert result["state"] in {"applied", "unknown"}, output.err
    lines = shell("safeguards", *BOX, "--json").lines
    assert len(lines) == 1
    assert shell("safeguards", *BOX, "--restore", lines[0]["fix"], "--json").code in {0, 1}


def test_without_the_permission_it_is_not_allowed(shell: Shell, start: Start) -> None:
    start("no-setup-permission")
    cause, option = find_option(shell, *RULE)
    assert not option["allowed"]
    assert "permission" in option["why_not"]
    output = shell("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes", "--json")
    assert (output.code, output.lines[0]["state"]) == (5, "refused")


def test_a_token_that_the_metadata_api_refuses_is_told_before_anything_is_tried(
    shell: Shell, start: Start
) -> None:
    start("soap-refuses-token")
    _, option = find_option(shell, *DUPLICATE)
    assert not option["allowed"]
    assert "JSON Web Token" in option["why_not"]
    assert apply(shell, DUPLICATE)[0].code == 5
    assert apply(shell, RULE)[0].code == 0  # the Tooling API takes it


def test_a_colleagues_edit_stops_what_was_shown(shell: Shell, start: Start) -> None:
    start("colleague-edits")
    cause, option = find_option(shell, *FIRST)
    output = shell(
        "fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes", "--json",
        "--seen", option["seen"],
    )  # fmt: skip
    assert (output.code, output.lines[0]["state"]) == (5, "refused")
    assert shell("safeguards", *BOX, "--json").lines == []


def test_a_colleague_who_switches_back_is_seen(shell: Shell, start: Start) -> None:
    start("colleague-switches-back")
    output, result = apply(shell, RULE)
    assert (output.code, result["verified"]) == (1, False)
    # It looks like a change that is still to come: on the ledger, and seen to be on.
    assert [line["state"] for line in shell("safeguards", *BOX, "--json").lines] == ["on"]


def test_what_cannot_be_read_whole_is_left_to_a_person(shell: Shell, start: Start) -> None:
    start("metadata-unreadable")
    _, option = find_option(shell, *RULE)
    assert option["verdict"] == "guided"


def test_the_session_may_expire_at_any_time(shell: Shell, start: Start) -> None:
    start("expire-once:metadata:1")
    output, result = apply(shell, RULE)
    assert output.code in {0, 3, 4}, output.err
    assert result.get("verified", False) is (output.code == 0)


def test_off_by_hand_is_recorded_and_put_back(shell: Shell, start: Start) -> None:
    start()
    assert apply(shell, RULE)[0].code == 0
    assert shell("safeguards", *BOX, "--record", "ValidationRule:Nope.Nope").code == 2
    assert shell("safeguards", *BOX, "--record", "FlowDefinition:Cart_Reminder").code == 2
    assert shell("safeguards", *BOX, "--record", "FlowDefinition:Cart_Reminder@3").code == 5  # it is on
    assert shell("safeguards", *BOX, "--restore-all", "--json").code == 0
    assert shell("safeguards", *BOX, "--json").lines == []


def test_a_read_only_profile_puts_nothing_back(shell: Shell, start: Start) -> None:
    start()
    _, result = apply(shell, RULE)
    assert shell("safeguards", *BOX, "--read-only", "--restore", result["fix"]).code == 5
    assert [line["state"] for line in shell("safeguards", *BOX, "--json").lines] == ["off"]
    output = shell("list", *BOX).err
    assert "1 safeguard off since" in output
    assert result["fix"] in output
    assert shell("safeguards", *BOX, "--restore", result["fix"][:6]).code == 0
    assert "safeguard off" not in shell("list", *BOX).err


@pytest.mark.timeout(120)
def test_a_run_whose_safeguard_is_not_seen_on_again_exits_1(
    shell: Shell, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    cause, option = find_option(shell, *RULE)

    async def refused(_fixer: Fixer, fix: str) -> FixResult:
        return FixResult(fix, FixState.REFUSED, False, {}, {}, "The set-up is locked")

    monkeypatch.setattr(Fixer, "restore_with_retries", refused)
    asked = ("resync", *BOX, "--id", cause["roots"][0], "--yes", "--json")
    run = shell(*asked, "--with-fix", option["key"])
    assert (run.code, run.lines[0]["verdict"]) == (1, "FIXED"), run.err
    assert "is not seen on again" in run.err


def test_ctrl_c_while_a_change_is_under_way_says_that_it_may_be_made(
    shell: Shell, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    cause, option = find_option(shell, *RULE)
    fix = shell("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes", "--json").lines[0]
    write = FixTargets.write_target

    async def interrupted(*change: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        await write(*change)

    other, duplicate = find_option(shell, *DUPLICATE)
    monkeypatch.setattr(FixTargets, "write_target", interrupted)
    for command in (
        ("safeguards", *BOX, "--restore", fix["fix"]),
        ("fix", *BOX, "--id", other["roots"][0], "--apply", duplicate["key"], "--yes"),
    ):
        run = shell(*command)
        assert run.code == 130
        assert "may be under way: 'syncerr-tui safeguards'" in run.err, run.err


def test_a_colleagues_edit_between_reading_and_writing_is_kept(shell: Shell, start: Start) -> None:
    start("colleague-edits")
    output, result = apply(shell, FIRST)
    assert (output.code, result["verified"]) == (0, True)
    assert shell("safeguards", *BOX, "--restore", result["fix"]).code == 0
    _, now = find_option(shell, *FIRST)
    start()
    assert now["seen"] != find_option(shell, *FIRST)[1]["seen"]


def test_a_disk_that_fills_up_as_a_rule_goes_off_says_that_it_may_be_off(
    shell: Shell, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    cause, option = find_option(shell, *RULE)
    FullDisk(monkeypatch, 1)
    run = shell("resync", *BOX, "--id", cause["roots"][0], "--yes", "--with-fix", option["key"])
    assert run.code == 6
    assert f"{option['target']['name']} is not seen on again" in run.err
    assert "was sent, and its outcome could not be kept" in run.err
