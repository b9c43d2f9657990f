"""Plans: the order, what is left out and why, concurrency, canary, and the file that says exactly that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.resync import plan_file
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.resync.plan import (
    LeftOut,
    Plan,
    digest,
    expected_seconds,
    make_plan,
    refuse_other_org,
)
from syncerr_tui.resync.plan_file import checked_against
from syncerr_tui.resync.sender import batches
from syncerr_tui.text import clean
from tests.factories import NOW, storeconnect_id, sync_error
from tests.resync.driving import optioned
from tests.resync.lying_org import IDENTITY

METHOD = MethodInfo("apex", "Apex action Resync", batch_size=200, concurrency=5)


def planned(*errors: SyncError, **options: object) -> Plan:
    options.setdefault("parents", {})
    return make_plan(errors, org=IDENTITY, method=METHOD, created_at=NOW, **optioned(options))  # type: ignore[arg-type]


def wave_of(plan: Plan) -> dict[str, int]:
    return {row.error.id: row.wave for row in plan.rows}


def account(number: int, **changes: object) -> SyncError:
    return sync_error(number, object="Account", **changes)


def test_one_record_waits_for_itself_oldest_change_first() -> None:
    later = sync_error(1, created_at=NOW, storeconnect_id=storeconnect_id(9))
    earlier = sync_error(2, created_at=NOW - timedelta(hours=1), storeconnect_id=storeconnect_id(9))
    plan = planned(later, earlier, parents={})
    assert wave_of(plan) == {earlier.id: 1, later.id: 2}
    assert {row.error.id: row.parents for row in plan.rows}[later.id] == (earlier.id,)


def test_given_evidence_decides_the_order() -> None:
    child, parent = account(1), sync_error(2)
    plan = planned(child, parent, parents={child.id: frozenset((parent.id,))})
    assert wave_of(plan) == {parent.id: 1, child.id: 2}


def test_a_victim_whose_cause_is_not_chosen_is_left_out_with_all_that_waits_for_it() -> None:
    victim, behind = sync_error(1), sync_error(2)
    links = {victim.id: frozenset(("a0Xelsewhere",)), behind.id: frozenset((victim.id,))}
    plan = planned(victim, behind, account(3), parents=links)
    assert {row.error.object for row in plan.rows} == {"Account"}
    assert {out.id: out.reason for out in plan.left_out} == {
        victim.id: "its cause a0Xelsewhere is not in this plan",
        behind.id: f"its cause {victim.id} is not in this plan",
    }


def test_a_circle_is_left_out_and_said() -> None:
    a, b, free = sync_error(1), sync_error(2), sync_error(3)
    plan = planned(a, b, free, parents={a.id: frozenset((b.id,)), b.id: frozenset((a.id,))})
    assert [row.error.id for row in plan.rows] == [free.id]
    assert all("wait for each other" in out.reason for out in plan.left_out)
    assert len(plan.left_out) == 2


def test_an_unknown_event_type_is_never_sent_by_itself() -> None:
    plan = planned(sync_error(1, event_type=EventType.OTHER))
    assert plan.rows == ()
    assert plan.left_out[0].reason == "its event type is not known to this profile"


def test_what_the_front_end_leaves_out_stays_out_and_holds_back_its_victims() -> None:
    cause = sync_error(1, storeconnect_id=storeconnect_id(7), created_at=NOW)
    victim = sync_error(2, storeconnect_id=storeconnect_id(7), created_at=NOW + timedelta(seconds=1))
    plan = planned(cause, victim, left_out=[LeftOut(cause.id, "support only")])
    assert plan.rows == ()
    assert {out.id for out in plan.left_out} == {cause.id, victim.id}


def test_a_ramp_sends_one_five_twenty_five_and_the_rest() -> None:
    plan = planned(*(sync_error(n) for n in range(100)), parents={}, canary=True)
    assert [len(wave.ids) for wave in plan.waves] == [1, 5, 25, 69]


def test_children_of_one_parent_share_a_lane_and_strangers_do_not() -> None:
    parent = account(0)
    children = [sync_error(n) for n in range(1, 4)]
    plan = planned(
        parent, *children, sync_error(9), parents={c.id: frozenset((parent.id,)) for c in children}
    )
    groups = {row.error.id: row.group for row in plan.rows}
    assert len({groups[c.id] for c in children}) == 1
    assert groups[sync_error(9).id] not in {groups[c.id] for c in children}


def test_a_group_is_never_split_over_lanes_and_small_groups_share_a_request() -> None:
    parents = [storeconnect_id(100 if n < 5 else 100 + n) for n in range(9)]
    rows = (sync_error(n, message=f"Foreign key external ID: {parents[n]} not found") for n in range(9))
    plan = planned(*rows)
    cut = batches(plan.rows, 2)
    where = {row.error.id: number for number, train in enumerate(cut) for batch in train for row in batch}
    assert len({where[sync_error(n).id] for n in range(5)}) == 1
    assert all(len(batch) <= 2 for train in cut for batch in train)
    assert sum(len(train) for train in cut) == 3 + 2


def test_the_same_rows_give_the_same_plan_in_whatever_order_they_come() -> None:
    rows = [sync_error(n, processed_at=NOW) for n in range(20)]
    assert planned(*rows).waves == planned(*reversed(rows)).waves


def test_a_row_named_twice_is_planned_once() -> None:
    assert len(planned(sync_error(1), sync_error(1)).rows) == 1


# -- the file


@pytest.fixture
def plan() -> Plan:
    rows = [sync_error(n, created_at=NOW) for n in range(3)]
    return planned(
        *rows, parents={rows[1].id: frozenset((rows[0].id,))}, left_out=[LeftOut(rows[2].id, "no")]
    )


def test_a_plan_survives_the_file(plan: Plan, tmp_path: Path) -> None:
    plan_file.write_plan(plan, tmp_path / "plan.json")
    assert plan_file.read_plan(tmp_path / "plan.json") == plan


def test_a_plan_that_was_written_before_is_read() -> None:
    """Its hash is that of what it held: what an error came to hold later must not be in it while empty."""
    plan = plan_file.read_plan(Path(__file__).with_name("plan-1.json"))
    assert [row.error for row in plan.rows] == [sync_error(n, created_at=NOW) for n in range(2)]


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["rows"][0].update(wave=2),
        lambda plan: plan["rows"].pop(),
        lambda plan: plan["rows"].append(plan["rows"][0]),
        lambda plan: plan.update(org_id="00D000000000009AAA"),
        lambda plan: plan["rows"][0].update(id="a0X5g0000zzzzzzAAA"),
        lambda plan: plan.update(surprise=1),
    ],
)
def test_a_changed_plan_is_refused(plan: Plan, tmp_path: Path, change: object) -> None:
    path = tmp_path / "plan.json"
    content = json.loads(plan_file.encode_plan(plan))
    change(content["plan"])  # type: ignore[operator]
    path.write_text(json.dumps(content))
    with pytest.raises(RefusedError, match="was changed"):
        plan_file.read_plan(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": "other"}', "null", '"x"', "\udcff"])
def test_what_is_no_plan_is_told_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(BadInputError, match="is not a plan file"):
        plan_file.read_plan(path)


def sealed(payload: dict[str, Any]) -> str:
    """A plan file that somebody wrote by hand, hash and all."""
    return json.dumps({"format": "syncerr-tui plan 1", "hash": digest(payload), "plan": payload})


@pytest.mark.parametrize(
    "change",
    [
        lambda plan: plan["rows"].append(plan["rows"][0]),
        lambda plan: plan["waves"][0]["ids"].append(plan["waves"][0]["ids"][0]),
        lambda plan: plan["waves"][0]["ids"].append("a0X5g0000zzzzzzAAA"),
        lambda plan: plan["waves"].pop(),
        lambda plan: plan["waves"].reverse(),
        lambda plan: plan["rows"][0].update(parents=["a0X5g0000zzzzzzAAA"]),
        lambda plan: plan["rows"][0].update(processed_at="2026-11-23T02:00:00"),
        lambda plan: plan["rows"][0].update(salesforce_id=["x"]),
        lambda plan: plan["rows"][0].update(id="\x1b]0;x\x07"),
        lambda plan: plan.update(created_at="2026-11-23T02:00:00"),
        lambda plan: plan.update(patience=float("nan")),
        lambda plan: plan.update(patience=float("inf")),
        lambda plan: plan.update(lanes=0),
        lambda plan: plan.update(batch_size=0),
        lambda plan: plan.update(batch_size=float("inf")),
    ],
    ids=lambda _change: "",
)
def test_a_plan_that_no_one_can_carry_out_is_no_plan(plan: Plan, tmp_path: Path, change: object) -> None:
    """Its hash says that nobody changed it, not that it was made here."""
    path = tmp_path / "plan.json"
    payload = plan.payload()
    path.write_text(sealed(payload))
    assert plan_file.read_plan(path) == plan
    change(payload)  # type: ignore[operator]
    path.write_text(sealed(payload))
    with pytest.raises(BadInputError, match="is not a plan file"):
        plan_file.read_plan(path)


def test_a_file_that_is_deeper_than_python_is_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("[" * 100_000)
    with pytest.raises(BadInputError, match="is not a plan file"):
        plan_file.read_plan(path)


def test_an_existing_file_is_not_overwritten(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("mine")
    with pytest.raises(BadInputError, match="is there already"):
        plan_file.write_plan(plan, path)
    assert path.read_text() == "mine"


def test_another_org_is_refused(plan: Plan) -> None:
    with pytest.raises(RefusedError, match="This plan is for acme"):
        refuse_other_org(plan, replace(IDENTITY, org_id="00D000000000009AAA"))


def test_what_moved_since_is_listed(plan: Plan) -> None:
    first, second = (row.error for row in plan.rows)
    old = sync_error(50)
    new = sync_error(51, processed_at=NOW + timedelta(minutes=1))
    moved = plan_file.moved(plan, [replace(second, message=clean("Another message")), old, new])
    assert moved == plan_file.Moved(gone=(first.id,), changed=(second.id,), new=(new.id,))


def test_a_salesforce_id_that_appeared_is_no_change(plan: Plan) -> None:
    first, second = (row.error for row in plan.rows)
    assert not plan_file.moved(plan, [replace(first, salesforce_id="001000000000001AAA"), second])


def test_a_plan_whose_causes_were_cut_is_put_right() -> None:
    """The hash of a file is no signature: whoever cuts the links can renew it."""
    cause, victim, other = account(1), sync_error(2, object="Order"), sync_error(3, object="Contact")
    links = {victim.id: frozenset((cause.id,))}
    honest = planned(cause, victim, other, parents=links)
    assert checked_against(honest, links) == honest
    cut = replace(
        honest,
        rows=tuple(replace(row, parents=(), wave=1) for row in honest.rows),
        waves=(replace(honest.waves[0], ids=tuple(row.error.id for row in honest.rows)),),
    )
    put_right = checked_against(cut, links)
    assert {row.error.id for row in put_right.rows} == {cause.id, other.id}
    assert [out.id for out in put_right.left_out] == [victim.id]
    row = next((row for row in honest.rows if row.error.id == victim.id), None)
    assert row is not None
    only_the_victim = replace(honest, rows=(row,), waves=())
    late = checked_against(only_the_victim, {victim.id: frozenset(("a0X000000000009AAA",))})
    assert late.rows == ()
    assert "a0X000000000009AAA does not go before it" in late.left_out[0].reason


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_the_hash_is_that_of_the_whole_payload_as_canonical_json(payload: dict[str, Any]) -> None:
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    assert digest(payload) == hashlib.sha256(text.encode()).hexdigest()


def test_a_wave_is_estimated_from_measured_ones_of_its_size() -> None:
    assert expected_seconds(10, []) is None
    assert expected_seconds(10, [(10, 8.0), (1000, 60.0)]) in {8.0, 34.0}
    assert expected_seconds(51, [(10, 8.0)]) is None, "nothing says how a much larger wave behaves"
    assert expected_seconds(50, [(10, 8.0)]) == 8.0
    near = [(10, float(seconds)) for seconds in (5, 6, 7, 8, 100)]
    assert expected_seconds(10, [*near, *((1000, 60.0),) * 20]) == 7.0
