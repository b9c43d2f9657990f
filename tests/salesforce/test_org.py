"""Proof rests on these answers: a record is found by its StoreConnect ID, or nothing was answered."""

from __future__ import annotations

from typing import Any

import pytest

from syncerr_tui.errors import RefusedError, UnreachableError
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.profiles import OrgProfile
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.session import OrgSession
from tests.factories import salesforce_id, storeconnect_id
from tests.salesforce.scripted import ScriptedServer, client, query_page, refusal
from tests.salesforce.test_methods import IDENTITY, MAPPING, guided

KEY = MAPPING.record_key


def the_org(org: ApiClient) -> OrgSession:
    return OrgSession(org, IDENTITY, EventReader(MAPPING), guided(org), OrgProfile("acme"))


def a_record(number: int, key: str | None = None, **changes: Any) -> dict[str, Any]:
    modified = "2026-11-23T02:14:07.000+0000"
    return {
        "Id": salesforce_id(number, "801"),
        KEY: key or storeconnect_id(number),
        "SystemModstamp": modified,
    } | changes


async def test_two_records_with_one_storeconnect_id_are_both_told() -> None:
    twins = [a_record(1), a_record(2, storeconnect_id(1).upper())]
    with ScriptedServer(lambda _: query_page(twins)) as server:
        org = client(server)
        asked = [storeconnect_id(1), storeconnect_id(3)]
        records = await the_org(org).find_records("Order", asked)
        assert list(records) == [storeconnect_id(1)]
        assert [record.id for record in records[storeconnect_id(1)]] == [twins[0]["Id"], twins[1]["Id"]]
        await org.close()


@pytest.mark.parametrize(
    "record",
    [
        a_record(1, "another"),
        a_record(1, Id="x"),
        a_record(1, SystemModstamp=None),
        a_record(1, **{KEY: None}),
    ],
    ids=["not asked for", "no id", "no time", "no StoreConnect ID"],
)
async def test_a_record_that_answers_another_question_proves_nothing(record: dict[str, Any]) -> None:
    with ScriptedServer(lambda _: query_page([record])) as server:
        org = client(server)
        with pytest.raises(UnreachableError, match="not asked for"):
            await the_org(org).find_records("Order", [storeconnect_id(1)])
        await org.close()


@pytest.mark.parametrize("name", ["Order Product", "", "Order WHERE Id != null", "../x"])
async def test_an_object_name_that_is_none_is_refused_and_not_asked(name: str) -> None:
    with ScriptedServer(lambda _: query_page([])) as server:
        org = client(server)
        with pytest.raises(RefusedError):
            await the_org(org).find_records(name, [storeconnect_id(1)])
        assert server.asked == []
        await org.close()


async def test_an_object_that_cannot_be_read_is_no_absence() -> None:
    with ScriptedServer(
        lambda _: refusal(400, "INVALID_TYPE", "sObject type 'X' is not supported")
    ) as server:
        org = client(server)
        with pytest.raises(RefusedError, match="INVALID_TYPE"):
            await the_org(org).find_records("s_c__Payment__c", [storeconnect_id(1)])
        await org.close()


async def test_500_records_are_looked_for_in_three_queries_that_fit() -> None:
    with ScriptedServer(lambda _: query_page([])) as server:
        org = client(server)
        ids = [storeconnect_id(number) for number in range(500)]
        assert await the_org(org).find_records("Order", ids) == {}
        assert sorted(asked.query["q"].count("'") // 2 for asked in server.asked) == [100, 200, 200]
        await org.close()


async def test_ids_that_differ_in_case_only_find_the_same_record() -> None:
    """The org compares without case: a Delete must not look done because another spelling was asked for."""
    with ScriptedServer(lambda _: query_page([a_record(1)])) as server:
        org = client(server)
        asked = [storeconnect_id(1), storeconnect_id(1).upper()]
        found = await the_org(org).find_records("Order", asked)
        assert {key: [record.id for record in records] for key, records in found.items()} == {
            key: [salesforce_id(1, "801")] for key in asked
        }
        await org.close()
