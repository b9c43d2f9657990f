"""Fixes that are chosen on a snapshot and carried to the org in a file. Nothing is changed here.

A list is made from what the org said when the snapshot was taken. In the org each of its fixes is looked up
afresh; only one that is still the same is made, and of every other it is told why not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from syncerr_tui.errors import DAMAGED, BadInputError, RefusedError
from syncerr_tui.files import read_json, reading, replace_file, writing
from syncerr_tui.fixes.model import FixOption, FixResult, FixState
from syncerr_tui.fixes.org import KnownFixes, SnapshotFacts
from syncerr_tui.model import OrgIdentity, SyncError
from syncerr_tui.text import one_line

_FORMAT = "syncerr-tui fixes 1"
_LARGEST = 50_000_000
"""Bytes; a fix with its errors has some 10,000."""
_ERRORS = 10
"""Errors of one cause that a fix is looked up by again."""


@dataclass(frozen=True, slots=True)
class ListedFix:
    """One fix that was chosen."""

    option: FixOption
    """As it was shown."""
    errors: tuple[SyncError, ...]
    """What it is for; the first is the one on record."""
    typed: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    def left(self, now: Mapping[str, SyncError]) -> tuple[list[SyncError], str]:
        """Those of its errors that are still as they were; why not, where none is.

        Args:
            now: The org's unresolved errors.
        """
        here = [now[error.id] for error in self.errors if error.id in now]
        same = [error for error in self.errors if error.id in now and now[error.id].says_the_same_as(error)]
        if same:
            return same, ""
        return [], "its error says something else now" if here else "its error is no longer unresolved"

    def compared(self, options: Iterable[FixOption]) -> tuple[FixOption | None, str]:
        """The same fix as the org offers it now; why it is left out, where it is not the same.

        Args:
            options: What the org offers now for its errors.
        """
        now = next((option for option in options if option.key == self.option.key), None)
        if now is None:
            return None, "nothing blocks there any more"
        if now.settled:
            return None, now.settled
        if not now.allowed:
            return None, now.why_not or now.why_guided
        as_kept = FixOption.of_payload(now.payload())
        if as_kept.as_shown != self.option.as_shown or as_kept.wants != self.option.wants:
            return None, "it would be another change by now"
        if now.seen != self.option.seen:
            return None, f"{now.target.name} was changed since the snapshot"
        return now, ""

    def payload(self) -> dict[str, Any]:
        return {
            "fix": self.option.payload(),
            "errors": [error.stored() for error in self.errors],
            "typed": dict(self.typed),
            "reason": self.reason,
        }

    @classmethod
    def of_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Raises: Of `errors.DAMAGED`: It is none."""
        errors = tuple(map(SyncError.of_payload, payload["errors"]))
        typed: dict[str, str] = {one_line(name): one_line(value) for name, value in payload["typed"].items()}
        if not errors:
            raise ValueError
        return cls(FixOption.of_payload(payload["fix"]), errors, typed, one_line(payload["reason"]))


@dataclass(frozen=True, slots=True)
class FixList:
    """The fixes that were chosen on one snapshot, in the order in which they are to be made."""

    org_id: str
    org_name: str
    taken_at: datetime
    fixes: tuple[ListedFix, ...] = ()

    def with_fix(self, fix: ListedFix) -> FixList:
        """With one more; one that was chosen before is as it is chosen now."""
        others = tuple(one for one in self.fixes if one.option.key != fix.option.key)
        return replace(self, fixes=(*others, fix))

    def check_org(self, org: OrgIdentity) -> None:
        """Raises: RefusedError: It was made for another org."""
        if self.org_id != org.org_id:
            raise RefusedError(
                f"It is a list for {self.org_name} ({self.org_id}); this org is {org.name} ({org.org_id})",
                "Choose the org with --org",
            )

    def payload(self) -> dict[str, Any]:
        return {
            "org_id": self.org_id,
            "org_name": self.org_name,
            "taken_at": self.taken_at.isoformat(),
            "fixes": [fix.payload() for fix in self.fixes],
        }

    def write(self, path: Path) -> None:
        """Write it in place of the one that is there.

        Raises:
            MachineError: It cannot be written; the one that is there stays.
        """
        content = self.payload()
        text = json.dumps({"format": _FORMAT, "hash": _digest(content), "list": content}, indent=1)
        with writing(path, "Make room"):
            replace_file(path, text)


def read_fix_list(path: Path) -> FixList | None:
    """The list in a file; None where the file is something else.

    Raises:
        BadInputError: The file cannot be read, or its list is damaged.
        RefusedError: It was changed after it was made.
    """
    try:
        with reading(str(path), "Check the name"):
            return fix_list_of(read_json(path, _LARGEST), path)
    except ValueError:
        return None


def fix_list_of(document: Any, path: Path) -> FixList | None:  # noqa: ANN401 - whatever JSON can hold
    """The list in what a file holds; None where that is something else.

    Raises:
        BadInputError: The list is damaged, or larger than any of ours.
        RefusedError: It was changed after it was made.
    """
    shown = one_line(str(path))
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        return None
    if path.stat().st_size > _LARGEST:
        raise BadInputError(f"{shown} cannot be read: it has more than {_LARGEST:,} bytes", "Check the name")
    try:
        content, stated = document["list"], document["hash"]
        fixes = FixList(
            one_line(content["org_id"]),
            one_line(content["org_name"]),
            datetime.fromisoformat(content["taken_at"]),
            tuple(map(ListedFix.of_payload, content["fixes"])),
        )
    except DAMAGED:
        raise BadInputError(f"The list of fixes {shown} is damaged", "Make a new one") from None
    if _digest(content) != stated:
        raise RefusedError(f"{shown} was changed after it was made", "Make a new list of fixes")
    return fixes


def _digest(payload: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


class FixChooser:
    """Offers the fixes that a snapshot knows of, and puts what is chosen on the list beside it.

    Args:
        snapshot: What was taken along.
        path: Where the list is kept; None: beside the snapshot.
    """

    def __init__(self, snapshot: SnapshotFacts, path: Path | None = None) -> None:
        self._known: Sequence[KnownFixes] = snapshot.fixes
        self._errors = {error.id: error for error in snapshot.errors}
        self._empty = FixList(snapshot.org.org_id, snapshot.org.name, snapshot.taken_at)
        self.path = path or snapshot.path.with_name(f"{snapshot.path.name}.fixes")

    def options(self, errors: Iterable[SyncError]) -> list[FixOption]:
        """The fixes of errors with one cause, as the org offered them.

        Raises:
            RefusedError: The snapshot does not know.
            BadInputError: It is damaged there.
        """
        ids = {error.id for error in errors}
        matching = [one for one in self._known if not ids.isdisjoint(one.errors)]
        if not matching:
            raise RefusedError(
                "The snapshot does not know what would fix this", "Connect to the org for that"
            )
        try:
            options = [FixOption.of_payload(payload) for one in matching for payload in one.options]
        except DAMAGED:
            raise BadInputError("The snapshot is damaged", "Take a new one") from None
        return list({option.key: option for option in options}.values())

    def choose(self, option: FixOption, typed: Mapping[str, str], event: str, reason: str = "") -> FixResult:
        """Put a fix on the list.

        Args:
            option: As it was shown.
            typed: Field -> what was typed for it.
            event: Id of the error it is for.
            reason: Why, in the person's words.

        Raises:
            RefusedError: It is done by hand, or may not be done there.
            BadInputError: A value is missing or superfluous; another list is in the way.
            MachineError: The list cannot be written.
        """
        option.check_choice(typed)
        choice = next((one for one in self._known if event in one.errors), None)
        others = [row for row in (choice.errors if choice else ()) if row != event and row in self._errors]
        errors = tuple(self._errors[row] for row in [event, *others][:_ERRORS])
        self._on_file().with_fix(ListedFix(option, errors, typed, reason)).write(self.path)
        where = f"On the list {one_line(self.path.name)}; 'syncerr-tui apply' makes it in the org."
        return FixResult("", FixState.LISTED, False, option.before, {**option.after, **typed}, where)

    def _on_file(self) -> FixList:
        if not self.path.exists():
            return self._empty
        stored = read_fix_list(self.path)
        if stored is None or (stored.org_id, stored.taken_at) != (self._empty.org_id, self._empty.taken_at):
            raise BadInputError(
                f"{one_line(str(self.path))} is not a list of fixes of this snapshot", "Name another file"
            )
        return stored
