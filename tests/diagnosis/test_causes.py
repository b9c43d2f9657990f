"""Causes and victims: what is linked, on what evidence, and what is never claimed."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.diagnosis.evidence import Evidence, ParentRef
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean
from tests.factories import NOW, salesforce_id, sync_error

DUPLICATE = clean(
    "It looks like you are creating a duplicate Account. We recommend you use an existing Account instead."
)


def account(number: int, **changes: object) -> SyncError:
    return sync_error(
        number, **{"object": clean("Account"), "code": "DUPLICATES_DETECTED", "message": DUPLICATE} | changes
    )


def child(number: int, parent: SyncError, object_name: str, **changes: object) -> SyncError:
    known = f"Foreign key external ID: {parent.storeconnect_id} not found"
    text = f"{known} for field s_c__sC_Id__c in entity {parent.object}"
    return sync_error(
        number, **{"object": clean(object_name), "code": "INVALID_FIELD", "message": clean(text)} | changes
    )


def later(number: int, record: SyncError, **changes: object) -> SyncError:
    values = {
        "object": record.object,
        "storeconnect_id": record.storeconnect_id,
        "event_type": EventType.UPDATE,
        "code": "INVALID_CHANGE_EVENT",
        "message": clean("A previous change for the same record has failed."),
    }
    return sync_error(number, **values | changes)


def graph(*rows: SyncError) -> CauseGraph:
    made = CauseGraph()
    made.add(rows)
    return made


ROOT = account(1)
ORDER = child(2, ROOT, "Order")
ITEM = child(3, ORDER, "OrderItem")
PAYMENT = child(4, ORDER, "s_c__Payment__c")
AGAIN = later(5, ORDER)


def test_one_broken_account_is_one_cause_with_everything_behind_it() -> None:
    made = graph(AGAIN, PAYMENT, ITEM, ORDER, ROOT)
    (cause,) = made.causes()
    assert cause.roots == (ROOT.id,)
    assert cause.victims == (ORDER.id, ITEM.id, PAYMENT.id, AGAIN.id)
    assert (cause.orders, cause.money) == (1, 1)
    assert made.root_of(PAYMENT.id) == ROOT.id


def test_every_link_says_on_what_evidence() -> None:
    made = graph(ROOT, ORDER, AGAIN)
    (named,) = made.links_of(ORDER.id)
    assert named.evidence is Evidence.NAMED_PARENT
    assert ROOT.storeconnect_id[:8] in named.detail
    (same,) = made.links_of(AGAIN.id)
    assert same.evidence is Evidence.SAME_RECORD
    assert same.cause == ORDER.id
    assert made.links_of(ROOT.id) == ()


def test_a_plan_waits_for_causes_also_for_those_outside_it() -> None:
    made = graph(ROOT, ORDER, ITEM)
    assert made.parents_of([ITEM.id, ROOT.id]) == {ITEM.id: frozenset({ORDER.id})}


def test_a_cause_that_is_not_here_is_said_to_be_missing() -> None:
    made = graph(ORDER, ITEM, later(9, account(77)))
    unlisted = {cause.missing: cause for cause in made.causes()}
    assert any(ROOT.storeconnect_id[:8] in (what or "") for what in unlisted)
    (link,) = made.links_of(ORDER.id)
    assert (link.cause, link.evidence, link.fact) == (None, Evidence.CODE, False)
    assert made.root_of(ITEM.id) == ORDER.id
    assert not any(cause.listed for cause in made.causes())


def test_when_the_parent_is_in_salesforce_a_later_failure_of_it_is_no_cause() -> None:
    known = account(1, event_type=EventType.UPDATE, salesforce_id=salesforce_id(9, "001"))
    made = graph(known, child(2, known, "Order"))
    assert made.links_of(salesforce_id(2))[0].cause is None


def test_two_possible_parents_are_no_fact() -> None:
    contact = sync_error(8, object=clean("Contact"), storeconnect_id=ROOT.storeconnect_id)
    orphan = sync_error(
        6,
        code="INVALID_FIELD",
        message=clean(f"Foreign key external ID: {ROOT.storeconnect_id} not found"),
        processed_at=NOW + timedelta(days=3),
    )
    assert graph(ROOT, orphan).links_of(orphan.id)[0].cause == ROOT.id
    assert graph(ROOT, contact, orphan).links_of(orphan.id)[0].cause is None


def test_a_child_with_a_reason_of_its_own_is_a_cause() -> None:
    own = sync_error(6, object=clean("Order"), code="REQUIRED_FIELD_MISSING")
    made = graph(ROOT, own)
    made.relate({own.id: (ParentRef("Account", ROOT.storeconnect_id, "AccountId"),)})
    assert made.links_of(own.id) == ()
    assert len(made.causes()) == 2


def test_the_other_meaning_of_invalid_field_is_a_cause() -> None:
    wrong = sync_error(
        6, code="INVALID_FIELD", message=clean("No such column 'Foo__c' on sobject of type Order")
    )
    assert graph(ROOT, wrong).links_of(wrong.id) == ()


def test_a_relation_in_the_org_links_what_the_message_does_not_name() -> None:
    silent = sync_error(
        6, code="INVALID_FIELD", message=clean("A parent record has failed to sync."), processed_at=None
    )
    made = graph(ROOT, silent)
    assert made.links_of(silent.id)[0].cause is None
    made.relate({silent.id: (ParentRef("Account", ROOT.storeconnect_id, "AccountId"),)})
    (link,) = made.links_of(silent.id)
    assert (link.cause, link.evidence, link.fact) == (ROOT.id, Evidence.RELATION, True)


def test_a_guess_is_a_guess() -> None:
    silent = sync_error(2, code="INVALID_FIELD", message=clean("A parent record has failed to sync."))
    made = graph(ROOT, silent)
    (link,) = made.links_of(silent.id)
    assert (link.cause, link.evidence, link.fact) == (ROOT.id, Evidence.GUESS, False)
    assert link.sentence.startswith("guess: Account ")
    assert made.parents_of([silent.id]) == {}
    (cause,) = made.causes()
    assert (cause.victims, cause.guessed) == ((), (silent.id,))


def test_a_create_without_its_parent_comes_before_the_update_that_names_it() -> None:
    early = later(0, ORDER, event_type=EventType.UPDATE)
    assert graph(early, ORDER, ROOT).links_of(early.id)[0].cause == ORDER.id


def test_who_waited_for_what_is_in_salesforce_by_now_is_ready() -> None:
    other = child(8, account(70), "Order")
    made = graph(ORDER, ITEM, other)
    assert made.unlisted() == {("Account", ROOT.storeconnect_id), ("Account", account(70).storeconnect_id)}
    made.present([("Account", ROOT.storeconnect_id)])
    assert made.unlisted() == {("Account", account(70).storeconnect_id)}
    (ready,) = (cause for cause in made.causes() if cause.ready)
    assert (ready.roots, ready.victims, ready.listed) == ((ORDER.id,), (ITEM.id,), True)
    (link,) = made.links_of(ORDER.id)
    assert (link.cause, link.ready, link.fact) == (None, True, False)
    assert made.parents_of([ORDER.id, ITEM.id]) == {ITEM.id: frozenset({ORDER.id})}


def test_a_circle_is_one_cause_and_orders_nothing() -> None:
    one = child(1, sync_error(2), "Order")
    two = child(2, one, "Order")
    one = child(1, two, "Order")
    made = graph(one, two)
    assert len(made.causes()) == 1
    assert made.parents_of([one.id, two.id]) == {}


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("DUPLICATES_DETECTED", DUPLICATE), ("DUPLICATES_DETECTED", DUPLICATE), True),
        (
            (
                "FIELD_INTEGRITY_EXCEPTION",
                "The BillingStateCode field contains EP, which isn't an available state.",
            ),
            (
                "FIELD_INTEGRITY_EXCEPTION",
                "The ShippingStateCode field contains EP, which isn't an available state.",
            ),
            True,
        ),
        (
            (
                "FIELD_INTEGRITY_EXCEPTION",
                "The BillingStateCode field contains EP, which isn't an available state.",
            ),
            (
                "FIELD_INTEGRITY_EXCEPTION",
                "The BillingStateCode field contains FD, which isn't an available state.",
            ),
            False,
        ),
        (
            ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
            ("REQUIRED_FIELD_MISSING", "Fehlende erforderliche Felder: [Name]: [Name]"),
            True,
        ),
        (
            ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
            ("REQUIRED_FIELD_MISSING", "Required fields are missing: [CloseDate]"),
            False,
        ),
        (
            (
                "UNABLE_TO_LOCK_ROW",
                f"unable to obtain exclusive access to this record or 1 records: {salesforce_id(5)}",
            ),
            (
                "UNABLE_TO_LOCK_ROW",
                f"unable to obtain exclusive access to this record or 1 records: {salesforce_id(6)}",
            ),
            True,
        ),
        (
            (
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Size: bad value for restricted picklist field: 30: [Size__c]",
            ),
            (
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                "Size: bad value for restricted picklist field: 31: [Size__c]",
            ),
            False,
        ),
        (
            (
                "CANNOT_EXECUTE_FLOW_TRIGGER",
                "The “Fraud Check” process failed. Error ID: 1064308-4570 (16700)",
            ),
            (
                "CANNOT_EXECUTE_FLOW_TRIGGER",
                "The “Fraud Check” process failed. Error ID: 9990643-1 (-3)",
            ),
            True,
        ),
        (
            (
                "CANNOT_EXECUTE_FLOW_TRIGGER",
                "We can't save this record because the “Fraud Check” process failed.",
            ),
            ("CANNOT_EXECUTE_FLOW_TRIGGER", "We can't save this record because the “Tax” process failed."),
            False,
        ),
    ],
)
def test_one_reason_is_one_cause(first: tuple[str, str], second: tuple[str, str], same: bool) -> None:
    rows = [
        sync_error(number, object=clean("Account"), code=code, message=clean(text))
        for number, (code, text) in enumerate((first, second))
    ]
    made = graph(*rows)
    assert (len(made.causes()) == 1) is same
    assert made.fingerprint_of(rows[0].id).why


def world(seed: int, size: int = 60) -> list[SyncError]:
    """A store with chains, circles, gaps and bystanders, in any order."""
    rng = random.Random(seed)
    rows: list[SyncError] = []
    for number in range(size):
        kind = rng.random()
        if not rows or kind < 0.3:
            rows.append(account(number))
        elif kind < 0.7:
            rows.append(
                child(number, rng.choice(rows), rng.choice(["Order", "OrderItem", "s_c__Payment__c"]))
            )
        elif kind < 0.85:
            rows.append(later(number, rng.choice(rows)))
        elif kind < 0.9:
            rows.append(later(number, sync_error(10_000 + number)))
        elif kind < 0.95:
            rows.append(sync_error(number, code="INVALID_FIELD", message=clean("A parent record failed.")))
        else:
            # Some changes of a record carry its Salesforce ID and some do not; a child names it.
            known_as = salesforce_id(number, "801")
            rows += [
                replace(later(10_000 + 10 * number + place, sync_error(20_000 + number)), salesforce_id=known)
                for place, known in enumerate((None, known_as, known_as))
            ]
            text = clean(f"The parent {known_as} is not what it should be.")
            rows.append(sync_error(number, code="INVALID_FIELD", message=text))
    rng.shuffle(rows)
    return rows


def conclusions(made: CauseGraph) -> object:
    return (
        made.causes(),
        {row_id: (made.links_of(row_id), made.root_of(row_id)) for row_id in made.errors},
        made.parents_of(made.errors),
    )


@given(st.integers(0, 10_000), st.integers(1, 20), st.data())
def test_pages_and_departures_lead_where_a_fresh_look_leads(
    seed: int, page: int, data: st.DataObject
) -> None:
    rows = world(seed)
    made = CauseGraph()
    for at in range(0, len(rows), page):
        made.add(rows[at : at + page])
    assert conclusions(made) == conclusions(graph(*rows))
    gone = data.draw(st.sets(st.sampled_from([row.id for row in rows])))
    made.discard(gone)
    made.add([row for row in rows if row.id not in gone][:5])
    left = [row for row in rows if row.id not in gone]
    assert conclusions(made) == conclusions(graph(*left))
    assert len(made) == len(made.causes())


@given(st.integers(0, 10_000))
def test_every_error_has_one_cause_and_facts_never_run_in_circles(seed: int) -> None:
    rows = world(seed)
    made = graph(*rows)
    named = [row_id for cause in made.causes() for row_id in (*cause.roots, *cause.victims, *cause.guessed)]
    assert sorted(named) == sorted(row.id for row in rows)
    parents = made.parents_of(made.errors)
    order: list[str] = []
    waiting = set(made.errors)
    while waiting:
        ready = {row_id for row_id in waiting if not parents.get(row_id, frozenset()) & waiting}
        assert ready, "a circle of facts"
        order += ready
        waiting -= ready
