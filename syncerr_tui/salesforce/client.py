"""What can be asked of one org, in Salesforce's words. How a request travels is `request_executor`.

Only calls of simple-salesforce that take any path are used: its object handlers join an unchecked id into
the address, and log in for ever when a session is withdrawn.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from syncerr_tui.errors import BadInputError, UnreachableError
from syncerr_tui.model import chunks
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.concurrency import TokenProvider
from syncerr_tui.salesforce.faults import read_exception
from syncerr_tui.salesforce.request_executor import ClientOptions, RequestExecutor
from syncerr_tui.salesforce.responses import (
    NotJsonError,
    Page,
    Row,
    a_page,
    action_results,
    as_describe,
    as_object,
    by_id,
    rest,
    results,
    version_list,
    wrong_shape,
)
from syncerr_tui.stopwatch import Leaving
from syncerr_tui.text import one_line

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

__all__ = ["ApiClient", "ClientOptions", "LocatorLostError", "Page", "Row"]

T = TypeVar("T")

COLLECTION_WRITE_LIMIT = 200
COLLECTION_READ_LIMIT = 2000

_LOCATOR = re.compile(r"/services/data/v\d{1,3}\.0/(?:tooling/)?query/[A-Za-z0-9_-]{1,200}\Z", re.ASCII)
_VERSION = re.compile(r"\d{1,3}\.0\Z", re.ASCII)
_SEGMENT = r"[A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*"
_REST_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*/?\Z", re.ASCII)


class LocatorLostError(UnreachableError):
    """The org forgot where a query was. It can go on from the last row that arrived."""


class ApiClient(RequestExecutor):
    """Async calls to one org. Every call may raise the errors of `syncerr_tui.errors` and nothing else.

    What has no name here is asked with `read`, and done with `write`.

    Args:
        tokens: Where the access token comes from.
        options: Lanes, reserve, bounds.

    Raises:
        BadInputError: The API version in the options is none.
    """

    def __init__(self, tokens: TokenProvider, options: ClientOptions | None = None) -> None:
        options = options or ClientOptions()
        _check_version(options.api_version)
        super().__init__(tokens, options)
        self._describes: dict[str, Row] = {}

    # -- what can be asked ---------------------------------------------------------------------------

    async def pages(
        self, query: str, *, tooling: bool = False, essential: bool = False
    ) -> AsyncGenerator[Page, None]:
        """The answer of a query, page by page. A page is handed out before the next is asked for.

        Raises:
            LocatorLostError: The org lost its place after the first page.
        """
        path = "tooling/query/" if tooling else "query/"
        answer = await self.read(
            lambda sf: as_object(rest(sf, path, params={"q": query})), essential=essential
        )
        seen: set[str] = set()
        while True:
            page, following = a_page(answer)
            yield page
            if following is None:
                return
            if following in seen:
                raise UnreachableError(
                    "The org keeps answering with the same page of the list",
                    "What has arrived is shown; refresh to read the list again",
                )
            seen.add(following)
            answer = await self._more(following, essential=essential)

    async def query_all(self, query: str, *, tooling: bool = False, essential: bool = False) -> list[Row]:
        """All rows of a query. For answers that are known to be small."""
        async with aclosing(self.pages(query, tooling=tooling, essential=essential)) as pages:
            return [row async for page in pages for row in page.records]

    async def first_page(self, query: str) -> list[Row]:
        """The rows of a query's first page: a sample, however many there are."""
        return (await self._first(query)).records

    async def tooling(self, query: str) -> list[Row]:
        """All rows of a Tooling API query."""
        return await self.query_all(query, tooling=True)

    async def count(self, query: str) -> int:
        """The number that a `SELECT COUNT() ...` gives."""
        return (await self._first(query)).total

    async def _first(self, query: str) -> Page:
        async with aclosing(self.pages(query)) as pages:
            return await anext(pages)

    async def describe_global(self) -> list[Row]:
        answer = await self.read(lambda sf: as_object(rest(sf, "sobjects")))
        sobjects = answer.get("sobjects")
        if not isinstance(sobjects, list):
            raise wrong_shape()
        return [one for one in sobjects if isinstance(one, dict) and isinstance(one.get("name"), str)]

    async def describe(self, object_name: str, *, fresh: bool = False) -> Row:
        """One object's fields. Asked once for each object and then remembered, unless `fresh`.

        Raises:
            RefusedError: There is no such object, or this user does not see it.
        """
        path = f"sobjects/{soql.name(object_name)}/describe"
        if fresh or object_name not in self._describes:
            described = await self.read(lambda sf: as_describe(rest(sf, path)))
            self._describes[object_name] = {**described, "name": object_name}
        return self._describes[object_name]

    async def actions(self, kind: str) -> list[Row]:
        """The custom actions of a kind (`apex` or `flow`) that this user may call."""
        path = f"actions/custom/{soql.name(kind)}"
        answer = await self.read(lambda sf: as_object(rest(sf, path)))
        actions = answer.get("actions")
        return [one for one in actions if isinstance(one, dict)] if isinstance(actions, list) else []

    async def action_describe(self, kind: str, action: str) -> Row:
        """Inputs and outputs of one custom action.

        Raises:
            RefusedError: There is no such action, or this user may not call it.
        """
        path = f"actions/custom/{soql.name(kind)}/{soql.name(action)}"
        return await self.read(lambda sf: as_object(rest(sf, path)))

    async def action(
        self,
        kind: str,
        action: str,
        inputs: Sequence[Mapping[str, object]],
        leaving: Leaving | None = None,
    ) -> list[Row]:
        """Call a custom action once. The answer has one entry for each input, in order.

        HTTP 400 with a list of results is an answer too: those with `isSuccess` were carried out.

        Raises:
            NotSentError, OutcomeUnknownError, RefusedError: as in `resync.org`.
        """
        path = f"actions/custom/{soql.name(kind)}/{soql.name(action)}"
        body = {"inputs": [dict(one) for one in inputs]}
        return await self.write(lambda sf: action_results(sf, path, body), leaving=leaving)

    async def apexrest(
        self, method: str, path: str, body: object = None, leaving: Leaving | None = None
    ) -> Any:  # noqa: ANN401 - any JSON
        """Call an Apex REST resource. `GET` counts as reading, everything else as changing something.

        Raises:
            OutcomeUnknownError: Any answer but a success or a 401: the org's own code may have acted first.
        """
        if not _REST_PATH.match(path):
            raise BadInputError(
                f"'{one_line(path)[:60]}' is not an Apex REST path",
                "Write it without a host, like acme/resync",
            )

        def call(sf: Salesforce) -> Any:  # noqa: ANN401
            # apexecute hands back text where the body is no JSON: a page, or JSON that was cut short.
            answer = sf.apexecute(path, method=method, data=body)  # type: ignore[arg-type]
            if isinstance(answer, str) and answer.lstrip().startswith(("<", "{", "[")):
                raise NotJsonError
            return answer

        if method == "GET":
            return await self.read(call)
        return await self.write(call, leaving=leaving, custom=True)

    async def tooling_row(self, kind: str, record_id: str, fields: Sequence[str]) -> Row:
        """One row of the Tooling API, whole: `Metadata` and `FullName` are had in this way.

        Raises:
            RefusedError: There is none, or this user does not see it.
        """
        (key,) = soql.checked_ids([record_id])
        path = f"tooling/sobjects/{soql.name(kind)}/{key}"
        named = ",".join(map(soql.name, fields))
        return await self.read(lambda sf: as_object(rest(sf, path, params={"fields": named})), essential=True)

    async def picklist_values(self, object_name: str, record_type: str, field: str) -> frozenset[str]:
        """The values that a field offers on a record type, as the UI API tells them.

        Raises:
            RefusedError: The org has no such record type or field.
        """
        (key,) = soql.checked_ids([record_type])
        place = f"ui-api/object-info/{soql.name(object_name)}"
        path = f"{place}/picklist-values/{key}/{soql.name(field)}"
        answer = await self.read(lambda sf: rest(sf, path))
        if not isinstance(answer, dict) or not isinstance(answer.get("values"), list):
            raise wrong_shape()
        return frozenset(str(one.get("value")) for one in answer["values"] if isinstance(one, dict))

    async def record(self, object_name: str, record_id: str) -> Row:
        """One record with every field that this user may read.

        Raises:
            RefusedError: There is none, or this user does not see it.
        """
        (key,) = soql.checked_ids([record_id])
        path = f"sobjects/{soql.name(object_name)}/{key}"
        return await self.read(lambda sf: as_object(rest(sf, path)))

    async def collections_read(
        self, object_name: str, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Row | None]:
        """Records by id, in requests of up to 2,000. None for an id that is unknown or hidden.

        Asked even when the daily reserve is reached: to find out what a write has done.

        Args:
            object_name: Their object.
            ids: 18-character ids.
            fields: Which fields; `Id` is always there.
        """
        path = f"composite/sobjects/{soql.name(object_name)}"
        names = list(dict.fromkeys(("Id", *map(soql.name, fields))))
        whole = soql.checked_ids(dict.fromkeys(ids))

        async def read(some: Sequence[str]) -> dict[str, Row | None]:
            body = {"ids": list(some), "fields": names}
            rows = await self.read(lambda sf: rest(sf, path, method="POST", json=body) or [], essential=True)
            return by_id(some, rows)

        parts = [read(some) for some in chunks(whole, COLLECTION_READ_LIMIT)]
        return {key: row for part in await asyncio.gather(*parts) for key, row in part.items()}

    async def collections_update(
        self, object_name: str, records: Sequence[Mapping[str, object]], leaving: Leaving | None = None
    ) -> list[Row]:
        """Update up to 200 records in one request, each `{"id": ..., field: value}`.

        Returns:
            The org's result for each record, in the order given: failed ones may lack an id.
        """
        body, count = update_body(object_name, records), len(records)
        return await self.write(
            lambda sf: results(rest(sf, "composite/sobjects", method="PATCH", json=body), count),
            leaving=leaving,
        )

    async def resources(self) -> Row:
        """What this API version offers; also `identity`, the address that names org and user."""
        return await self.read(lambda sf: as_object(rest(sf, "")))

    async def limits(self) -> Row:
        """All limits of the org, accurate within five minutes."""
        return await self.read(lambda sf: as_object(sf.limits()), essential=True)

    async def userinfo(self) -> Row:
        """Who the token belongs to, as the OAuth endpoint says."""
        return await self.read(lambda sf: as_object(sf.oauth2("userinfo")), essential=True)

    async def versions(self) -> list[str]:
        """The API versions this org serves, oldest first. Costs no API call."""
        rows, _ = await self.read(version_list, essential=True)
        named = (str(row.get("version")) for row in rows)
        return [version for version in named if _VERSION.match(version)]

    async def server_time(self) -> datetime:
        """The org's clock, to the second. Costs no API call.

        Raises:
            UnreachableError: The answer carried no usable date.
        """
        _, moment = await self.read(version_list, essential=True)
        if moment is None:
            raise UnreachableError(
                "The org did not say what time it is",
                "A proxy may answer from its cache or strip the Date header; check with doctor",
            )
        return moment

    @property
    def data_path(self) -> str:
        """Where the REST API begins, e.g. `/services/data/v64.0`."""
        return f"/services/data/v{self.api_version}"

    def use_version(self, version: str) -> None:
        """Speak another API version from the next request on."""
        _check_version(version)
        super().use_version(version)

    async def _more(self, locator: str, *, essential: bool) -> Row:
        if not _LOCATOR.match(locator):
            raise wrong_shape()

        def job(sf: Salesforce) -> Row | None:
            try:
                return as_object(sf.query_more(locator, identifier_is_url=True))
            except Exception as error:
                fault = read_exception(error)
                if fault is not None and fault.code == "INVALID_QUERY_LOCATOR":
                    return None
                raise

        answer = await self.read(job, essential=essential)
        if answer is None:
            raise LocatorLostError("The org lost its place in the list", "Refresh to read the list again")
        return answer


def update_body(object_name: str, records: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The body that updates up to 200 records, each on its own."""
    if len(records) > COLLECTION_WRITE_LIMIT:
        raise ValueError("one request holds 200 records")
    attributes = {"attributes": {"type": soql.name(object_name)}}
    whole = soql.checked_ids(str(record["id"]) for record in records)
    rows = [{**attributes, **record, "id": key} for key, record in zip(whole, records, strict=True)]
    return {"allOrNone": False, "records": rows}


def _check_version(version: str) -> None:
    if not _VERSION.match(version):
        raise BadInputError(
            f"'{one_line(version)[:20]}' is not an API version", "Write it like 64.0 in the org profile"
        )
