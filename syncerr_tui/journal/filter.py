"""The filter of the journal, as conditions of SQL: what matches is conditions where it lies, page by page.

The words are those of the list's filter (`syncerr_tui.triage.filter`), and a few that only a journal knows:

| term | matches |
|---|---|
| `verdict:fixed` | its end: the `term` of a verdict, `unsent` or `open` |
| `by:ana` | runs of this person (operating system or org) |
| `why:flow` | runs whose reason says so |
| `boots` | anything about the run or the row |

A run is shown where one of its rows matches everything that is said about rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from syncerr_tui.errors import BadInputError
from syncerr_tui.model import Verdict
from syncerr_tui.triage.filter import check_event
from syncerr_tui.triage.terms import Term, read_terms

_ALIASES = {"obj": "object", "type": "event", "storeconnect": "sc", "text": "message", "reason": "why"}
_OF_RUNS = {"by", "why"}

_STANDS = "v.n IS NOT NULL AND COALESCE(v.intent, 0) >= COALESCE(i.n, 0)"
_VERDICTS: Mapping[str, Verdict] = {verdict.term: verdict for verdict in Verdict}
_ENDS = (*_VERDICTS, "unsent", "open")
_BEFORE, _AFTER = ("", "%!_!_"), ("", "!_!__")
"""What may stand around the name of an object, as LIKE has it: `s_c__`, `__c`."""
_MESSAGE = "json_extract(r.row, '$.message')"
_TEXTS = {
    "by": "u.os_user || ' ' || u.org_user",
    "why": "u.reason",
    "id": "r.event",
    "sc": "r.storeconnect_id",
    "message": _MESSAGE,
}
"""Fields of which a value is any part."""
FIELDS = ("verdict", "object", "code", "event", *_TEXTS)
_CODE = "COALESCE(json_extract(r.row, '$.code'), 'none')"
_EVENT = "json_extract(r.row, '$.event_type')"
_ROW_TEXT = (
    f"{_MESSAGE} || ' ' || r.object || ' ' || {_CODE} || ' ' || {_EVENT} || ' ' || r.event || ' ' || "
    "r.storeconnect_id || ' ' || COALESCE(json_extract(r.row, '$.salesforce_id'), '') || ' ' || "
    "COALESCE(v.reason, '')"
)
_RUN_TEXT = (
    "u.id || ' ' || u.os_user || ' ' || u.org_user || ' ' || u.host || ' ' || u.reason || ' ' || "
    "json_extract(u.plan, '$.method')"
)


@dataclass(frozen=True, slots=True)
class SqlCondition:
    """A piece of SQL and its values. Empty where everything is wanted."""

    sql: str = ""
    values: tuple[str, ...] = ()

    @property
    def also(self) -> str:
        """The same behind another condition."""
        return f" AND {self.sql}" if self.sql else ""


@dataclass(frozen=True, slots=True)
class JournalFilter:
    """A readable filter of the journal. The empty one wants everything."""

    text: str = ""
    run: SqlCondition = SqlCondition()
    """About a run: table u."""
    row: SqlCondition = SqlCondition()
    """About a row: tables r, i, o, v, and u for its run."""

    def __bool__(self) -> bool:
        return bool(self.text)


EVERYTHING = JournalFilter()


def parse(text: str, *, typing: bool = False) -> JournalFilter:
    """Read a filter of the journal.

    Raises:
        BadInputError: Says which part cannot be read, and what would do.
    """
    rows: list[SqlCondition] = []
    runs: list[SqlCondition] = []
    for term in read_terms(text, FIELDS, _ALIASES, typing=typing):
        condition = _condition(term)
        if condition.sql:
            (runs if term.field in _OF_RUNS else rows).append(_not(condition) if term.negated else condition)
    return JournalFilter(text.strip(), _joined(" AND ", runs), _joined(" AND ", rows))


def _condition(term: Term) -> SqlCondition:
    match term.field:
        case None:
            return _any((_contains(_RUN_TEXT, term.value), _contains(_ROW_TEXT, term.value)))
        case "verdict":
            return _ended(term)
        case "object":
            return _object(term)
        case "code" | "event":
            if term.field == "event":
                check_event(term)
            subject = f"fold({_CODE if term.field == 'code' else _EVENT})"
            return _any(_like(subject, shape) for shape in _shapes(term))
        case field:
            return _contains(_TEXTS[field], term.value)


def _ended(term: Term) -> SqlCondition:
    conditions: list[SqlCondition] = []
    for word in filter(None, term.value.casefold().split(",")):
        ends = [name for name in _ENDS if name == word]
        if not ends and term.as_prefix_of_a_closed_set:
            ends = [name for name in _ENDS if name.startswith(word)]
        if not ends and not term.unfinished:
            raise BadInputError(f"No verdict is called {word[:20]!r}", f"Verdicts are {', '.join(_ENDS)}.")
        conditions += map(_end, ends)
    return _any(conditions)


def _end(name: str) -> SqlCondition:
    if name == "open":
        return SqlCondition(f"NOT ({_STANDS})")
    if name == "unsent":
        return SqlCondition(f"({_STANDS} AND v.verdict IS NULL)")
    return SqlCondition(f"({_STANDS} AND v.verdict = ?)", (_VERDICTS[name].value,))


def _object(term: Term) -> SqlCondition:
    """A whole name; what stands around it (a namespace, `__c`) may be left out."""
    forms = itertools.product(_BEFORE, _shapes(term), _AFTER)
    return _any(_like("fold(r.object)", "".join(form)) for form in forms)


def _shapes(term: Term) -> list[str]:
    """The alternatives as LIKE has them: `*` is anything, every other sign stands for itself."""
    ending = "%" if term.unfinished and not term.quoted else ""
    escaped = term.value.replace("!", "!!").replace("%", "!%").replace("_", "!_").replace("*", "%")
    return [part + ending for part in escaped.split(",") if part]


def _like(subject: str, shape: str) -> SqlCondition:
    return SqlCondition(f"{subject} LIKE fold(?) ESCAPE '!'", (shape,))


def _contains(subject: str, value: str) -> SqlCondition:
    return SqlCondition(f"instr(fold({subject}), fold(?)) > 0", (value,))


def _not(condition: SqlCondition) -> SqlCondition:
    return SqlCondition(f"NOT COALESCE({condition.sql}, FALSE)", condition.values)


def _any(conditions: Iterable[SqlCondition]) -> SqlCondition:
    return _joined(" OR ", conditions)


def _joined(word: str, conditions: Iterable[SqlCondition]) -> SqlCondition:
    effective = [condition for condition in conditions if condition.sql]
    if not effective:
        return SqlCondition()
    values = tuple(value for condition in effective for value in condition.values)
    return SqlCondition(f"({word.join(condition.sql for condition in effective)})", values)
