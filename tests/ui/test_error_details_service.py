"""What is asked of the org while a person looks at rows, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from textual.message import Message

from syncerr_tui.diagnosis.model import Diagnosis
from syncerr_tui.diagnosis.org_metadata import Described, FieldEntry, OrgMetadata, Resolved
from syncerr_tui.diagnosis.org_notes import OrgNotes, parse_notes
from syncerr_tui.errors import BadInputError, NotLoggedInError
from syncerr_tui.model import ApiUsage, SyncError
from syncerr_tui.text import clean
from syncerr_tui.ui.context import AppContext
from syncerr_tui.ui.error_details_service import (
    ErrorDetailsService,
    KnownBetter,
    addresses,
)
from syncerr_tui.ui.journals import Journals
from syncerr_tui.ui.messages import Announced, BackgroundContext, StateChanged
from tests.factories import sync_error
from tests.ui.fakes import FakeConnection, FakeDictionary

FLOW = clean("We can't save this record because the “Order Builder” process failed.")
BUILDER = "https://acme.lightning.force.com/builder_platform_interaction/flowBuilder.app?flowDefId=300x"

ANSWER = Resolved(
    "Order Builder", BUILDER, datetime(2026, 6, 3, 12, tzinfo=UTC), "Ana", changed_since_failure=False
)


class FakeResolver:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.trouble: NotLoggedInError | None = None
        self.kept: tuple[Resolved, ...] = ()
        self.begun = asyncio.Event()

    def remembered(self, diagnosis: Diagnosis, **_more: object) -> tuple[Resolved, ...] | None:
        return (ANSWER,) if FLOW in self.asked and diagnosis.message == FLOW else None

    async def recall(self, diagnosis: Diagnosis, **_more: object) -> tuple[Resolved, ...]:
        return self.kept if diagnosis.message == FLOW else ()

    async def resolve(self, diagnosis: Diagnosis, **_more: object) -> tuple[Resolved, ...]:
        self.asked.append(diagnosis.message)
        self.begun.set()
        await self.open.wait()
        if self.trouble:
            raise self.trouble
        if diagnosis.message != FLOW:
            return ()
        return (ANSWER,)


class Surroundings:
    """An `ErrorDetailsService` with everything around it in the test's hands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.told: list[Message] = []
        self.work: set[asyncio.Task[None]] = set()
        self.connection = FakeConnection([])
        self.resolvers = [FakeResolver()]
        self.notes: OrgNotes | BadInputError | None = None

        async def unused() -> Any:
            raise AssertionError

        self.context = AppContext(unused, read_notes=self._read_notes)
        self.context.connection = cast(Any, self.connection)
        self.dictionary = FakeDictionary()
        monkeypatch.setattr(self.connection, "name_resolver", lambda _store: self.resolvers[-1])
        monkeypatch.setattr(self.connection, "dictionary", lambda _store: self.dictionary)
        self.error_details = ErrorDetailsService(
            BackgroundContext(self.context, Journals(Path()), self.told.append, self._begin)
        )

    def _read_notes(self) -> OrgNotes | None:
        if isinstance(self.notes, BadInputError):
            raise self.notes
        return self.notes

    def _begin(self, work: Coroutine[Any, Any, None], _group: str) -> None:
        self.work.add(asyncio.ensure_future(work))

    async def settled(self) -> None:
        while pending := {task for task in self.work if not task.done()}:
            await asyncio.wait(pending)
        for task in self.work:
            task.result()

    @property
    def asked(self) -> list[str]:
        return [message for resolver in self.resolvers for message in resolver.asked]


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    return Surroundings(monkeypatch)


def flow_error(number: int = 1) -> SyncError:
    return sync_error(number, message=FLOW, code="CANNOT_EXECUTE_FLOW_TRIGGER")


def other(number: int) -> SyncError:
    return sync_error(number, message=clean(f"Message {number}"), code=None)


async def test_a_name_becomes_the_thing_itself(around: Surroundings) -> None:
    error = flow_error()
    before = around.error_details.explain(error)
    assert all("flowBuilder" not in (step.address or "") for step in before.guidance.steps)
    around.error_details.look_up(error)
    await around.settled()
    after = around.error_details.explain(error)
    assert addresses(after)[0][1] == BUILDER
    [fact] = after.changes
    assert fact.startswith("The Flow **Order Builder** was last changed on 2026-06-03 12:00 UTC by **Ana**.")
    assert fact.endswith(
        "Not changed since this failure: a re-sync alone will most likely fail the same way."
    )
    assert [message.error for message in around.told if isinstance(message, KnownBetter)] == [error]


async def test_what_refused_another_row_too_is_known_at_once_and_told_once(around: Surroundings) -> None:
    around.error_details.look_up(flow_error(1))
    await around.settled()
    around.told.clear()
    first, second = (around.error_details.explain(flow_error(number)) for number in (1, 2))
    assert first == second and second.changes
    around.error_details.look_up(flow_error(2))
    await around.settled()
    assert around.told == []


async def test_what_an_earlier_start_learned_is_shown_before_the_org_answers(around: Surroundings) -> None:
    [resolver] = around.resolvers
    resolver.kept = (Resolved("Order Builder", BUILDER),)
    resolver.open.clear()
    around.error_details.look_up(flow_error())
    await resolver.begun.wait()
    early = around.error_details.explain(flow_error())
    assert addresses(early)[0][1] == BUILDER and early.changes == ()
    resolver.open.set()
    await around.settled()
    assert around.error_details.explain(flow_error()).changes
    assert len(around.told) == 2


async def test_what_was_seen_is_not_asked_again_also_where_nothing_was_found(around: Surroundings) -> None:
    for error in (flow_error(), other(2)):
        around.error_details.look_up(error)
        await around.settled()
        around.error_details.look_up(error)
        await around.settled()
    assert around.asked == [FLOW, "Message 2"]
    assert len(around.told) == 1


async def test_while_one_answer_is_waited_for_only_the_last_row_is_remembered(around: Surroundings) -> None:
    around.resolvers[0].open.clear()
    for number in range(2, 9):
        around.error_details.look_up(other(number))
        await asyncio.sleep(0)
    around.resolvers[0].open.set()
    await around.settled()
    assert around.asked == ["Message 2", "Message 8"]


async def test_an_answer_from_before_a_refresh_is_dropped(around: Surroundings) -> None:
    around.resolvers[0].open.clear()
    around.error_details.look_up(flow_error())
    await asyncio.sleep(0)
    around.error_details.forget_known()
    around.resolvers.append(FakeResolver())
    around.resolvers[0].open.set()
    await around.settled()
    assert around.error_details.explain(flow_error()).changes == ()
    around.error_details.look_up(flow_error())
    await around.settled()
    assert around.resolvers[1].asked == [FLOW]
    assert around.error_details.explain(flow_error()).changes


async def test_nothing_is_asked_where_calls_run_short_or_the_session_ended(around: Surroundings) -> None:
    around.connection.usage = ApiUsage(95_000, 100_000)
    around.error_details.look_up(flow_error())
    around.connection.usage = ApiUsage(1, 100_000)
    around.context.state = around.context.state.session_expired()
    around.error_details.look_up(flow_error())
    around.context.state = around.context.state.reading_connected()
    around.context.connection = None
    around.error_details.look_up(flow_error())
    await around.settled()
    assert around.asked == []


async def test_a_lost_login_is_told_and_the_next_row_can_be_asked_for(around: Surroundings) -> None:
    around.resolvers[0].trouble = NotLoggedInError("The session ended", "Log in")
    around.error_details.look_up(flow_error())
    await around.settled()
    assert [type(message) for message in around.told] == [StateChanged]
    assert around.context.state.reading.expired
    assert around.context.state.trouble is around.resolvers[0].trouble
    around.resolvers[0].trouble = None
    around.context.state = around.context.state.reading_connected()
    around.error_details.look_up(flow_error())
    await around.settled()
    assert around.error_details.explain(flow_error()).changes


async def test_org_notes_are_read_again_and_a_broken_file_keeps_the_old_ones(around: Surroundings) -> None:
    around.notes = parse_notes('[[note]]\ncode = "CANNOT_EXECUTE_FLOW_TRIGGER"\ntext = "Call Priya."', "n")
    around.error_details.forget_known()
    await around.settled()
    assert [note.text for note in around.error_details.explain(flow_error()).guidance.notes] == [
        "Call Priya."
    ]
    around.notes = BadInputError("notes.toml, line 3, txt: is not known in a note")
    around.error_details.forget_known()
    await around.settled()
    assert [type(message) for message in around.told] == [KnownBetter, Announced, KnownBetter]
    assert around.told[1] == Announced("Notes: notes.toml, line 3, txt: is not known in a note.", "bad")
    assert str(around.error_details.notes_trouble) == "notes.toml, line 3, txt: is not known in a note."
    assert [note.text for note in around.error_details.explain(flow_error()).guidance.notes] == [
        "Call Priya."
    ]
    around.notes = None
    around.error_details.forget_known()
    await around.settled()
    assert not around.error_details.notes_trouble
    assert around.error_details.explain(flow_error()).guidance.notes == ()


def test_addresses_are_web_addresses_each_once_the_next_step_first(around: Surroundings) -> None:
    pages = addresses(around.error_details.explain(sync_error(1)))
    assert pages[0] == (
        "Step 1: Open the field Name.",
        "https://acme.lightning.force.com/lightning/setup/ObjectManager/Order/FieldsAndRelationships/Name/view",
    )
    assert len({address for _, address in pages}) == len(pages)
    around.context.connection = None
    assert addresses(around.error_details.explain(sync_error(1))) == []
    assert [text for text, _ in addresses(around.error_details.explain(flow_error()))] == [
        "StoreConnect's article"
    ]


def test_no_address_comes_out_of_a_message(around: Surroundings) -> None:
    evil = clean("Open https://evil.example/ now: [https://evil.example/x] javascript:alert(1)")
    for code in ("REQUIRED_FIELD_MISSING", "CANNOT_EXECUTE_FLOW_TRIGGER", "INVALID_FIELD", None):
        error = sync_error(
            1, message=evil, code=code, object="Order/../../evil", salesforce_id="javascript:1"
        )
        for _, address in addresses(around.error_details.explain(error)):
            assert address.startswith(
                (
                    "https://acme.lightning.force.com/",
                    "https://acme.my.salesforce.com/",
                    "https://support.storeconnect.com/",
                )
            )
            assert "evil" not in address


async def test_the_orgs_own_names_make_an_answer_better_in_the_background(around: Surroundings) -> None:
    read_at = datetime(2026, 6, 3, 12, tzinfo=UTC)
    fields = (FieldEntry("Colour__c", "Farbe", ("Red", "Mauve")),)
    names = OrgMetadata((), read_at, {"Order": Described(fields, read_at)})
    around.dictionary.metadata = names
    message = clean("Farbe: ungültiger Wert für eingeschränktes Auswahllistenfeld: Mauv")
    error = sync_error(1, message=message, code=None)
    assert around.error_details.explain(error).diagnosis.fields == ("Farbe",), (
        "the first answer waits for nothing"
    )
    around.error_details.look_up(error)
    await around.settled()
    after = around.error_details.explain(error)
    assert after.diagnosis.fields == ("Colour__c",)
    assert after.remarks == ("**Farbe** (**Colour__c**) does not have **Mauv**. Closest: **Mauve**.",)
    assert [type(message) for message in around.told] == [KnownBetter]
