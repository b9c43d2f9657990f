"""Every fix on record, in the org's journal: written before the act, never changed afterwards.

A fix is one line of `fixes`; what became of it are lines of `fix_events`. A safeguard is on the ledger from
the moment before it may be switched off until a line says `closed`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from syncerr_tui.errors import BadInputError
from syncerr_tui.fixes.model import FixRecord
from syncerr_tui.fixes.org import FixChange, FixKind, FixTarget
from syncerr_tui.text import one_line
from syncerr_tui.words import iso

if TYPE_CHECKING:
    from syncerr_tui.journal.journal import Journal

_INSERT = (
    "INSERT INTO fixes (id, at, kind, target_type, target_id, target_name, before, after, whole, event, "
    "os_user, org_user, reason) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
_SHORTEST = 4
"""Characters of a fix's id that are enough where only one begins with them."""


class FixLedger:
    """The fixes of one org. Who acts is needed only to write."""

    def __init__(self, journal: Journal, *, os_user: str = "", org_user: str = "") -> None:
        self._journal = journal
        self._os_user = os_user
        self._org_user = org_user
        self._hand = uuid4().hex
        """Tells what this ledger has in hand from what others have."""

    def now(self) -> datetime:
        """This machine's time."""
        return self._journal.now()

    def begin(
        self,
        change: FixChange,
        whole: str,
        *,
        event: str = "",
        reason: str = "",
        by_hand: bool = False,
    ) -> FixRecord:
        """Write down that a fix is about to be made. Only then may the request leave.

        Args:
            change: What is done, and how it was before.
            whole: The whole target as it is.
            event: The sync error it is for.
            reason: Why, in the person's words.
            by_hand: A person has done it already, outside of this program.

        Raises:
            MachineError: It cannot be written; nothing may be sent.
        """
        fix, at, target = uuid4().hex[:12], iso(self.now()), change.target
        lines: list[tuple[str, Sequence[object]]] = [
            (
                _INSERT,
                (
                    fix,
                    at,
                    change.kind.value,
                    target.type,
                    target.id,
                    target.name,
                    json.dumps(dict(change.before)),
                    json.dumps(dict(change.after)),
                    whole,
                    event,
                    self._os_user,
                    self._org_user,
                    one_line(reason),
                ),
            )
        ]
        if by_hand:
            lines.append(self._line(fix, "outcome", "by hand", ""))
        self._journal.write(*lines)
        return self.get(fix)

    def outcome(self, fix: str, kind: str, detail: str = "") -> None:
        """How the request ended: `accepted`, `refused`, `not sent` or `unknown`."""
        self._journal.write(self._line(fix, "outcome", kind, detail))

    def restoring(self, fix: str) -> None:
        """The request that puts it back is about to be sent."""
        self._journal.write(self._line(fix, "restoring", "", ""))

    def restored(self, fix: str, kind: str, detail: str = "") -> None:
        self._journal.write(self._line(fix, "restored", kind, detail))

    def close(self, fix: str, why: str) -> None:
        self._journal.write(self._line(fix, "closed", "", why))

    def open_safeguards(self) -> list[FixRecord]:
        """Safeguards that may be off because of us, oldest first, as the journal has it."""
        rows = self._journal.read(
            "SELECT * FROM fixes f WHERE NOT EXISTS "
            "(SELECT 1 FROM fix_events e WHERE e.fix = f.id AND e.what = 'closed') ORDER BY at, id"
        )
        return [record for row in rows if (record := self._record(row)).kind.is_safeguard]

    def fixes(self) -> list[FixRecord]:
        """All fixes, newest first."""
        return [self._record(row) for row in self._journal.read("SELECT * FROM fixes ORDER BY at DESC, id")]

    def lines_for(self, kind: FixKind, target: FixTarget) -> list[FixRecord]:
        """The open lines of one safeguard, oldest first."""
        return [
            line
            for line in self.open_safeguards()
            if line.kind is kind and (line.target.id, line.target.name) == (target.id, target.name)
        ]

    def open_for(self, kind: FixKind, target: FixTarget) -> FixRecord | None:
        return next(iter(self.lines_for(kind, target)), None)

    # -- runs that need the same safeguard off

    def require_off(self, target: FixTarget) -> str:
        """A run needs this safeguard off. Gives who is putting it back right now, and notes nothing then."""
        return self._journal.hold(self._key("off", target), unless=_key("on", target))

    def put_back_begins(self, target: FixTarget) -> str:
        """This run needs it off no more. Gives whose run still does; empty: it goes on again by this one."""
        return self._journal.hold(
            self._key("on", target), unless=_key("off", target), instead_of=self._key("off", target)
        )

    def put_back_ended(self, target: FixTarget) -> None:
        """Others may need it off again."""
        self._journal.let_go(self._key("on", target))

    def _key(self, side: str, target: FixTarget) -> str:
        return _key(side, target) + self._hand

    def get(self, fix: str) -> FixRecord:
        """One fix, by its id or the beginning of it.

        Raises:
            BadInputError: There is none, or there are several.
        """
        rows = []
        if fix.isalnum() and len(fix) >= _SHORTEST:
            rows = list(self._journal.read("SELECT * FROM fixes WHERE substr(id, 1, ?) = ?", (len(fix), fix)))
        if len(rows) != 1:
            many = "Several fixes have" if rows else "No fix has"
            raise BadInputError(
                f"{many} an id that begins with '{one_line(fix)[:40]}'",
                "'syncerr-tui safeguards' lists the safeguards that are off",
            )
        return self._record(rows[0])

    def _record(self, row: Any) -> FixRecord:  # noqa: ANN401 - a row of any database
        outcome, closed, unsettled = "", "", True
        last_write = datetime.fromisoformat(row["at"])
        for line in self._journal.read("SELECT * FROM fix_events WHERE fix = ? ORDER BY n", (row["id"],)):
            match line["what"]:
                case "outcome":
                    outcome = line["kind"]
                    unsettled = outcome == "unknown"
                case "restoring":
                    last_write, unsettled = datetime.fromisoformat(line["at"]), True
                case "restored":
                    unsettled = line["kind"] == "unknown"
                case "closed":
                    closed = line["detail"] or "closed"
        return FixRecord(
            id=row["id"],
            at=datetime.fromisoformat(row["at"]),
            kind=FixKind(row["kind"]),
            target=FixTarget(row["target_type"], row["target_id"], row["target_name"]),
            before=_values(row["before"]),
            after=_values(row["after"]),
            whole=row["whole"],
            event=row["event"],
            by=row["os_user"],
            org_user=row["org_user"],
            reason=row["reason"],
            outcome=outcome,
            closed=closed,
            last_write=last_write,
            unsettled=unsettled,
        )

    def _line(self, fix: str, what: str, kind: str, detail: str) -> tuple[str, Sequence[object]]:
        return (
            "INSERT INTO fix_events (fix, at, os_user, what, kind, detail) VALUES (?,?,?,?,?,?)",
            (fix, iso(self.now()), self._os_user, what, kind, one_line(detail)),
        )


def _key(side: str, target: FixTarget) -> str:
    return f"{side}:{target.type}:{target.id or target.name}:"


def _values(text: str) -> Mapping[str, Any]:
    values: dict[str, Any] = json.loads(text)
    return values
