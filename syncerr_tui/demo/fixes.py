"""What a person would do in Salesforce against each cause, done for the demo.

A fix changes the org's safeguards or records, never a change event. It covers every event with the same
cause. Where only StoreConnect's support could help, the fix says so and does what support would do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from syncerr_tui.demo.engine import Engine
from syncerr_tui.demo.event_queue import QueuedEvent
from syncerr_tui.demo.ground_truth import root_of
from syncerr_tui.demo.metadata import MetadataCatalog
from syncerr_tui.demo.rules import RULES_BY_KEY, Rule
from syncerr_tui.demo.schema import SC_ID
from syncerr_tui.demo.store import DEMO_USER_ID

_COMPONENTS: Mapping[str, str] = {
    "DuplicateRule": "DuplicateRule",
    "ValidationRule": "ValidationRule",
    "FlowDefinitionView": "FlowDefinition",
}
"""Set-up object -> the metadata type that holds its switch."""
_SWITCHED_OFF: Mapping[str, tuple[str, object]] = {
    "ApexTrigger": ("Status", "Inactive"),
    "ApexClass": ("Status", "Inactive"),
    "EmailTemplate": ("Body", "Your parcel is on its way."),
}
_API_NAMES: Mapping[str, str] = {
    "ApexTrigger": "Name",
    "ApexClass": "Name",
    "EmailTemplate": "DeveloperName",
}


@dataclass(frozen=True, slots=True)
class Fix:
    """What can be done against a cause."""

    title: str
    why: str
    steps: tuple[str, ...] = ()
    apply: Callable[[], list[str]] | None = None
    """Does it, and tells what it changed; None where there is nothing to do but to try again."""
    support: bool = False
    """Only StoreConnect's support could do this in a real org."""


class Fixes:
    """Finds and applies fixes for change events."""

    def __init__(self, engine: Engine, metadata: MetadataCatalog) -> None:
        self._metadata = metadata
        self._engine = engine
        self._store = engine.store
        self._records = engine.records
        self._safeguards = engine.safeguards
        self._ledger = engine.queue

    def of(self, event_id: str) -> tuple[QueuedEvent, Fix] | None:
        """The event's root cause and its fix; None where the event is not unresolved."""
        entry = self._ledger.get(event_id)
        if entry is None:
            return None
        root = root_of(self._ledger, entry)
        return root, self._fix(root)

    def apply(self, event_id: str) -> list[str]:
        """Fix the root cause of an event; returns what changed, in words."""
        found = self.of(event_id)
        if found is None or found[1].apply is None:
            return []
        with self._engine.working, self._store.transaction():
            return found[1].apply()

    def _fix(self, root: QueuedEvent) -> Fix:
        key = root.cause
        rule = RULES_BY_KEY.get(key)
        if rule is not None:
            return self._repair_contacts(key, rule) if rule.repairs else self._switch(rule)
        kind, _colon, rest = key.partition(":")
        builders: dict[str, Callable[[], Fix]] = {
            "value": lambda: self._value(rest),
            "required": lambda: self._required(rest),
            "unique": lambda: self._unique(key, rest),
            "deleted": lambda: self._undelete(key, rest),
            "gone": lambda: self._bring_back(key, rest),
            "inactive owner": lambda: self._owner(key),
            "activated order": lambda: self._deactivate(key),
            "approval lock": lambda: self._unlock(key, "Recall the approval that locks the record"),
            "stuck job": lambda: self._unlock(key, f"Abort the stuck job {rest}"),
            "missing": lambda: self._bring_parent(rest),
            "lost change": lambda: self._forget(root.sc_id),
        }
        builder = builders.get(kind)
        return builder() if builder else Fix("Nothing to fix", "Another save held the row; just re-sync.")

    def _switch(self, rule: Rule) -> Fix:
        def apply() -> list[str]:
            if rule.setup in _COMPONENTS:
                kind = _COMPONENTS[rule.setup]
                name = rule.api_name if kind == "FlowDefinition" else f"{rule.object}.{rule.api_name}"
                self._metadata.switch(kind, name, on=False)
            else:
                self._safeguards.switch(rule.key, on=False)
            if rule.setup in _SWITCHED_OFF:
                field, value = _SWITCHED_OFF[rule.setup]
                for row in self._store.find(rule.setup, **{_API_NAMES[rule.setup]: rule.api_name}):
                    self._store.update(rule.setup, str(row["Id"]), {field: value})
            return [f"{rule.switch} {spoken} {rule.label}: done"]

        spoken = _SPOKEN.get(rule.setup, "")
        steps = tuple(step.format(label=rule.label, object=rule.object) for step in rule.steps)
        title = " ".join(f"{rule.switch} {spoken} {rule.label}".split())
        return Fix(title, rule.why, steps, apply)

    def _repair_contacts(self, key: str, rule: Rule) -> Fix:
        def apply() -> list[str]:
            cleared = {"EmailBouncedReason": None, "EmailBouncedDate": None, "IsEmailBounced": False}
            return [
                f"Contact {contact}: bounce cleared"
                for contact in self._about(key)
                if self._store.update("Contact", contact, cleared)
            ]

        return Fix(f"Clear the bounce of {len(self._about(key))} contact(s)", rule.why, rule.steps, apply)

    def _value(self, rest: str) -> Fix:
        place, _equals, value = rest.partition("=")
        object_name, _dot, field = place.partition(".")
        ending = next((end for end in ("StateCode", "CountryCode") if field.endswith(end)), "")

        def apply() -> list[str]:
            if not ending:
                self._metadata.add_value(object_name, field, value)
                return [f"{object_name}.{field} takes {value}"]
            done = []
            for each in list(self._safeguards.schema.values()):
                for known in each.fields:
                    # States and countries are one list for the whole org.
                    if ending and known.name.endswith(ending):
                        self._safeguards.change_field(
                            each.name,
                            known.name,
                            nillable=known.nillable,
                            restricted=known.restricted,
                            picklist=(*known.picklist, (value, value, True)),
                        )
                        self._touch_field(each.name, known.name)
                        done.append(f"{each.name}.{known.name} takes {value}")
            return done

        why = f"{object_name}.{field} does not know this value, and the website sends it."
        steps = ("Open the field's values in Setup", f"Add {value}", "Re-sync")
        return Fix(f"Add {value} to the values of {field}", why, steps, apply)

    def _required(self, rest: str) -> Fix:
        object_name, _dot, field = rest.partition(".")

        def apply() -> list[str]:
            component = self._metadata.read("CustomField", f"{object_name}.{field}")
            assert component is not None, "only custom fields are required of the sync"
            optional = {**component, "required": False}
            self._metadata.write("CustomField", f"{object_name}.{field}", optional, in_setup=True)
            return [f"{object_name}.{field} may be empty"]

        why = "The field is required, and the website does not fill it."
        steps = (f"Open Object Manager, {object_name}, {field}", "Remove Required", "Re-sync")
        return Fix(f"Make {field} optional", why, steps, apply)

    def _unique(self, key: str, rest: str) -> Fix:
        object_name, _dot, field = rest.partition(".")

        def apply() -> list[str]:
            done = []
            for record in self._about(key):
                value = self._records.value(object_name, record, field)
                if value is not None:
                    self._store.update(object_name, record, {field: f"{value}-old"})
                    done.append(f"{object_name} {record}: {field} is now {value}-old")
            return done

        why = f"A record in Salesforce already has this {field}, and it must be unique."
        steps = ("Open the record named in the message", f"Change its {field}", "Re-sync")
        return Fix(f"Change {field} on the existing record(s)", why, steps, apply)

    def _undelete(self, key: str, object_name: str) -> Fix:
        def apply() -> list[str]:
            return [self._undeleted(object_name, "Id", record) for record in self._about(key)]

        why = f"The change refers to a {object_name} that somebody deleted."
        steps = ("Open the Recycle Bin", f"Restore the {object_name}", "Re-sync")
        return Fix(f"Restore the deleted {object_name}", why, steps, apply)

    def _bring_back(self, key: str, object_name: str) -> Fix:
        def apply() -> list[str]:
            gone = self._ledger.with_cause(key)
            return [self._undeleted(object_name, SC_ID, entry.sc_id) for entry in gone]

        why = f"Somebody deleted the {object_name} that this change updates."
        return Fix(f"Restore the deleted {object_name}", why, ("Open the Recycle Bin", "Restore it"), apply)

    def _undeleted(self, object_name: str, field: str, value: str) -> str:
        self._store.sql(f'UPDATE "{object_name}" SET IsDeleted = 0 WHERE "{field}" = ?', (value,))
        return f"{object_name} {value}: restored"

    def _owner(self, key: str) -> Fix:
        def apply() -> list[str]:
            owners = self._about(key)
            accounts = [str(a["Id"]) for user in owners for a in self._store.find("Account", OwnerId=user)]
            return [
                f"Account {account}: has an active owner"
                for account in accounts
                if self._store.update("Account", account, {"OwnerId": DEMO_USER_ID})
            ]

        why = "The account's owner has left, and inactive owners are given nothing new."
        steps = ("Open the Account", "Change the owner to an active user", "Re-sync")
        return Fix("Give the account an active owner", why, steps, apply)

    def _deactivate(self, key: str) -> Fix:
        def apply() -> list[str]:
            return [
                f"Order {order}: back to Draft"
                for order in self._about(key)
                if self._store.update("Order", order, {"Status": "Draft"})
            ]

        why = "The order is activated: its products are locked. Only StoreConnect support may open it."
        steps = ("Contact StoreConnect support with the order's number", "Wait for their answer", "Re-sync")
        title = "As StoreConnect support would: take the order back to Draft"
        return Fix(title, why, steps, apply, support=True)

    def _unlock(self, key: str, title: str) -> Fix:
        def apply() -> list[str]:
            return [f"Account {record}: unlocked" for record in self._about(key) if self._unlocked(record)]

        steps = ("Find what locks the record", title, "Re-sync")
        return Fix(title, "The record is locked, and a retry alone does not free it.", steps, apply)

    def _unlocked(self, record_id: str) -> bool:
        for row in self._store.find("ProcessInstance", TargetObjectId=record_id, Status="Pending"):
            self._store.update("ProcessInstance", str(row["Id"]), {"Status": "Removed"})
        return self._safeguards.unlock(record_id)

    def _bring_parent(self, rest: str) -> Fix:
        object_name, _colon, sc_id = rest.partition(":")

        def apply() -> list[str]:
            if self._records.id_of(object_name, sc_id) is not None:
                return []
            gone = f'SELECT 1 FROM "{object_name}" WHERE "{SC_ID}" = ? AND IsDeleted = 1'
            if self._store.sql(gone, (sc_id,)):
                return [self._undeleted(object_name, SC_ID, sc_id)]
            values: dict[str, object] = {
                field.name: "Recovered" if field.type == "string" else None
                for field in self._safeguards.schema[object_name].fields
                if field.createable and not field.nillable and not field.defaulted
            }
            record = self._store.insert(object_name, {**values, SC_ID: sc_id})
            return [f"{object_name} {record}: created with StoreConnect ID {sc_id}"]

        why = f"The {object_name} it belongs to never reached Salesforce, and no failed change tells of it."
        steps = ("Contact StoreConnect support with the StoreConnect ID in the message", "Re-sync")
        title = f"As StoreConnect support would: send the missing {object_name} again"
        return Fix(title, why, steps, apply, support=True)

    def _forget(self, sc_id: str) -> Fix:
        def apply() -> list[str]:
            lost = self._ledger.lost(sc_id)
            for entry in lost:
                self._ledger.drop(entry.event_id)
            return [f"Earlier change {entry.event_id}: no longer waited for" for entry in lost]

        why = "An earlier change of this record failed, and its row was deleted; the sync still waits for it."
        steps = ("Contact StoreConnect support with the StoreConnect ID", "Re-sync")
        title = "As StoreConnect support would: release the record from its lost change"
        return Fix(title, why, steps, apply, support=True)

    def _about(self, key: str) -> list[str]:
        """The records that events with this cause failed over, each once."""
        return list(dict.fromkeys(entry.record_id for entry in self._ledger.with_cause(key)))

    def _touch_field(self, object_name: str, field: str) -> None:
        """Say in the set-up that the field was changed just now."""
        entities = self._store.find("EntityDefinition", QualifiedApiName=object_name)
        for entity in entities:
            rows = self._store.find(
                "FieldDefinition",
                QualifiedApiName=field,
                EntityDefinitionId=entity["Id"],
            )
            for row in rows:
                self._store.update("FieldDefinition", str(row["Id"]), {})


_SPOKEN: Mapping[str, str] = {
    "DuplicateRule": "the duplicate rule",
    "ValidationRule": "the validation rule",
    "FlowDefinitionView": "the Flow",
    "ApexTrigger": "the Apex trigger",
    "ApexClass": "the Apex class",
}
