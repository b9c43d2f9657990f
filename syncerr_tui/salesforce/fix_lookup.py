"""What the look-ups of fixes share: one failure as a case, and rows of an org as facts about a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from syncerr_tui.diagnosis.model import Failure
from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.fixes.org import FixCandidate, FixChange, FixKind, FixTarget, TargetReading, Values
from syncerr_tui.model import SyncError
from syncerr_tui.salesforce import soql
from syncerr_tui.salesforce.client import Row
from syncerr_tui.salesforce.faults import WayBlockedError
from syncerr_tui.salesforce.fix_targets import FixTargets
from syncerr_tui.salesforce.metadata_api import MetadataTokenError
from syncerr_tui.salesforce.reading import changed, text

SETUP = ("PermissionsCustomizeApplication", "PermissionsViewSetup")
METADATA = ("PermissionsModifyMetadata|PermissionsModifyAllData", "PermissionsCustomizeApplication")
EVERYBODY = "While it is off, every user and every integration saves without it."
_EDITABLE = frozenset({"", "unmanaged", "installedEditable", "deprecatedEditable"})


@dataclass(frozen=True, slots=True)
class FixCase:
    """One failure of one error."""

    failure: Failure
    error: SyncError
    object: str | None
    """The object whose save was refused, where that is certain."""

    @property
    def code(self) -> str | None:
        return self.failure.root_code

    def has(self, code: str) -> bool:
        """Whether this is its code, or one of the codes in it."""
        return code == self.code or code in self.failure.codes

    @property
    def objects(self) -> tuple[str, ...]:
        """Objects that may be meant, the likeliest first."""
        named = (self.object, *self.failure.objects, str(self.error.object))
        return tuple(dict.fromkeys(name for name in named if name and soql.is_name(name)))


@contextmanager
def ignore_refusals() -> Iterator[None]:
    """Passes over what an org refuses to tell. An org that does not answer at all is not passed over."""
    try:
        yield
    except WayBlockedError:
        raise
    except (BadInputError, RefusedError):
        return


@dataclass(frozen=True, slots=True)
class TargetLook:
    """The target of a fix as it is, or why it cannot be read."""

    change: FixChange
    reading: TargetReading | None
    problem: str = ""

    def candidate(self, title: str, row: Row | None = None, **more: Any) -> FixCandidate:  # noqa: ANN401
        """The fix, with what is known of its target.

        Args:
            title: What it does.
            row: The target as set-up lists it: whose it is, and who changed it last.
            more: Further fields of the candidate, and others in place of those that follow from the look.
        """
        facts: dict[str, Any] = {"title": title, "before": self.values, "guided": self.problem}
        if row is not None:
            facts |= {"guided": managed(row) or self.problem, "changed": changed(row)}
        whole = self.reading.whole if self.reading else ""
        facts |= {"after": self.change.after, "whole": whole, **more}
        return FixCandidate(self.change.kind, self.change.target, **facts)

    @property
    def values(self) -> Values:
        """The part that the fix changes; empty where it was not read."""
        return self.reading.values if self.reading else {}

    @property
    def handle(self) -> object:
        """What a write would start from."""
        return self.reading.handle if self.reading else None


@dataclass(slots=True)
class TargetReader:
    """Reads the targets of fixes for those who look them up."""

    targets: FixTargets
    metadata_problem: str = ""
    """Why the Metadata API cannot be used with this login; empty while nothing is known against it."""

    async def look(self, kind: FixKind, target: FixTarget, after: Values) -> TargetLook:
        """A target as it is, and why it cannot be read where it cannot."""
        change = FixChange(kind, target, after)
        try:
            return TargetLook(change, await self.targets.read_target(change))
        except MetadataTokenError as error:
            self.metadata_problem = error.line
            return TargetLook(change, None)
        except WayBlockedError:
            raise
        except (BadInputError, RefusedError) as error:
            return TargetLook(change, None, error.line)


def managed(row: Row) -> str:
    """Why a component of a package is left to a person; empty for the org's own."""
    if text(row, "ManageableState") in _EDITABLE and not text(row, "NamespacePrefix"):
        return ""
    package = text(row, "NamespacePrefix")
    return f"It belongs to the package {package}" if package else "It belongs to a package"


def locked_fields(described: Row, object_name: str, fields: Iterable[str]) -> str:
    """Why this user cannot write some fields; empty where he can."""
    if described.get("updateable") is False:
        return f"This user may not edit {object_name}"
    known: Mapping[str, Row] = {one["name"]: one for one in described["fields"]}
    closed = [name for name in fields if known.get(name, {}).get("updateable") is False]
    return f"This user may not edit {', '.join(closed)} of {object_name}" if closed else ""
