"""Which call of a recording is the Re-sync button, and what it needs to be called for other rows.

A pure decision. Every call gets points for what speaks for it; one that is clearly ahead is proposed, and a
person confirms it. A call without row ids is refused (repeating it might re-sync everything), and so is one
that carries something which may be a secret or somebody's id.

Long because every reason to refuse a call stands here, and each in words of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from syncerr_tui.salesforce.button.recorded import CallKind, RecordedCall, Recording, Unrepeatable
from syncerr_tui.salesforce.button.template import (
    Hole,
    Json,
    Path,
    check,
    filled,
    find_holes,
    inside_of,
    looks_like_id,
    looks_like_uuid,
    looks_secret,
    named_texts,
    pointer,
    replaced,
    texts,
    unfolded,
    without_addresses,
)
from syncerr_tui.salesforce.methods import DOWNSTREAM, TRIES_AGAIN
from syncerr_tui.words import plural

_OF_RECORDS = frozenset({CallKind.RECORD_UPDATE, CallKind.RECORD_CREATE})
CHANGE_EVENT = "s_c__Change_Event__c"
NAMESPACE = "s_c"
CLEARLY_AHEAD = 15
"""Points between the best call and the next, without which a person has to choose."""


class IdField(StrEnum):
    """Which id of a sync error a call takes."""

    EVENT = "event"
    """The change event's."""
    RECORD = "record"
    """The Salesforce record's that the change event is about."""
    STORECONNECT = "storeconnect"


@dataclass(frozen=True, slots=True)
class KnownRows:
    """What is known of the rows that were ticked, or of all rows of the org. Empty where nothing is known."""

    events: frozenset[str] = frozenset()
    """Ids of change events, their first 15 characters."""
    records: frozenset[str] = frozenset()
    storeconnect: frozenset[str] = frozenset()
    """StoreConnect IDs in lower case."""
    prefix: str = ""
    """Key prefix of the change event object, where no events are known but the org is."""
    ticked: bool = False
    """These are exactly the rows that were ticked."""

    @property
    def known(self) -> bool:
        return bool(self.events or self.records or self.storeconnect)

    @property
    def prefixes(self) -> frozenset[str]:
        """Key prefixes of change events."""
        return frozenset(one[:3] for one in (*self.events, self.prefix) if one)

    def ids(self, id_field: IdField) -> frozenset[str]:
        return {
            IdField.EVENT: self.events,
            IdField.RECORD: self.records,
            IdField.STORECONNECT: self.storeconnect,
        }[id_field]


@dataclass(frozen=True, slots=True)
class ButtonCandidate:
    """A call that could be the button."""

    call: RecordedCall
    """As recorded, but with the template for its parameters: it holds no id of a row."""
    hole: Hole
    """Where the ids go; the recorded ones are not kept."""
    field: IdField
    length: int
    """Characters of an id as the call takes it: 15 or 18, 36 for a StoreConnect ID."""
    score: int
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def doubtful(self) -> bool:
        """Its name says that it reads or removes something: never proposed by itself."""
        return _reads(self.call) or _removes(self.call)

    def payload(self) -> dict[str, object]:
        """The keys that `learn-button --json` promises."""
        call = self.call
        named = call.kind in {CallKind.APEX, CallKind.INVOCABLE}
        record = call.kind in _OF_RECORDS
        return {
            "kind": str(call.kind),
            "style": str(call.style),
            "namespace": call.namespace,
            "class": call.name if named else None,
            "method": call.method or None,
            "object": (call.name or None) if record else None,
            "name": None if named or record else call.name,
            "params": call.params,
            "ids": {
                "path": pointer(self.hole.path),
                "shape": self.hole.shape,
                "length": self.length,
                "field": str(self.field),
            },
            "calling": call.calling or None,
            "continuation": call.continuation,
            "score": self.score,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a recording taught: candidates, best first."""

    candidates: tuple[ButtonCandidate, ...]
    chosen: int | None
    """Index of the one clear candidate; None where there is none, or more than one."""
    refused: tuple[Unrepeatable, ...]
    lightning: int = 0

    @property
    def why_no_candidate(self) -> str:
        if sum(not candidate.doubtful for candidate in self.candidates) > 1:
            return "Several calls could be the button"
        if self.refused:
            return self.refused[0].why
        if self.candidates:
            return "The only call with row ids reads or removes something, by its name"
        return "No call of the package takes row ids"

    def payload(self) -> dict[str, object]:
        """The whole answer of `learn-button --json`."""
        return {
            "candidates": [candidate.payload() for candidate in self.candidates],
            "chosen": self.chosen,
            "refused": [{"what": one.what, "why": one.why} for one in self.refused],
        }


_READS = re.compile(
    r"(?:[Gg]et|[Ll]oad|[Ff]etch|[Ss]earch|[Ll]ist|[Cc]ount|[Ii]s|[Hh]as|[Dd]escribe|[Ff]ind|[Rr]ead|[Qq]uery|"
    r"[Cc]an|[Cc]heck|[Pp]review|[Ee]xport|[Dd]ownload)(?![a-z])(?!\w*And[A-Z_])"
)
_AWAY = (
    "(?:delet|remov|purg|clear|dismiss|ignor|cancel|abort|archiv|skip|suppress|acknowledg|disabl|snooz|discard|"
    "reject|hide|undo)"
)
_REMOVES = re.compile(rf"{_AWAY}(?!\w?ed)|mark(?:_?as)?_?(?:resolved|done|synced|complete)", re.IGNORECASE)
"""`retrySkippedRows` does not skip any."""
_REMOVED = re.compile(rf"{_AWAY}|resolved", re.IGNORECASE)
"""What a field is called, or is set to, that takes a row from the list."""
_CONTEXT = re.compile(
    r"store(?!connect)|user|owner|^org|organi[sz]ation|site|tenant|profile|config|currency|recordtype|network",
    re.IGNORECASE,
)
_NO_ROWS = frozenset({
    "005", "00D", "00G", "00e", "00X", "00O", "00l", "012", "01I", "01p", "01q", "01Z", "033", "0DE", "0DM",
    "0DB", "0PS", "0Af", "300", "301",
})  # fmt: skip
"""Key prefixes of users, the org, groups, profiles, set-up records: never the rows of a re-sync."""
_SECRET_NAME = re.compile(
    r"token|csrf|secret|passw|passphrase|passcode|pwd|fwuid|cookie|nonce|credential|authori[sz]ation|bearer|jwt|"
    r"(?:api|auth|access|private|session)[_-]?(?:id|key)|^(?:sid|auth|pass|pin|otp)$",
    re.IGNORECASE,
)
_SECRET_END = re.compile(
    rf"(?:{_SECRET_NAME.pattern}|passw(?:or)?d|passwd)s?(?:[_-]?(?:value|string|text|hash|\d+))*$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Za-z][A-Za-z _-]{0,39}")
"""What may stand under a name that only speaks of secrets, such as `tokenType`."""
_ROW = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?(?![0-9A-Za-z])")
_ADDRESS = re.compile(r"://|\b[\w-]+\.(?:[\w-]+\.)*(?:com|net|org|io|dev|app|cloud)\b", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
_NUMBER = re.compile(r"(?<![\w.:-])\+?\(?\d(?:[ ()/-]{0,2}\d){8,18}(?![\w:.-])")
"""Of a telephone or a card: nine digits and more, and no time."""
_LONGEST_CONSTANT = 200
_NO_IDS = "It sends no row ids: repeating it might re-sync everything"


def learn(
    recording: Recording, known: KnownRows, *, namespace: str = NAMESPACE, keep_ids: bool = False
) -> Lesson:
    """Find the button among the calls of a recording.

    Args:
        recording: What the browser recorded.
        known: What is known of the rows.
        namespace: The package's; calls of others are refused.
        keep_ids: A person has confirmed that constants which look like ids may be stored.
    """
    refused = list(recording.refused)
    candidates: dict[str, ButtonCandidate] = {}
    for group in _same_target(map(_plain, recording.calls)):
        for call in group:
            try:
                outcome = _candidate(call, group, known, namespace=namespace, keep_ids=keep_ids)
            except _RefusedError as refusal:
                refused.append(Unrepeatable(call.words, str(refusal)))
                continue
            key = json.dumps([call.words, call.style, _without_ids(outcome.call, outcome.hole)])
            earlier = candidates.get(key)
            if earlier is None or _tells_more(outcome, earlier):
                candidates[key] = outcome
    ranked = sorted(candidates.values(), key=lambda one: -one.score)
    return Lesson(tuple(ranked), _clear_winner(ranked), tuple(dict.fromkeys(refused)), recording.lightning)


def _tells_more(one: ButtonCandidate, other: ButtonCandidate) -> bool:
    """Where a call takes one text for all ids, a press of one row does not show it."""
    return (one.hole.shape != "one", one.score) > (other.hole.shape != "one", other.score)


def _without_ids(call: RecordedCall, hole: Hole) -> str:
    """All that a call sends but the ids at one place."""
    if hole.shape in {"one", "csv", "list"}:
        return json.dumps(replaced(call.params, hole.path, None), sort_keys=True)
    return json.dumps(replaced(call.params, hole.path, hole.mark), sort_keys=True)


def _clear_winner(ranked: Sequence[ButtonCandidate]) -> int | None:
    if not ranked or ranked[0].doubtful:
        return None
    if len(ranked) > 1 and ranked[0].score - ranked[1].score < CLEARLY_AHEAD:
        return None
    return 0


def _plain(call: RecordedCall) -> RecordedCall:
    try:
        return replace(call, params=without_addresses(call.params))
    except RecursionError:
        return call  # Nested too deeply: refused when its turn comes


class _Target(list[RecordedCall]):
    """The calls of one class and method, and what they have at each place of ids, collected once."""

    @cached_property
    def holes(self) -> Sequence[tuple[RecordedCall, Hole]]:
        """Every place of ids in each call."""
        holes: list[tuple[RecordedCall, Hole]] = []
        for call in self:
            try:
                holes += ((call, hole) for hole in find_holes(call.params))
            except (ValueError, RecursionError):
                continue  # Nested too deeply: refused when its turn comes
        return holes

    @cached_property
    def ids(self) -> Mapping[Path, set[str]]:
        ids: dict[Path, set[str]] = {}
        for _call, hole in self.holes:
            ids.setdefault(hole.path, set()).update(hole.ids)
        return ids

    @cached_property
    def beside(self) -> Mapping[Path, set[str]]:
        """What the calls send beside the ids at a place."""
        beside: dict[Path, set[str]] = {}
        for call, hole in self.holes:
            beside.setdefault(hole.path, set()).add(_without_ids(call, hole))
        return beside

    @cached_property
    def _known(self) -> dict[Path, frozenset[str]]:
        return {}

    def stands_in(self, text: str, path: Path) -> bool:
        """Whether an id that some call has at this place stands in `text`."""
        if path not in self._known:
            ids = self.ids.get(path, ())
            self._known[path] = frozenset(one if looks_like_uuid(one) else one[:15] for one in ids)
        known = self._known[path]
        places = range(len(text) - 14)
        return any(text[at : at + 15] in known or text[at : at + 36] in known for at in places)


def _same_target(calls: Iterable[RecordedCall]) -> list[_Target]:
    """Calls of one class and method (or object, Flow ...) together: one press may make one for each row."""
    groups: dict[tuple[CallKind, str, str, str], _Target] = {}
    for call in calls:
        groups.setdefault((call.kind, call.namespace, call.name, call.method), _Target()).append(call)
    return list(groups.values())


class _RefusedError(Exception):
    """Why a call is not repeated, in one sentence."""


def _demand(holds: object, why: str) -> None:
    """Refuse the call unless this holds."""
    if not holds:
        raise _RefusedError(why)


def _candidate(
    call: RecordedCall, group: _Target, known: KnownRows, *, namespace: str, keep_ids: bool
) -> ButtonCandidate:
    downstream = call.name.lower() == DOWNSTREAM
    _demand(not downstream, "It sends Salesforce's version to the website: the other direction")
    whose = f"the namespace {call.namespace}" if call.namespace else "the org's own code"
    foreign = f"It belongs to {whose}, not to {namespace}; --namespace names another"
    _demand(_of_package(call, namespace), foreign)
    hole, id_field = _row_hole(call.params, group, known)
    named = call.kind is not CallKind.APEX or hole.path or hole.shape == "map"
    _demand(named, "Its parameters have no names, as those of an Apex method have")
    template = replaced(call.params, hole.path, hole.mark)
    _demand_fit(template, hole, call.params)
    alike = len(group.beside[hole.path]) == 1
    _demand(alike, "What it sends beside the row ids differs from call to call")
    ids = group.ids[hole.path]
    shared = len(ids) > 1 or not _has_other_values(hole.mark)
    _demand(shared, "What stands beside the one row's id may be that row's: tick two rows")
    _demand_safe(template, known, group, hole.path, keep_ids=keep_ids)
    if call.kind is CallKind.RECORD_UPDATE and not call.name and id_field is IdField.EVENT and known.known:
        call = replace(call, namespace=NAMESPACE, name=CHANGE_EVENT)
    score, reasons = _score(call, hole, known, ids, namespace)
    warnings = ("The recorded press failed: its answer says so",) if call.succeeded is False else ()
    return ButtonCandidate(
        call=replace(call, params=template),
        hole=replace(hole, ids=()),
        field=id_field,
        length=max(map(len, hole.ids)),
        score=score,
        reasons=reasons,
        warnings=warnings,
    )


def _of_package(call: RecordedCall, namespace: str) -> bool:
    """Whether a call is the package's, or may be."""
    of_record = call.kind in _OF_RECORDS
    return call.namespace == namespace or (of_record and (not call.name or _own_fields(call, namespace)))


def _own_fields(call: RecordedCall, namespace: str) -> bool:
    return f'"{namespace}__' in json.dumps(call.params)


def _row_hole(params: Json, group: _Target, known: KnownRows) -> tuple[Hole, IdField]:
    """The one place of the row ids."""
    try:
        holes = find_holes(params)
    except (ValueError, RecursionError):
        raise _RefusedError("Its parameters are nested too deeply to be a component's call") from None
    hidden = any(map(_has_row_key, texts(params)))
    _demand(holes, "Its ids stand within longer texts" if hidden else _NO_IDS)
    hint = "" if known.known else "; name the ticked rows with --event"
    places = [(hole, id_field) for hole in holes if (id_field := _field(hole, group, known)) is not None]
    _demand(places, f"The ids in it are not those of the rows{hint}")
    if known.known:
        id_fields = {id_field for _hole, id_field in places}
        first = next(id_field for id_field in IdField if id_field in id_fields)
        places = [place for place in places if place[1] is first]
    # Beside the rows there may be one id that stays the same: the page's record.
    places = [place for place in places if len(group.ids[place[0].path]) > 1] or places
    same = len({frozenset(hole.ids) for hole, _id_field in places}) == 1
    _demand(len(places) == 1, f"The row ids stand at more than one place in it{'' if same else hint}")
    return places[0]


def _field(hole: Hole, group: _Target, known: KnownRows) -> IdField | None:
    """Which id of the rows stands at this place; None where these are no rows' ids."""
    uuids = all(map(looks_like_uuid, hole.ids))
    keys = {one.lower() if uuids else one[:15] for one in hole.ids}
    prefixes = {one[:3] for one in keys}
    # Prefixes of standard objects begin with a digit: those are records, where no event is known.
    events = prefixes <= known.prefixes if known.prefixes else any(one[0].isalpha() for one in keys)
    id_field = IdField.STORECONNECT if uuids else IdField.EVENT if events else IdField.RECORD
    rows = known.ids(id_field)
    if keys <= rows:
        return id_field
    if id_field is IdField.EVENT and known.prefixes:
        return None if known.ticked else id_field
    if prefixes & _NO_ROWS or _CONTEXT.search(hole.name):
        return None
    # The rows may be known by their change events only, and a call may take the ids of their records: then
    # there are as many of them as rows were ticked.
    by_number = known.ticked and not rows and len(group.ids[hole.path]) == len(known.events)
    return id_field if by_number or not known.known else None


def _demand_fit(template: Json, hole: Hole, params: Json) -> None:
    """Refuse a template that does not give the recorded call again."""
    try:
        check(template)
        again = filled(template, hole.ids)
    except ValueError as error:
        raise _RefusedError(f"Its parameters cannot be filled with other ids: {error}") from None
    same = unfolded(again) == unfolded(params)
    _demand(same, "Its parameters cannot be filled with other ids: the recorded ones do not come out again")


def _demand_safe(template: Json, known: KnownRows, group: _Target, path: Path, *, keep_ids: bool) -> None:
    """Refuse a template, whose hole is at `path`, with constants that may not be stored."""
    whole = json.dumps(template)
    words = {word[:15] for word in _ROW.findall(whole.replace("_", " "))}
    twice = group.stands_in(whole, path) or words & (known.events | known.records)
    _demand(not twice, "The id of a recorded row stands in it at a second place")
    constants = [text for text in texts(template) if inside_of(text) is None]  # what is in it comes by itself
    secret = any(looks_secret(text) or len(text) > _LONGEST_CONSTANT for text in constants) or any(
        _named_as_secret(name, text) for name, text in named_texts(template)
    )
    _demand(not secret, "It holds a constant that may be a secret")
    keyed = any(map(_has_row_key, constants)) and not keep_ids
    _demand(not keyed, "It holds a constant that looks like an id (user, org, store); --keep-ids accepts it")
    plain = [text for text in constants if not _has_row_key(text)]
    addressed = any(_EMAIL.search(text) or _ADDRESS.search(text) for text in plain)
    _demand(not addressed, "It holds an address, which is not stored")
    numbered = any(map(_NUMBER.search, plain)) and not keep_ids
    _demand(not numbered, "It holds a number that may be a telephone's or a card's; --keep-ids accepts it")


def _has_row_key(text: str) -> bool:
    """Whether an id stands in a text, also between other words."""
    parts = [*re.split(r"[^\w-]+", text), *re.split(r"[\W_]+", text)]
    return any(looks_like_uuid(part) or looks_like_id(part) for part in parts)


def _named_as_secret(name: str, text: str) -> bool:
    """Whether a constant is a secret by its name. `tokenType` only speaks of one: plain words may stay."""
    if not _SECRET_NAME.search(name):
        return False
    return bool(_SECRET_END.search(name)) or not _WORDS.fullmatch(text)


def _has_other_values(mark: Mapping[str, Json]) -> bool:
    """Whether texts or numbers stand beside the id of each row: they may be that row's own."""
    if "template" in mark:
        return _has_other_values(check(mark["template"]).mark)
    rest = mark.get("item", mark.get("value"))
    return any(not isinstance(one, bool) for one in _scalars(rest))


def _scalars(value: Json) -> Iterator[Json]:
    if isinstance(value, Mapping):
        for key, member in value.items():
            if key not in {"attributes", "type", "sobjectType", "apiName"}:
                yield from _scalars(member)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _scalars(item)
    elif value is not None:
        yield value


def _score(
    call: RecordedCall, hole: Hole, known: KnownRows, ids: set[str], namespace: str
) -> tuple[int, tuple[str, ...]]:
    """Points and their reasons. Weights: what speaks for a call weighs less than what it acts on."""
    scored: list[tuple[int, str]] = []
    many = len(hole.ids)
    scored.append((40, f"It takes {plural(many, 'row id')}"))
    if known.ticked and {one[:15] for one in ids} == known.events:
        scored.append((10, "Its ids are exactly those of the ticked rows"))
    if call.namespace == namespace or call.calling.startswith(f"markup://{namespace}:"):
        scored.append((25, f"It belongs to {namespace}"))
    if TRIES_AGAIN.search(call.method) or TRIES_AGAIN.search(call.name) or _retry_field(call):
        scored.append((15, "Its name says that it tries again"))
    if call.succeeded:
        scored.append((10, "The recorded call succeeded"))
    if call.cacheable is False:
        scored.append((5, "It changes something: it is not cacheable"))
    if _reads(call):
        scored.append((-20, "Its name says that it reads"))
    if _removes(call):
        scored.append((-50, "Its name says that it removes something"))
    return sum(points for points, _reason in scored), tuple(reason for _points, reason in scored)


def _retry_field(call: RecordedCall) -> bool:
    return call.kind in _OF_RECORDS and any(TRIES_AGAIN.search(text) for text in texts(call.params))


def _verb(call: RecordedCall) -> str:
    """What does it: the method of a class, an action, a Flow, or the last part of an address."""
    return call.method if call.kind is CallKind.APEX else call.name.rpartition("/")[2]


def _reads(call: RecordedCall) -> bool:
    return call.kind not in _OF_RECORDS and _READS.match(_verb(call)) is not None


def _removes(call: RecordedCall) -> bool:
    if call.kind in _OF_RECORDS:
        return any(map(_REMOVED.search, texts(_set_fields(call.params))))
    return _REMOVES.search(_verb(call)) is not None


def _set_fields(params: Json) -> Json:
    """Without the fields that are emptied: `Ignored__c` set to false takes nothing away."""
    if isinstance(params, Mapping):
        return {name: _set_fields(value) for name, value in params.items() if value not in (False, None)}
    if isinstance(params, Sequence) and not isinstance(params, str):
        return [_set_fields(item) for item in params]
    return params
