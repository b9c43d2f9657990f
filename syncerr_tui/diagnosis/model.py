"""What is read out of a message, and what is said about it. The shapes only; the reading is next door.

The JSON names of `Diagnosis` are the contract of `syncerr-tui explain --json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class Automation:
    """A named thing that ran while the record was saved, and may be what blocks."""

    kind: str
    """`flow`, `flow_element`, `trigger`, `class`, `validation_rule` or `duplicate_rule`."""
    name: str
    namespace: str | None = None

    @property
    def full_name(self) -> str:
        """The name behind its namespace."""
        return f"{self.namespace}.{self.name}" if self.namespace else self.name


@dataclass(frozen=True, slots=True)
class Span:
    """A found part of the message, for highlighting. Offsets in code points of the cleaned message."""

    start: int
    end: int
    kind: str
    """`code`, `automation`, `object`, `field`, `value`, `record_id`, `external_id`, `error_id` or `limit`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One reason why a save was refused, with its way to the root. Empty tuples where nothing is said."""

    code: str | None
    """The status code that came with the record, if one did."""
    codes: tuple[str, ...]
    """Codes that stand in the text, in order of first appearance (outermost first)."""
    root_code: str | None
    """The code to act on: the innermost that is no wrapper, else what the wording means, else a wrapper."""
    inferred: bool
    """True where `root_code` was concluded from the wording alone."""
    automation: tuple[Automation, ...] = ()
    objects: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    record_ids: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()
    error_id: str | None = None
    """`123-45 (-678)`: what Salesforce support asks for."""
    limit: str | None = None
    transient: bool = False
    """True where a plain retry is a sensible first step."""
    sentence_kinds: frozenset[str] = frozenset()
    """The kinds of the platform's own sentences in it (`catalog/sentences/kinds.tsv`)."""
    text: str = ""
    """Its statements without HTML, JSON and escapes, one in a line."""

    def payload(self) -> dict[str, object]:
        """The names and meanings that `explain --json` promises."""
        return {
            "code": self.code,
            "codes": list(self.codes),
            "root_code": self.root_code,
            "inferred": self.inferred,
            "automation": [
                {"kind": item.kind, "name": item.name, "namespace": item.namespace}
                for item in self.automation
            ],
            "objects": list(self.objects),
            "fields": list(self.fields),
            "values": list(self.values),
            "record_ids": list(self.record_ids),
            "external_ids": list(self.external_ids),
            "error_id": self.error_id,
            "limit": self.limit,
            "transient": self.transient,
        }


@dataclass(frozen=True, slots=True)
class Diagnosis(Failure):
    """Everything a message says: its failures in order, and what all of them name together.

    What is inherited speaks of all failures; the code to act on is the first failure's.
    """

    failures: tuple[Failure, ...] = ()
    """Independent failures: all of them have to be fixed. Empty only where no message was read."""
    spans: tuple[Span, ...] = ()
    message: str = ""
    """What was read, cleaned: spans point into it."""
    cut: bool = False
    """Whether the message seems to have been cut off at a limit of its length."""

    @property
    def each(self) -> tuple[Failure, ...]:
        """The failures; this diagnosis itself where it was made without a message."""
        return self.failures or (self,)


def combined(failures: Sequence[Failure]) -> Failure:
    """What several failures name together; the code to act on is the first one's."""

    def named(key: str) -> Any:  # noqa: ANN401 - the fields have types of their own
        return tuple(dict.fromkeys(item for failure in failures for item in getattr(failure, key)))

    pooled = ("codes", "automation", "fields", "values", "record_ids", "external_ids")
    return replace(
        failures[0],
        **{key: named(key) for key in pooled},
        objects=once_in_any_case(named("objects")),
        error_id=next((failure.error_id for failure in failures if failure.error_id), None),
        limit=next((failure.limit for failure in failures if failure.limit), None),
        transient=all(failure.transient for failure in failures),
        sentence_kinds=frozenset().union(*(failure.sentence_kinds for failure in failures)),
        text="\n".join(failure.text for failure in failures),
    )


def once_in_any_case(texts: Iterable[str]) -> tuple[str, ...]:
    """`Contact` and `contact` are one object; it is called as it was written first."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(text.casefold(), text)
    return tuple(first.values())


class Retry(StrEnum):
    """What has to happen before a re-sync can work."""

    JUST_RETRY = "just retry"
    FIX_FIRST = "fix first"
    CAUSE_FIRST = "cause first"
    SUPPORT_ONLY = "support only"


class Authority(StrEnum):
    """Whose knowledge a piece of guidance is. Never mixed up on screen."""

    STORECONNECT = "StoreConnect"
    SALESFORCE = "general Salesforce knowledge"
    NONE = "no specific knowledge"


@dataclass(frozen=True, slots=True)
class Step:
    """One numbered step. `text` is plain; parts between `**` are names filled in from the diagnosis."""

    text: str
    address: str | None = None
    """Where to do it: an absolute https address, or a path beginning with / while the org is unknown."""


@dataclass(frozen=True, slots=True)
class OrgNote:
    """An org's own words about a code, an automation or a message pattern."""

    text: str
    matched: str
    """Why it is shown, in words: `code DUPLICATES_DETECTED`, `flow Order Builder` ..."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """What happened and what to do, blanks filled."""

    code: str | None
    headline: str
    """What happened, one sentence with the named things in it."""
    why: str
    retry: Retry
    authority: Authority
    steps: tuple[Step, ...]
    checks: tuple[str, ...] = ()
    """What to check, and where else it may hide."""
    afterwards: str = ""
    """What to re-sync, and in which order."""
    put_back: tuple[str, ...] = ()
    """What was switched off on the way and must be switched on again."""
    article: str | None = None
    notes: tuple[OrgNote, ...] = ()
