"""What an org's answers have to look like. Anything else is no answer to rely on, and is refused here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from syncerr_tui.errors import OutcomeUnknownError, UnreachableError
from syncerr_tui.salesforce.soql import is_name, to_18

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

Row = dict[str, Any]
"""A JSON object as the org sent it: nothing in it is harmless yet."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a query's answer."""

    records: list[Row]
    total: int
    """Rows of the whole answer, as the org counted them when the query began."""


class NotJsonError(ValueError):
    """Text where JSON was asked for."""


def rest(sf: Salesforce, path: str, **settings: Any) -> Any:  # noqa: ANN401 - any JSON
    """`restful`, which measures its answer and stumbles over a number, true or null."""
    try:
        return sf.restful(path, **settings)
    except TypeError:
        raise NotJsonError from None


class WrongShapeError(UnreachableError):
    """An answer that no Salesforce gives."""


def wrong_shape() -> WrongShapeError:
    """What to raise for an answer of the wrong shape."""
    return WrongShapeError(
        "The org answered in a form that is not Salesforce's",
        "Check the org's address with 'syncerr-tui doctor'",
    )


def rows_do_not_match() -> OutcomeUnknownError:
    """What to raise where an answer cannot be matched to rows."""
    return OutcomeUnknownError("The org's answer does not fit the rows that were sent")


def as_object(value: object) -> Row:
    if not isinstance(value, dict):
        raise wrong_shape()
    return value


def as_describe(value: object) -> Row:
    """A describe whose fields are what everybody takes them for; what is none of it is left out.

    Fields have a name, a type and a label (texts), a length, picklist values and the objects they refer to.
    """
    described = as_object(value)
    fields = described.get("fields")
    if not isinstance(fields, list):
        raise wrong_shape()
    return {**described, "fields": [_as_field(one) for one in fields if _is_field(one)]}


def _is_field(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and is_name(value["name"])


def _as_field(field: Row) -> Row:
    kind, label, length = field.get("type"), field.get("label"), field.get("length")
    values, targets = field.get("picklistValues"), field.get("referenceTo")
    return {
        **field,
        "type": kind if isinstance(kind, str) else "",
        "label": label if isinstance(label, str) else field["name"],
        "length": length if isinstance(length, int) else 0,
        "picklistValues": [one for one in values if isinstance(one, dict)]
        if isinstance(values, list)
        else [],
        "referenceTo": [one for one in targets if isinstance(one, str)] if isinstance(targets, list) else [],
    }


def a_page(answer: Row) -> tuple[Page, str | None]:
    """One page of a query, and where the next one is; None after the last."""
    records, total = answer.get("records"), answer.get("totalSize")
    if not isinstance(records, list) or not isinstance(total, int):
        raise wrong_shape()
    if not all(isinstance(row, dict) for row in records):
        raise wrong_shape()
    if answer.get("done") is True:
        return Page(records, total), None
    following = answer.get("nextRecordsUrl")
    if not isinstance(following, str):
        raise wrong_shape()
    return Page(records, total), following


def action_results(sf: Salesforce, path: str, body: Row) -> list[Row]:
    """Call an action; HTTP 400 with a list of results is a partial success, not a failure."""
    from simple_salesforce.exceptions import SalesforceMalformedRequest

    try:
        answer = rest(sf, path, method="POST", json=body)
    except SalesforceMalformedRequest as error:
        content: object = error.content
        if objects(content) and "isSuccess" in content[0]:
            return results(content, len(body["inputs"]))
        raise
    return results(answer, len(body["inputs"]))


def objects(value: object) -> TypeGuard[list[Row]]:
    """Whether this is a list of JSON objects, and not an empty one."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def results(answer: object, expected: int) -> list[Row]:
    """One result for each row sent. Any other count cannot be matched to rows: the outcome is unknown."""
    if not objects(answer) or len(answer) != expected:
        raise rows_do_not_match()
    return answer


def by_id(ids: Sequence[str], rows: object) -> dict[str, Row | None]:
    """Records matched to ids by identity. One that nobody asked for is no answer to rely on."""
    by_key: dict[str, Row | None] = dict.fromkeys(ids)
    if not isinstance(rows, list) or len(rows) > len(ids):
        raise wrong_shape()
    for row in rows:
        if row is None:
            continue
        key = to_18(row.get("Id")) if isinstance(row, dict) else None
        if key not in by_key:
            raise wrong_shape()
        by_key[key] = row
    return by_key


def version_list(sf: Salesforce) -> tuple[list[Row], datetime | None]:
    """The one call that needs no login and counts against nothing; also where the org's clock is read."""
    from simple_salesforce.util import exception_handler

    from syncerr_tui.salesforce.transport import server_date

    fresh = {"Cache-Control": "no-cache", "Pragma": "no-cache"}
    response = sf.session.request("GET", f"https://{sf.sf_instance}/services/data/", headers=fresh)
    if response.status_code >= 300:
        exception_handler(response, name="versions")
    moment = server_date(response.headers)
    rows = response.json()
    if not objects(rows):
        raise wrong_shape()
    return rows, moment.astimezone(UTC) if moment else None
