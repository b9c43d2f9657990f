"""Record ids, checked before they enter an address or a query.

15 base-62 characters name a record; 3 more encode which letters are upper case. An id that came out of a
message or a clipboard may be anything: simple-salesforce joins it into the URL, and an id that is an
address of its own would carry the access token there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from syncerr_tui.diagnosis.ids import check_characters
from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line

_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?\Z", re.ASCII)


def to_18(value: object) -> str | None:
    """The 18-character form of a record id, or None where this is not one (wrong shape or checksum)."""
    if not isinstance(value, str) or not _SHAPE.match(value):
        return None
    whole = value[:15] + check_characters(value[:15])
    return whole if len(value) == 15 or value == whole else None


def checked(ids: Iterable[str]) -> list[str]:
    """The same ids in their 18-character form.

    Raises:
        BadInputError: One of them is no Salesforce id. Nothing may be asked or sent with it.
    """
    good = []
    for value in ids:
        whole = to_18(value)
        if whole is None:
            raise BadInputError(
                f"'{one_line(str(value))[:40]}' is not a Salesforce id",
                "An id has 15 or 18 letters and digits, and its last three must fit the others",
            )
        good.append(whole)
    return good
