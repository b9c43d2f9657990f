"""In a real org nothing is changed unless its profile says so, and in production a name is typed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.model import Environment
from tests.cli.conftest import Shell
from tests.cli.test_fix import BOX, find_option
from tests.e2e.orgs import write_profile

RULE = ("validation-rule-off:Account", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
NAME = "Account.Tax_Number_Has_Eleven_Digits"
STAYING = ("flow-off:Loyalty", "LIMIT_EXCEEDED")
"""No test here removes this cause."""


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(errors=140, processing_delay=0.1)) as server:
        yield server


@pytest.fixture
def production(demo: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A production org as the profile `box`, in which nothing is said about fixes."""

    async def says_production(*_: object) -> Environment:
        return Environment.PRODUCTION

    monkeypatch.setattr("syncerr_tui.salesforce.identity._environment", says_production)
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
    write_profile(shell.home)
    return shell


def allow(shell: Shell, text: str) -> None:
    path = shell.profiles / "box.toml"
    path.write_text(f"{path.read_text()}\n[fixes]\n{text}\n", encoding="utf-8")


def test_nothing_is_allowed_by_default(production: Shell) -> None:
    cause, option = find_option(production, *STAYING)
    keys = [line["key"] for line in production("fix", *BOX, "--id", cause["roots"][0], "--json").lines]
    assert not option["allowed"]
    assert "[fixes]" in option["why_not"]
    assert not [key for key in keys if key.startswith(("assign-bypass", "exempt"))]
    output = production(
        "fix",
        *BOX,
        "--id",
        cause["roots"][0],
        "--apply",
        option["key"],
        "--yes",
        "--confirm",
        "Loyalty_Award_Points",
    )
    assert output.code == 5
    run = production("resync", *BOX, "--id", cause["roots"][0], "--yes", "--with-fix", option["key"])
    assert (run.code, run.out) == (5, "")
    assert production("safeguards", *BOX, "--json").lines == []


def test_a_scope_allows_itself_alone(production: Shell) -> None:
    allow(production, 'allow = ["record", "setup"]')
    assert not find_option(production, *STAYING)[1]["allowed"]
    assert find_option(production, "clear-bounce", "EMAIL_ADDRESS_BOUNCED")[1]["allowed"]


@pytest.mark.parametrize(
    ("user", "offered"),
    [
        ("sync@harbour-hearth.example", True),
        ("petra@harbour-hearth.example", False),
        ("no@body.example", False),
    ],
    ids=["the sync user", "an inactive user", "nobody"],
)
def test_an_exemption_is_for_the_user_that_the_profile_names(
    production: Shell, user: str, offered: bool
) -> None:
    allow(production, f'allow = ["exemption"]\nsync_user = "{user}"')
    cause, _ = find_option(production, "duplicate-rule-off:Account", "DUPLICATES_DETECTED")
    options = production("fix", *BOX, "--id", cause["roots"][0], "--json").lines
    exempt = [option for option in options if option["key"].startswith("exempt-sync-user")]
    assert [option["allowed"] for option in exempt] == ([True] if offered else [])
    assert all(user in option["title"] for option in exempt)


@pytest.mark.timeout(120)
def test_the_name_is_typed_and_putting_back_needs_none(production: Shell) -> None:
    allow(production, 'allow = ["safeguard"]')
    cause, option = find_option(production, *RULE)
    asked = ("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--json")
    for words in (("--yes",), ("--confirm", NAME.lower()), ("--yes", "--confirm", "x"), ()):
        assert production(*asked, *words).code == 2
    assert production("safeguards", *BOX, "--json").lines == []
    output = production(*asked, "--confirm", NAME)
    assert (output.code, output.lines[0]["state"]) == (0, "applied")
    assert production("safeguards", *BOX, "--restore-all").code == 0
    run = ("resync", *BOX, "--id", cause["roots"][0], "--yes", "--json", "--with-fix", option["key"])
    assert production(*run).code == 2
    ended = production(*run, "--confirm", NAME)
    assert [line["verdict"] for line in ended.lines] == ["FIXED"], ended.err
    assert production("safeguards", *BOX, "--json").lines == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "SIGTERM"])
def test_stopped_it_goes_on_again(
    production: Shell, demo: DemoServer, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("SYNCERR_HOME", str(production.home))
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", demo.instance_url)
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", demo.access_token)
    cause, option = find_option(production, "flow-off:Cart_Reminder", "CANNOT_EXECUTE_FLOW_TRIGGER")

    def stop_once_it_is_off() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            row = demo.store.find("FlowDefinition", DeveloperName="Cart_Reminder")[0]
            if row["ActiveVersionId"] is None:
                os.kill(os.getpid(), number)
                return
            time.sleep(0.01)

    stopper = threading.Thread(target=stop_once_it_is_off)
    stopper.start()
    asked = ("resync", *BOX, "--id", cause["roots"][0], "--yes", "--json", "--with-fix", option["key"])
    run = production(*asked)
    stopper.join()
    assert run.code in {130, 143, 0}, run.err
    assert production("safeguards", *BOX, "--json").lines == []
    row = demo.store.find("FlowDefinition", DeveloperName="Cart_Reminder")[0]
    assert row["ActiveVersionId"] is not None
