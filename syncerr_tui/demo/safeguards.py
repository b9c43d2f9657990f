"""All that may refuse a save: Salesforce's own checks, record locks, and the org's rules. Its state persists.

The order is Salesforce's, roughly: locks and references, then required fields, picklists and unique values,
then the automations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import contains
from typing import Literal, cast

from syncerr_tui.demo.records import Records
from syncerr_tui.demo.rules import APEX, RULES, Condition, Rule
from syncerr_tui.demo.save_errors import Change, SaveError
from syncerr_tui.demo.schema import SC_ID, Choice, Field, SObject
from syncerr_tui.demo.schema_variants import field_named

Check = Callable[[Change, Records], SaveError | None]
LockKind = Literal["busy", "rollup", "approval"]
_MEMORY = "safeguards"


class Safeguards:
    """The org's resistance, and the switches that lower it.

    Args:
        records: The store as it is asked.
        schema: Shared with describe: a fix changes it in place.
    """

    def __init__(self, records: Records, schema: dict[str, SObject]) -> None:
        self.records = records
        self.schema = schema
        self.off: set[str] = set()
        """Keys of rules that are switched off."""
        self.locks: dict[str, LockKind] = {}
        """Locked records by id."""
        self.exempt: dict[str, list[str]] = {}
        """Rule -> user names that a condition of the rule leaves out."""
        self._fields: dict[str, tuple[bool, bool, list[Choice]]] = {}
        """`Object.Field` -> nillable, restricted and picklist, where they are not those of the new org."""
        self._guards: dict[tuple[str, str], tuple[list[Check], list[tuple[Rule, Condition]]]] = {}
        """What Salesforce itself looks at, and the rules, by object and operation: once they were needed."""
        self._recall()

    def refuse(
        self, change: Change, *, acknowledged: Collection[str] = (), user_id: str | None = None
    ) -> SaveError | None:
        """The first objection to a change, or None. A busy row is free after it has refused once.

        Args:
            change: What is to be saved.
            acknowledged: Keys of rules that only alert and were confirmed.
            user_id: Whose save it is; None: the sync's.
        """
        kind, records = (change.object, change.operation), self.records
        guards = self._guards.get(kind)
        if guards is None:
            guards = self._guards[kind] = [*self._checks_of(*kind)], [*self._rules_of(*kind)]
        checks, rules = guards
        for check in checks:
            refusal = check(change, records)
            if refusal is not None:
                return refusal
        for rule, refuses in rules:
            if (
                refuses(change, records)
                and rule.key not in acknowledged
                and not self._leaves_out(rule, user_id or records.sync_user)
            ):
                return rule.refusal(change)
        return None

    def switch(self, key: str, *, on: bool, exempt: Sequence[str] = ()) -> None:
        """Switch a rule on or off, and say which users it leaves out."""
        (self.off.discard if on else self.off.add)(key)
        self.exempt.pop(key, None)
        if exempt:
            self.exempt[key] = list(exempt)
        self._guards.clear()
        self.keep()

    def change_field(self, object_name: str, changed: Field) -> None:
        """Change what a field takes; describe shows it from now on."""
        state = changed.nillable, changed.restricted, list(changed.picklist)
        self._fields[f"{object_name}.{changed.name}"] = state
        self.schema[object_name] = self.schema[object_name].with_field(changed)
        self._guards.clear()
        self.keep()

    def unlock(self, record_id: str) -> bool:
        """Take the lock from a record; False where there was none."""
        was_locked = self.locks.pop(record_id, None) is not None
        self.keep()
        return was_locked

    def keep(self) -> None:
        """Write the state down, for a start with the same `--db`."""
        state = {
            "off": sorted(self.off),
            "locks": self.locks,
            "exempt": self.exempt,
            "fields": self._fields,
        }
        self.records.store.remember(_MEMORY, state)

    def _recall(self) -> None:
        state = cast("Mapping[str, object]", self.records.store.recall(_MEMORY, {}))
        self.off = set(cast("list[str]", state.get("off", [])))
        self.locks = dict(cast("dict[str, LockKind]", state.get("locks", {})))
        self.exempt = dict(cast("dict[str, list[str]]", state.get("exempt", {})))
        fields = cast("dict[str, tuple[bool, bool, list[Choice]]]", state.get("fields", {}))
        for name, (nillable, restricted, picklist) in fields.items():
            object_name, _dot, field_name = name.partition(".")
            field = field_named(self.schema[object_name], field_name)
            choices = tuple((value, label, active) for value, label, active in picklist)
            changed = replace(field, nillable=nillable, restricted=restricted, picklist=choices)
            self.change_field(object_name, changed)

    def _checks_of(self, object_name: str, operation: str) -> Iterator[Check]:
        """In Salesforce's order; only those that have something to look at."""
        if object_name == "OrderItem" and operation != "Update":
            yield _activated
        yield self._locked
        if operation == "Delete":
            return
        fields = [field for field in self.schema[object_name].fields if field.createable]
        for check_of in (_missing_reference, _missing_value, _bad_value, _taken):
            if (check := check_of(fields)) is not None:
                yield check
        if object_name == "Contact":
            yield _inactive_owner

    def _rules_of(self, object_name: str, operation: str) -> Iterator[tuple[Rule, Condition]]:
        for rule in RULES:
            on = rule.object == object_name and operation in rule.operations
            if on and not {rule.key, rule.carrier} & self.off:
                yield rule, rule.condition()

    def _locked(self, change: Change, _records: Records) -> SaveError | None:
        values, record_id = change.values, change.record_id
        may_be_locked = record_id, values.get("AccountId"), values.get("s_c__Account_Id__c")
        if self.locks.keys().isdisjoint(may_be_locked):
            return None
        for touched in may_be_locked:
            kind = self.locks.get(str(touched))
            if kind is not None and (kind != "approval" or touched == record_id):
                return self._lock(kind, str(touched))
        return None

    def _lock(self, kind: LockKind, record_id: str) -> SaveError:
        if kind == "approval":
            words = "the entity is locked for editing"
            return SaveError("approval lock", "ENTITY_IS_LOCKED", words, record_id=record_id)
        if kind == "rollup":
            words = (
                "AccountRollup: execution of AfterInsert caused by: System.DmlException: Update failed. "
                f"First exception on row 0 with id {record_id}; first error: UNABLE_TO_LOCK_ROW, "
                "unable to obtain exclusive access to this record: []\n\n"
                "Trigger.AccountRollup: line 7, column 1"
            )
            return SaveError("stuck job:AccountRollup", APEX, words, bare=True, record_id=record_id)
        del self.locks[record_id]
        words = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
        return SaveError("busy row", "UNABLE_TO_LOCK_ROW", words)

    def _leaves_out(self, rule: Rule, user_id: str) -> bool:
        """Whether a rule lets this user pass: by its condition, or by a permission set that is not over."""
        names = self.exempt.get(rule.key, ())
        if names and self.records.value("User", user_id, "Username") in names:
            return True
        return bool(rule.bypass) and self.records.holds_permission(user_id, rule.bypass)


def _activated(change: Change, records: Records) -> SaveError | None:
    order: object = change.values.get("OrderId")
    if change.operation == "Delete":
        order = records.value("OrderItem", change.record_id, "OrderId")
    if records.value("Order", order, "Status") != "Activated":
        return None
    words = (
        "Unable to modify activated or superseded Order:  cannot delete Order, "
        "or add or remove Order Products"
    )
    return SaveError("activated order", "ENTITY_IS_LOCKED", words, record_id=str(order))


def _missing_reference(fields: Sequence[Field]) -> Check | None:
    references = {f.name: f.reference_to[0] for f in fields if f.type == "reference" and f.name != "OwnerId"}

    def check(change: Change, records: Records) -> SaveError | None:
        named = {*filter(None, map(change.values.get, references))}
        if named <= records.known:
            return None
        for field, parent in references.items():
            value = change.values.get(field)
            if value and not records.exists(parent, str(value)):
                words = "invalid cross reference id"
                key = f"deleted:{parent}"
                return SaveError(key, "INVALID_CROSS_REFERENCE_KEY", words, record_id=str(value))
        return None

    return check if references else None


def _missing_value(fields: Sequence[Field]) -> Check | None:
    required = [f.name for f in fields if not f.nillable and not f.defaulted]

    def check(change: Change, _records: Records) -> SaveError | None:
        if all(map(change.values.get, required)):
            return None
        values, new = change.values, change.record_id is None
        missing = [name for name in required if values.get(name) in {None, ""} and (new or name in values)]
        if not missing:
            return None
        key = f"required:{change.object}.{missing[0]}"
        words = f"Required fields are missing: [{', '.join(missing)}]"
        return SaveError(key, "REQUIRED_FIELD_MISSING", words, tuple(missing))

    return check if required else None


def _bad_value(fields: Sequence[Field]) -> Check | None:
    places = "StateCode", "CountryCode"
    picklists = {
        f.name: f for f in fields if f.type == "picklist" and (f.restricted or f.name.endswith(places))
    }
    allowed = [
        {None, "", *(value for value, _label, active in f.picklist if active)} for f in picklists.values()
    ]

    def check(change: Change, _records: Records) -> SaveError | None:
        new_values = [*map(change.values.get, picklists)]
        if all(map(contains, allowed, new_values)):
            return None
        field, value = next(
            (field, value)
            for field, value, values in zip(picklists.values(), new_values, allowed, strict=True)
            if value not in values
        )
        if field.restricted:
            words = f"{field.label}: bad value for restricted picklist field: {value}"
            code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        else:
            kind = "country/territory" if "Country" in field.name else "state"
            words = f"The {field.name} field contains {value}, which isn't an available {kind}."
            words += "" if "Country" in field.name else " Your administrator can add it for you."
            code = "FIELD_INTEGRITY_EXCEPTION"
        return SaveError(f"value:{change.object}.{field.name}={value}", code, words, (field.name,))

    return check if picklists else None


def _taken(fields: Sequence[Field]) -> Check | None:
    unique = [f.name for f in fields if f.unique and f.name != SC_ID]

    def check(change: Change, records: Records) -> SaveError | None:
        for name in filter(change.values.get, unique):
            other = records.twin_of(change.object, change.record_id, {name: change.values[name]})
            if other is not None:
                words = f"duplicate value found: {name} duplicates value on record with id: {other}"
                key = f"unique:{change.object}.{name}"
                return SaveError(key, "DUPLICATE_VALUE", words, record_id=other)
        return None

    return check if unique else None


def _inactive_owner(change: Change, records: Records) -> SaveError | None:
    if change.record_id is None or not change.values.get("AccountId"):
        return None
    owner = records.value("Account", change.values.get("AccountId"), "OwnerId")
    if owner is None or records.value("User", owner, "IsActive"):
        return None
    words = "owner is inactive, cannot reparent record"
    return SaveError("inactive owner", "CANNOT_REPARENT_RECORD", words, record_id=str(owner))
