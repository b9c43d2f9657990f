"""Fixes that correct a record: bounce marks, owners, values that a person types.

Sources: object reference of Contact, Lead and person accounts (bounce fields), Account (owner),
DUPLICATE_VALUE's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from syncerr_tui.errors import SyncErrError
from syncerr_tui.fixes.org import FixCandidate, FixKind, FixTarget
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import ApiClient, Row
from syncerr_tui.salesforce.fix_lookup import FixCase, ignore_refusals, locked_fields
from syncerr_tui.salesforce.fix_targets import target_json
from syncerr_tui.salesforce.fix_writes import refuse_field, refuse_object
from syncerr_tui.salesforce.reading import changed, text
from syncerr_tui.salesforce.soql import to_18

_OWNER = frozenset({"CANNOT_REPARENT_RECORD", "INACTIVE_OWNER_OR_USER"})
_OWN_DATA = frozenset(
    {"FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_EMAIL_ADDRESS", "REQUIRED_FIELD_MISSING"}
)
_PARENTS = frozenset({"Account", "Contact", "Order"})
_MOST = 25
"""Records that may be meant, where the message does not say which: each error may mean another."""
_PERSON_NAME = frozenset({"FirstName", "LastName", "MiddleName", "Salutation", "Suffix"})
"""Fields that a person account has by the name that its contact has them by."""
_UNSURE = "The message does not say which record it is: this is one that it may be."


@dataclass(frozen=True, slots=True)
class BounceMark:
    """Where an object keeps that mail to its address has come back."""

    object: str
    prefix: str
    email: str
    fields: tuple[str, str]
    """The reason, and the time."""


_PERSON = BounceMark("Account", "001", "PersonEmail", ("PersonEmailBouncedReason", "PersonEmailBouncedDate"))
_BOUNCE_MARKS = (
    BounceMark("Contact", "003", "Email", ("EmailBouncedReason", "EmailBouncedDate")),
    BounceMark("Lead", "00Q", "Email", ("EmailBouncedReason", "EmailBouncedDate")),
    _PERSON,
)


class RecordFixes:
    """Looks up records that could be corrected.

    Args:
        client: The org.
        record_key: The field of a record that holds its StoreConnect ID.
        named: A record that a person asks for, even where nothing blocks there any more.
    """

    def __init__(self, client: ApiClient, record_key: str, named: str = "") -> None:
        self._client = client
        self._named = named
        self._record_key = record_key
        self._marked_last: dict[str, list[FixCandidate]] = {}
        """Object -> its records marked last: the same for every error that names none."""

    async def bounced(self, case: FixCase) -> list[FixCandidate]:
        """Contacts, leads and person accounts whose address is marked as bounced."""
        if not case.has("EMAIL_ADDRESS_BOUNCED"):
            return []
        ids = [key for _, key in await self._records_of(case)]
        sure = any(key[:3] in {"003", "00Q"} for key in ids)
        candidates: list[FixCandidate] = []
        for mark in _BOUNCE_MARKS:
            mine = [key for key in ids if key.startswith(mark.prefix)]
            if mine:
                with ignore_refusals():
                    candidates += await self._marked(mark, mine)
            elif not sure:
                if mark.object not in self._marked_last:
                    self._marked_last[mark.object] = []
                    with ignore_refusals():
                        self._marked_last[mark.object] = await self._marked(mark, [])
                candidates += self._marked_last[mark.object]
            if self._named.startswith(mark.prefix) and self._named not in {
                one.target.id for one in candidates
            }:
                with ignore_refusals():
                    candidates += await self._marked(mark, [self._named], settled=True)
        return candidates

    async def _marked(
        self, mark: BounceMark, ids: Sequence[str], *, settled: bool = False
    ) -> list[FixCandidate]:
        """Records with this mark: these, or those marked last. Settled: one that has it no more."""
        described = await self._client.describe(mark.object)
        names = {field["name"] for field in described["fields"]}
        if not names.issuperset(mark.fields):
            return []
        more = {"IsPersonAccount", "AccountId"} & names if mark.object == "Contact" else set()
        columns = ", ".join(("Id, Name", mark.email, *mark.fields, *sorted(more)))
        within = f"{soql.one_of('Id', ids)} AND " if ids else ""
        rows = await self._client.query_all(
            f"SELECT {columns}, LastModifiedDate, LastModifiedBy.Name FROM {mark.object} WHERE {within}"  # noqa: S608 - quoted
            f"{mark.fields[1]} {'=' if settled else '!='} null ORDER BY {mark.fields[1]} DESC LIMIT {_MOST}"
        )
        candidates = [_bounce(mark, row, described, certain=bool(ids)) for row in rows if not _of_person(row)]
        people = [key for row in rows if _of_person(row) and (key := to_18(row.get("AccountId")))]
        if people:  # the mark of a person's contact is changed on the person account alone
            candidates += await self._marked(_PERSON, people if ids else [], settled=settled)
        return candidates

    async def owners(self, case: FixCase) -> list[FixCandidate]:
        """The record, and those it hangs on, where the owner is inactive for certain."""
        if case.code not in _OWNER and not ("owner" in case.failure.text and "inactive" in case.failure.text):
            return []
        candidates = []
        for object_name, record in await self._records_of(case):
            with ignore_refusals():
                rows = await self._owned(object_name, f"Id = {soql.quote(record)}")
                candidates += [
                    await self._owner(object_name, row, certain=True) for row in rows if _left(row)
                ]
        if not candidates:
            # The record was to hang on another one than it does now, and the message does not say on which.
            key = soql.path(self._record_key)
            where = f"Owner.IsActive = false AND {key} != null LIMIT {_MOST}"
            rows = await self._owned("Account", where)
            candidates = [await self._owner("Account", row, certain=False) for row in rows if _left(row)]
        if self._named and self._named not in {one.target.id for one in candidates}:
            object_name = await self._object_of(self._named) or ""
            rows = await self._owned(object_name, f"Id = {soql.quote(self._named)}")
            settled = [await self._owner(object_name, row, certain=True) for row in rows if not _left(row)]
            candidates += [replace(one, settled="Its owner is active by now") for one in settled]
        return candidates

    async def _owned(self, object_name: str, where: str) -> list[Row]:
        """Records with their owners. A person's contact has its account's, and is left out."""
        columns = ["OwnerId", "Owner.Name", "Owner.IsActive"]
        if object_name != "Contact" or not await self._has_persons():
            return await self._named_rows(object_name, columns, where)
        rows = await self._named_rows(object_name, [*columns, "IsPersonAccount"], where)
        return [row for row in rows if not _of_person(row)]

    async def _has_persons(self) -> bool:
        return "IsPersonAccount" in await self._field_names("Contact")

    async def _field_names(self, object_name: str) -> set[str]:
        return {field["name"] for field in (await self._client.describe(object_name))["fields"]}

    async def _on_person(self, contact: str, field: str) -> tuple[str, str] | None:
        """The person account and its field, where a person's contact is meant: it is changed there alone.

        The field is empty where the account has none for certain: its own of the same name is another one.
        """
        if not await self._has_persons():
            return None
        rows = await self._client.query_all(
            f"SELECT AccountId, IsPersonAccount FROM Contact WHERE Id = {soql.quote(contact)}"  # noqa: S608 - quoted
        )
        account = next((to_18(row.get("AccountId")) for row in rows if _of_person(row)), None)
        if account is None:
            return None
        shared = field in _PERSON_NAME
        name = f"{field.removesuffix('__c')}__pc" if field.endswith("__c") else f"Person{field}"
        name = field if shared else name
        return account, name if name in await self._field_names("Account") else ""

    async def _named_rows(self, object_name: str, columns: Iterable[str], where: str) -> list[Row]:
        """Rows, with what names each as its `Name`: order products and cases have no field of that name."""
        fields = (await self._client.describe(object_name))["fields"]
        naming = [one["name"] for one in fields if one["name"] == "Name" or one.get("nameField") is True]
        name = "Name" if "Name" in naming else next(iter(naming), "Id")
        selected = ", ".join(dict.fromkeys(("Id", name, *columns)))
        rows = await self._client.query_all(f"SELECT {selected} FROM {soql.name(object_name)} WHERE {where}")  # noqa: S608 - checked
        return [{**row, "Name": row.get(name)} for row in rows]

    async def _owner(self, object_name: str, row: Row, *, certain: bool) -> FixCandidate:
        owner, record = row.get("Owner") or {}, to_18(row.get("Id")) or ""
        before = {"OwnerId": row.get("OwnerId")}
        note = await self._team_note(object_name, record)
        unsure = "" if certain else f" {_UNSURE}"
        return FixCandidate(
            FixKind.CHANGE_OWNER,
            FixTarget(object_name, record, text(row, "Name") or record),
            {"OwnerId": None},
            before,
            title=f"Give {object_name} {text(row, 'Name')} an active owner in place of {text(owner, 'Name')}",
            wants=("OwnerId",),
            whole=target_json(before),
            needs=("PermissionsTransferAnyEntity|PermissionsModifyAllData",),
            affects=f"Who sees and works on this record.{note} An inactive user cannot be made its owner "
            f"again.{unsure}",
            blocked=await self._not_updateable(object_name, ("OwnerId",)),
        )

    async def _records_of(self, case: FixCase) -> list[tuple[str, str]]:
        """The record that failed and those it hangs on: (object, id)."""
        record = to_18(case.error.salesforce_id or "")
        object_name = str(case.error.object)
        records = [(object_name, record)] if record and soql.is_name(object_name) else []
        for key in filter(None, map(to_18, case.failure.record_ids)):
            with ignore_refusals():
                if name := await self._object_of(key):
                    records.append((name, key))
        for name, key in list(records):
            described = await self._client.describe(name)
            links = {
                field["name"]: field["referenceTo"][0]
                for field in described["fields"]
                if len(field["referenceTo"]) == 1 and field["referenceTo"][0] in _PARENTS
            }
            if links:
                rows = await self._client.query_all(
                    f"SELECT {', '.join(links)} FROM {soql.name(name)} WHERE Id = {soql.quote(key)}"  # noqa: S608 - names of describe
                )
                for field, parent in links.items():
                    if rows and (parent_id := to_18(rows[0].get(field))):
                        records.append((parent, parent_id))
        return list(dict.fromkeys(records))

    async def _team_note(self, object_name: str, record: str) -> str:
        if object_name != "Account":
            return ""
        with ignore_refusals():
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
        candidates: list[FixCandidate] = []
        for field in filter(soql.is_name, case.failure.fields[:5]):
            with ignore_refusals():
                candidates += await self._value(object_name, record, field, "is the record that was refused")
        return candidates

    async def _value(self, object_name: str, record: str, field: str, why: str) -> list[FixCandidate]:
        guided = ""
        if object_name == "Contact" and (person := await self._on_person(record, field)) is not None:
            if person[1]:
                object_name, record, field = "Account", *person
            else:
                guided = "It is a person's contact: correct it on the person account"
        columns = (soql.name(field), "LastModifiedDate", "LastModifiedBy.Name")
        rows = await self._named_rows(object_name, columns, f"Id = {soql.quote(record)}")
        if not rows:
            return []
        row, before = rows[0], {field: rows[0].get(field)}
        try:
            refuse_field(field)
            refuse_object(object_name)
        except SyncErrError as error:
            guided = error.title
        return [
            FixCandidate(
                FixKind.CORRECT_VALUE,
                FixTarget(object_name, record, text(row, "Name") or record),
                {field: None},
                before,
                title=f"Correct {field} of {object_name} {text(row, 'Name')}",
                wants=(field,),
                whole=target_json(before),
                guided=guided,
                affects=f"Only this record, which {why}.",
                blocked=await self._not_updateable(object_name, (field,)),
                changed=changed(row),
            )
        ]

    async def _not_updateable(self, object_name: str, fields: Iterable[str]) -> str:
        described = await self._client.describe(object_name)
        return locked_fields(described, object_name, fields)


def _left(row: Row) -> bool:
    """Whether the owner is inactive for certain. A queue is never, whatever its row says."""
    owner = row.get("Owner")
    is_user = text(row, "OwnerId").startswith("005")
    return is_user and isinstance(owner, dict) and owner.get("IsActive") is False


def _of_person(row: Row) -> bool:
    return row.get("IsPersonAccount") is True


def _bounce(mark: BounceMark, row: Row, described: Row, *, certain: bool) -> FixCandidate:
    before = {field: row.get(field) for field in mark.fields}
    unsure = "" if certain else f" {_UNSURE}"
    address = text(row, mark.email)
    affects = f"Only this {mark.object}: mail is sent to it again. A dead address will bounce again.{unsure}"
    return FixCandidate(
        FixKind.CLEAR_BOUNCE,
        FixTarget(mark.object, to_18(row.get("Id")) or "", text(row, "Name") or address),
        dict.fromkeys(mark.fields),
        before,
        title=f"Clear the bounce mark of {mark.object} {text(row, 'Name')} ({address})",
        whole=target_json(before),
        affects=affects,
        blocked=locked_fields(described, mark.object, mark.fields),
        changed=changed(row),
    )
