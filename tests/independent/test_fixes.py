"""Fixes judged by an org that shares nothing with the program: what was shown, proven, and put back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.forks import Child
from tests.independent.clock import Clock
from tests.independent.guarded_org import GuardedOrg, text_of
from tests.independent.guarded_wire import GuardedServer
from tests.independent.home import Home
from tests.independent.naming import Naming
from tests.independent.wire import Manner

EVERYTHING = '["record", "exemption", "setup", "safeguard"]'
MESSAGE = "Der Bestellwert muss positiv sein; bitte prüfen."


class Desk:
    """An operator's home beside an org with safeguards."""

    def __init__(self, server: GuardedServer, home: Home) -> None:
        self.server, self.org, self.home = server, server.org, home

    def allow(self, scopes: str = EVERYTHING) -> None:
        """What the profile permits."""
        path = self.home.folder / "config" / "orgs" / "shop.toml"
        who = 'sync_user = "sync@kaufladen.example"\nbypass_permission_sets = ["Umgehung"]\n'
        more = f"[fixes]\nallow = {scopes}\n{who}"
        path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")

    def options(self, event: str) -> list[dict[str, Any]]:
        """What is offered."""
        done = self.home.run("fix", "--id", event, "--json")
        assert done.code == 0, done.err
        return done.rows

    def key(self, event: str, begins: str) -> dict[str, Any]:
        """The option whose key begins so."""
        options = [one for one in self.options(event) if one["key"].startswith(begins)]
        assert options, self.options(event)
        return options[0]

    def apply(self, event: str, option: Mapping[str, Any], *more: str) -> Child:
        """Apply an option, with the name that production wants."""
        name = option["target"]["name"]
        return self.home.run(
            "fix", "--id", event, "--apply", option["key"], "--confirm", name, "--json", *more
        )


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Desk]]:
    """Makes an org and an operator who may do everything."""
    with ExitStack() as stack:

        def make(scopes: str = EVERYTHING, *, tells_record: bool = False) -> Desk:
            rng = Random(5)
            naming = Naming(salesforce_id="s_c__Target__c" if tells_record else "")
            server = stack.enter_context(GuardedServer(GuardedOrg(clock, naming, rng), Manner(rng)))
            made = Desk(server, Home(tmp_path / "home", server, clock))
            made.allow(scopes)
            return made

        yield make


def rule_event(org: GuardedOrg) -> str:
    """A change that the validation rule stops."""
    off = lambda: bool(org.json["ValidationRule", org.rule]["active"])  # noqa: E731
    return org.blocked_event("Order", off, message=MESSAGE).id


def one_difference(before: Any, after: Any) -> dict[str, Any]:
    """What a write of the Tooling API changed."""
    assert list(before) == list(after) or set(before) == set(after), "an element came or went"
    return {name: after[name] for name in before if before[name] != after[name]}


def test_a_rule_goes_off_alone_and_comes_back_with_a_colleagues_edit(desk: Callable[[], Desk]) -> None:
    it = desk()
    org = it.org
    event = rule_event(org)
    option = it.key(event, "validation-rule-off")
    assert (option["allowed"], option["undo"], option["before"], option["after"]) == (
        True, "exact", {"active": True}, {"active": False},
    )  # fmt: skip
    assert option["target"]["name"] == "Order.Wert_Positiv"
    done = it.apply(event, option)
    assert done.code == 0, (done.out, done.err)
    assert (done.rows[-1]["state"], done.rows[-1]["verified"]) == ("applied", True)
    (write,) = org.writes
    assert one_difference(write.before, write.after) == {"active": False}
    org.put_json(
        "ValidationRule", org.rule, {**org.json["ValidationRule", org.rule], "description": "Neu"}, "person"
    )
    listed = it.home.run("safeguards", "--json")
    assert [(row["state"], row["by"] != "") for row in listed.rows] == [("off", True)]
    back = it.home.run("safeguards", "--restore", listed.rows[0]["fix"], "--json")
    assert back.code == 0, back.err
    assert one_difference(org.writes[1].after, org.writes[2].after) == {"active": True}
    assert org.json["ValidationRule", org.rule]["description"] == "Neu"
    assert it.home.run("safeguards", "--json").rows == []


@pytest.mark.parametrize(
    ("kind", "begins", "changed"),
    [
        ("DuplicateRule", "duplicate-rule-off", {"isActive=true": "isActive=false"}),
        ("CustomField", "not-required", {"required=true": "required=false"}),
    ],
)
def test_a_component_comes_back_as_it_was_read_with_one_element_changed(
    desk: Callable[[], Desk], kind: str, begins: str, changed: dict[str, str]
) -> None:
    it = desk()
    org = it.org
    if kind == "DuplicateRule":
        name = "Account.Kunden_Dublette"
        event = org.blocked_event(
            "Account", lambda: text_of(org.xml[kind, name], "isActive") == "true",
            code="DUPLICATES_DETECTED", message="Use one of these records?",
        ).id  # fmt: skip
    else:
        name = "OrderItem.Kostenstelle__c"
        event = org.blocked_event(
            "OrderItem", lambda: text_of(org.xml[kind, name], "required") == "true",
            code="REQUIRED_FIELD_MISSING", message="Required fields are missing: [Kostenstelle__c]",
        ).id  # fmt: skip
    option = it.key(event, begins)
    done = it.apply(event, option)
    assert done.code == 0, (done.out, done.err)
    (write,) = org.writes
    assert [changed.get(line, line) for line in write.before] == write.after
    assert it.home.run("safeguards", "--restore-all", "--json").code == 0
    assert org.writes[1].after == write.before


@pytest.mark.parametrize(
    ("object_name", "value", "kind", "name"),
    [
        (
            "Order",
            "Versandart: bad value for restricted picklist field: Drohne",
            "CustomField",
            "Order.Versandart__c",
        ),
        (
            "Order",
            "Lieferweg: bad value for restricted picklist field: See",
            "GlobalValueSet",
            "Lieferwege__gvs",
        ),
        (
            "Account",
            "Branche: bad value for restricted picklist field: Gartenbau",
            "StandardValueSet",
            "Industry",
        ),
    ],
)
def test_a_value_is_added_at_the_end_and_none_is_lost(
    desk: Callable[[], Desk], object_name: str, value: str, kind: str, name: str
) -> None:
    it = desk()
    org = it.org
    new = value.rpartition(": ")[2]
    event = org.blocked_event(
        object_name, lambda: f">{new}<" not in org.xml[kind, name],
        code="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message=value,
    ).id  # fmt: skip
    option = it.key(event, "add-value")
    assert option["undo"] == "partial"
    done = it.apply(event, option)
    assert done.code == 0, (done.out, done.err)
    (write,) = org.writes
    left = list(write.after)
    for line in write.before:
        assert line in left, line
        left.remove(line)
    assert any(line.endswith(f"fullName={new}") for line in left)
    sent = it.home.run("resync", "--id", event, "--yes", "--json")
    assert [row["verdict"] for row in sent.rows if "verdict" in row] == ["FIXED"], (sent.out, sent.err)


@pytest.mark.parametrize(
    ("trouble", "state", "code", "off"),
    [
        ("locked", "refused", 5, False),
        ("denied", "refused", 5, False),
        ("lost after", "applied", 0, True),
        ("error though done", "applied", 0, True),
    ],
)
def test_what_an_answer_says_is_not_believed(
    desk: Callable[[], Desk], trouble: str, state: str, code: int, off: bool
) -> None:
    it = desk()
    event = rule_event(it.org)
    option = it.key(event, "validation-rule-off")
    it.org.trouble = [trouble]
    done = it.apply(event, option)
    assert (done.rows[-1]["state"], done.code) == (state, code), (done.out, done.err)
    assert it.org.json["ValidationRule", it.org.rule]["active"] is not off
    assert it.org.attempts == 1, "a write leaves once"
    assert (len(it.home.run("safeguards", "--json").rows) == 1) is off


def test_nothing_without_the_profile_the_name_or_what_was_shown(desk: Callable[..., Desk]) -> None:
    it = desk('["record"]')
    event = rule_event(it.org)
    option = it.key(event, "validation-rule-off")
    assert option["allowed"] is False
    assert "safeguard" in option["why_not"]
    assert it.apply(event, option).code == 5
    it.home.write_profile()
    it.allow()
    unnamed = it.home.run("fix", "--id", event, "--apply", option["key"], "--yes", "--json")
    assert unnamed.code not in {0, 1}, unnamed.out
    seen = it.key(event, "validation-rule-off")["seen"]
    rule = it.org.json["ValidationRule", it.org.rule]
    it.org.put_json("ValidationRule", it.org.rule, {**rule, "errorMessage": MESSAGE + " "}, "person")
    assert it.apply(event, option, "--seen", seen).code == 5
    assert it.org.attempts == 0
    managed = it.org.blocked_event("Order", lambda: True, message="Zoll: Grenze überschritten").id
    guided = it.options(managed)
    assert all(one["verdict"] == "guided" for one in guided if one["scope"] == "safeguard"), json.dumps(
        guided
    )


def test_off_for_as_long_as_the_resync_takes(desk: Callable[[], Desk]) -> None:
    it = desk()
    event = rule_event(it.org)
    option = it.key(event, "validation-rule-off")
    name = option["target"]["name"]
    done = it.home.run(
        "resync", "--id", event, "--with-fix", option["key"], "--confirm", name, "--yes", "--json"
    )
    assert done.code == 0, (done.out, done.err)
    assert [write.after["active"] for write in it.org.writes] == [False, True]
    assert it.home.run("safeguards", "--json").rows == []
    assert it.home.run("resync", "--id", rule_event(it.org), "--yes", "--json").code == 1
