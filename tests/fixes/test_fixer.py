"""A fix is applied once, believed only when re-read, and put back from what is there by then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.errors import (
    BadInputError,
    MachineError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
    UnreachableError,
)
from syncerr_tui.fixes.fixer import Fixer
from syncerr_tui.fixes.ledger import FixLedger
from syncerr_tui.fixes.meanwhile import OffMeanwhile
from syncerr_tui.fixes.model import FixOption, FixRequest, FixState, SafeguardState, options_for
from syncerr_tui.fixes.org import (
    FixCandidate,
    FixChange,
    FixFacts,
    FixKind,
    FixPolicy,
    FixScope,
    FixTarget,
    TargetReading,
    Values,
)
from syncerr_tui.journal.claims import Owner
from syncerr_tui.journal.journal import Journal
from syncerr_tui.model import Environment, SyncError
from syncerr_tui.stopwatch import STALE_SECONDS, Leaving, Stopwatch
from tests.journal.opening import open_as

ORG = "00D5g000001abcdEAA"
RULE = FixTarget("ValidationRule", "03d5g000001abcdEAA", "Order.Needs_Tax_Number")
FLOW = FixTarget("FlowDefinition", "3005g000001abcdEAA", "Order_Builder")
OFF: Values = {"active": False}


ALL = FixPolicy(frozenset(FixScope), Environment.SANDBOX)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, 2, 14, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class ScriptedOrg:
    """Holds components as dictionaries; what is to go wrong is set from outside."""

    org_user = "ana@x.y"

    def __init__(self) -> None:
        self.policy = ALL
        self.things: dict[str, dict[str, object]] = {
            RULE.name: {"active": True, "formula": "ISBLANK(Tax__c)"},
            FLOW.name: {"activeVersionNumber": 3, "label": "Order Builder"},
        }
        self.versions = {1, 2, 3, 4}
        self.writes: list[tuple[str, Values]] = []
        self.fails: Exception | None = None
        self.does_it_though_it_fails = False
        self.carries_out = True
        self.unreadable: Exception | None = None
        self.edit_behind_reading: list[dict[str, object]] = []
        self.before_leaving: Callable[[], object] = lambda: None

    async def read_target(self, change: FixChange) -> TargetReading | None:
        if self.unreadable:
            raise self.unreadable
        after, thing = change.after, self.things.get(change.target.name)
        if thing is None:
            return None
        values = {name: thing.get(name) for name in after}
        rest = json.dumps({name: value for name, value in thing.items() if name not in after})
        reading = TargetReading(values, json.dumps(thing), rest, dict(thing))
        if self.edit_behind_reading:
            thing.update(self.edit_behind_reading.pop(0))
        return reading

    async def write_target(self, change: FixChange, reading: TargetReading, leaving: Leaving) -> None:
        name, after = change.target.name, change.after
        self.before_leaving()
        leaving()
        self.writes.append((name, after))
        if self.carries_out and (self.fails is None or self.does_it_though_it_fails):
            assert isinstance(reading.handle, dict)
            self.things[name] = {**reading.handle, **after}
        if self.fails:
            raise self.fails

    async def facts(self, errors: Sequence[tuple[SyncError, Explanation]], *, named: str = "") -> FixFacts:
        return FixFacts()

    async def typed(self, kind: FixKind, target: FixTarget, values: Mapping[str, str]) -> dict[str, Any]:
        return dict(values)

    async def find_safeguard(self, text: str) -> FixChange:
        assert text == f"ValidationRule:{RULE.name}"
        return FixChange(FixKind.VALIDATION_RULE_OFF, RULE, OFF, {"active": True})

    async def has_version(self, target: FixTarget, version: int, whole: str) -> bool:
        return version in self.versions


async def no_sleep(_seconds: float) -> None:
    return


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def org() -> ScriptedOrg:
    return ScriptedOrg()


@pytest.fixture
def journal(tmp_path: Path, clock: Clock) -> Journal:
    return Journal.open(tmp_path, ORG, clock=clock)


def fixer_of(org: ScriptedOrg, journal: Journal, policy: FixPolicy = ALL) -> Fixer:
    org.policy = policy
    return Fixer(org, FixLedger(journal, os_user="ana", org_user="ana@x.y"), sleep=no_sleep)


async def option_of(
    org: ScriptedOrg, target: FixTarget = RULE, policy: FixPolicy = ALL, after: Values = OFF
) -> FixOption:
    kind = FixKind.FLOW_OFF if target is FLOW else FixKind.VALIDATION_RULE_OFF
    reading = await org.read_target(FixChange(kind, target, after))
    assert reading is not None
    candidate = FixCandidate(
        kind, target, after, reading.values, title=f"Switch off {target.name}", whole=reading.whole
    )
    return options_for(FixFacts((candidate,)), policy)[0]


FLOW_OFF: Values = {"activeVersionNumber": 0}


async def test_applied_is_written_once_verified_and_on_the_ledger(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    result = await fixer.apply(FixRequest(await option_of(org), reason="night shift", event="a0X1"))
    assert (result.state, result.verified) == (FixState.APPLIED, True)
    assert (result.before, result.after) == ({"active": True}, {"active": False})
    assert org.writes == [(RULE.name, OFF)]
    (line,) = await fixer.safeguards()
    assert (line.state, line.record.by, line.record.event) == (SafeguardState.OFF, "ana", "a0X1")
    assert line.record.reason == "night shift"


async def test_what_is_so_already_is_not_written(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.things[RULE.name]["active"] = False
    result = await fixer_of(org, journal).apply(FixRequest(option))
    assert (result.state, result.fix, org.writes) == (FixState.ALREADY, "", [])


async def test_a_change_since_it_was_shown_refuses(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.things[RULE.name]["formula"] = "FALSE"
    fixer = fixer_of(org, journal)
    with pytest.raises(RefusedError, match="changed since it was shown"):
        await fixer.apply(FixRequest(option, seen=option.seen))
    assert (org.writes, await fixer.safeguards()) == ([], [])


async def test_an_edit_between_reading_and_writing_is_kept(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.edit_behind_reading = [{"formula": "A colleague's"}]
    result = await fixer_of(org, journal).apply(FixRequest(option))
    assert result.verified
    assert org.things[RULE.name] == {"active": False, "formula": "A colleague's"}


async def test_a_reading_that_got_old_on_the_way_out_is_not_written_back(
    org: ScriptedOrg, journal: Journal
) -> None:
    """The machine slept, or the disk was slow: what a colleague edited meanwhile is not undone."""
    wall = Clock()
    ledger = FixLedger(journal, os_user="ana", org_user="ana@x.y")
    fixer, option = Fixer(org, ledger, sleep=no_sleep, stopwatch=Stopwatch(wall)), await option_of(org)

    def sleeps() -> None:
        wall.now += timedelta(seconds=STALE_SECONDS + 1)
        org.things[RULE.name]["formula"] = "a colleague's"

    org.before_leaving = sleeps
    with pytest.raises(NotSentError, match="slept"):
        await fixer.apply(FixRequest(option))
    assert (org.writes, fixer.ledger.open_safeguards()) == ([], [])
    org.before_leaving = lambda: None
    fix = (await fixer.apply(FixRequest(await option_of(org)))).fix
    org.before_leaving = sleeps
    assert (await fixer.restore(fix)).state is FixState.REFUSED
    assert len(org.writes) == 1
    org.before_leaving = lambda: None
    assert (await fixer.restore(fix)).verified
    assert org.things[RULE.name] == {"active": True, "formula": "a colleague's"}


async def test_an_org_that_answers_slowly_is_changed_and_put_back_but_not_on_an_answer_slept_over(
    org: ScriptedOrg, journal: Journal
) -> None:
    wall, seconds = Clock(), [STALE_SECONDS + 1]
    ledger = FixLedger(journal, os_user="ana", org_user="ana@x.y")
    fixer = Fixer(org, ledger, sleep=no_sleep, stopwatch=Stopwatch(wall))
    read = org.read_target

    async def slowly(change: FixChange) -> TargetReading | None:
        reading = await read(change)
        wall.now += timedelta(seconds=seconds[-1])
        return reading

    org.read_target = slowly  # type: ignore[method-assign]
    result = await fixer.apply(FixRequest(await option_of(org)))
    assert result.verified
    seconds.append(60)
    assert (await fixer.restore(result.fix)).state is FixState.REFUSED
    seconds.pop()
    assert (await fixer.restore(result.fix)).verified
    assert len(org.writes) == 2


async def test_edits_without_end_refuse(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.edit_behind_reading = [{"formula": str(number)} for number in range(9)]
    with pytest.raises(RefusedError, match="being changed by somebody else"):
        await fixer_of(org, journal).apply(FixRequest(option))
    assert org.writes == []


async def test_a_lost_answer_whose_change_was_made_is_applied(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.fails, org.does_it_though_it_fails = OutcomeUnknownError("No answer"), True
    result = await fixer_of(org, journal).apply(FixRequest(option))
    assert (result.state, result.verified) == (FixState.APPLIED, True)
    assert "No answer came back" in result.detail
    assert len(org.writes) == 1


async def test_a_lost_answer_stays_on_the_ledger_for_ten_minutes(
    org: ScriptedOrg, journal: Journal, clock: Clock
) -> None:
    option = await option_of(org)
    org.fails = OutcomeUnknownError("No answer")
    fixer = fixer_of(org, journal)
    result = await fixer.apply(FixRequest(option))
    assert (result.state, result.verified) == (FixState.UNKNOWN, False)
    org.fails = None
    clock.now += timedelta(minutes=9)
    (line,) = await fixer.safeguards()
    assert line.state is SafeguardState.ON
    org.things[RULE.name]["active"] = False  # carried out late
    (line,) = await fixer.safeguards()
    assert line.state is SafeguardState.OFF
    org.things[RULE.name]["active"] = True
    clock.now += timedelta(minutes=2)
    await fixer.safeguards()
    assert await fixer.safeguards() == []
    assert len(org.writes) == 1


async def test_what_was_accepted_and_is_not_seen_stays_on_the_ledger_for_ten_minutes(
    org: ScriptedOrg, clock: Clock, journal: Journal
) -> None:
    org.carries_out = False
    fixer = fixer_of(org, journal)
    result = await fixer.apply(FixRequest(await option_of(org)))
    assert (result.state, result.verified) == (FixState.UNKNOWN, False)
    (line,) = await fixer.safeguards()
    assert (line.state, line.record.outcome) == (SafeguardState.ON, "unknown")
    clock.now += timedelta(minutes=1)
    org.things[RULE.name]["active"] = False  # late, and behind the last re-read
    assert [line.state for line in await fixer.safeguards()] == [SafeguardState.OFF]
    org.carries_out = True
    assert (await fixer.restore(result.fix)).verified
    assert await fixer.safeguards() == []


async def test_a_refusal_leaves_nothing_on_the_ledger(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.fails = RefusedError("The set-up is locked", "Wait")
    fixer = fixer_of(org, journal)
    result = await fixer.apply(FixRequest(option))
    assert (result.state, result.detail) == (FixState.REFUSED, "The set-up is locked. Wait.")
    assert await fixer.safeguards() == []


async def test_a_refusal_of_what_was_done_all_the_same_is_applied(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.fails, org.does_it_though_it_fails = RefusedError("An error"), True
    fixer = fixer_of(org, journal)
    assert (await fixer.apply(FixRequest(option))).verified
    assert len(await fixer.safeguards()) == 1


async def test_what_was_not_sent_is_told_and_leaves_nothing(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    org.fails = NotSentError("No network")
    fixer = fixer_of(org, journal)
    with pytest.raises(NotSentError):
        await fixer.apply(FixRequest(option))
    assert await fixer.safeguards() == []


async def test_an_org_that_is_gone_after_the_write_leaves_the_line_open(
    org: ScriptedOrg, journal: Journal
) -> None:
    fixer, option = fixer_of(org, journal), await option_of(org)
    write = org.write_target

    async def write_and_go(change: FixChange, reading: TargetReading, leaving: Leaving) -> None:
        await write(change, reading, leaving)
        org.unreadable = OutcomeUnknownError("The line dropped")

    org.write_target = write_and_go  # type: ignore[method-assign]
    result = await fixer.apply(FixRequest(option))
    assert (result.state, result.unreachable) == (FixState.UNKNOWN, True)
    (line,) = await fixer.safeguards()
    assert line.state is SafeguardState.UNKNOWN


async def test_nothing_is_written_where_the_journal_cannot_be(org: ScriptedOrg, journal: Journal) -> None:
    option = await option_of(org)
    journal.close()
    with pytest.raises(MachineError):
        await fixer_of(org, journal).apply(FixRequest(option))
    assert org.writes == []


class FullDisk:
    """Takes so many writes of the ledger more, and then none of anything."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
        write, hold = Journal.write, Journal.hold
        self.left = writes

        def written(journal: Journal, *statements: tuple[str, Sequence[object]]) -> None:
            self.check()
            self.left -= 1
            write(journal, *statements)

        def held(journal: Journal, key: str, **how: str) -> str:
            self.check()
            return hold(journal, key, **how)

        monkeypatch.setattr(Journal, "write", written)
        monkeypatch.setattr(Journal, "hold", held)

    def check(self) -> None:
        if not self.left:
            raise MachineError("The journal cannot be used: full", "Nothing is sent without it")


@pytest.mark.parametrize(("writes", "sent"), [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2)])
async def test_a_journal_that_fails_once_a_request_has_left_is_not_told_as_nothing_sent(
    org: ScriptedOrg, journal: Journal, monkeypatch: pytest.MonkeyPatch, writes: int, sent: int
) -> None:
    """It is the fix, its outcome, its putting back, what became of that, and its end that are written."""
    fixer, option = fixer_of(org, journal), await option_of(org)
    FullDisk(monkeypatch, writes)
    with pytest.raises(MachineError) as refused:
        await fixer.restore((await fixer.apply(FixRequest(option))).fix)
    assert len(org.writes) == sent
    nothing = writes in {0, 2}
    assert ("Nothing is sent" in refused.value.line) is nothing
    assert ("was sent" in refused.value.line) is not nothing


async def test_off_meanwhile_tells_what_a_full_disk_left_off(
    org: ScriptedOrg, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixer, option = fixer_of(org, journal), await option_of(org)
    disk = FullDisk(monkeypatch, 1)
    off = OffMeanwhile(fixer, FixRequest(option))
    with pytest.raises(MachineError):
        await off.__aenter__()
    assert org.things[RULE.name]["active"] is False
    assert off.problem is not None
    assert f"--restore {fixer.ledger.open_safeguards()[0].id}" in off.problem.hint

    disk.left = 10
    await fixer.restore(fixer.ledger.open_safeguards()[0].id)

    async def gone(_change: FixChange) -> TargetReading | None:
        disk.left = 0
        raise UnreachableError("Gone")

    org.read_target = gone  # type: ignore[method-assign, assignment]
    off = OffMeanwhile(fixer, FixRequest(option))
    with pytest.raises(UnreachableError):
        await off.__aenter__()
    assert off.problem is None


async def test_restoring_keeps_a_colleagues_edit(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    fix = (await fixer.apply(FixRequest(await option_of(org)))).fix
    org.things[RULE.name]["formula"] = "A colleague's"
    result = await fixer.restore(fix)
    assert result.verified
    assert org.things[RULE.name] == {"active": True, "formula": "A colleague's"}
    assert await fixer.safeguards() == []


async def test_a_flow_gets_its_own_version_back(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    fix = (await fixer.apply(FixRequest(await option_of(org, FLOW, after=FLOW_OFF)))).fix
    org.versions.add(5)
    assert (await fixer.restore(fix)).verified
    assert org.things[FLOW.name]["activeVersionNumber"] == 3


async def test_another_active_version_is_left_alone_until_accepted(
    org: ScriptedOrg, journal: Journal
) -> None:
    fixer = fixer_of(org, journal)
    fix = (await fixer.apply(FixRequest(await option_of(org, FLOW, after=FLOW_OFF)))).fix
    org.things[FLOW.name]["activeVersionNumber"] = 4
    assert (await fixer.restore(fix)).state is FixState.REFUSED
    assert len(org.writes) == 1
    (line,) = await fixer.safeguards()
    assert line.state is SafeguardState.OTHER_VERSION
    await fixer.accept(fix)
    assert await fixer.safeguards() == []


async def test_a_version_that_is_gone_is_not_replaced(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    fix = (await fixer.apply(FixRequest(await option_of(org, FLOW, after=FLOW_OFF)))).fix
    org.versions.discard(3)
    assert (await fixer.restore(fix)).state is FixState.REFUSED
    assert len(org.writes) == 1
    with pytest.raises(RefusedError, match="its entry stays"):
        await fixer.accept(fix)


async def test_somebody_elses_putting_back_closes_the_line(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    await fixer.apply(FixRequest(await option_of(org)))
    org.things[RULE.name]["active"] = True
    assert [line.state for line in await fixer.safeguards()] == [SafeguardState.ON]
    assert await fixer.safeguards() == []


async def test_a_safeguard_that_is_gone_closes_the_line(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    await fixer.apply(FixRequest(await option_of(org)))
    del org.things[RULE.name]
    assert [line.state for line in await fixer.safeguards()] == [SafeguardState.GONE]
    assert await fixer.safeguards() == []


async def test_production_wants_the_name(org: ScriptedOrg, journal: Journal) -> None:
    policy = replace(ALL, environment=Environment.PRODUCTION)
    fixer, option = fixer_of(org, journal, policy), await option_of(org)
    for typed in ("", "Order.needs_tax_number"):
        with pytest.raises(BadInputError):
            await fixer.apply(FixRequest(option, confirm=typed))
    assert org.writes == []
    fix = (await fixer.apply(FixRequest(option, confirm=RULE.name))).fix
    assert (await fixer.restore(fix)).verified


@pytest.mark.parametrize("policy", [FixPolicy(environment=Environment.SANDBOX), replace(ALL, read_only=True)])
async def test_nothing_without_leave(org: ScriptedOrg, journal: Journal, policy: FixPolicy) -> None:
    option = await option_of(org, policy=policy)
    assert not option.allowed
    with pytest.raises(RefusedError):
        await fixer_of(org, journal, policy).apply(FixRequest(option))
    assert org.writes == []


async def test_off_meanwhile_is_on_again_after_a_failure(org: ScriptedOrg, journal: Journal) -> None:
    fixer, option = fixer_of(org, journal), await option_of(org)
    with pytest.raises(ValueError, match="the run"):
        async with OffMeanwhile(fixer, FixRequest(option)) as off:
            assert org.things[RULE.name]["active"] is False
            raise ValueError("the run")
    assert org.things[RULE.name]["active"] is True
    assert not off.left_off
    assert len(org.writes) == 2


async def test_off_meanwhile_leaves_a_colleagues_off_alone(org: ScriptedOrg, journal: Journal) -> None:
    fixer, option = fixer_of(org, journal), await option_of(org)
    org.things[RULE.name]["active"] = False
    async with OffMeanwhile(fixer, FixRequest(option)):
        pass
    assert (org.things[RULE.name]["active"], org.writes) == (False, [])


async def test_off_meanwhile_takes_an_open_line_over(org: ScriptedOrg, journal: Journal) -> None:
    fixer, option = fixer_of(org, journal), await option_of(org)
    await fixer.apply(FixRequest(option))
    async with OffMeanwhile(fixer, FixRequest(option)) as off:
        pass
    assert (org.things[RULE.name]["active"], off.left_off) == (True, False)
    assert await fixer.safeguards() == []


async def test_what_cannot_be_put_back_is_told(org: ScriptedOrg, journal: Journal) -> None:
    fixer, option = fixer_of(org, journal), await option_of(org)
    async with OffMeanwhile(fixer, FixRequest(option)) as off:
        org.fails = RefusedError("Locked")
    assert off.left_off
    assert len(await fixer.safeguards()) == 1


async def test_what_a_person_switched_off_can_be_recorded(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    with pytest.raises(RefusedError, match="is not off"):
        await fixer.record(f"ValidationRule:{RULE.name}")
    org.things[RULE.name]["active"] = False
    line = await fixer.record(f"ValidationRule:{RULE.name}")
    assert (await fixer.restore(line.id)).verified
    assert org.things[RULE.name]["active"] is True


async def test_nothing_on_record_is_changed_or_deleted(org: ScriptedOrg, journal: Journal) -> None:
    await fixer_of(org, journal).apply(FixRequest(await option_of(org)))
    for table in ("fixes", "fix_events"):
        for verb in (f"DELETE FROM {table}", f"UPDATE {table} SET at = ''"):
            with pytest.raises(MachineError, match="append-only"):
                journal.write((verb, ()))


async def test_what_is_on_record_says_what_was_there_before(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    fix = (await fixer.apply(FixRequest(await option_of(org), reason="for the night", event="a0X1"))).fix
    record = fixer.ledger.get(fix)
    assert json.loads(record.whole) == {"active": True, "formula": "ISBLANK(Tax__c)"}
    assert (record.outcome, record.closed, record.reason, record.event) == (
        "accepted",
        "",
        "for the night",
        "a0X1",
    )
    await fixer.restore(fix)
    assert fixer.ledger.get(fix[:6]).closed == "put back; a re-read shows it"
    with pytest.raises(BadInputError):
        fixer.ledger.get("nope")


# -- two runs that need the same safeguard off


@pytest.fixture
def second(tmp_path: Path, clock: Clock, journal: Journal) -> Journal:
    """The same journal, as a process on another machine has it open."""
    return open_as(tmp_path, ORG, clock=clock, owner=Owner(4711, "", "ops-2", "boot"))


@pytest.mark.parametrize("ends_first", [0, 1])
async def test_of_two_runs_the_last_to_end_puts_it_back(
    org: ScriptedOrg, journal: Journal, second: Journal, ends_first: int
) -> None:
    runs = [OffMeanwhile(fixer_of(org, one), FixRequest(await option_of(org))) for one in (journal, second)]
    for run in runs:
        await run.__aenter__()
    first, last = runs[ends_first], runs[1 - ends_first]
    await first.__aexit__(None, None, None)
    assert org.things[RULE.name]["active"] is False, "not under the one that goes on"
    assert first.problem is not None
    assert "needs it so, and puts it back" in first.problem.line
    await last.__aexit__(None, None, None)
    assert (org.things[RULE.name]["active"], last.left_off) == (True, False)
    assert [values["active"] for _, values in org.writes] == [False, True]
    assert await fixer_of(org, journal).safeguards() == []


async def test_two_runs_that_switch_off_at_once_leave_no_line(
    org: ScriptedOrg, journal: Journal, second: Journal
) -> None:
    option = await option_of(org)
    one, other = (
        OffMeanwhile(fixer_of(org, journal), FixRequest(option)),
        OffMeanwhile(fixer_of(org, second), FixRequest(option)),
    )
    await one.__aenter__()
    org.things[RULE.name]["active"] = True  # as the other one read it, before the first write
    await other.__aenter__()
    await one.__aexit__(None, None, None)
    assert org.things[RULE.name]["active"] is False
    await other.__aexit__(None, None, None)
    assert org.things[RULE.name]["active"] is True
    assert await fixer_of(org, journal).safeguards() == []


async def test_a_run_waits_while_another_puts_it_back(
    org: ScriptedOrg, journal: Journal, second: Journal
) -> None:
    ledger, waited = FixLedger(second, os_user="ben", org_user="ben@x.y"), []
    ledger.put_back_begins(RULE)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            ledger.put_back_ended(RULE)

    fixer = Fixer(org, FixLedger(journal, os_user="ana", org_user="ana@x.y"), sleep=sleep)
    async with OffMeanwhile(fixer, FixRequest(await option_of(org))):
        assert len(waited) == 3
    ledger.put_back_begins(RULE)
    with pytest.raises(RefusedError, match="being put back"):
        async with OffMeanwhile(fixer_of(org, journal), FixRequest(await option_of(org))):
            pass
    assert len(org.writes) == 2


async def test_the_run_of_a_process_that_is_gone_holds_nobody_up(
    org: ScriptedOrg, journal: Journal, second: Journal, clock: Clock
) -> None:
    option = await option_of(org)
    await OffMeanwhile(fixer_of(org, second), FixRequest(option)).__aenter__()
    clock.now += timedelta(minutes=11)  # not a sign of life
    async with OffMeanwhile(fixer_of(org, journal), FixRequest(option)) as off:
        pass
    assert (org.things[RULE.name]["active"], off.left_off) == (True, False)


async def test_what_somebody_else_put_back_meanwhile_is_on_again(org: ScriptedOrg, journal: Journal) -> None:
    fixer = fixer_of(org, journal)
    async with OffMeanwhile(fixer, FixRequest(await option_of(org))) as off:
        org.things[RULE.name]["active"] = True
        await fixer.safeguards()
    assert (off.left_off, off.problem) == (False, None)
    assert len(org.writes) == 1


async def test_cancelled_while_it_is_put_back_it_is_put_back(org: ScriptedOrg, journal: Journal) -> None:
    off = OffMeanwhile(fixer_of(org, journal), FixRequest(await option_of(org)))

    async def run() -> None:
        async with off:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            asyncio.get_running_loop().call_soon(task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await run()
    assert (org.things[RULE.name]["active"], off.left_off) == (True, False)
