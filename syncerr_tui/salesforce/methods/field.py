"""`field`: writes a value into a field of the change event.

StoreConnect's published advice is never to write change events. It works in no org until an explicit line in
the profile accepts that, and the warning is shown every time.
"""

from __future__ import annotations

from collections.abc import Sequence

from syncerr_tui.errors import RefusedError
from syncerr_tui.model import SyncError
from syncerr_tui.resync.org import MethodInfo, Receipt, RequestPreview
from syncerr_tui.salesforce.client import COLLECTION_WRITE_LIMIT, ApiClient, Row, update_body
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.methods import Check, CheckState, Preconditions, match, receipt
from syncerr_tui.salesforce.profiles import FieldMapping, FieldMethod
from syncerr_tui.text import one_line

VENDOR_WARNING = "StoreConnect says that change events are for reading only and must never be written"


class FieldResync:
    """Updates one field of up to 200 change events in a request, each on its own (`allOrNone: false`)."""

    def __init__(
        self,
        client: ApiClient,
        method: FieldMethod,
        mapping: FieldMapping,
        *,
        batch_size: int,
        concurrency: int,
    ) -> None:
        self._client = client
        self._method = method
        self._mapping = mapping
        self._preconditions = Preconditions(self)
        self.info = MethodInfo(
            name="field",
            label=f"Writes {method.field} = {method.value}; {VENDOR_WARNING}",
            batch_size=min(batch_size, COLLECTION_WRITE_LIMIT),
            concurrency=concurrency,
        )

    async def check(self) -> list[Check]:
        """The warning is accepted, the field may be written, the value is one of its values."""
        accepted = self._method.accept_vendor_warning
        warning = Check(
            "Vendor's warning",
            CheckState.WARNING if accepted else CheckState.FAILED,
            VENDOR_WARNING,
            "Accepted in the profile"
            if accepted
            else "To use it all the same, add accept_vendor_warning = true to the method in the profile",
        )
        try:
            described = await self._client.describe(self._mapping.object_name)
        except WayBlockedError:
            raise
        except RefusedError as error:
            return [warning, Check("Object", CheckState.FAILED, error.title, error.hint)]
        return [warning, self._field(described)]

    def _field(self, described: Row) -> Check:
        wanted, value = self._method.field, self._method.value
        fields = described.get("fields")
        found = (
            next((one for one in fields if isinstance(one, dict) and one.get("name") == wanted), None)
            if isinstance(fields, list)
            else None
        )
        if found is None:
            return Check(
                "Field",
                CheckState.FAILED,
                f"{self._mapping.object_name} has no field {wanted}, or this user does not see it",
                "Check the field's API name in the profile, and field-level security",
            )
        if not found.get("updateable"):
            return Check(
                "Field", CheckState.FAILED, f"{wanted} may not be written by this user",
                "Ask the admin, or use another method",
            )  # fmt: skip
        choices = [
            str(one.get("value"))
            for one in found.get("picklistValues") or ()
            if isinstance(one, dict) and one.get("active")
        ]
        if choices and value not in choices:
            return Check(
                "Field",
                CheckState.FAILED,
                f"{wanted} has no value {value}; it has: {one_line(', '.join(choices))[:200]}",
                "Check the value in the profile; upper and lower case count",
            )
        return Check("Field", CheckState.OK, f"{wanted} may be set to {value}")

    async def preview(self, errors: Sequence[SyncError]) -> RequestPreview:
        await self._preconditions.hold()
        body = update_body(self._mapping.object_name, self._records(errors))
        return RequestPreview("PATCH", f"{self._client.data_path}/composite/sobjects", body)

    async def request(self, errors: Sequence[SyncError]) -> list[Receipt]:
        """Update these rows in one request."""
        await self._preconditions.hold()
        results = await self._client.collections_update(self._mapping.object_name, self._records(errors))
        return [receipt(error, result) for error, result in zip(errors, match(errors, results), strict=True)]

    def _records(self, errors: Sequence[SyncError]) -> list[Row]:
        return [{"id": error.id, self._method.field: self._method.value} for error in errors]
