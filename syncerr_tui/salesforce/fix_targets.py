"""Reading the target of a fix whole, and writing it back with one thing changed. Fulfils `fixes.FixOrg`."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.fixes.org import FixChange, FixKind, FixTarget, TargetReading, Values
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_writes import FixWrites
from syncerr_tui.salesforce.metadata_api import MetadataApi
from syncerr_tui.salesforce.metadata_xml import METADATA, XSI, Component, MetadataXmlError, XmlElement
from syncerr_tui.salesforce.reading import DATETIME, datetime_of
from syncerr_tui.salesforce.soql import checked_ids, to_18
from syncerr_tui.stopwatch import Leaving, utc_now
from syncerr_tui.text import one_line
from syncerr_tui.words import plural

_TOOLING = {
    FixKind.VALIDATION_RULE_OFF: "ValidationRule",
    FixKind.WORKFLOW_RULE_OFF: "WorkflowRule",
    FixKind.FLOW_OFF: "FlowDefinition",
}
_ELEMENT = {FixKind.DUPLICATE_RULE_OFF: "isActive", FixKind.NOT_REQUIRED: "required"}
VALUE_ELEMENTS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "CustomField": (("valueSet", "valueSetDefinition"), "value"),
    "GlobalValueSet": ((), "customValue"),
    "StandardValueSet": ((), "standardValue"),
}
"""Where a type has its picklist values: the path to them, and the name of each."""
MOST_VALUES = 1000
"""Values of a global value set, inactive ones included."""
_BEFORE_IS_ACTIVE = frozenset({"fullName", "color", "default", "description"})
EXEMPT_FIELD, EXEMPT_TABLE = "Username", "User"
_NIL = f'<duplicateRuleFilter xmlns="{METADATA}" xmlns:xsi="{XSI}" xsi:nil="true"/>'


class FixTargets:
    """The things in one org that fixes change."""

    def __init__(self, client: ApiClient, writes: FixWrites, metadata: MetadataApi) -> None:
        self._client = client
        self._writes = writes
        self._metadata = metadata

    async def read_target(self, change: FixChange) -> TargetReading | None:
        kind, target = change.kind, change.target
        if kind in _TOOLING:
            return await self._read_tooling(kind, target)
        if kind in _ELEMENT or kind in {FixKind.EXEMPT_SYNC_USER, FixKind.ADD_VALUE}:
            component = await self._metadata.read(target.type, target.name)
            with _as_expected(target):
                return None if component is None else reading_of(kind, component, change.after)
        if kind is FixKind.ASSIGN_BYPASS:
            return await self._read_assignment(target)
        return await self._read_record(target, change.after)

    async def write_target(self, change: FixChange, reading: TargetReading, leaving: Leaving) -> None:
        target, after = change.target, change.after
        if change.kind in _TOOLING:
            assert isinstance(reading.handle, dict)
            await self._writes.tooling(target.type, target.id, {**reading.handle, **after}, leaving)
        elif change.kind is FixKind.ASSIGN_BYPASS:
            await self._write_assignment(target, reading, after, leaving)
        elif isinstance(reading.handle, Component):
            with _as_expected(target):
                component = edited(change.kind, reading.handle, after)
            await self._writes.component(component, leaving)
        else:
            await self._writes.record(target.type, target.id, after, leaving)

    async def has_version(self, target: FixTarget, version: int, whole: str) -> bool:
        (key,) = checked_ids([target.id])
        where = f"DefinitionId = {soql.quote(key)} AND VersionNumber = {int(version)}"
        rows = await self._rows(f"SELECT Id FROM Flow WHERE {where}", tooling=True)  # noqa: S608 - checked
        was = to_18(json.loads(whole).get("ActiveVersionId"))
        return any(was in {None, to_18(row.get("Id"))} for row in rows)

    async def _rows(self, query: str, *, tooling: bool = False) -> list[Row]:
        """What a fix needs to know is read even when the daily reserve is reached."""
        return await self._client.query_all(query, tooling=tooling, essential=True)

    async def _read_tooling(self, kind: FixKind, target: FixTarget) -> TargetReading | None:
        (key,) = checked_ids([target.id])
        columns = "Id, ActiveVersionId, ActiveVersion.VersionNumber" if kind is FixKind.FLOW_OFF else "Id"
        query = f"SELECT {columns} FROM {_TOOLING[kind]} WHERE Id = {soql.quote(key)}"  # noqa: S608 - checked
        rows = await self._rows(query, tooling=True)
        if not rows:
            return None
        row = await self._client.tooling_row(_TOOLING[kind], key, ("Id", "FullName", "Metadata"))
        metadata = row.get("Metadata")
        if kind is FixKind.FLOW_OFF:
            return _flow_reading(rows[0], metadata if isinstance(metadata, dict) else {})
        if not isinstance(metadata, dict) or not isinstance(metadata.get("active"), bool):
            raise RefusedError(
                f"The org does not show the whole of {target.name}",
                "It may belong to a package: do it in Setup",
            )
        rest = {**metadata, "active": None}
        return TargetReading({"active": metadata["active"]}, target_json(metadata), _hash(rest), metadata)

    async def _read_record(self, target: FixTarget, after: Values) -> TargetReading | None:
        (key,) = checked_ids([target.id])
        names = dict.fromkeys(map(soql.name, after))
        rows = await self._rows(
            f"SELECT Id, {', '.join(names)} FROM {soql.name(target.type)} WHERE Id = {soql.quote(key)}"  # noqa: S608 - checked
        )
        if not rows:
            return None
        values = {name: rows[0].get(name) for name in names}
        return TargetReading(values, target_json(values), "")

    async def _read_assignment(self, target: FixTarget) -> TargetReading | None:
        set_name, _, username = target.name.partition(" for ")
        sets = await self._rows(f"SELECT Id FROM PermissionSet WHERE Name = {soql.quote(set_name)}")  # noqa: S608 - quoted
        users = await self._rows(
            f"SELECT Id FROM User WHERE Username = {soql.quote(username)} AND IsActive = true"  # noqa: S608 - quoted
        )
        if not sets or not users:
            return None
        if len(sets) > 1:
            raise RefusedError(
                f"The org has {len(sets)} permission sets called {one_line(set_name)}", "Assign it in Setup"
            )
        set_id, user_id = (str(rows[0].get("Id")) for rows in (sets, users))
        assigned = await self._rows(
            "SELECT Id, ExpirationDate FROM PermissionSetAssignment WHERE "  # noqa: S608 - quoted
            f"PermissionSetId = {soql.quote(set_id)} AND AssigneeId = {soql.quote(user_id)}"
        )
        lasting = [one for one in assigned if not _is_over(one.get("ExpirationDate"))]
        until = lasting[0].get("ExpirationDate") if lasting else None
        values = {"assigned": bool(lasting), "ExpirationDate": until}
        ids = _Assignment(set_id, user_id, [str(one.get("Id")) for one in assigned])
        return TargetReading(values, target_json(values), "", ids)

    async def _write_assignment(
        self, target: FixTarget, reading: TargetReading, after: Values, leaving: Leaving
    ) -> None:
        assert isinstance(reading.handle, _Assignment)
        if after.get("assigned") and reading.handle.assignments:
            over = reading.handle.assignments[0]
            await self._writes.assign_again(over, str(after["ExpirationDate"]), leaving)
        elif after.get("assigned"):
            await self._writes.assign(
                reading.handle.permission_set, reading.handle.user, str(after["ExpirationDate"]), leaving
            )
        elif len(reading.handle.assignments) == 1:
            await self._writes.unassign(reading.handle.assignments[0], leaving)
        else:
            raise RefusedError(f"{target.name} is assigned several times", "Take it away in Setup")

    # -- what a person types

    async def typed(self, kind: FixKind, target: FixTarget, values: Mapping[str, str]) -> dict[str, Any]:
        """Values as the org's fields hold them.

        Raises:
            BadInputError: One is no value of its field, or names no active user.
        """
        if kind is FixKind.CHANGE_OWNER and "OwnerId" in values:
            return {**values, "OwnerId": await self._active_user(values["OwnerId"])}
        described = await self._client.describe(target.type)
        fields = {field["name"]: field for field in described["fields"]}
        return {name: _typed(fields.get(name, {}), name, text) for name, text in values.items()}

    async def _active_user(self, typed: str) -> str:
        if not typed.strip():
            raise BadInputError("No new owner was named", "Type the username or the id of an active user")
        user = to_18(typed)
        where = f"Id = {soql.quote(user)}" if user else f"Username = {soql.quote(typed)}"
        rows = await self._client.query_all(f"SELECT Id, IsActive FROM User WHERE {where}")  # noqa: S608 - quoted
        if not rows or rows[0].get("IsActive") is not True:
            standing = "is not active" if rows else "is not known"
            raise BadInputError(
                f"The user '{one_line(typed)[:60]}' {standing}", "Name the new owner by username or id"
            )
        return to_18(rows[0].get("Id")) or ""


@contextmanager
def _as_expected(target: FixTarget) -> Iterator[None]:
    """Turns XML that is not what the documentation says into a refusal: then nothing is written."""
    try:
        yield
    except MetadataXmlError as error:
        raise RefusedError(f"{target.name} is not as expected: {error}", "Change it in Setup") from None


@dataclass(frozen=True, slots=True)
class _Assignment:
    permission_set: str
    user: str
    assignments: list[str]


def _is_over(until: object) -> bool:
    """Whether an assignment has ended: the org keeps its row."""
    at = datetime_of(until)
    return at is not None and at <= utc_now()


def _typed(field: Row, name: str, text: str) -> object:
    """What a person typed, as the org gives it back: what is read again has to be the same."""
    kind, text = field.get("type", ""), text.strip()  # as the org does
    if text == "":
        if field.get("nillable") is False:
            raise BadInputError(f"{name} may not be empty", "Give it a value")
        return None
    if kind in soql.NUMBERS:
        return _number(field, name, text)
    if kind in _MOMENTS:
        return _moment(kind, name, text)
    if kind == "boolean":
        if text.casefold() not in {"true", "false"}:
            raise BadInputError(f"{name} is a checkbox", "Give it true or false")
        return text.casefold() == "true"
    if kind == "reference":
        key = to_18(text)
        if key is None:
            raise BadInputError(f"{name} names another record", "Give it the record's Salesforce id")
        return key
    longest = field.get("length") or 0
    if longest and len(text) > longest:
        raise BadInputError(f"{name} holds {plural(int(longest), 'character')}", "Give it a shorter value")
    return text


def _number(field: Row, name: str, text: str) -> float:
    try:
        number = int(text) if field["type"] in {"int", "long"} else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInputError(f"{name} is a number", "Give it one, such as 12.5")
    places = field.get("scale")
    if isinstance(places, int) and round(number, places) != number:
        raise BadInputError(f"{name} keeps {plural(places, 'decimal')}", "Give it no more of them")
    return number


_MOMENTS = {
    "date": ("a date", "2026-11-30", "%Y-%m-%d"),
    "datetime": ("a time", "2026-11-30T09:00:00Z", DATETIME),
}
"""Type of a field -> what it is, an example, and how the org writes it."""


def _moment(kind: str, name: str, text: str) -> str:
    what, example, written = _MOMENTS[kind]
    at = datetime_of(text)
    is_date = len(text) == len("2026-11-30")
    if at is None or is_date != (kind == "date"):
        raise BadInputError(f"{name} is {what}", f"Give it as {example}")
    return at.strftime(written)


def _flow_reading(row: Row, metadata: Row) -> TargetReading:
    active = row.get("ActiveVersion")
    number = active.get("VersionNumber") if isinstance(active, dict) else metadata.get("activeVersionNumber")
    if row.get("ActiveVersionId") and not isinstance(number, int):
        raise RefusedError("The org does not say which version of the Flow is active", "Look at it in Setup")
    values = {"activeVersionNumber": int(number) if number and row.get("ActiveVersionId") else 0}
    whole = target_json({**metadata, "ActiveVersionId": row.get("ActiveVersionId")})
    return TargetReading(values, whole, _hash({**metadata, "activeVersionNumber": None}), metadata)


# -- components


def reading_of(kind: FixKind, component: Component, after: Values) -> TargetReading:
    """What a fix of this kind sees of a component."""
    if kind in _ELEMENT:
        element = _ELEMENT[kind]
        values: dict[str, object] = {element: component.value(element) == "true"}
        changed = component.tree.all(element)
    elif kind is FixKind.EXEMPT_SYNC_USER:
        values = {"duplicateRuleFilter": filter_words(component)}
        changed = component.tree.all("duplicateRuleFilter")
    else:
        values = {name: value_state(component, name) for name in after}
        changed = [one for one in value_elements(component) if _name(one) in after]
    rest = _content(component.tree, {node.start for node in changed})
    return TargetReading(values, component.inner.decode(), _hash(rest), component)


def edited(kind: FixKind, component: Component, after: Values) -> Component:
    """The component with the values of a fix in it, and nothing else changed."""
    if kind in _ELEMENT:
        return component.with_value((_ELEMENT[kind],), "true" if after[_ELEMENT[kind]] else "false")
    if kind is FixKind.EXEMPT_SYNC_USER:
        words = after["duplicateRuleFilter"]
        return component.with_element(("duplicateRuleFilter",), _filter_xml(words) if words else _NIL)
    for name, state in after.items():
        component = _with_value_state(component, name, state)
    return component


def _content(node: XmlElement, left_out: Collection[int]) -> list[object]:
    """What an element holds, without those that begin at these offsets.

    Compared by meaning: an org may write what it was sent with other prefixes, blanks or empty tags.
    """
    return [
        [child.namespace, child.name, child.nil, "" if child.children else child.text.strip(), inner]
        for child in node.children
        if child.start not in left_out
        for inner in [_content(child, left_out)]
    ]


def value_elements(component: Component) -> list[XmlElement]:
    """The picklist values of a field or a set, in order."""
    path, name = VALUE_ELEMENTS[component.type]
    node: XmlElement | None = component.tree
    for step in path:
        node = node.first(step) if node else None
    return node.all(name) if node else []


def _name(value: XmlElement) -> str:
    return value.value("fullName") or ""


def value_state(component: Component, name: str) -> str | None:
    """`active`, `inactive`, or None where the list does not have the value."""
    for one in value_elements(component):
        if _name(one) == name:
            return "inactive" if one.value("isActive") == "false" else "active"
    return None


def _with_value_state(component: Component, name: str, state: str) -> Component:
    values = value_elements(component)
    value = next((one for one in values if _name(one) == name), None)
    flag = "true" if state == "active" else "false"
    if value is None:
        if len(values) >= MOST_VALUES:
            raise RefusedError(
                f"{component.full_name} is full: it has {plural(len(values), 'value')}", "Ask the admin"
            )
        path, element = VALUE_ELEMENTS[component.type]
        text = escape(name)
        xml = (
            f'<{element} xmlns="{METADATA}"><fullName>{text}</fullName><default>false</default>'
            f"<isActive>{flag}</isActive><label>{text}</label></{element}>"
        )
        if values:
            return component.with_element_after(values[-1], xml)
        return component.with_last_child(path, xml)
    active = value.first("isActive")
    if active is not None:
        return component.with_text(active, flag)
    # Left out, it means active. It stands in front of the label.
    before = [one for one in value.children if one.name in _BEFORE_IS_ACTIVE]
    return component.with_element_after(before[-1], f'<isActive xmlns="{METADATA}">{flag}</isActive>')


def exempt_words(username: str) -> str:
    """The condition that leaves one user out, as people read it."""
    return f"{EXEMPT_TABLE}.{EXEMPT_FIELD} notEqual {username}"


def filter_words(component: Component) -> str | None:
    """The conditions of a duplicate rule in words; None where it has none."""
    node = component.tree.first("duplicateRuleFilter")
    if node is None or node.nil or not node.children:
        return None
    items = [
        f"{item.value('table')}.{item.value('field')} {item.value('operation')} {item.value('value')}"
        for item in node.all("duplicateRuleFilterItems")
    ]
    logic = node.value("booleanFilter")
    return one_line("; ".join((*items, f"({logic})") if logic else items))


def _filter_xml(words: str) -> str:
    username = words.removeprefix(exempt_words(""))
    return (
        f'<duplicateRuleFilter xmlns="{METADATA}" xmlns:xsi="{XSI}"><booleanFilter xsi:nil="true"/>'
        f"<duplicateRuleFilterItems><field>{EXEMPT_FIELD}</field><operation>notEqual</operation>"
        f"<value>{escape(username)}</value><sortOrder>1</sortOrder><table>{EXEMPT_TABLE}</table>"
        "</duplicateRuleFilterItems></duplicateRuleFilter>"
    )


def target_json(value: object) -> str:
    """A target as the text that `TargetReading.whole` holds."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _hash(value: object) -> str:
    return hashlib.sha256(target_json(value).encode()).hexdigest()
