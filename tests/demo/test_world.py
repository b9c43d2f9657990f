from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.rules import RULES_BY_KEY
from syncerr_tui.demo.scenarios import SCENARIOS
from syncerr_tui.demo.schema import SC_ID
from syncerr_tui.demo.schema_variants import SCHEMA_VARIANTS, schema_of_variant, variant_named
from syncerr_tui.demo.shopper_flows import Shop, ShopperFlow
from syncerr_tui.demo.store import Store
from syncerr_tui.demo.world import World
from syncerr_tui.errors import BadInputError
from tests.demo.worlds import NOW, causes, failed, links, make_org
from tests.layers import layered, only_thorough

_CODES = """
    CANNOT_EXECUTE_FLOW_TRIGGER CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY CANNOT_REPARENT_RECORD DUPLICATE_VALUE
    DUPLICATES_DETECTED EMAIL_ADDRESS_BOUNCED EMAIL_TEMPLATE_MERGEFIELD_ERROR ENTITY_IS_LOCKED
    FAILED_ACTIVATION FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION INVALID_CHANGE_EVENT
    INVALID_CROSS_REFERENCE_KEY INVALID_EMAIL_ADDRESS INVALID_FIELD INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST
    REQUIRED_FIELD_MISSING UNKNOWN_EXCEPTION UNABLE_TO_LOCK_ROW"""
MANUAL = frozenset(_CODES.split())


@pytest.fixture(autouse=True)
def _made_anew(worlds_made_once: Callable[[World], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "build", worlds_made_once)


@pytest.mark.parametrize("seed", range(layered("worlds with each of the manual's codes", 4, 200)))
def test_a_world_of_the_usual_size_has_each_of_the_manuals_codes(seed: int) -> None:
    org = make_org(seed=seed)
    codes = {str(event["code"]) for event in failed(org).values()}
    assert codes >= MANUAL, MANUAL - codes


def test_every_safeguard_of_the_org_refuses_somebody() -> None:
    assert RULES_BY_KEY.keys() - causes(make_org(500)).keys() == set()


def test_every_scenario_goes_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    flows: list[ShopperFlow] = []
    make = World._flows

    def watched(self: World, shop: Shop) -> Iterator[ShopperFlow]:
        for flow in make(self, shop):
            flows.append(flow)
            yield flow

    monkeypatch.setattr(World, "_flows", watched)
    refused = {event["storeconnect_id"] for event in failed(make_org(431)).values()}
    small = zip(SCENARIOS, flows, strict=False)
    assert [one.name for one, flow in small if refused.isdisjoint(s.sc_id for s in flow.steps.values())] == []


@pytest.mark.parametrize("errors", [0, 1, 2, 3, 5, 19, 77, 140, 143, 500])
def test_exactly_as_many_errors_as_asked_for(errors: int) -> None:
    assert len(failed(make_org(errors))) == errors


def test_two_starts_within_an_hour_make_the_same_errors_to_the_second() -> None:
    # A plan made on one is carried out on the other: a row that reads differently would be left out.
    assert failed(make_org(now=NOW)) == failed(make_org(now=NOW + timedelta(minutes=40)))


@only_thorough("a demo world of 100,000 errors")
def test_a_hundred_thousand_errors() -> None:
    org = make_org(100_000)
    events = failed(org)
    assert len(events) == 100_000
    at = [str(event["processed_at"]) for event in events.values()]
    assert at == sorted(at)
    assert len(links(org)) > 30_000


@pytest.mark.parametrize("errors", [-1, 100_001])
def test_a_number_of_errors_that_no_world_can_have(errors: int) -> None:
    with pytest.raises(BadInputError, match="cannot hold"):
        make_org(errors)


def test_the_same_seed_gives_the_same_org() -> None:
    assert failed(make_org(seed=7)) == failed(make_org(seed=7))


def test_another_seed_gives_other_shoppers() -> None:
    one, other = failed(make_org(seed=7)), failed(make_org(seed=8))
    assert {e["storeconnect_id"] for e in one.values()}.isdisjoint(
        {e["storeconnect_id"] for e in other.values()},
    )


def test_a_larger_world_begins_like_a_smaller_one() -> None:
    def story(errors: int) -> list[tuple[object, ...]]:
        events = failed(make_org(errors)).items()
        return [(key, e["storeconnect_id"], e["message"], e["salesforce_id"]) for key, e in events]

    assert story(400)[:140] == story(140)


def test_a_large_world_gets_worse_but_begins_like_a_smaller_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def story(org: DemoOrg) -> list[tuple[str, object]]:
        return [(key, event["message"]) for key, event in failed(org).items()]

    def records(org: DemoOrg) -> int:
        return sum(org.store.count(name) for name in ("Account", "Order", "OrderItem", "s_c__Payment__c"))

    usual = make_org(1500)
    monkeypatch.setattr("syncerr_tui.demo.world._GOOD_TIMES", 120)
    worse = make_org(1500)
    assert story(worse)[:200] == story(usual)[:200]
    assert records(worse) < records(usual) * 0.7
    assert len(causes(worse)) > len(causes(usual)) * 0.7


def test_changes_arrive_in_time_order_and_before_now() -> None:
    org = make_org(1500)
    at = [str(event["processed_at"]) for event in failed(org).values()]
    assert at == sorted(at)
    assert at[-1] < NOW.strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.parametrize("naming", SCHEMA_VARIANTS)
def test_every_vocabulary_tells_the_same_story(naming: str) -> None:
    usual, other = failed(make_org()), failed(make_org(naming=naming))
    assert list(usual) == list(other)
    for event_id, event in other.items():
        assert event["storeconnect_id"] == usual[event_id]["storeconnect_id"]
        if variant_named(naming).code is None:
            assert str(usual[event_id]["code"]) in str(event["message"])
        else:
            assert event["message"] == usual[event_id]["message"]


@pytest.mark.parametrize("naming", SCHEMA_VARIANTS)
def test_the_engines_book_is_no_object_of_the_org(naming: str) -> None:
    assert not [
        name for name in schema_of_variant(naming) if "queue" in name.lower() or "demo" in name.lower()
    ]


def test_an_unknown_vocabulary_is_refused_in_words() -> None:
    with pytest.raises(BadInputError, match="Choose one of: assumed"):
        schema_of_variant("klingon")


def test_the_salesforce_id_is_there_exactly_where_the_record_is() -> None:
    org = make_org(300)
    for event in failed(org).values():
        rows = org.store.find(str(event["object"]), **{SC_ID: event["storeconnect_id"]})
        assert event["salesforce_id"] == (rows[0]["Id"] if rows else None)
        assert len(rows) <= 1


def test_orders_wait_for_the_account_that_a_duplicate_rule_holds() -> None:
    org = make_org()
    events = failed(org)
    root = causes(org)["DuplicateRule:Accounts_by_Name_and_Postcode"][0]
    held = [victim for victim, cause in links(org).items() if cause == root]
    assert {str(events[victim]["object"]) for victim in held} >= {"Contact", "Order"}
    assert all(str(events[root]["storeconnect_id"]) in str(events[victim]["message"]) for victim in held)


def test_messages_come_in_many_shapes() -> None:
    messages = [str(event["message"]) for event in failed(make_org(1500)).values()]
    for shape in (
        r"^[A-Z_]+: ",
        r"^[A-Z_]+:[^ ].* --$",
        r'^\{"statusCode":',
        r"^\[\{.*UNKNOWN_EXCEPTION",
        r"first error: [A-Z_]+, .*\[\]$",
        "“.*” process failed",
        "‘.*’ process failed",
        "&quot;.*&quot; process failed",
        "<a href=",
        r"Error ID: \d+-\d+ \(-?\d+\)",
        "Pflichtfelder fehlen",
        "^It looks like you are creating a duplicate Account",
    ):
        assert any(re.search(shape, message, re.DOTALL) for message in messages), shape


def test_some_shoppers_have_names_that_trip_careless_programs() -> None:
    org = make_org(1500)
    names = " ".join(str(account["Name"]) for account in org.store.find("Account"))
    assert "\x1b[31m" in names
    assert "\u202e" in names
    assert "[bold red]" in names


def test_the_payload_names_parents_by_their_storeconnect_id() -> None:
    events = failed(make_org()).values()
    order = next(e for e in events if (e["object"], e["event_type"]) == ("Order", "Create"))
    payload = json.loads(str(order["payload"]))
    assert re.fullmatch(r"[0-9a-f-]{36}", payload["Account"][SC_ID])


def test_every_safeguard_can_be_looked_up_in_the_set_up() -> None:
    org = make_org()
    store = org.store
    flow = store.find("FlowDefinitionView", Label="Order - Route to Warehouse")[0]
    assert flow["IsActive"] is True
    assert str(flow["ActiveVersionId"]).startswith("301")
    rule = store.find("ValidationRule", ValidationName="Tax_Number_Has_Eleven_Digits")[0]
    assert str(rule["ErrorMessage"]) in {str(e["message"]) for e in failed(make_org(600)).values()}
    assert store.find("ApexTrigger", Name="PaymentGuard")[0]["NamespacePrefix"] == "lgrx"
    assert store.find("Organization")[0]["IsSandbox"] is True


def test_a_kept_world_is_not_built_anew(tmp_path: object) -> None:
    path = tmp_path / "demo.db"  # type: ignore[operator]
    clock = make_org(0).clock
    first = DemoOrg(DemoOptions(errors=30), clock=clock, store=Store(path, schema_of_variant("assumed")))
    fixed = next(iter(failed(first)))
    first.colleague.repair(fixed)
    before = (failed(first), first.engine.safeguards.off)
    first.store.close()
    again = DemoOrg(DemoOptions(errors=99), clock=clock, store=Store(path, schema_of_variant("assumed")))
    assert (failed(again), again.engine.safeguards.off) == before
    again.store.close()
