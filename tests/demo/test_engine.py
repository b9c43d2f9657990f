from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from syncerr_tui.demo.event_queue import PENDING
from syncerr_tui.demo.faults import ENGINE_FAULTS, engine_faults_in
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.schema_variants import SCHEMA_VARIANTS, schema_of_variant, variant_named
from syncerr_tui.demo.store import Store
from syncerr_tui.errors import BadInputError
from tests.demo.worlds import causes, failed, fix, links, make_org, records, resync
from tests.layers import layered

SEEDS: Sequence[int] = layered("worlds of the demo's engine", (0, 5, 8), range(40))
STRIDE = layered("causes of a world from one fix to the next", 6, 1)
ACCOUNTS = "DuplicateRule:Accounts_by_Name_and_Postcode"


@pytest.fixture(params=["usual", "large"])
def errors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many: of a usual world, or of one that gets worse after each scenario had its turn."""
    if request.param == "usual":
        return 140
    monkeypatch.setattr("syncerr_tui.demo.world._GOOD_TIMES", 0)
    return 400


@pytest.mark.parametrize("seed", SEEDS)
def test_without_a_fix_everything_but_a_busy_row_fails_with_the_same_message(errors: int, seed: int) -> None:
    org = make_org(errors, seed)
    before = failed(org)
    busy = set(causes(org)["busy row"])
    freed = {victim for victim, cause in links(org).items() if cause in busy}
    resync(org, before)
    after = failed(org)
    assert not busy & set(after)
    for event_id, event in before.items():
        if event_id in after:
            assert (after[event_id]["code"], after[event_id]["message"]) == (event["code"], event["message"])
            assert str(after[event_id]["processed_at"]) > str(event["processed_at"])
        else:
            assert event_id in busy | freed | {v for v, cause in links(org).items() if cause in freed} or (
                len(records(org, event)) <= 1
            )


@pytest.mark.parametrize("seed", SEEDS)
def test_when_every_cause_is_fixed_everything_goes_through_exactly_once(errors: int, seed: int) -> None:
    org = make_org(errors, seed)
    before = failed(org)
    for _round in range(4):  # a second fault behind a first one shows in the next round
        for roots in causes(org).values():
            fix(org, roots[0])
        resync(org, failed(org))
    assert failed(org) == {}
    deleted = {event["storeconnect_id"] for event in before.values() if event["event_type"] == "Delete"}
    for event in before.values():
        expected = 0 if event["storeconnect_id"] in deleted else 1
        assert len(records(org, event)) == expected, event


@pytest.mark.parametrize("seed", SEEDS)
def test_the_true_links_are_those_the_simulation_obeys(seed: int) -> None:
    org = make_org(seed=seed)
    victims = links(org)
    resync(org, victims)
    assert set(victims) <= set(failed(org)), "a victim went through before its cause"
    for roots in list(causes(org).values()):
        fix(org, roots[0])
    resync(org, [event_id for event_id in failed(org) if event_id not in victims])
    tried: set[str] = set()
    while level := [v for v, cause in victims.items() if v not in tried and cause not in failed(org)]:
        resync(org, level)
        tried.update(level)
    for victim in tried & set(failed(org)):
        entry = org.engine.queue.get(victim)
        assert entry is not None
        # Only what had a fault of its own behind the first, or waits for such a one, is left.
        assert entry.kind is None or org.engine.queue.earliest(entry.needs), entry
    own = [v for v in tried & set(failed(org)) if v not in links(org)]
    assert len(own) <= 3


@pytest.mark.parametrize("key_seed", [0, 1])
def test_each_cause_alone_can_be_fixed_and_proven(key_seed: int) -> None:
    keys = list(causes(make_org(seed=key_seed)))
    for key in keys[::STRIDE]:
        org = make_org(seed=key_seed)
        roots = causes(org)[key]
        event = failed(org)[roots[0]]
        if key == "busy row":
            assert fix(org, roots[0]) is False
        else:
            resync(org, roots[:1])
            assert failed(org)[roots[0]]["message"] == event["message"], key
            assert fix(org, roots[0]) is True, key
        resync(org, roots)
        still = [root for root in roots if root in failed(org)]
        assert not still, (key, [failed(org)[root]["message"] for root in still])
        if event["event_type"] != "Delete":
            carriers = records(org, event)
            assert len(carriers) == 1, key
            assert str(carriers[0]["SystemModstamp"]) > str(event["processed_at"])


@pytest.mark.parametrize("naming", SCHEMA_VARIANTS)
def test_the_loop_works_in_every_vocabulary(naming: str) -> None:
    org = make_org(30, naming=naming)
    names = variant_named(naming)
    root = causes(org)[ACCOUNTS][0]
    event = failed(org)[root]
    fix(org, root)
    org.engine.request([root])
    assert org.store.get(names.event[0], root)[names.status[0]] == names.pending[0]  # type: ignore[index]
    resync(org, [])
    row = org.store.get(names.event[0], root)
    assert row is not None
    assert row[names.status[0]] == names.done[0]
    assert row[names.salesforce_id[0]] == records(org, event)[0]["Id"]


def test_one_request_for_a_whole_chain_is_worked_on_parents_first() -> None:
    org = make_org(30)
    root = causes(org)[ACCOUNTS][0]
    chain = [root, *links(org)]
    fix(org, root)
    resync(org, reversed(chain))
    assert root not in failed(org)
    assert not [victim for victim, cause in links(org).items() if cause == root]


def test_a_child_asked_for_earlier_waits_for_its_pending_parent() -> None:
    org = make_org(30)
    root = causes(org)[ACCOUNTS][0]
    victim = next(v for v, cause in links(org).items() if cause == root)
    fix(org, root)
    org.engine.request([victim])
    resync(org, [], seconds=1)
    org.engine.request([root])
    resync(org, [], seconds=1.5)  # the victim is due, the root is not yet
    assert org.engine.queue.get(victim).state == PENDING  # type: ignore[union-attr]
    assert org.engine.queue.counts()[victim]["processed"] == 0
    resync(org, [], seconds=5)
    assert not {root, victim} & set(failed(org))
    assert org.engine.queue.counts()[victim] == {"requested": 1, "processed": 1}


def test_what_is_fixed_does_not_clear_its_victims_unless_the_org_is_told_to() -> None:
    for clears in (False, True):
        org = make_org(30, options=DemoOptions(clears_victims=clears))
        root = causes(org)[ACCOUNTS][0]
        held = [victim for victim, cause in links(org).items() if cause == root]
        fix(org, root)
        resync(org, [root])
        assert (not set(held) & set(failed(org))) is clears


def test_only_failed_events_can_be_tried_again() -> None:
    org = make_org(5)
    first = next(iter(failed(org)))
    assert org.engine.request([first]) == [None]
    again, unknown = org.engine.request([first, "a0XDe0000zzzzzzIAA"])
    assert again is not None
    assert again.code == "INVALID_STATUS"
    assert unknown is not None
    assert unknown.code == "INVALID_CROSS_REFERENCE_KEY"
    resync(org, [])
    assert org.engine.queue.counts()[first] == {"requested": 1, "processed": 1}


def test_the_delay_is_kept() -> None:
    org = make_org(5, options=DemoOptions(processing_delay=60))
    first = next(iter(failed(org)))
    org.engine.request([first])
    resync(org, [], seconds=59)
    assert first not in failed(org)
    resync(org, [], seconds=1)
    assert first in failed(org)


def test_done_events_can_be_deleted_instead() -> None:
    org = make_org(5, options=DemoOptions(deletes_done=True))
    root = next(iter(failed(org)))
    fix(org, root)
    resync(org, [root])
    assert org.store.get("s_c__Change_Event__c", root) is None


def test_the_engines_own_thread_wakes_for_a_request_and_closes_promptly() -> None:
    clock_now = [datetime(2026, 3, 4, tzinfo=UTC)]
    options = DemoOptions(errors=5, processing_delay=0)
    store = Store(None, schema_of_variant("assumed"))
    org = DemoOrg(options, clock=lambda: clock_now[0], store=store)
    root = next(iter(failed(org)))
    fix(org, root)
    worked = threading.Event()
    drop = org.engine.queue.drop

    def signal(event_id: str) -> None:
        drop(event_id)
        worked.set()

    org.engine.queue.drop = signal  # type: ignore[method-assign]
    org.start()
    org.engine.request([root])
    assert worked.wait(timeout=60)
    org.close()
    assert root not in failed(org)


def _fixed_first(org: DemoOrg) -> tuple[str, dict[str, object]]:
    root = next(iter(failed(org)))
    event = dict(failed(org)[root])
    fix(org, root)
    return root, event


def test_late_visibility_shows_the_record_after_its_event_is_done() -> None:
    org = make_org(5, faults=("late-visibility:30",))
    root, event = _fixed_first(org)
    resync(org, [root])
    assert root not in failed(org)
    assert records(org, event) == []
    resync(org, [], seconds=31)
    assert len(records(org, event)) == 1


def test_a_twin_has_the_same_storeconnect_id() -> None:
    org = make_org(5, faults=("twin",))
    root, event = _fixed_first(org)
    resync(org, [root])
    assert len(records(org, event)) == 2


def test_a_vanished_event_leaves_no_record() -> None:
    org = make_org(5, faults=("vanish",))
    root, event = _fixed_first(org)
    resync(org, [root])
    assert org.store.get("s_c__Change_Event__c", root) is None
    assert records(org, event) == []


@pytest.mark.parametrize("fault", ["twin", "vanish"])
def test_every_third_of_one_request_is_lied_about(fault: str) -> None:
    org = make_org(30, faults=(f"{fault}:3",))
    for event in failed(org):
        fix(org, event)
    events = failed(org)
    kinds = {"Create"} if fault == "twin" else {"Create", "Update", "Delete"}
    resync(org, [event for event in events if events[event]["event_type"] in kinds])
    resolved = [event for event in events if event not in failed(org)]
    table = "s_c__Change_Event__c"
    lied = [
        event
        for event in resolved
        if (fault == "vanish" and org.store.get(table, event) is None)
        or (fault == "twin" and len(records(org, events[event])) > 1)
    ]
    assert len(resolved) > 9
    assert len(lied) == len(resolved) // 3


def test_a_stuck_event_stays_pending() -> None:
    org = make_org(5, faults=("stuck-pending",))
    root, _event = _fixed_first(org)
    resync(org, [root], seconds=10_000)
    row = org.store.get("s_c__Change_Event__c", root)
    assert row is not None
    assert row["s_c__Status__c"] == "PENDING"


def test_a_partial_batch_takes_its_first_half() -> None:
    org = make_org(5, faults=("partial-batch",))
    answers = resync(org, failed(org))
    assert [answer is None for answer in answers] == [True, True, True, False, False]


def test_a_second_operator_resolves_something_else_meanwhile() -> None:
    org = make_org(30, faults=("second-operator",))
    first = next(iter(failed(org)))
    before = set(failed(org))
    org.engine.request([first])
    gone = before - set(failed(org)) - {first}
    assert len(gone) == 1
    assert org.engine.queue.counts().get(gone.pop()) == {"requested": 0, "processed": 1}


@pytest.mark.parametrize("fault", ["twin:0", "twin:x", "late-visibility:-1", "stuck-pending:nan"])
def test_an_argument_that_no_lie_can_take(fault: str) -> None:
    with pytest.raises(BadInputError):
        engine_faults_in([fault])


def test_other_peoples_faults_are_not_the_engines_business() -> None:
    assert engine_faults_in(["lost-reply:3"]) == engine_faults_in([])
    assert set(ENGINE_FAULTS) >= {"late-visibility", "twin", "vanish", "second-operator"}


def test_a_record_is_written_with_what_the_website_sent_under_its_parent() -> None:
    org = make_org(30)
    root = causes(org)[ACCOUNTS][0]
    event = failed(org)[root]
    contact = next(failed(org)[v] for v in links(org) if failed(org)[v]["object"] == "Contact")
    fix(org, root)
    resync(org, failed(org))
    account = records(org, event)[0]
    assert account["Name"] == json.loads(str(event["payload"]))["Name"]
    assert records(org, contact)[0]["AccountId"] == account["Id"]
    assert records(org, contact)[0]["Email"] == json.loads(str(contact["payload"]))["Email"]


def test_counts_count_each_try() -> None:
    org = make_org(5)
    ids = list(failed(org))
    for _ in range(3):
        resync(org, ids[:1])
    counts = org.apexrest("GET", "demo/counts", {}, None)[1]
    assert counts == {ids[0]: {"requested": 3, "processed": 3}}


def test_saves_and_requests_from_many_threads_do_not_block_each_other() -> None:
    now = datetime(2026, 3, 4, tzinfo=UTC)
    org = DemoOrg(
        DemoOptions(errors=60, processing_delay=0),
        clock=lambda: now,
        store=Store(None, schema_of_variant("assumed")),
    )
    org.start()
    ids = list(failed(org))

    def by_field(share: list[str]) -> None:
        for event_id in share:
            org.save("s_c__Change_Event__c", "update", {"s_c__Status__c": "NEW"}, event_id)

    threads = [threading.Thread(target=by_field, args=(ids[place::4],)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
        assert not thread.is_alive(), "deadlock"
    org.close()
    org.engine.run_due()
    counts = org.engine.queue.counts()
    assert set(counts) == set(ids)
    assert all(each == {"requested": 1, "processed": 1} for each in counts.values())
