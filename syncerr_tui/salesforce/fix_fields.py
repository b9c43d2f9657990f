"""Fixes of fields: a picklist value that is missing, a requirement that is lifted.

Sources: the Metadata API's CustomField, GlobalValueSet and StandardValueSet; the UI API's picklist values
of a record type.
"""

from __future__ import annotations

from collections.abc import Mapping

from syncerr_tui.fixes.org import FixCandidate, FixKind, FixTarget
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_lookup import EVERYBODY, METADATA, FixCase, TargetReader, ignore_refusals
from syncerr_tui.salesforce.fix_targets import value_elements, value_state
from syncerr_tui.salesforce.metadata_api import MetadataApi, MetadataTokenError
from syncerr_tui.salesforce.metadata_xml import Component
from syncerr_tui.salesforce.reading import text
from syncerr_tui.salesforce.soql import to_18

_PICKLIST = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
_MOST_RECORD_TYPES = 20
"""Record types of one object that are looked at."""
_CATEGORY_SETS = frozenset(
    {"CaseStatus", "ContractStatus", "LeadStatus", "OpportunityStage", "OrderStatus", "TaskStatus"}
)
"""Standard value sets whose values carry more than a name."""
_STANDARD_SETS: Mapping[str, str] = {
    "AccountSource": "LeadSource",
    "Industry": "Industry",
    "LeadSource": "LeadSource",
    "PersonLeadSource": "LeadSource",
    "Rating": "AccountRating",
    "Salutation": "Salutation",
}
"""Fields whose set is not called after object and field."""


_ON_RECORD_TYPE = (
    "It has the value by now; where it is refused all the same, add it to the record type's values in Setup"
)


class FieldFixes:
    """Looks up fields whose values or requirement refuse."""

    def __init__(self, client: ApiClient, reader: TargetReader, metadata: MetadataApi) -> None:
        self._client = client
        self._reader = reader
        self._metadata = metadata

    async def _field(self, case: FixCase) -> tuple[str, Row] | None:
        """The first field that the message names, on the first object that has it."""
        for object_name in case.objects:
            with ignore_refusals():
                described = await self._client.describe(object_name)
                by_name = {field["name"].casefold(): field for field in described["fields"]}
                by_label: dict[str, list[Row]] = {}
                for field in described["fields"]:
                    by_label.setdefault(field["label"].casefold(), []).append(field)
                for named in case.failure.fields:
                    if named.casefold() in by_name:
                        return object_name, by_name[named.casefold()]
                    if len(alike := by_label.get(named.casefold(), [])) == 1:
                        return object_name, alike[0]
        return None

    async def picklist(self, case: FixCase) -> list[FixCandidate]:
        """The value that a restricted picklist lacks, where its list lives."""
        place = await self._field(case) if case.code == _PICKLIST else None
        if place is None or len(case.failure.values) != 1:
            return []
        (object_name, field), value = place, case.failure.values[0]
        home = await self._value_home(object_name, field)
        label = text(field, "label")
        title = f"Add {value} to the values of {label}"
        if isinstance(home, str):
            target = FixTarget("CustomField", "", _definition(object_name, field))
            return [
                FixCandidate(FixKind.ADD_VALUE, target, {}, title=title, guided=home, needs_metadata_api=True)
            ]
        target, component = FixTarget(home.type, "", home.full_name), home
        state = value_state(component, value)
        guided = _has_alike(component, value) if state is None else ""
        if field.get("controllerName") or field.get("dependentPicklist"):
            guided = "It depends on another field, and pairs of values cannot be taken back"
        for what, name in (("field", field["name"]), ("list of values", component.full_name)):
            if field.get("custom") and _of_package(name):
                of_package = f"The {what} belongs to a package"
                guided = guided or f"{of_package}: whether a value may be added is its maker's to say"
        if field.get("type") == "multipicklist" and ";" in value:
            guided = (
                guided or "These are several values at once, and the message does not say which of them lacks"
            )
        shared = ""
        if component.type == "GlobalValueSet":
            shared = f" Every field that uses the global value set {component.full_name} gets it too."
        return [
            FixCandidate(
                FixKind.ADD_VALUE,
                target,
                {value: "active"},
                {value: state},
                title=f"Switch the value {value} of {label} on again" if state else title,
                whole=component.inner.decode(),
                guided=guided,
                settled=_ON_RECORD_TYPE if state == "active" else "",
                affects=f"Everybody who fills in {label}: the value is offered from now on. It can be "
                f"switched off again, not removed.{shared} Record types do not offer it by themselves.",
                needs=METADATA,
                needs_metadata_api=True,
            ),
            *(await self._record_types(object_name, field, value) if state == "active" else []),
        ]

    async def _record_types(self, object_name: str, field: Row, value: str) -> list[FixCandidate]:
        """The active record types that do not offer a value of the list, as far as the org tells."""
        record_types = []
        with ignore_refusals():
            rows = await self._client.query_all(
                "SELECT Id, Name FROM RecordType WHERE SobjectType = "  # noqa: S608 - quoted
                f"{soql.quote(object_name)} AND IsActive = true ORDER BY Name LIMIT {_MOST_RECORD_TYPES}"
            )
            for row in rows:
                key, name = to_18(row.get("Id")) or "", text(row, "Name")
                if value not in await self._client.picklist_values(object_name, key, field["name"]):
                    target = FixTarget("RecordType", key, f"{object_name}.{name}")
                    title = f"Let the record type {name} offer {value} in {text(field, 'label')}"
                    guided = f"The list has the value, and the record type {name} does not offer it"
                    record_types.append(FixCandidate(FixKind.BY_HAND, target, {}, title=title, guided=guided))
        return record_types

    async def _value_home(self, object_name: str, field: Row) -> Component | str:
        """Where a field's values live; in words where this program does not write them."""
        try:
            if field.get("custom"):
                component = await self._metadata.read("CustomField", _definition(object_name, field))
                if component is None:
                    return "The org does not show the field's definition"
                if component.value("valueSet", "restricted") == "false":
                    return "The field takes any value by now: its list does not refuse"
                set_name = component.value("valueSet", "valueSetName")
                if not set_name:
                    return component if value_elements(component) else "It has no list of values of its own"
                home = await self._metadata.read("GlobalValueSet", set_name)
                return home or f"The org does not show the global value set {set_name}"
            name = _STANDARD_SETS.get(field["name"]) or f"{object_name}{field['name']}"
            if name in _CATEGORY_SETS or field["name"] in {"Status", "StageName"}:
                return "Its values carry a category, which the Metadata API handles badly"
            return (
                await self._metadata.read("StandardValueSet", name) or "It is not a plain standard value set"
            )
        except MetadataTokenError as error:
            self._reader.metadata_problem = error.line
            return error.line

    async def required(self, case: FixCase) -> list[FixCandidate]:
        if case.code != "REQUIRED_FIELD_MISSING":
            return []
        place = await self._field(case)
        if place is None:
            return []
        object_name, field = place
        target = FixTarget("CustomField", "", _definition(object_name, field))
        title = f"Let {text(field, 'label')} of {object_name} be empty"
        if not field.get("custom"):
            guided = "A standard field that Salesforce requires: it cannot be lifted"
            return [FixCandidate(FixKind.NOT_REQUIRED, target, {}, title=title, guided=guided)]
        look = await self._reader.look(FixKind.NOT_REQUIRED, target, {"required": False})
        if look.reading is None and not look.problem:
            return []
        guided = look.problem
        if _of_package(field["name"]):
            guided = "The field belongs to a package, and only its maker can lift the requirement"
        elif isinstance(look.handle, Component) and look.handle.value("type") == "MasterDetail":
            guided = "It names the record's master, and a record without one cannot be"
        return [
            look.candidate(
                title,
                # Of a master-detail field nothing says that it is required: it is not so already.
                before={"required": True} if guided and not look.problem else look.values,
                guided=guided,
                affects=f"{EVERYBODY} Rows whose field is left empty meanwhile will fail at their next edit "
                "once it is required again.",
                needs=METADATA,
                needs_metadata_api=True,
            )
        ]


def _definition(object_name: str, field: Row) -> str:
    """The full name of a custom field's definition. A person account shows those of its contact as `__pc`."""
    name = soql.own_field(str(field["name"]))
    return f"{object_name if name == field['name'] else 'Contact'}.{name}"


def _of_package(name: str) -> bool:
    """Whether a component is a package's: its own name begins with the namespace then."""
    return "__" in name.rpartition(".")[2].removesuffix("__c").removesuffix("__pc").removesuffix("__gvs")


def _has_alike(component: Component, value: str) -> str:
    """Why a list cannot take a value: it has one that differs in case only, or that is shown as it."""
    for one in value_elements(component):
        name, label = one.value("fullName") or "", one.value("label") or ""
        if name.casefold() == value.casefold():
            return f"It has {name} already, which differs in case only"
        if label.casefold() == value.casefold() and one.value("isActive") != "false":
            return f"It shows {name} as {label} already: {name} is what the website has to send"
    return ""
