"""`snapshot`: taken along, looked at where there is no org, carried back as a plan."""

from __future__ import annotations

import hashlib
import json
import random
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.snapshot import read_snapshot
from tests.cli.conftest import Shell
from tests.e2e.orgs import write_profile
from tests.layers import layered

BOX = ("--org", "box")


@pytest.fixture
def taken(org: DemoServer, shell: Shell, tmp_path: Path) -> Path:
    assert org.instance_url
    write_profile(shell.home)
    path = tmp_path / "acme.snapshot"
    assert shell("snapshot", *BOX, "-o", str(path)).code == 0
    return path


def test_it_tells_what_the_org_told_without_a_secret(
    shell: Shell, taken: Path, server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = {"list": ("list", "--causes"), "causes": ("causes",), "plan": ("plan", "--all")}
    asked = {name: shell(*words, *BOX, "--json").lines for name, words in commands.items()}
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", "http://127.0.0.1:9")
    away = ("--snapshot", str(taken), "--json")
    assert shell("list", "--causes", *away).lines == asked["list"]
    assert shell("causes", *away).lines == asked["causes"]
    assert shell("plan", "--all", *away).lines == asked["plan"]
    row = asked["list"][0]["id"]
    (report,) = shell("report", "--snapshot", str(taken), "--format", "json").lines
    assert report["left"] == len(asked["list"])
    assert asked["list"][0]["code"] in shell("explain", "--snapshot", str(taken), "--id", row).out
    assert server.access_token not in taken.read_text(encoding="utf-8")
    assert stat.S_IMODE(taken.stat().st_mode) == 0o600


def test_what_holds_for_all_causes_is_asked_for_once(
    shell: Shell, org: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, query_all = Counter[str](), ApiClient.query_all

    async def counted(client: ApiClient, query: str, **more: Any) -> Any:
        asked[query] += 1
        return await query_all(client, query, **more)

    monkeypatch.setattr(ApiClient, "query_all", counted)
    write_profile(shell.home)
    assert shell("snapshot", *BOX, "-o", str(tmp_path / "acme.snapshot")).code == 0
    assert asked.total() > len(asked), "causes are looked up one by one"
    for what in ("SELECT Username FROM User ", "FROM UserPermissionAccess ", "FROM SetupAuditTrail "):
        assert [times for query, times in asked.items() if what in query] == [1], what


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("resync", "--all", "--yes"), 5),
        (("watch",), 2),
        (("doctor",), 2),
        (("list", "--demo"), 2),
    ],
)
def test_what_needs_the_org_is_refused_in_one_line(
    shell: Shell, taken: Path, words: tuple[str, ...], code: int
) -> None:
    output = shell(*words, "--snapshot", str(taken))
    assert output.code == code
    assert output.err.strip().count("\n") == 0


def test_a_plan_is_carried_back_without_what_has_moved(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, path = tmp_path / "night.plan", tmp_path / "acme.snapshot"
    with DemoServer(DemoOptions(errors=30, processing_delay=0)) as demo:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
        write_profile(shell.home)
        assert shell("snapshot", *BOX, "-o", str(path)).code == 0
        assert shell("plan", "--snapshot", str(path), "--all", "-o", str(plan)).code == 0
        rows = shell("list", *BOX, "--filter", "code:UNABLE_TO_LOCK_ROW event:create", "--json").lines
        moved = rows[0]["id"]
        assert shell("resync", *BOX, "--id", moved, "--yes").code == 0
        output = shell("apply", *BOX, str(plan), "--yes", "--json")
        ended = {line["id"]: line["verdict"] for line in output.lines}
        assert ended.pop(moved) in {"FIXED", "NOT SENT"}
        assert "STILL FAILING" in ended.values()
        tries = shell("journal", *BOX, "--id", moved, "--json").lines
        assert sum(line["attempts"] for line in tries) == 1


def test_a_file_that_is_there_is_not_written_over(shell: Shell, taken: Path) -> None:
    before = taken.read_bytes()
    output = shell("snapshot", *BOX, "-o", str(taken))
    assert (output.code, taken.read_bytes()) == (2, before)
    assert "is there already" in output.err


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"format": "syncerr-tui snapshot"}', "\x00", "[" * 9999]
)
def test_what_is_no_snapshot_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInputError):
        read_snapshot(path)
    with pytest.raises(BadInputError):
        read_snapshot(tmp_path)


def test_one_taken_before_says_once_that_a_fix_is_made_by_hand(
    shell: Shell, taken: Path, tmp_path: Path
) -> None:
    text, title = taken.read_text(encoding="utf-8"), '"title": "A duplicate rule'
    assert title in text
    path = tmp_path / "before"
    path.write_text(text.replace(title, '"title": "By hand: A duplicate rule'), encoding="utf-8")
    row = next(error["id"] for error in json.loads(text)["errors"] if error["code"] == "DUPLICATES_DETECTED")
    output = shell("fix", "--snapshot", str(path), "--id", row).out
    assert output.count("By hand: A duplicate rule") == output.count("By hand") == 1


def test_hostile_text_in_it_is_made_harmless(shell: Shell, taken: Path, tmp_path: Path) -> None:
    held = json.loads(taken.read_text(encoding="utf-8"))
    held["errors"][0]["message"] = "\x1b]52;c;cGF5\x07 \u202e evil"
    held["org"]["name"] = "\x1b[2J"
    path = tmp_path / "hostile"
    path.write_text(json.dumps(held), encoding="utf-8")
    output = shell("list", "--snapshot", str(path))
    assert "\x1b" not in output.out + output.err
    assert "\u202e" not in output.out


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_a_damaged_one_is_refused_or_read_never_a_crash(taken: Path, seed: int) -> None:
    held = json.loads(taken.read_text(encoding="utf-8"))
    chance = random.Random(seed)
    spot: Any = held
    places: list[tuple[Any, Any]] = []
    while isinstance(spot, dict | list) and spot and len(places) < chance.randint(1, 4):
        key = chance.choice(sorted(spot)) if isinstance(spot, dict) else chance.randrange(len(spot))
        places.append((spot, key))
        spot = spot[key]
    where, key = places[-1]
    where[key] = chance.choice([None, 1, -1, "", "x", [], {}, [[]], True, "2026-13-45", 1e300])
    path = taken.with_name(f"odd-{seed}")
    path.write_text(json.dumps(held), encoding="utf-8")
    with suppress(BadInputError):
        read_snapshot(path)
    path.unlink()


# -- fixes -----------------------------------------------------------------------------------------------


def chosen(shell: Shell, path: Path, code: str, begins: str, *more: str) -> tuple[str, str]:
    """Choose a fix on the snapshot for the first error of this code; its key and that error."""
    for cause in shell("causes", "--snapshot", str(path), "--json").lines:
        row = cause["roots"][0]
        if cause["code"] != code:
            continue
        for option in shell("fix", "--snapshot", str(path), "--id", row, "--json").lines:
            if option["key"].startswith(begins) and option["allowed"]:
                output = shell(
                    *("fix", "--snapshot", str(path), "--id", row, "--apply", option["key"], *more, "--json")
                )
                assert (output.code, output.lines[0]["state"]) == (0, "listed"), output.err
                return option["key"], row
    raise AssertionError(f"no error with {code} offers {begins}")


@pytest.fixture
def away(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[DemoServer, Path]]:
    """An org of its own, and a snapshot of it."""
    path = tmp_path / "acme.snapshot"
    with DemoServer(DemoOptions(errors=140, processing_delay=0)) as demo:
        monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
        monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
        write_profile(shell.home)
        assert shell("snapshot", *BOX, "-o", str(path)).code == 0
        yield demo, path


def test_a_snapshot_offers_what_the_org_offers(shell: Shell, away: tuple[DemoServer, Path]) -> None:
    _, path = away
    offered = 0
    causes = shell("causes", *BOX, "--json").lines
    for cause in layered("causes whose fixes are compared with a snapshot's", causes[::8], causes):
        row = ("--id", cause["roots"][0], "--json")
        there, here = shell("fix", *BOX, *row).lines, shell("fix", "--snapshot", str(path), *row).lines
        timed = {"after"}  # an exemption ends in an hour from now
        for one, other in zip(there, here, strict=True):
            assert {k: v for k, v in one.items() if k not in timed} == {
                k: v for k, v in other.items() if k not in timed
            }
        offered += len(here)
    assert offered > len(causes) // 8


def test_fixes_are_carried_back_and_what_has_moved_is_left_out(
    shell: Shell, away: tuple[DemoServer, Path]
) -> None:
    _, path = away
    fixes = path.with_name(f"{path.name}.fixes")
    rule, row = chosen(
        shell, path, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "validation-rule-off", "--reason", "x"
    )
    bounce, bounced = chosen(shell, path, "EMAIL_ADDRESS_BOUNCED", "clear-bounce")
    value = ("--value", "OwnerId=tom@harbour-hearth.example")
    owner, _ = chosen(shell, path, "CANNOT_REPARENT_RECORD", "change-owner", *value)
    assert stat.S_IMODE(fixes.stat().st_mode) == 0o600
    assert shell("safeguards", *BOX, "--json").lines == [], "nothing is changed from a snapshot"

    output = shell("apply", *BOX, str(fixes), "--dry-run", "--json")
    assert {line["key"]: line["state"] for line in output.lines} == dict.fromkeys(
        (rule, bounce, owner), "would be made"
    )
    assert shell("fix", *BOX, "--id", bounced, "--apply", bounce, "--yes").code == 0  # a colleague was faster
    output = shell("apply", *BOX, str(fixes), "--yes", "--json")
    assert output.code == 1
    ends = {line["key"]: line for line in output.lines}
    assert (ends[rule]["state"], ends[rule]["verified"]) == ("applied", True)
    assert (ends[owner]["state"], ends[owner]["verified"]) == ("applied", True)
    assert ends[bounce]["state"] == "left out"
    assert "2 applied, 1 left out" in output.err
    (off,) = shell("safeguards", *BOX, "--json").lines
    assert (off["event"], off["reason"], off["state"]) == (row, "x", "off")
    again = shell("apply", *BOX, str(fixes), "--yes", "--json")
    assert {line["state"] for line in again.lines} == {"left out"}, "what is so already is not made again"


def test_a_rule_that_was_edited_since_is_left_alone(shell: Shell, away: tuple[DemoServer, Path]) -> None:
    _, path = away
    fixes = path.with_name(f"{path.name}.fixes")
    key, row = chosen(shell, path, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "validation-rule-off")
    assert shell("fix", *BOX, "--id", row, "--apply", key, "--yes").code == 0
    assert shell("safeguards", *BOX, "--restore-all").code == 0  # as before, and still the same rule
    held = json.loads(path.read_text(encoding="utf-8"))
    for known in held["fixes"]:
        for option in known["options"]:
            option["seen"] = "0000000000"
    older = path.with_name("older.snapshot")
    older.write_text(json.dumps(held), encoding="utf-8")
    chosen(shell, older, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "validation-rule-off")
    (line,) = shell("apply", *BOX, f"{older}.fixes", "--yes", "--json").lines
    assert (line["state"], line["verified"]) == ("left out", False)
    assert "was changed since the snapshot" in line["detail"]
    assert shell("safeguards", *BOX, "--json").lines == []
    (line,) = shell("apply", *BOX, str(fixes), "--yes", "--json").lines
    assert line["state"] == "applied"


def test_a_list_of_another_org_or_one_that_was_edited_is_refused(
    shell: Shell, away: tuple[DemoServer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = away
    fixes = path.with_name(f"{path.name}.fixes")
    chosen(shell, path, "EMAIL_ADDRESS_BOUNCED", "clear-bounce")
    text = fixes.read_text(encoding="utf-8")
    fixes.write_text(text.replace("clear-bounce", "flow-off"), encoding="utf-8")
    output = shell("apply", *BOX, str(fixes), "--yes")
    assert (output.code, output.out) == (5, "")
    assert "was changed after it was made" in output.err
    fixes.write_text(text.replace('"errors": [', '"errors": [7, '), encoding="utf-8")
    assert shell("apply", *BOX, str(fixes), "--yes").code == 2
    held = json.loads(text)
    held["list"]["org_id"] = "00D000000000001AAA"
    payload = json.dumps(held["list"], sort_keys=True)
    held["hash"] = hashlib.sha256(payload.encode()).hexdigest()
    fixes.write_text(json.dumps(held), encoding="utf-8")
    output = shell("apply", *BOX, str(fixes), "--yes")
    assert (output.code, output.out) == (5, "")
    assert "this org is" in output.err
    assert shell("fix", "--snapshot", str(path), "--cause", "x").code == 2


def test_what_cannot_be_chosen_on_a_snapshot_is_one_line(shell: Shell, away: tuple[DemoServer, Path]) -> None:
    _, path = away
    row = shell("causes", "--snapshot", str(path), "--json").lines[0]["roots"][0]
    here = ("fix", "--snapshot", str(path), "--id", row, "--apply")
    for words in (("flow-off:Nothing",), ("flow-off:Nothing", "-o", str(path))):
        output = shell(*here, *words)
        assert (output.code, output.out) == (2, "")
        assert output.err.strip().count("\n") == 0
    key, row = chosen(shell, path, "EMAIL_ADDRESS_BOUNCED", "clear-bounce")
    taken = ("fix", "--snapshot", str(path), "--id", row, "--apply", key)
    assert "is not a list of fixes" in shell(*taken, "-o", str(path)).err
    assert "takes no value" in shell(*taken, "--value", "Email=x").err
    assert shell("fix", *BOX, "--id", row, "--apply", key, "-o", "x").code == 2
