"""`snapshot`: taken along, looked at where there is no org, carried back as a plan."""

from __future__ import annotations

import json
import random
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.snapshot import read_snapshot
from tests.cli.conftest import Shell
from tests.e2e.orgs import write_profile

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


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("resync", "--all", "--yes"), 5),
        (("fix", "--id", "a0XDe0000000001MAA"), 5),
        (("watch",), 2),
        (("doctor",), 2),
        (("list", "--demo"), 2),
    ],
)
def test_what_needs_the_org_is_refused_in_one_line(
    shell: Shell, taken: Path, words: tuple[str, ...], code: int
) -> None:
    said = shell(*words, "--snapshot", str(taken))
    assert said.code == code
    assert said.err.strip().count("\n") == 0


def test_a_plan_is_carried_back_without_what_has_moved(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from syncerr_tui.demo.options import DemoOptions

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
        said = shell("apply", *BOX, str(plan), "--yes", "--json")
        ended = {line["id"]: line["verdict"] for line in said.lines}
        assert ended.pop(moved) in {"FIXED", "NOT SENT"}
        assert "STILL FAILING" in ended.values()
        tries = shell("journal", *BOX, "--id", moved, "--json").lines
        assert sum(line["attempts"] for line in tries) == 1


def test_a_file_that_is_there_is_not_written_over(shell: Shell, taken: Path) -> None:
    before = taken.read_bytes()
    said = shell("snapshot", *BOX, "-o", str(taken))
    assert (said.code, taken.read_bytes()) == (2, before)
    assert "is there already" in said.err


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


def test_hostile_text_in_it_is_made_harmless(shell: Shell, taken: Path, tmp_path: Path) -> None:
    held = json.loads(taken.read_text(encoding="utf-8"))
    held["errors"][0]["message"] = "\x1b]52;c;cGF5\x07 \u202e evil"
    held["org"]["name"] = "\x1b[2J"
    path = tmp_path / "hostile"
    path.write_text(json.dumps(held), encoding="utf-8")
    said = shell("list", "--snapshot", str(path))
    assert "\x1b" not in said.out + said.err
    assert "\u202e" not in said.out


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
