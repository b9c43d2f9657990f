"""Names in messages against an org that answers, refuses, or has been changed since."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from syncerr_tui.diagnosis.guidance import guide
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Guidance
from syncerr_tui.diagnosis.org_metadata import KeptAnswer, Resolved, changes, with_addresses
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.errors import NotLoggedInError, RefusedError, SyncErrError, UnreachableError
from syncerr_tui.host.remembered import MetadataCache
from syncerr_tui.salesforce.metadata_lookup import KEPT, MetadataLookup

ORG = "https://acme.my.salesforce.com"
FLOW = "We can't save this record because the “Order Builder” process failed."
RULE = "FIELD_CUSTOM_VALIDATION_EXCEPTION: A phone number is needed.: []"
FAILED_AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FLOW_ID, RULE_ID, DUPLICATE_ID = "3005g00000Qr7TbAAJ", "03d5g00000Qr7TbAAJ", "0Bm5g00000Qr7TbCAJ"


@dataclass
class Org:
    """Answers by the table that a query asks."""

    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuses: dict[str, SyncErrError] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def query_all(self, query: str) -> list[dict[str, Any]]:
        return self._answer(query)

    async def tooling(self, query: str) -> list[dict[str, Any]]:
        return self._answer(query)

    def _answer(self, query: str) -> list[dict[str, Any]]:
        self.asked.append(query)
        table = query.split(" FROM ")[1].split(maxsplit=1)[0]
        if table in self.refuses:
            raise self.refuses[table]
        return self.tables.get(table, [])


def flow(changed: str = "2026-11-20T11:59:00.000+0000") -> dict[str, Any]:
    return {
        "DurableId": FLOW_ID,
        "Label": "Order Builder",
        "LastModifiedDate": changed,
        "LastModifiedBy": "Ana",
    }


def rule(name: str, words: str) -> dict[str, Any]:
    return {"Id": RULE_ID, "ValidationName": name, "ErrorMessage": words, "LastModifiedBy": {"Name": "Bo"}}


async def resolved(
    org: Org, message: str, *, object_name: str | None = "Order", at: datetime | None = FAILED_AT
) -> tuple[Resolved, ...]:
    resolver = MetadataLookup(org, ORG)
    return await resolver.resolve(diagnose(message), object_name=object_name, processed_at=at)


def with_resolved(guidance: Guidance, things: tuple[Resolved, ...]) -> Guidance:
    exact = with_addresses(guidance, things)
    return replace(exact, checks=(*changes(things), *guidance.checks))


async def guided(org: Org, message: str) -> Guidance:
    guidance = guide(diagnose(message), object_name="Order", instance_url=ORG)
    return with_resolved(guidance, await resolved(org, message))


async def test_a_flow_gets_its_builder_and_its_last_change() -> None:
    (thing,) = await resolved(Org({"FlowDefinitionView": [flow()]}), FLOW)
    assert thing == Resolved(
        "Order Builder",
        f"https://acme.lightning.force.com/builder_platform_interaction/flowBuilder.app?flowDefId={FLOW_ID}",
        datetime(2026, 11, 20, 11, 59, tzinfo=UTC),
        "Ana",
        changed_since_failure=False,
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ("2026-11-20T11:59:00.000+0000", "Not changed since this failure"),
        ("2026-11-20T12:01:00.000+0000", "worth a try"),
    ],
)
async def test_what_changed_since_decides_about_a_retry(changed: str, words: str) -> None:
    guidance = await guided(Org({"FlowDefinitionView": [flow(changed)]}), FLOW)
    assert words in guidance.checks[0]
    assert "by **Ana**" in guidance.checks[0]
    linked = [step for step in guidance.steps if step.address and "flowBuilder" in step.address]
    assert linked and all("Order Builder" in step.text for step in linked)


async def test_a_process_of_process_builder_is_not_linked_to_flow_builder() -> None:
    (thing,) = await resolved(Org({"FlowDefinitionView": [{**flow(), "ProcessType": "Workflow"}]}), FLOW)
    assert thing.address == "https://acme.lightning.force.com/lightning/setup/ProcessAutomation/home"


async def test_without_a_time_of_failure_nothing_is_claimed() -> None:
    (thing,) = await resolved(Org({"FlowDefinitionView": [flow()]}), FLOW, at=None)
    assert thing.changed_since_failure is None
    (thing,) = await resolved(Org({"FlowDefinitionView": [{**flow(), "LastModifiedDate": "soon"}]}), FLOW)
    assert thing.modified_at is None and thing.changed_since_failure is None


async def test_a_validation_rule_is_found_by_its_words() -> None:
    rules = [
        rule("Phone_Short", "A phone"),
        rule("Phone_Needed", "A phone number is needed."),
        rule("Other", "No"),
    ]
    guidance = await guided(Org({"ValidationRule": rules}), RULE)
    assert guidance.steps[0].address == (
        f"https://acme.lightning.force.com/lightning/setup/ObjectManager/Order/ValidationRules/{RULE_ID}/view"
    )
    assert "**Phone_Needed**" in guidance.steps[0].text


async def test_duplicate_rules_of_the_object_are_named() -> None:
    rows = [
        {"Id": DUPLICATE_ID, "MasterLabel": "Contacts by e-mail", "SobjectType": "Contact"},
        {"Id": DUPLICATE_ID, "MasterLabel": "Accounts", "SobjectType": "Account"},
    ]
    message = "DUPLICATES_DETECTED: It looks like you are creating a duplicate Contact."
    things = await resolved(Org({"DuplicateRule": rows}), message)
    assert [thing.name for thing in things] == ["Contacts by e-mail"]
    guidance = with_resolved(guide(diagnose(message), instance_url=ORG), things)
    assert guidance.steps[0].address is not None and DUPLICATE_ID in guidance.steps[0].address
    assert "Contacts by e-mail" in plain(guidance.steps[0].text)


@pytest.mark.parametrize(
    "refusal", [RefusedError("INVALID_TYPE"), RefusedError("403"), UnreachableError("gone")]
)
async def test_a_refusal_leaves_the_list_page_in_silence(refusal: SyncErrError) -> None:
    for message, table in ((FLOW, "FlowDefinitionView"), (RULE, "ValidationRule")):
        before = guide(diagnose(message), object_name="Order", instance_url=ORG)
        assert await guided(Org(refuses={table: refusal}), message) == before


async def test_a_lost_login_is_told() -> None:
    with pytest.raises(NotLoggedInError):
        await resolved(Org(refuses={"FlowDefinitionView": NotLoggedInError("expired")}), FLOW)


async def test_two_flows_of_one_label_are_not_guessed_between() -> None:
    assert await resolved(Org({"FlowDefinitionView": [flow(), flow()]}), FLOW) == ()


async def test_answers_are_remembered() -> None:
    org = Org({"FlowDefinitionView": [flow()]})
    resolver = MetadataLookup(org, ORG)
    for _ in range(3):
        await resolver.resolve(diagnose(FLOW), object_name=None, processed_at=None)
    assert len(org.asked) == 1


async def test_what_was_told_is_there_at_once_for_another_error_and_nobody_is_asked() -> None:
    org = Org({"FlowDefinitionView": [flow()]})
    resolver = MetadataLookup(org, ORG)
    remembered = partial(resolver.remembered, diagnose(FLOW), object_name="Order")
    assert remembered(processed_at=FAILED_AT) is None
    resolved = await resolver.resolve(diagnose(FLOW), object_name="Order", processed_at=FAILED_AT)
    asked = [*org.asked]
    assert remembered(processed_at=FAILED_AT) == resolved
    [later] = remembered(processed_at=FAILED_AT - timedelta(hours=1)) or ()
    assert later == replace(resolved[0], changed_since_failure=True)
    assert resolver.remembered(diagnose(RULE), object_name="Order", processed_at=FAILED_AT) is None
    assert org.asked == asked


async def test_an_old_org_without_the_columns_of_change_still_gives_the_address() -> None:
    class Old(Org):
        def _answer(self, query: str) -> list[dict[str, Any]]:
            if "LastModified" in query:
                raise RefusedError("No such column")
            return super()._answer(query)

    (thing,) = await resolved(Old({"FlowDefinitionView": [{"DurableId": FLOW_ID}]}), FLOW)
    assert thing.modified_at is None and thing.address is not None and FLOW_ID in thing.address


async def test_a_name_cannot_become_part_of_a_query() -> None:
    org = Org()
    await resolved(org, "We can't save this record because the “x' OR Label != '\\” process failed.")
    assert org.asked
    for query in org.asked:
        where = query.split(" WHERE ")[1]
        assert where.endswith("= 'x\\' OR Label != \\'\\\\'")


async def test_hostile_answers_are_made_harmless() -> None:
    row = {**flow(), "DurableId": "javascript:alert(1)", "LastModifiedBy": "\x1b]0;x\x07A**B"}
    guidance = await guided(Org({"FlowDefinitionView": [row]}), FLOW)
    assert "\x1b" not in "".join(guidance.checks)
    assert all("javascript" not in (step.address or "") for step in guidance.steps)


async def test_several_rules_are_all_named_and_none_is_picked() -> None:
    rows = [
        {"Id": DUPLICATE_ID, "MasterLabel": label, "SobjectType": "Contact"}
        for label in ("By e-mail", "By phone")
    ]
    message = "DUPLICATES_DETECTED: It looks like you are creating a duplicate Contact."
    things = await resolved(Org({"DuplicateRule": rows}), message)
    guidance = with_resolved(guide(diagnose(message), instance_url=ORG), things)
    assert guidance.steps[0].text.endswith("They are **By e-mail**, **By phone**.")
    assert guidance.steps[0].address == "https://acme.lightning.force.com/lightning/setup/DuplicateRules/home"


def rewritten(folder: Path, change: Callable[[str], str]) -> None:
    """Somebody changes the only file of a folder."""
    (path,) = folder.iterdir()
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "row", "message", "name"),
    [
        ("ValidationRule", rule("Phone_Needed", "A phone number is needed."), RULE, "Phone_Needed"),
        ("FlowDefinitionView", flow(), FLOW, "Order Builder"),
    ],
)
async def test_where_things_are_is_kept_for_the_next_start_but_not_when_they_were_changed(
    tmp_path: Path, table: str, row: dict[str, Any], message: str, name: str
) -> None:
    store = MetadataCache(tmp_path, "00D5g000004AbcDEAS")
    first = MetadataLookup(Org({table: [row]}), ORG, store)
    [resolved] = await first.resolve(diagnose(message), object_name="Order", processed_at=FAILED_AT)
    assert resolved.modified_by is not None

    silent = Org()
    [kept] = await MetadataLookup(silent, ORG, store).recall(diagnose(message), object_name="Order")
    assert silent.asked == []
    assert (kept.name, kept.address) == (name, resolved.address)
    assert kept.modified_at is None and kept.modified_by is None

    gone = Org(refuses={table: UnreachableError("gone")})
    again = MetadataLookup(gone, ORG, store)
    assert await again.resolve(diagnose(message), object_name="Order", processed_at=FAILED_AT) == (kept,)


async def test_what_is_too_old_is_not_recalled_and_an_empty_answer_replaces_what_was_kept(
    tmp_path: Path,
) -> None:
    store, now = MetadataCache(tmp_path, "00D5g000004AbcDEAS"), datetime(2026, 11, 20, tzinfo=UTC)
    await MetadataLookup(Org({"FlowDefinitionView": [flow()]}), ORG, store, lambda: now).resolve(
        diagnose(FLOW), object_name=None, processed_at=None
    )
    for later, found in ((KEPT - timedelta(hours=1), 1), (KEPT, 0), (-timedelta(hours=1), 0)):
        lookup = MetadataLookup(Org(), ORG, store, partial(operator.add, now, later))
        assert len(await lookup.recall(diagnose(FLOW), object_name=None)) == found
    await MetadataLookup(Org(), ORG, store, lambda: now).resolve(
        diagnose(FLOW), object_name=None, processed_at=None
    )
    assert await MetadataLookup(Org(), ORG, store, lambda: now).recall(diagnose(FLOW), object_name=None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "junk",
        '{"version": 1, "answers": 5}',
        '{"version": 1, "answers": {"SELECT": ["soon", [{"Label": "x"}]]}}',
        '{"version": 1, "answers": {"SELECT": ["2026-11-20T00:00:00", [{"Label": "x"}]]}}',
        '{"version": 1, "answers": {"SELECT": ["2026-11-20T00:00:00+00:00", [{"Label": 5}]]}}',
        '{"version": 1, "answers": {"SELECT": ["2026-11-20T00:00:00+00:00", "x"]}}',
        '{"version": 1, "answers": {"SELECT": null}}',
    ],
)
async def test_a_damaged_file_of_answers_is_no_trouble(tmp_path: Path, text: str) -> None:
    store = MetadataCache(tmp_path, "00D5g000004AbcDEAS")
    store.save_answers({"SELECT": KeptAnswer(({"Label": "x"},), FAILED_AT)})
    rewritten(tmp_path, lambda _kept: text)
    assert store.load_answers() == {}
    assert await MetadataLookup(Org(), ORG, store).recall(diagnose(FLOW), object_name=None) == ()


async def test_a_file_of_answers_that_somebody_else_wrote_is_made_harmless(tmp_path: Path) -> None:
    store = MetadataCache(tmp_path, "00D5g000004AbcDEAS")
    org = Org({"ValidationRule": [rule("Phone_Needed", "A phone number is needed.")]})
    await MetadataLookup(org, ORG, store).resolve(diagnose(RULE), object_name="Order", processed_at=None)
    rewritten(
        tmp_path,
        lambda kept: kept.replace(RULE_ID, "../../evil?x=").replace("Phone_Needed", "\\u001b]0;x\\u0007Evil"),
    )
    loaded = [
        text for answer in store.load_answers().values() for row in answer.rows for text in row.values()
    ]
    assert loaded and not any("\x1b" in text or "\x07" in text for text in loaded)
    [thing] = await MetadataLookup(Org(), ORG, store).recall(diagnose(RULE), object_name="Order")
    assert "Evil" in thing.name and "\x1b" not in thing.name
    assert "evil?" not in (thing.address or "")
