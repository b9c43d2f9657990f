"""The filter language: what a person types after `/`, and what `--filter` takes.

Terms stand side by side and must all hold. A term is free text (anywhere in the row), `"quoted text"`,
`/a pattern/`, or `field:value`; a leading `-` negates it. Upper and lower case are the same.

| term | matches |
|---|---|
| `boots` | rows with this text in any column |
| `"too many"` | the words with their blank |
| `object:Order` | this object; `object:payment` also finds `s_c__Payment__c` |
| `code:DUPLICATES_DETECTED` | this status code; `code:none` finds rows without one |
| `code:~INVALID_FIELD` | rows without a code whose wording means this one; `code:~none` those that show `-` |
| `code:INVALID*` | `*` stands for any characters, in `object:`, `code:` and `event:` |
| `object:Order,OrderItem` | any of these, in `object:`, `code:` and `event:` |
| `event:update` | Create, Update, Delete or Other |
| `age:>2d` `age:<30m` | processed longer, or less long, ago than this: s, m, h, d, w |
| `day:2026-11-27` | processed on this day, in this machine's time zone; `day:2026-11-*`, `day:none` |
| `/flow .* failed/` | rows in which a column matches this regular expression |
| `message:/^unable/` | the same of one field: any but `age:`, `cause:`, `day:` and `saved:` |
| `cause:ID` | rows with the same cause as this change event (`e` in the app), or with the cause of this key |
| `note:carrier` | rows with this in a note, or in their ticket with support; `note:any`, `note:none` |
| `assigned:ana` | rows that she works on; `assigned:none` |
| `snoozed:yes` `snoozed:no` | rows that are to be left alone for now, or not |
| `saved:night` | what the filter with this name in `config.toml` matches |
| `id:` `sf:` `sc:` `message:` | change event, Salesforce ID, StoreConnect ID, message text |

In `object`, `code`, `event` and `day` a value is the whole name. While it is typed, and only then, the last
word counts as the beginning of a name. An event type, a status code, a day or a cause that cannot exist is
refused. A pattern takes time in proportion to the text, whatever it is, and so has no look-around and no
back references (RE2); it ends at the slash before a blank. `terms` takes a filter apart.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from syncerr_tui.diagnosis.codes import known_codes
from syncerr_tui.errors import BadInputError
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.triage.handling import NOTHING_SAID, Handled
from syncerr_tui.triage.terms import Term, compiled, example, read_terms

Predicate = Callable[[SyncError, datetime], bool]

FIELDS = (
    "object", "code", "event", "age", "day", "cause", "note", "assigned", "snoozed", "saved", "id", "sf",
    "sc", "message",
)  # fmt: skip
NO_CODE = "~none"
"""What `code:` calls a row without a code whose wording means none either."""
_ALIASES = {"obj": "object", "type": "event", "salesforce": "sf", "storeconnect": "sc", "text": "message"}
_HANDLED = frozenset({"note", "assigned", "snoozed"})
_NAMED = 8
"""Names in one refusal."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DAY = re.compile(r"[\d*-]{1,10}|none", re.ASCII)
_AGE = re.compile(r"(?P<op>>=|<=|>|<)?(?P<number>\d{1,6}(?:\.\d{1,3})?)(?P<unit>[smhdw])")
_SUFFIX = re.compile(r"__[A-Za-z]+$")
_NAMESPACE = re.compile(r"^[A-Za-z0-9_]*?__(?=.)")


@dataclass(frozen=True, slots=True)
class Filter:
    """A readable filter. The empty one matches everything."""

    text: str = ""
    terms: tuple[Predicate, ...] = ()
    prefix: str = ""
    """The last word, where it counts as the beginning of a name: the person is still typing."""
    by_cause: bool = False
    """It asks for a cause: only somebody who knows causes can tell what matches."""

    @property
    def shown(self) -> str:
        """The filter as it works now: `object:Ord*` while the name is being typed."""
        return f"{self.text}*" if self.prefix else self.text

    def matches(self, error: SyncError, now: datetime) -> bool:
        """Whether the row passes. `now` decides about ages and must be aware."""
        for term in self.terms:  # noqa: SIM110 - `all` takes three times as long, for each of 100,000 rows
            if not term(error, now):
                return False
        return True

    def __bool__(self) -> bool:
        return bool(self.terms)


EVERYTHING = Filter()


def parse(
    text: str,
    *,
    typing: bool = False,
    codes: Callable[[], Collection[str]] | None = None,
    cause_of: Callable[[str], Collection[str] | None] | None = None,
    saved: Callable[[], Mapping[str, str]] | None = None,
    handled: Callable[[str], Handled] = lambda _row: NOTHING_SAID,
) -> Filter:
    """Read a filter.

    Args:
        text: What the person wrote.
        typing: They are still at it: a name at the very end counts as the beginning of a name, and a
            value or quote that is not there yet asks for nothing.
        codes: The status codes in the list, where the whole list is known: a code that is neither among
            them nor one of Salesforce's is refused.
        cause_of: The ids of all errors with the cause of this id or key, None where there is no such
            cause. Without it a cause is not looked up, and nothing matches it.
        saved: Gives the name and the text of each filter that a person keeps. Asked only where one is named.
        handled: What people have said about the row of this id.

    Raises:
        BadInputError: Says which part cannot be read or cannot match, and what would do.
    """
    terms: list[Predicate] = []
    prefix, by_cause = "", False
    for term in read_terms(text, FIELDS, _ALIASES, typing=typing, patterns=True):
        if term.pattern:
            predicate = _matches_pattern(term)
        elif term.field == "cause":
            by_cause = True
            predicate = _of_cause(term, cause_of)
        elif term.field in _HANDLED:
            by_cause = True  # what is said of a cause is said of all its errors
            predicate = _of_handling(term, handled)
        elif term.field == "saved":
            known = saved() if saved is not None else {}
            inner = _saved(term, known, codes=codes, cause_of=cause_of, handled=handled)
            by_cause = by_cause or (inner is not None and inner.by_cause)
            predicate = inner.matches if inner is not None else None
        else:
            predicate = _predicate(term, codes)
            if term.as_prefix and not term.value.endswith("*"):
                prefix = term.value
        if predicate is not None:
            terms.append(_negated(predicate) if term.negated else predicate)
    terms.sort(key=lambda term: getattr(term, "cost", 0))
    return Filter(text.strip(), tuple(terms), prefix, by_cause)


def _predicate(term: Term, codes: Callable[[], Collection[str]] | None) -> Predicate | None:
    match term.field:
        case None:
            return _free_text(term.value)
        case "age":
            return _age(term.value, unfinished=term.unfinished)
        case "object" | "code" | "event" | "day":
            alternatives = [part for part in term.value.casefold().split(",") if part]
            pattern = _pattern(alternatives, prefix=term.as_prefix)
            if term.field == "event":
                check_event(term)
            elif term.field == "code" and codes is not None and "none" not in alternatives:
                _check_code(term.value, pattern, codes())
            elif term.field == "day":
                _check_day(alternatives)
                return _day(alternatives, pattern)
            return _name(term.field, alternatives, pattern)
        case _:
            return _contains(term.field, term.value)


def _of_cause(term: Term, cause_of: Callable[[str], Collection[str] | None] | None) -> Predicate | None:
    ids = cause_of(term.value) if cause_of is not None else ()
    if ids is None:
        if term.unfinished:
            return None
        raise BadInputError(
            f"There is no cause {term.value[:40]!r}",
            "Give the id of an error in the list, or a key that 'syncerr-tui causes --json' shows.",
        )
    among = frozenset(ids)
    return lambda error, _now: error.id in among


def _of_handling(term: Term, handled: Callable[[str], Handled]) -> Predicate | None:
    needle = term.value.casefold()
    match term.field:
        case "snoozed":
            if needle not in {"yes", "no"}:
                if term.unfinished:
                    return None
                raise BadInputError("snoozed: is yes or no", "Write snoozed:yes or snoozed:no.")
            return lambda error, _now: (handled(error.id).snooze is not None) is (needle == "yes")
        case "assigned":
            assignee = "" if needle == "none" else needle
            return lambda error, _now: handled(error.id).assignee.casefold() == assignee

    def noted(error: SyncError, _now: datetime) -> bool:
        handling = handled(error.id)
        texts = [*(note.text for note in handling.notes), *filter(None, [handling.ticket])]
        if needle in {"any", "none"}:
            return bool(texts) is (needle == "any")
        return any(needle in text.casefold() for text in texts)

    return noted


def _saved(term: Term, saved: Mapping[str, str], **how: Any) -> Filter | None:  # noqa: ANN401 - as `parse`
    """The filter that a name stands for; one that names itself, or another of them, goes no further."""
    name = next((name for name in saved if name.casefold() == term.value.casefold()), None)
    if name is not None:
        others = {other: text for other, text in saved.items() if other != name}
        try:
            return parse(saved[name], saved=lambda: others, **how)
        except BadInputError as error:
            raise BadInputError(f"The saved filter {name[:40]}: {error.title}", error.hint) from None
    if term.unfinished:
        return None
    known = f"Saved are {', '.join(list(saved)[:_NAMED])}." if saved else "None is saved yet."
    raise BadInputError(f"No saved filter is called {term.value[:40]!r}", known)


def check_event(term: Term) -> None:
    """Raises: BadInputError: No event type has such a name, or may come to have it while it is typed."""
    value = term.value
    alternatives = [part for part in value.casefold().split(",") if part]
    pattern = _pattern(alternatives, prefix=term.as_prefix)
    if not any(pattern.fullmatch(kind.value.casefold()) for kind in EventType):
        names = ", ".join(kind.value for kind in EventType)
        raise BadInputError(f"No event type is called {value[:40]!r}", f"Event types are {names}.")


def _check_code(value: str, pattern: re.Pattern[str], listed: Collection[str]) -> None:
    known = known_codes().union(listed)
    if any(pattern.fullmatch(f"{sign}{code.casefold()}") for code in known for sign in ("", "~")):
        return
    if pattern.fullmatch(NO_CODE):
        return
    alike = [code for code in sorted(listed) if value.casefold() in code.casefold()]
    alike = alike or difflib.get_close_matches(value.upper(), sorted(known), n=3)
    suggestion = f"Did you mean {' or '.join(alike[:3])}? " if alike else ""
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    here = f"Codes in this list: {', '.join(sorted(listed)[:_NAMED])}{more}." if listed else ""
    raise BadInputError(
        f"No status code is called {value[:40]!r}",
        f"{suggestion or here} * stands for the rest of a name, as in code:INVALID*.".strip(),
    )


def _pattern(alternatives: Sequence[str], *, prefix: bool) -> re.Pattern[str]:
    shapes = [re.escape(part).replace(r"\*", ".*") + (".*" if prefix else "") for part in alternatives]
    return re.compile("|".join(shapes) or "(?!)")


def _check_day(alternatives: Sequence[str]) -> None:
    wrong = next((day for day in alternatives if not _DAY.fullmatch(day)), None)
    if wrong is not None:
        raise BadInputError(
            f"The filter cannot read the day {wrong[:20]!r}",
            "Write it as in day:2026-11-27; * stands for any part, none for rows without a time.",
        )


def _negated(term: Predicate) -> Predicate:
    return lambda error, now: not term(error, now)


def _free_text(value: str) -> Predicate:
    needle = value.casefold()

    def matches(error: SyncError, _now: datetime) -> bool:
        return (
            needle in error.message.casefold()
            or needle in error.object.casefold()
            or needle in (error.code or "").casefold()
            or needle in error.event_type.casefold()
            or needle in error.storeconnect_id.casefold()
            or needle in (error.salesforce_id or "").casefold()
            or needle in error.id.casefold()
        )

    matches.cost = 2  # type: ignore[attr-defined]
    return matches


READERS: Mapping[str, Callable[[SyncError], str]] = {
    "message": lambda error: error.message,
    "object": lambda error: error.object,
    "code": lambda error: error.code or "",
    "event": lambda error: error.event_type.value,
    "sc": lambda error: error.storeconnect_id,
    "sf": lambda error: error.salesforce_id or "",
    "id": lambda error: error.id,
}
"""Field -> its text, where it takes a pattern; the one that most rows differ in comes first."""


def _matches_pattern(term: Term) -> Predicate | None:
    if term.field is not None and term.field not in READERS:
        raise BadInputError(f"{term.field}: takes no pattern", f"Write for example {example(term.field)}.")
    try:
        search = compiled(term.value)
    except BadInputError:
        if term.unfinished:
            return None
        raise
    readers = [READERS[term.field]] if term.field else list(READERS.values())

    def matches(error: SyncError, _now: datetime) -> bool:
        return any(search(read(error)) is not None for read in readers)

    matches.cost = 3  # type: ignore[attr-defined]
    return matches


def _contains(field: str, value: str) -> Predicate:
    needle, read = value.casefold(), READERS[field]
    if field == "sf" and needle == "none":
        return lambda error, _now: error.salesforce_id is None

    def matches(error: SyncError, _now: datetime) -> bool:
        return needle in read(error).casefold()

    matches.cost = 1  # type: ignore[attr-defined]
    return matches


def _name(field: str, alternatives: Sequence[str], pattern: re.Pattern[str]) -> Predicate:
    if field == "event":
        return lambda error, _now: pattern.fullmatch(error.event_type.casefold()) is not None
    if field == "code":
        return _has_code(alternatives, pattern)
    known: dict[str, bool] = {}

    def is_object(error: SyncError, _now: datetime) -> bool:
        # A hundred thousand rows are of a dozen objects: decide each object once.
        verdict = known.get(error.object)
        if verdict is None:
            name = error.object.casefold()
            plain = _NAMESPACE.sub("", _SUFFIX.sub("", name))
            verdict = any(pattern.fullmatch(form) for form in (name, plain))
            known[error.object] = verdict
        return verdict

    return is_object


def _has_code(alternatives: Sequence[str], pattern: re.Pattern[str]) -> Predicate:
    without, reads = "none" in alternatives, any(name.startswith("~") for name in alternatives)

    def has_code(error: SyncError, _now: datetime) -> bool:
        if error.code is not None:
            return pattern.fullmatch(error.code.casefold()) is not None
        return without or (reads and pattern.fullmatch(code_shown(error).casefold()) is not None)

    has_code.cost = 3 if reads else 0  # type: ignore[attr-defined]
    return has_code


def code_shown(error: SyncError) -> str:
    """The code that the list shows of a row: its own, `~` and the one that its wording means, or `~none`."""
    from syncerr_tui.diagnosis.summary import code_or_inferred

    shown = code_or_inferred(error.message, error.code)
    return NO_CODE if shown == "-" else shown


def _day(alternatives: Sequence[str], pattern: re.Pattern[str]) -> Predicate:
    without = "none" in alternatives

    def on_day(error: SyncError, _now: datetime) -> bool:
        if error.processed_at is None:
            return without
        return pattern.fullmatch(day_of(error.processed_at)) is not None

    return on_day


def day_of(moment: datetime) -> str:
    """The day of a moment as a filter names it: `2026-11-27`."""
    return f"{moment.astimezone():%Y-%m-%d}"


def _age(value: str, *, unfinished: bool) -> Predicate | None:
    match = _AGE.fullmatch(value)
    if match is None:
        if unfinished:
            return None
        raise BadInputError(
            f"The filter cannot read the age {value[:20]!r}",
            "Write a number and a unit, as in age:>2d or age:<30m (s, m, h, d, w).",
        )
    limit = timedelta(seconds=float(match["number"]) * _UNITS[match["unit"]])
    older = (match["op"] or ">").startswith(">")

    def by_age(error: SyncError, now: datetime) -> bool:
        if error.processed_at is None:
            return False
        age = now - error.processed_at
        return age >= limit if older else age <= limit

    return by_age
