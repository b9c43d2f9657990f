"""Names in a message resolved to the thing itself: where it is, when it was last changed, and by whom.

These queries need set-up rights. Whatever is refused or not found stays unresolved, and the guidance
keeps its list page: knowing less is no error. A lost login is one, and is passed on. What an org answered is
kept on disk without its times: names and addresses hold for weeks, when something was changed does not.
Sources of the queries: FlowDefinitionView and DuplicateRule (REST), ValidationRule, ApexTrigger,
ApexClass, EntityDefinition and FieldDefinition (Tooling API).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from syncerr_tui.diagnosis import links
from syncerr_tui.diagnosis.guidance_template import facts_of
from syncerr_tui.diagnosis.model import Diagnosis
from syncerr_tui.diagnosis.org_metadata import KeptAnswer, Resolved
from syncerr_tui.errors import NotLoggedInError, SyncErrError, UnreachableError
from syncerr_tui.salesforce.org_dictionary import MetadataStore
from syncerr_tui.salesforce.reading import changed, text
from syncerr_tui.salesforce.soql import quote
from syncerr_tui.text import one_line

Row = dict[str, Any]

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
        remembered = MetadataLookup(_Nobody(UnreachableError), self._instance_url, self._store, self._clock)
        return await remembered.resolve(diagnosis, object_name=object_name, processed_at=None)

    def remembered(
        self, diagnosis: Diagnosis, *, object_name: str | None, processed_at: datetime | None
    ) -> tuple[Resolved, ...] | None:
        """`resolve` from what this connection was told already; None where the org would have to be asked."""
        known = MetadataLookup(_Nobody(LookupError), self._instance_url, None, self._clock)
        known._rows = self._rows
        work = known.resolve(diagnosis, object_name=object_name, processed_at=processed_at)
        try:
            work.send(None)  # it waits for nothing: either all is known, or somebody would have to be asked
        except StopIteration as done:
            answer: tuple[Resolved, ...] = done.value
            return answer
        except LookupError:
            return None
        finally:
            work.close()
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
        if self._kept is None and self._store is not None:
            self._kept = await asyncio.to_thread(self._store.load_answers)
        facts = facts_of(diagnosis, object_name)
        answers: list[Resolved | None] = []
        finders: dict[str, Callable[[str], Awaitable[Resolved | None]]] = {
            "flow": self._flow,
            "trigger": lambda name: self._apex("trigger", name),
            "class": lambda name: self._apex("class", name),
        }
        for automation in diagnosis.automation:
            if automation.kind in finders and len(automation.name) <= LONGEST_NAME:
                resolved = await finders[automation.kind](automation.name)
                answers.append(replace(resolved, name=automation.full_name) if resolved else None)
        if diagnosis.root_code in {"FIELD_CUSTOM_VALIDATION_EXCEPTION", None}:
            quoted = facts.blanks.get("said", ())
            answers.append(await self._validation_rule(facts.target, diagnosis.message, quoted))
        if diagnosis.root_code == "DUPLICATES_DETECTED":
            named = [item.name for item in diagnosis.automation if item.kind == "duplicate_rule"]
            answers += await self._duplicate_rules(facts.target, named)
        if facts.target:
            answers += [await self._field(facts.target, field) for field in diagnosis.fields[:3]]
        if self._learned and self._store is not None:
            self._learned = False
            await asyncio.to_thread(self._store.save_answers, self._latest())
        return tuple(_compared(item, processed_at) for item in answers if item is not None)

    async def _flow(self, name: str) -> Resolved | None:
        for column in ("Label", "ApiName"):
            where = f"{column} = {quote(name)}"
            # LastModifiedBy is a text in this view. Orgs on old versions lack both columns.
            rows = await self._ask(_FLOW.format(changed=", LastModifiedDate, LastModifiedBy") + where)
            rows = rows or await self._ask(_FLOW.format(changed="") + where)
            if len(rows) == 1:
                row = rows[0]
                ids = (text(row, column) for column in ("DurableId", "ActiveVersionId", "LatestVersionId"))
                flow_id = next(filter(None, ids), "")
                old = text(row, "ProcessType") in _PROCESS_BUILDER
                path = links.setup("process_builder") if old else links.flow(flow_id)
                return self._resolved("flow", name, path, row)
            if rows:
                return None
        return None

    async def _apex(self, kind: str, name: str) -> Resolved | None:
        table, page = ("ApexTrigger", "apex_triggers") if kind == "trigger" else ("ApexClass", "apex_classes")
        rows = await self._ask(
            f"SELECT Id, Name, NamespacePrefix, {_CHANGED} FROM {table} WHERE Name = {quote(name)}",  # noqa: S608
            tooling=True,
        )
        if len(rows) != 1:
            return None
        return self._resolved(kind, name, links.setup_item(page, text(rows[0], "Id")), rows[0])

    async def _validation_rule(
        self, target: str | None, message: str, quoted: Sequence[str]
    ) -> Resolved | None:
        """The active rule whose error message stands in the message. The longest, if one contains another.

        Where the object is not known, all rules are looked through.
        """
        of_object = f"EntityDefinition.QualifiedApiName = {quote(target)} AND " if target else ""
        rows = await self._ask(
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
        rule = self._resolved("validation_rule", text(row, "ValidationName"), path, row)
        definition = row.get("EntityDefinition")
        named = text(definition, "QualifiedApiName") if isinstance(definition, dict) else ""
        return replace(rule, object_name=target or named or None)

    async def _duplicate_rules(self, target: str | None, named: Sequence[str]) -> list[Resolved | None]:
        """The rule that the message names, else all active ones of the object."""
        rows = await self._ask(
            f"SELECT Id, DeveloperName, MasterLabel, SobjectType, {_CHANGED} "  # noqa: S608
            "FROM DuplicateRule WHERE IsActive = true"
        )
        fitting = [row for row in rows if {text(row, "MasterLabel"), text(row, "DeveloperName")} & set(named)]
        if not named:
            fitting = [row for row in rows if target and text(row, "SobjectType") == target]
        return [
            self._resolved(
                "duplicate_rule",
                text(row, "MasterLabel"),
                links.setup_item("duplicate_rules", text(row, "Id")),
                row,
            )
            for row in fitting
        ]

    async def _field(self, target: str, field: str) -> Resolved | None:
        for column in ("QualifiedApiName", "Label"):
            rows = await self._ask(
                "SELECT DurableId, QualifiedApiName, Label FROM FieldDefinition WHERE "  # noqa: S608
                f"EntityDefinition.QualifiedApiName = {quote(target)} AND {column} = {quote(field)}",
                tooling=True,
            )
            if len(rows) == 1:
                # `Order.00N5g00000Abcde` for custom fields, `Order.Status` for standard ones.
                item = text(rows[0], "DurableId").rpartition(".")[2]
                return self._resolved("field", field, links.object_page("fields", target, item), rows[0])
        return None

    def _resolved(self, kind: str, name: str, path: str, row: Row) -> Resolved:
        at, who = changed(row)
        return Resolved(
            name=name,
            address=links.address(path, self._instance_url),
            modified_at=at,
            modified_by=who or None,
            kind=kind,
        )

    async def _ask(self, query: str, *, tooling: bool = False) -> list[Row]:
        """The rows; what was kept of them where the org refuses or cannot be reached just now."""
        if query not in self._rows:
            try:
                rows = await (self._lookup.tooling(query) if tooling else self._lookup.query_all(query))
            except NotLoggedInError:
                raise
            except SyncErrError:
                # No set-up rights, no such object, or a line that dropped.
                rows = self._kept_rows(query)
            else:
                self._keep(query, rows)
            self._rows[query] = rows
        return self._rows[query]

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


class _Nobody:
    """In place of an org that is not asked: answers every question with this error."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    async def query_all(self, query: str) -> list[Row]:
        raise self._error(query)

    tooling = query_all


def _compared(item: Resolved, processed_at: datetime | None) -> Resolved:
    if item.modified_at is None or processed_at is None:
        return item
    return replace(item, changed_since_failure=item.modified_at > processed_at)
