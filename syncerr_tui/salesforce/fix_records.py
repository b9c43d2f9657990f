"""Fixes that correct a record: bounce marks, owners, values that a person types.

Sources: object reference of Contact and Lead (bounce fields), Account (owner), DUPLICATE_VALUE's text.
"""

from __future__ import annotations

from collections.abc import Iterable

from syncerr_tui.errors import SyncErrError
from syncerr_tui.fixes.model import FixCandidate, FixKind, FixTarget
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_lookup import FixCase, changed, locked_fields, text, untold, whole_of
from syncerr_tui.salesforce.fix_writes import refuse_field, refuse_object
from syncerr_tui.salesforce.ids import to_18

_OWNER = frozenset({"CANNOT_REPARENT_RECORD", "INACTIVE_OWNER_OR_USER"})
_OWN_DATA = frozenset(
    {"FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING"}
)
_PARENTS = frozenset({"Account", "Contact", "Order"})
_MOST_CONTACTS = 10
_BOUNCE = ("EmailBouncedReason", "EmailBouncedDate")


class RecordFixes:
    """Looks up records that could be corrected.

    Args:
        client: The org.
    """

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    async def bounced(self, case: FixCase) -> list[FixCandidate]:
        """Contacts and leads whose address is marked as bounced."""
        if not case.has("EMAIL_ADDRESS_BOUNCED"):
            return []
        ids = [
            key for text in (*case.failure.record_ids, case.error.salesforce_id or "") if (key := to_18(text))
        ]
        found: list[FixCandidate] = []
        for name, prefix in (("Contact", "003"), ("Lead", "00Q")):
            mine = [key for key in ids if key.startswith(prefix)]
            marked = "EmailBouncedDate != null"
            where = f"{soql.one_of('Id', mine)} AND {marked}" if mine else marked
            if ids and not mine:
                continue
            with untold():
                described = await self._client.describe(name)
                rows = await self._client.query_all(
                    "SELECT Id, Name, Email, EmailBouncedReason, EmailBouncedDate, LastModifiedDate, "  # noqa: S608 - quoted
                    f"LastModifiedBy.Name FROM {name} WHERE {where} ORDER BY EmailBouncedDate DESC "
                    f"LIMIT {_MOST_CONTACTS}"
                )
                found += [_bounce(name, row, described, certain=bool(mine)) for row in rows]
        return found

    async def owners(self, case: FixCase) -> list[FixCandidate]:
        """The record, and those it hangs on, where the owner is inactive for certain."""
        if case.code not in _OWNER and not ("owner" in case.failure.text and "inactive" in case.failure.text):
            return []
        found = []
        for object_name, record in await self._records_of(case):
            rows = await self._client.query_all(
                f"SELECT Id, Name, OwnerId, Owner.Name, Owner.IsActive FROM {soql.name(object_name)} "  # noqa: S608 - checked
                f"WHERE Id = {soql.quote(record)}"
            )
            owner = rows[0].get("Owner") if rows else None
            if not isinstance(owner, dict) or owner.get("IsActive") is not False:
                continue
            row = rows[0]
            before = {"OwnerId": row.get("OwnerId")}
            note = await self._team_note(object_name, record)
            found.append(
                FixCandidate(
                    FixKind.CHANGE_OWNER,
                    FixTarget(object_name, record, text(row, "Name") or record),
                    f"Give {object_name} {text(row, 'Name')} another owner than {text(owner, 'Name')}, "
                    "who is inactive",
                    before,
                    {"OwnerId": None},
                    wants=("OwnerId",),
                    whole=whole_of(before),
                    needs=("PermissionsTransferAnyEntity|PermissionsModifyAllData",),
                    affects=f"Who sees and works on this record.{note} An inactive user cannot be made "
                    "its owner again.",
                    blocked=await self._not_updateable(object_name, ("OwnerId",)),
                )
            )
        return found

    async def _records_of(self, case: FixCase) -> list[tuple[str, str]]:
        """The record that failed and those it hangs on: (object, id)."""
        record = to_18(case.error.salesforce_id or "")
        object_name = str(case.error.object)
        found = [(object_name, record)] if record and soql.is_name(object_name) else []
        for key in filter(None, map(to_18, case.failure.record_ids)):
            with untold():
                if name := await self._object_of(key):
                    found.append((name, key))
        for name, key in list(found):
            described = await self._client.describe(name)
            links = {
                field["name"]: field["referenceTo"][0]
                for field in described["fields"]
                if len(field["referenceTo"]) == 1
                and field["referenceTo"][0] in {"Account", "Contact", "Order"}
            }
            if links:
                rows = await self._client.query_all(
                    f"SELECT {', '.join(links)} FROM {soql.name(name)} WHERE Id = {soql.quote(key)}"  # noqa: S608 - names of describe
                )
                for field, parent in links.items():
                    if rows and (parent_id := to_18(rows[0].get(field))):
                        found.append((parent, parent_id))
        return list(dict.fromkeys(found))

    async def _team_note(self, object_name: str, record: str) -> str:
        if object_name != "Account":
            return ""
        with untold():
            rows = await self._client.query_all(
                f"SELECT Id FROM AccountTeamMember WHERE AccountId = {soql.quote(record)}"  # noqa: S608 - quoted
            )
            if rows:
                return f" The account's team of {len(rows)} is dropped."
        return ""

    async def _object_of(self, record: str) -> str | None:
        for one in await self._client.describe_global():
            if one.get("keyPrefix") == record[:3]:
                return str(one["name"])
        return None

    async def held_values(self, case: FixCase) -> list[FixCandidate]:
        """The record that holds the value which has to be unique."""
        if case.code != "DUPLICATE_VALUE" or not case.failure.fields:
            return []
        field = case.failure.fields[0]
        for record in filter(None, map(to_18, case.failure.record_ids)):
            object_name = await self._object_of(record)
            if object_name and soql.is_name(field):
                return await self._value(object_name, record, field, "holds the value that has to be unique")
        return []

    async def own_values(self, case: FixCase) -> list[FixCandidate]:
        """Fields that the message names, on the record that failed."""
        record, object_name = to_18(case.error.salesforce_id or ""), str(case.error.object)
        if case.code not in _OWN_DATA or record is None or case.object not in {None, object_name}:
            return []
        found: list[FixCandidate] = []
        for field in case.failure.fields[:5]:
            if soql.is_name(field):
                found += await self._value(object_name, record, field, "is the record that was refused")
        return found

    async def _value(self, object_name: str, record: str, field: str, why: str) -> list[FixCandidate]:
        rows = await self._client.query_all(
            f"SELECT Id, Name, {soql.name(field)}, LastModifiedDate, LastModifiedBy.Name "  # noqa: S608 - checked
            f"FROM {soql.name(object_name)} WHERE Id = {soql.quote(record)}"
        )
        if not rows:
            return []
        row, before = rows[0], {field: rows[0].get(field)}
        guided = ""
        try:
            refuse_field(field)
            refuse_object(object_name)
        except SyncErrError as error:
            guided = error.title
        return [
            FixCandidate(
                FixKind.CORRECT_VALUE,
                FixTarget(object_name, record, text(row, "Name") or record),
                f"Correct {field} of {object_name} {text(row, 'Name')}",
                before,
                {field: None},
                wants=(field,),
                whole=whole_of(before),
                guided=guided,
                affects=f"Only this record, which {why}.",
                blocked=await self._not_updateable(object_name, (field,)),
                **changed(row),
            )
        ]

    async def _not_updateable(self, object_name: str, fields: Iterable[str]) -> str:
        described = await self._client.describe(object_name)
        return locked_fields(described, object_name, fields)


def _bounce(name: str, row: Row, described: Row, *, certain: bool) -> FixCandidate:
    before = {field: row.get(field) for field in _BOUNCE}
    unsure = "" if certain else " The message does not say which record it is: this one carries the mark."
    return FixCandidate(
        FixKind.CLEAR_BOUNCE,
        FixTarget(name, to_18(row.get("Id")) or "", text(row, "Name") or text(row, "Email")),
        f"Clear the bounce mark of {name} {text(row, 'Name')} ({text(row, 'Email')})",
        before,
        dict.fromkeys(_BOUNCE),
        whole=whole_of(before),
        affects=f"Only this {name}: mail is sent to it again. A dead address will bounce again.{unsure}",
        blocked=locked_fields(described, name, _BOUNCE),
        **changed(row),
    )
