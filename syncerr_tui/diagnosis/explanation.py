"""The one door to the diagnosis: a sync error in, everything there is to say about it out.

The info panel, the causes, the Guide, the planner and the commands all come through here, so that they
cannot tell different stories about one error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis import codes
from syncerr_tui.diagnosis.codes import MANUAL_CODES, as_code, nearest_codes
from syncerr_tui.diagnosis.guidance import diagnosis_of_code, guide, other_cases, shared_headline
from syncerr_tui.diagnosis.guidance_catalog import general_codes
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Diagnosis, Failure, Guidance, Retry
from syncerr_tui.diagnosis.org_metadata import (
    Resolved,
    changes,
    checked,
    unchanged_since_failure,
    with_addresses,
)
from syncerr_tui.diagnosis.read import diagnose_cached

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.causes import Cause
    from syncerr_tui.diagnosis.org_metadata import OrgMetadata
    from syncerr_tui.diagnosis.org_notes import OrgNotes
    from syncerr_tui.model import SyncError


@dataclass(frozen=True, slots=True)
class OrgContext:
    """What is known of the org beside a message."""

    notes: OrgNotes | None = None
    """Its own notes."""
    instance_url: str | None = None
    """Its address; without it the steps carry paths only."""
    resolved: tuple[Resolved, ...] = ()
    """What it says about the things that the message names."""
    metadata: OrgMetadata | None = None
    """Its own names, as far as they were read."""


NO_CONTEXT = OrgContext()


@dataclass(frozen=True, slots=True)
class ExplainedFailure:
    """One of the failures of an error, and what to do about it."""

    failure: Failure
    guidance: Guidance


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is known about one error."""

    message: str
    diagnosis: Diagnosis
    failures: tuple[ExplainedFailure, ...]
    """At least one. All of them have to be fixed before a re-sync can work."""
    changes: tuple[str, ...] = ()
    """What the org adds, in words: values that there are, when the things in the way were last changed."""
    unchanged: tuple[str, ...] = ()
    """Those of them that promise nothing: what the message names was not changed since the failure."""

    @classmethod
    def of(cls, diagnosis: Diagnosis, guidance: Guidance) -> Explanation:
        """An explanation that consists of one answer."""
        return cls(diagnosis.message, diagnosis, (ExplainedFailure(diagnosis, guidance),))

    @property
    def guidance(self) -> Guidance:
        """What to do about the first failure."""
        return self.failures[0].guidance

    @property
    def retry(self) -> Retry:
        """What has to happen before a re-sync can work: the hardest that any failure asks for."""
        return max((item.guidance.retry for item in self.failures), key=_HARDEST.index)

    @property
    def headline(self) -> str:
        sentences = " ".join(plain(item.guidance.headline) for item in self.failures)
        return sentences if len(self.failures) == 1 else f"{len(self.failures)} failures: {sentences}"

    @property
    def support_only(self) -> bool:
        return self.retry is Retry.SUPPORT_ONLY

    @property
    def remarks(self) -> tuple[str, ...]:
        """What else is to be known: the latest changes, and that a message breaks off."""
        if not self.diagnosis.cut:
            return self.changes
        length = f"{len(self.diagnosis.message):,} characters"
        if self.diagnosis.message.endswith(("…", "...")):
            return (*self.changes, f"The message breaks off after {length}: what follows is not known.")
        return (*self.changes, f"The message has {length}, a usual limit: its end may be missing.")

    def payload(self) -> dict[str, object]:
        """The keys that `explain --json` promises, without the id."""
        return {
            "message": self.message,
            **self.diagnosis.payload(),
            "cut": self.diagnosis.cut,
            "guidance": _guidance_payload(self.guidance, self.changes),
            "failures": [
                {**item.failure.payload(), "guidance": _guidance_payload(item.guidance)}
                for item in self.failures
            ],
        }


_HARDEST = (Retry.JUST_RETRY, Retry.FIX_FIRST, Retry.CAUSE_FIRST, Retry.SUPPORT_ONLY)


def _guidance_payload(guidance: Guidance, changes: tuple[str, ...] = ()) -> dict[str, object]:
    return {
        "headline": plain(guidance.headline),
        "why": plain(guidance.why),
        "retry": guidance.retry.value,
        "authority": guidance.authority.value,
        "steps": [{"text": plain(step.text), "address": step.address} for step in guidance.steps],
        "checks": [plain(text) for text in (*changes, *guidance.checks)],
        "afterwards": plain(guidance.afterwards),
        "put_back": [plain(text) for text in guidance.put_back],
        "article": guidance.article,
        "notes": [{"text": note.text, "matched": note.matched} for note in guidance.notes],
    }


def explain(error: SyncError, org: OrgContext = NO_CONTEXT) -> Explanation:
    """Everything there is to say about a sync error. Cached: many rows share one text."""
    return explain_message(
        error.message,
        error.code,
        object_name=str(error.object),
        event_type=error.event_type.value,
        salesforce_id=error.salesforce_id,
        org=org,
    )


@lru_cache(maxsize=4096)
def explain_message(
    message: str,
    code: str | None = None,
    *,
    object_name: str | None = None,
    event_type: str | None = None,
    salesforce_id: str | None = None,
    org: OrgContext = NO_CONTEXT,
) -> Explanation:
    """`explain` for a message or a code that comes without its row.

    Args:
        message: Any text; may be empty where a code is given.
        code: The status code that came with it, in any spelling.
        object_name: API name of the object that failed to sync.
        event_type: Create, Update or Delete, where known.
        salesforce_id: Id of the record that failed to sync, where Salesforce has it already.
        org: What is known beside it.
    """
    known = codes.known_code(code) if code else None
    diagnosis = _diagnosis(message, known or code)
    remarks: tuple[str, ...] = ()
    if org.metadata is not None:
        diagnosis, remarks = checked(diagnosis, org.metadata, object_name)
    matching = org.notes.matching(diagnosis) if org.notes else ()
    failures = []
    for number, failure in enumerate(diagnosis.each):
        guidance = guide(
            failure,
            object_name=object_name,
            event_type=event_type,
            salesforce_id=salesforce_id,
            instance_url=org.instance_url,
            notes=matching if number == 0 else (),
        )
        failures.append(ExplainedFailure(failure, with_addresses(guidance, org.resolved)))
    return Explanation(
        message,
        diagnosis,
        tuple(failures),
        (*remarks, *changes(org.resolved)),
        unchanged_since_failure(org.resolved, message),
    )


@dataclass(frozen=True, slots=True)
class CauseSummary:
    """What happened to the errors of a cause, what must happen before a re-sync, and its oldest error."""

    headline: str
    retry: Retry
    diagnosis: Diagnosis


def summarize_cause(
    cause: Cause, errors: tuple[SyncError, ...], metadata: OrgMetadata | None = None
) -> CauseSummary:
    """Sum up a cause by its errors, oldest first; what it waited for may be in Salesforce by now."""
    oldest = explain(errors[0], OrgContext(metadata=metadata))
    if cause.ready:
        return CauseSummary(cause.fingerprint.why, Retry.JUST_RETRY, oldest.diagnosis)
    return CauseSummary(headline_of(errors, metadata), oldest.retry, oldest.diagnosis)


@lru_cache(maxsize=1024)
def headline_of(errors: tuple[SyncError, ...], metadata: OrgMetadata | None = None) -> str:
    """What happened to errors of one cause: no id and no value stands in it that only some of them have."""
    explained = [explain(error, OrgContext(metadata=metadata)) for error in errors]
    first = explained[0]
    if all(other.headline == first.headline for other in explained):
        return first.headline
    names = [str(error.object) for error in errors]
    failures = [[item.failure for item in each.failures] for each in explained]
    if len({len(each) for each in failures}) > 1:
        failures = [each[:1] for each in failures]
    sentences = [
        plain(shared_headline(each, names, errors[0].event_type.value))
        for each in zip(*failures, strict=True)
    ]
    return " ".join(filter(None, sentences)) or first.headline


def _diagnosis(message: str, code: str | None) -> Diagnosis:
    """The reading of a message. A code alone is not worth the start-up time of the reader's rules."""
    if not message and code and codes.known_code(code) == code:
        return diagnosis_of_code(code)
    return diagnose_cached(message, code)


@dataclass(frozen=True)
class Chapter:
    """All about one code."""

    code: str
    guidance: Guidance
    instance_url: str | None = None

    @property
    def in_manual(self) -> bool:
        return self.code in MANUAL_CODES

    @property
    def title(self) -> str:
        """What it means, in one sentence."""
        return plain(self.guidance.headline)

    @cached_property
    def cases(self) -> tuple[tuple[str, Guidance], ...]:
        """What else the code may mean."""
        return other_cases(self.code, self.instance_url)

    @cached_property
    def words(self) -> str:
        texts = [self.code, self.code.replace("_", " ")]
        for guidance in (self.guidance, *(case for _, case in self.cases)):
            texts += [guidance.headline, guidance.why, guidance.retry.value, guidance.afterwards]
            texts += [step.text for step in guidance.steps]
            texts += [*guidance.checks, *guidance.put_back, *(note.text for note in guidance.notes)]
        texts += [name for name, _ in self.cases]
        return plain("\n".join(texts)).casefold()


def chapters(org: OrgContext = NO_CONTEXT) -> tuple[Chapter, ...]:
    """All codes; with the org's notes where they are about a code."""
    codes = (*MANUAL_CODES, *sorted(general_codes()))
    return tuple(
        Chapter(code, explain_message("", code, org=org).guidance, org.instance_url) for code in codes
    )


def search(book: Sequence[Chapter], text: str) -> tuple[Chapter, ...]:
    """The chapters with all these words: StoreConnect's before the others, and of each kind those with the
    words in their code first, side by side before scattered.

    Where none has them: the codes that are spelled nearly like the text.
    """
    words = text.casefold().split()
    if not words:
        return tuple(book)
    code = as_code(text)
    parts = [part for part in code.split("_") if part] or [code]

    def is_named(chapter: Chapter) -> bool:
        return all(part in chapter.code for part in parts)

    named = sorted(filter(is_named, book), key=lambda c: (code not in c.code, not c.code.startswith(code)))
    others = [c for c in book if not is_named(c) and all(word in c.words for word in words)]
    if named or others:
        return tuple(sorted((*named, *others), key=lambda chapter: not chapter.in_manual))
    near = nearest_codes(text)
    return tuple(sorted((c for c in book if c.code in near), key=lambda c: near.index(c.code)))


MASK = "•••"
_OPEN_VALUES = {
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    "FIELD_INTEGRITY_EXCEPTION",
    "EMAIL_TEMPLATE_MERGEFIELD_ERROR",
}
"""Codes that quote a value of a list, or a name of the set-up."""
_PERSONAL = re.compile(
    r"""
      [^\s@<>"'“”‘’()\[\],;:]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*
    | (?<![\w.:-])(?:\+|00|\(0?)\d[\d\s()/.-]{5,24}\d(?![\w:-])     # a telephone number in its long form
    | (?<![\w.:/-])0\d[\d\s()/.-]{5,24}\d(?![\w:-])
    """,
    re.VERBOSE,
)
_SHORTEST = 2
"""Characters of a quoted value below which it would tear words apart."""


def masked(text: str, *failures: Failure) -> str:
    """A text without the personal data in it.

    Args:
        text: A sentence about an error, or its message.
        failures: What the diagnosis read out of that error.
    """
    values = {
        value
        for failure in failures
        if failure.root_code not in _OPEN_VALUES
        for value in failure.values
        if len(value) >= _SHORTEST
    }
    for value in sorted(values, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
    return _PERSONAL.sub(MASK, text)
