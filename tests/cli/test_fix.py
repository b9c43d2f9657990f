"""`fix` and `safeguards` against the demo org over HTTP: made exactly, proven, re-synced, put back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from tests.cli.conftest import Shell
from tests.e2e.orgs import write_profile
from tests.layers import layered

BOX = ("--org", "box")
PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
STAYING = ("flow-off:Order_Route", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
"""No test here removes this cause."""
KINDS = (
    ("clear-bounce", "EMAIL_ADDRESS_BOUNCED", (), True),
    ("change-owner", "CANNOT_REPARENT_RECORD", ("OwnerId=tom@harbour-hearth.example",), False),
    ("correct-value", "DUPLICATE_VALUE", ("Loyalty_Number__c=HH-777777",), False),
    ("exempt-sync-user:Account", "DUPLICATES_DETECTED", (), True),
    ("assign-bypass", "FIELD_CUSTOM_VALIDATION_EXCEPTION", (), True),
    ("add-value:Delivery_Methods__gvs", PICKLIST, (), True),
    ("validation-rule-off:Contact", "FIELD_CUSTOM_VALIDATION_EXCEPTION", (), True),
    ("workflow-rule-off:s_c__Shipment__c.Ship", "EMAIL_TEMPLATE_MERGEFIELD_ERROR", (), True),
    ("flow-off:Cart_Reminder", "CANNOT_EXECUTE_FLOW_TRIGGER", (), True),
    ("duplicate-rule-off:Contact", "DUPLICATES_DETECTED", (), True),
    ("not-required", "REQUIRED_FIELD_MISSING", (), True),
)
TWICE = (
    ("workflow-rule-off:s_c__Shipment__c.Returned", "UNKNOWN_EXCEPTION", (), True),
    ("add-value:Account.Customer_Tier__c", PICKLIST, (), True),
    ("add-value:LeadSource:Marketplace", PICKLIST, (), True),
)
"""Key of an option, the code of an error that has it, what a person types, whether it can be undone."""
CASES = layered("fixes made with the command", KINDS, KINDS + TWICE)


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with DemoServer(DemoOptions(errors=140, processing_delay=0.1)) as server:
        yield server


@pytest.fixture
def org(demo: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    """The demo org, as an org that the profile `box` names."""
    return name_box(demo, shell, monkeypatch)


@pytest.fixture
def unfixed_org(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    """The same org, in which no other test has fixed anything."""
    with DemoServer(DemoOptions(errors=140)) as server:
        yield name_box(server, shell, monkeypatch)


def name_box(server: DemoServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> DemoServer:
    monkeypatch.setenv("SYNCERR_INSTANCE_URL", server.instance_url)
    monkeypatch.setenv("SYNCERR_ACCESS_TOKEN", server.access_token)
    write_profile(shell.home)
    return server


_causes: list[dict[str, Any]] = []
"""Those that every demo org here begins with."""
_offering: dict[tuple[str, str], dict[str, Any]] = {}


def find_option(shell: Shell, key: str, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A cause, and the option of it whose key begins so; the cause that had it in another demo org first."""

    def likely() -> Iterator[dict[str, Any]]:
        if (key, code) in _offering:
            yield _offering[key, code]
        yield from (cause for cause in _causes if cause["code"] == code)

    if not _causes:
        _causes.extend(shell("causes", *BOX, "--json").lines)
    for cause in likely():
        for option in shell("fix", *BOX, "--id", cause["roots"][0], "--json").lines:
            if option["key"].startswith(key):
                _offering[key, code] = cause
                return cause, option
    raise AssertionError(f"no error with {code} offers {key}")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("key", "code", "values", "undoable"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.usefixtures("org")
def test_a_fix_is_made_proven_and_put_back(
    shell: Shell, key: str, code: str, values: tuple[str, ...], undoable: bool
) -> None:
    cause, option = find_option(shell, key, code)
    assert (option["verdict"], option["allowed"], option["why_not"]) == ("automatic", True, None)
    asked = ["fix", *BOX, "--id", cause["roots"][0]]
    for value in values:
        asked += ["--value", value]
    applied = shell(*asked, "--apply", option["key"], "--yes", "--json", "--seen", option["seen"])
    (result,) = applied.lines
    assert (applied.code, result["state"], result["verified"]) == (0, "applied", True)
    assert result["before"] == option["before"]
    again = shell(*asked, "--apply", option["key"], "--yes", "--json")
    assert (again.code, again.lines[0]["state"]) == (0, "already")

    if key == "clear-bounce":  # the message does not say which contact it is
        for other in shell("fix", *BOX, "--id", cause["roots"][0], "--json").lines:
            if other["key"].startswith(key):
                assert shell(*asked, "--apply", other["key"], "--yes").code == 0
    run = shell("resync", *BOX, "--id", cause["roots"][0], "--yes", "--json", "--only")
    assert [line["verdict"] for line in run.lines] == ["FIXED"], run.err
    safeguard = option["scope"] == "safeguard"
    lines = shell("safeguards", *BOX, "--json").lines
    assert [line["state"] for line in lines] == (["off"] if safeguard else [])

    back = shell("safeguards", *BOX, "--restore", result["fix"], "--json")
    if undoable:
        assert (back.code, back.lines[0]["verified"]) == (0, True)
        assert shell("safeguards", *BOX, "--json").lines == []
        assert shell("safeguards", *BOX, "--restore", result["fix"], "--json").lines[0]["state"] == "already"
    else:
        assert back.code == 5


@pytest.mark.usefixtures("org")
def test_what_is_guided_has_steps_and_is_refused(shell: Shell) -> None:
    cause, option = find_option(shell, "by-hand", "FIELD_INTEGRITY_EXCEPTION")
    assert (option["verdict"], option["allowed"]) == ("guided", False)
    assert option["steps"][0]["address"].startswith("http")
    assert find_option(shell, "add-value:s_c__Payment__c", PICKLIST)[1]["steps"]
    output = shell("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes", "--json")
    assert (output.code, output.lines[0]["state"]) == (5, "refused")


@pytest.mark.usefixtures("unfixed_org")
def test_a_checkbox_is_told_in_the_words_of_the_app(shell: Shell) -> None:
    cause, _ = find_option(shell, "not-required", "REQUIRED_FIELD_MISSING")
    assert "required: yes -> required: no" in shell("fix", *BOX, "--id", cause["roots"][0]).out


@pytest.mark.usefixtures("org")
def test_a_value_that_a_record_type_does_not_offer_is_guided(shell: Shell) -> None:
    cause, option = find_option(shell, "by-hand:Lead.Web%20lead", PICKLIST)
    assert (option["verdict"], option["allowed"]) == ("guided", False)
    assert "Web lead" in option["why_not"]
    assert option["steps"]
    assert shell("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes").code == 5


@pytest.mark.usefixtures("org")
def test_a_victims_fixes_are_its_causes(shell: Shell) -> None:
    cause = next(one for one in shell("causes", *BOX, "--json").lines if one["victims"])
    mine = shell("fix", *BOX, "--cause", cause["key"], "--json").lines
    victims = shell("fix", *BOX, "--id", cause["victims"][0]["id"], "--json").lines
    assert [one["key"] for one in mine] == [one["key"] for one in victims] != []


@pytest.mark.usefixtures("org")
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--id", "a0XDe0000000001MAA", "--cause", "x"),
        ("--id", "a0XDe0000000001MAA", "--value", "A=b"),
        ("--id", "a0XDe0000000001MAA", "--apply", "x", "--value", "A"),
        ("--id", "a0XDe0000000001MAA", "--apply", "x", "--value", "A=b", "--value", "A=c"),
        ("--id", "a0XDe0000000001MAA", "--apply", "no-such-key"),
        ("--id", "nothing"),
        ("--cause", "nothing"),
    ],
)
def test_bad_input_changes_nothing(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell("fix", *BOX, *words).code == 2


@pytest.mark.usefixtures("org")
def test_read_only_wins(shell: Shell) -> None:
    cause, option = find_option(shell, *STAYING)
    asked = ("fix", *BOX, "--id", cause["roots"][0])
    (listed,) = (one for one in shell(*asked, "--read-only", "--json").lines if one["key"] == option["key"])
    assert not listed["allowed"]
    output = shell(*asked, "--read-only", "--apply", option["key"], "--yes", "--json")
    assert (output.code, output.lines[0]["state"]) == (5, "refused")


@pytest.mark.usefixtures("org")
def test_what_changed_since_it_was_shown_is_refused(shell: Shell, demo: DemoServer) -> None:
    cause, option = find_option(shell, *STAYING)
    asked = ("fix", *BOX, "--id", cause["roots"][0], "--apply", option["key"], "--yes", "--json")
    output = shell(*asked, "--seen", "0" * 10)
    assert (output.code, output.lines[0]["state"]) == (5, "refused")
    assert shell("safeguards", *BOX, "--json").lines == []


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("org")
def test_a_safeguard_is_off_for_the_run_alone(shell: Shell) -> None:
    cause, option = find_option(shell, "flow-off:Loyalty", "LIMIT_EXCEEDED")
    asked = ("resync", *BOX, "--cause", cause["key"], "--yes", "--json")
    run = shell(*asked, "--with-fix", option["key"])
    assert {line["verdict"] for line in run.lines} == {"FIXED"}, run.err
    assert run.code == 0
    assert "Loyalty_Award_Points is on again" in run.err
    assert shell("safeguards", *BOX, "--json").lines == []


@pytest.mark.usefixtures("org")
def test_only_a_safeguard_of_the_cause_goes_off_meanwhile(shell: Shell) -> None:
    cause, option = find_option(shell, "by-hand", "FAILED_ACTIVATION")
    row = cause["roots"][0]
    for words in (
        ("--all", "--with-fix", "x"),
        ("--id", row, "--with-fix", "x"),
        ("--id", row, "--with-fix", option["key"]),
        ("--id", row, "--confirm", "x"),
    ):
        assert shell("resync", *BOX, *words, "--yes").code == 2
