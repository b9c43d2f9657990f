"""What an org says of the names in a message: where each thing is, who changed it when, what else there is.

Two ways to ask. `MetadataLookup` resolves Flows, rules, code and fields by query; `OrgDictionary` reads names
from `describe`. Both need rights that not every user has: whatever is refused or not found stays unresolved,
and the guidance keeps its list page. A lost login is an error, and is passed on. What was answered is kept on
disk without its times: names and addresses hold for weeks, when something was changed does not.
Sources of the queries: FlowDefinitionView and DuplicateRule (REST), ValidationRule, ApexTrigger,
ApexClass, EntityDefinition and FieldDefinition (Tooling API).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

from syncerr_tui.diagnosis import links
from syncerr_tui.diagnosis.guidance_template import facts_of
from syncerr_tui.diagnosis.model import Diagnosis
from syncerr_tui.diagnosis.org_metadata import (
    Described,
    FieldEntry,
    KeptAnswer,
    ObjectEntry,
    OrgMetadata,
    Resolved,
    objects_meant,
)
from syncerr_tui.errors import NotLoggedInError, SyncErrError
from syncerr_tui.salesforce.reading import changed, text
from syncerr_tui.salesforce.responses import Row
from syncerr_tui.salesforce.soql import quote
from syncerr_tui.text import one_line

T = TypeVar("T")

LONGEST_NAME = 255
"""No Flow, rule or class has a longer name: such text is not asked for."""

KEPT = timedelta(days=30)
"""How long an answer is worth something where the org cannot be asked."""
MOST_KEPT = 500
"""Answers kept for an org, the latest of them."""

_CHANGED = "LastModifiedDate, LastModifiedBy.Name"
_FLOW = (
    "SELECT DurableId, ApiName, Label, ProcessType, ActiveVersionId, LatestVersionId{changed} "
    "FROM FlowDefinitionView WHERE "
)

_PROCESS_BUILDER = frozenset({"Workflow", "CustomEvent", "InvocableProcess"})
"""Process types that Flow Builder cannot open: processes of the old Process Builder."""
FRESH = timedelta(hours=24)
"""How long names are taken for right. A value that was added today is worth a look tomorrow."""
MOST_OBJECTS = 3
"""Objects described for one error: each is a call."""


class MetadataStore(Protocol):
    """Where names and places are kept between two starts (`host.remembered.MetadataCache`). What cannot
    be read is not there, and saving never raises: a cache is a comfort.
    """

    def load(self) -> OrgMetadata | None: ...

    def save(self, metadata: OrgMetadata) -> None: ...

    def load_answers(self) -> dict[str, KeptAnswer]:
        """Where Flows, rules and code are, by the query that was asked."""
        ...

    def save_answers(self, answers: Mapping[str, KeptAnswer]) -> None: ...


class Lookup(Protocol):
    """What is needed of an org. `salesforce.client.ApiClient` has it."""

    async def query_all(self, query: str) -> list[Row]: ...

    async def tooling(self, query: str) -> list[Row]: ...


class MetadataLookup:
    """Resolves names against one org and remembers the answers as long as it lives.

    Args:
        lookup: The org.
        instance_url: Its address.
        store: Where answers are kept for the next start.
        clock: The time now.
    """

    def __init__(
        self,
        lookup: Lookup,
        instance_url: str | None,
        store: MetadataStore | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lookup = lookup
        self._instance_url = instance_url
        self._store = store
        self._clock = clock
        self._rows: dict[str, list[Row]] = {}
        self._kept: dict[str, KeptAnswer] | None = {} if store is None else None
        self._learned = False

    async def recall(self, diagnosis: Diagnosis, *, object_name: str | None) -> tuple[Resolved, ...]:
        """`resolve` from what was kept, without a call: names and addresses, no changes."""
        await self._load()
        return self._known(_search(diagnosis, object_name), self._kept_rows, None) or ()

    def remembered(
        self, diagnosis: Diagnosis, *, object_name: str | None, processed_at: datetime | None
    ) -> tuple[Resolved, ...] | None:
        """`resolve` from what this connection was told already; None where the org would have to be asked."""
        return self._known(_search(diagnosis, object_name), self._rows.get, processed_at)

    def _known(
        self, search: Search[list[Resolved]], rows_of: Callable[[str], list[Row] | None], at: datetime | None
    ) -> tuple[Resolved, ...] | None:
        try:
            query = next(search)
            while (rows := rows_of(query.text)) is not None:
                query = search.send(rows)
        except StopIteration as done:
            return self._with_addresses_and_changes(done.value, at)
        return None

    async def resolve(
        self, diagnosis: Diagnosis, *, object_name: str | None, processed_at: datetime | None
    ) -> tuple[Resolved, ...]:
        """Everything the message names that the org lets us see, outermost first.

        Args:
            diagnosis: What was read out of the message.
            object_name: API name of the object that failed to sync.
            processed_at: When the failure happened.

        Raises:
            NotLoggedInError: The session ended.
        """
        await self._load()
        search, items = _search(diagnosis, object_name), list[Resolved]()
        try:
            query = next(search)
            while True:
                query = search.send(await self._ask(query))
        except StopIteration as done:
            items = done.value
        if self._learned and self._store is not None:
            self._learned = False
            await asyncio.to_thread(self._store.save_answers, self._latest())
        return self._with_addresses_and_changes(items, processed_at)

    async def _load(self) -> None:
        if self._kept is None and self._store is not None:
            self._kept = await asyncio.to_thread(self._store.load_answers)

    async def _ask(self, query: _Query) -> list[Row]:
        """The rows; what was kept of them where the org refuses or cannot be reached just now."""
        if query.text not in self._rows:
            try:
                rows = await (self._lookup.tooling if query.tooling else self._lookup.query_all)(query.text)
            except NotLoggedInError:
                raise
            except SyncErrError:
                # No set-up rights, no such object, or a line that dropped.
                rows = self._kept_rows(query.text)
            else:
                self._keep(query.text, rows)
            self._rows[query.text] = rows
        return self._rows[query.text]

    def _kept_rows(self, query: str) -> list[Row]:
        answer = (self._kept or {}).get(query)
        if answer is None or not timedelta() <= self._clock() - answer.read_at < KEPT:
            return []
        return [dict(row) for row in answer.rows]

    def _keep(self, query: str, rows: Sequence[Row]) -> None:
        if self._store is not None:
            texts = tuple(
                {
                    name: value
                    for name, value in row.items()
                    if isinstance(value, str) and not name.startswith("LastModified")
                }
                for row in rows
            )
            self._kept = {**(self._kept or {}), query: KeptAnswer(texts, self._clock())}
            self._learned = True

    def _latest(self) -> dict[str, KeptAnswer]:
        answers = sorted((self._kept or {}).items(), key=lambda item: item[1].read_at)
        return dict(answers[-MOST_KEPT:])

    def _with_addresses_and_changes(
        self, items: Sequence[Resolved], processed_at: datetime | None
    ) -> tuple[Resolved, ...]:
        """With their addresses in this org, and whether they have changed since the failure."""
        return tuple(
            replace(
                item,
                address=links.address(item.address or "", self._instance_url),
                changed_since_failure=item.modified_at > processed_at
                if item.modified_at and processed_at
                else None,
            )
            for item in items
        )


class _Query(NamedTuple):
    text: str
    tooling: bool = False


Search = Generator[_Query, list[Row], T]
"""Asks queries one by one, each after the rows of the one before it, and gives what they come to."""


def _search(diagnosis: Diagnosis, object_name: str | None) -> Search[list[Resolved]]:
    """Everything that a message names, outermost first; addresses are paths."""
    facts = facts_of(diagnosis, object_name)
    items: list[Resolved | None] = []
    for automation in diagnosis.automation:
        if automation.kind in {"flow", "trigger", "class"} and len(automation.name) <= LONGEST_NAME:
            name = automation.name
            item = yield from _flow(name) if automation.kind == "flow" else _apex(automation.kind, name)
            items.append(replace(item, name=automation.full_name) if item else None)
    if diagnosis.root_code in {"FIELD_CUSTOM_VALIDATION_EXCEPTION", None}:
        quoted = facts.blanks.get("said", ())
        items.append((yield from _validation_rule(facts.target, diagnosis.message, quoted)))
    if diagnosis.root_code == "DUPLICATES_DETECTED":
        named = [item.name for item in diagnosis.automation if item.kind == "duplicate_rule"]
        items += yield from _duplicate_rules(facts.target, named)
    for field in diagnosis.fields[:3] if facts.target else ():
        items.append((yield from _field(facts.target or "", field)))
    return [item for item in items if item is not None]


def _flow(name: str) -> Search[Resolved | None]:
    for column in ("Label", "ApiName"):
        where = f"{column} = {quote(name)}"
        # LastModifiedBy is a text in this view. Orgs on old versions lack both columns.
        rows = yield _Query(_FLOW.format(changed=", LastModifiedDate, LastModifiedBy") + where)
        rows = rows or (yield _Query(_FLOW.format(changed="") + where))
        if len(rows) == 1:
            row = rows[0]
            ids = (text(row, column) for column in ("DurableId", "ActiveVersionId", "LatestVersionId"))
            flow_id = next(filter(None, ids), "")
            old = text(row, "ProcessType") in _PROCESS_BUILDER
            path = links.setup("process_builder") if old else links.flow(flow_id)
            return _resolved("flow", name, path, row)
        if rows:
            return None
    return None


def _apex(kind: str, name: str) -> Search[Resolved | None]:
    table, page = ("ApexTrigger", "apex_triggers") if kind == "trigger" else ("ApexClass", "apex_classes")
    rows = yield _Query(
        f"SELECT Id, Name, NamespacePrefix, {_CHANGED} FROM {table} WHERE Name = {quote(name)}",  # noqa: S608
        tooling=True,
    )
    if len(rows) != 1:
        return None
    return _resolved(kind, name, links.setup_item(page, text(rows[0], "Id")), rows[0])


def _validation_rule(target: str | None, message: str, quoted: Sequence[str]) -> Search[Resolved | None]:
    """The active rule whose error message stands in the message. The longest, if one contains another.

    Where the object is not known, all rules are looked through.
    """
    of_object = f"EntityDefinition.QualifiedApiName = {quote(target)} AND " if target else ""
    rows = yield _Query(
        f"SELECT Id, ValidationName, ErrorMessage, EntityDefinitionId, "  # noqa: S608
        f"EntityDefinition.QualifiedApiName, {_CHANGED} FROM ValidationRule "
        f"WHERE {of_object}Active = true",
        tooling=True,
    )
    words = one_line(message)
    fitting = [row for row in rows if text(row, "ErrorMessage") and text(row, "ErrorMessage") in words]
    if not fitting and quoted:
        fitting = [row for row in rows if text(row, "ErrorMessage").rstrip(". ") == quoted[0]]
    fitting.sort(key=lambda row: len(text(row, "ErrorMessage")), reverse=True)
    if not fitting:
        return None
    row = fitting[0]
    entity = text(row, "EntityDefinitionId") or target
    path = links.object_page("validation_rules", entity, text(row, "Id"))
    rule = _resolved("validation_rule", text(row, "ValidationName"), path, row)
    definition = row.get("EntityDefinition")
    named = text(definition, "QualifiedApiName") if isinstance(definition, dict) else ""
    return replace(rule, object_name=target or named or None)


def _duplicate_rules(target: str | None, named: Sequence[str]) -> Search[list[Resolved]]:
    """The rule that the message names, else all active ones of the object."""
    rows = yield _Query(
        f"SELECT Id, DeveloperName, MasterLabel, SobjectType, {_CHANGED} "  # noqa: S608
        "FROM DuplicateRule WHERE IsActive = true"
    )
    fitting = [row for row in rows if {text(row, "MasterLabel"), text(row, "DeveloperName")} & set(named)]
    if not named:
        fitting = [row for row in rows if target and text(row, "SobjectType") == target]
    return [
        _resolved(
            "duplicate_rule",
            text(row, "MasterLabel"),
            links.setup_item("duplicate_rules", text(row, "Id")),
            row,
        )
        for row in fitting
    ]


def _field(target: str, field: str) -> Search[Resolved | None]:
    for column in ("QualifiedApiName", "Label"):
        rows = yield _Query(
            "SELECT DurableId, QualifiedApiName, Label FROM FieldDefinition WHERE "  # noqa: S608
            f"EntityDefinition.QualifiedApiName = {quote(target)} AND {column} = {quote(field)}",
            tooling=True,
        )
        if len(rows) == 1:
            # `Order.00N5g00000Abcde` for custom fields, `Order.Status` for standard ones.
            item = text(rows[0], "DurableId").rpartition(".")[2]
            return _resolved("field", field, links.object_page("fields", target, item), rows[0])
    return None


def _resolved(kind: str, name: str, path: str, row: Row) -> Resolved:
    at, who = changed(row)
    return Resolved(name, path, at, who or None, kind=kind)


class DescribeLookup(Protocol):
    """What is needed of an org. `salesforce.client.ApiClient` has it."""

    async def describe_global(self) -> list[dict[str, Any]]: ...

    async def describe(self, object_name: str, *, fresh: bool = False) -> dict[str, Any]: ...


class OrgDictionary:
    """An org's names, read piece by piece as errors ask for them."""

    def __init__(
        self,
        lookup: DescribeLookup,
        store: MetadataStore | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._lookup = lookup
        self._store = store
        self._clock = clock
        self._loaded = store is None
        self.metadata = OrgMetadata()

    async def covering(self, diagnosis: Diagnosis, object_name: str | None) -> OrgMetadata:
        """The names that a diagnosis needs. What the org refuses to tell stays unknown.

        Raises:
            NotLoggedInError: The session ended.
        """
        before = self.metadata
        if not self._loaded and self._store is not None:
            self._loaded = True
            stored = await asyncio.to_thread(self._store.load)
            before = self.metadata = self.metadata if stored is None else stored
        if self._is_old(self.metadata.read_at):
            await self._read_objects()
        for name in self._objects_to_describe(diagnosis, object_name):
            known = self.metadata.described.get(name)
            if known is None or self._is_old(known.read_at):
                await self._read_fields(name)
        if self._store is not None and self.metadata is not before:
            await asyncio.to_thread(self._store.save, self.metadata)
        return self.metadata

    def _is_old(self, read_at: datetime | None) -> bool:
        return read_at is None or not timedelta() <= self._clock() - read_at < FRESH

    def _objects_to_describe(self, diagnosis: Diagnosis, object_name: str | None) -> list[str]:
        known = {entry.name for entry in self.metadata.objects}
        names = (
            name
            for failure in diagnosis.each
            if failure.fields
            for name in objects_meant(failure, object_name, self.metadata)
        )
        return [name for name in dict.fromkeys(names) if name in known][:MOST_OBJECTS]

    async def _read_objects(self) -> None:
        try:
            rows = await self._lookup.describe_global()
        except NotLoggedInError:
            raise
        except SyncErrError:
            return
        objects = tuple(
            ObjectEntry(*(text(row, key) for key in ("name", "label", "labelPlural", "keyPrefix")))
            for row in rows
        )
        self.metadata = replace(self.metadata, objects=objects, read_at=self._clock())

    async def _read_fields(self, name: str) -> None:
        try:
            described = await self._lookup.describe(name, fresh=name in self.metadata.described)
        except NotLoggedInError:
            raise
        except SyncErrError:
            return
        fields = tuple(_field_entry(row) for row in described.get("fields", ()))
        read = Described(fields, self._clock())
        self.metadata = replace(self.metadata, described={**self.metadata.described, name: read})


def _field_entry(row: dict[str, Any]) -> FieldEntry:
    values = (
        text(value, "value")
        for value in row.get("picklistValues") or ()
        if isinstance(value, dict) and value.get("active") is not False
    )
    return FieldEntry(text(row, "name"), text(row, "label"), tuple(filter(None, values)))
