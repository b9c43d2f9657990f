"""The parameters of a recorded call as a template: constants, and one hole where the row ids stood.

A hole is an object with the key `$ids`, which names the shape that the ids had there:

| `$ids` | stood there | further keys |
|---|---|---|
| `list` | `["id1", "id2"]` | |
| `one` | `"id1"`: one call for each row | |
| `csv` | `"id1,id2"` | `separator`; `end` where something stands behind the last one |
| `records` | `[{"Id": "id1", ...}, ...]` | `key`: the member that holds the id; `item`: the other members |
| `map` | `{"id1": ..., "id2": ...}` | `value`; `key` where the value holds the id again |

A place whose ids have differing values beside them has the mark `differs`: it is no template.
| `json` | a string that is JSON | `template`: its content with a hole of its own; `inner`: pointer to it |
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from syncerr_tui.diagnosis.identifiers import is_id

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
Path: TypeAlias = "tuple[str | int, ...]"

MARK = "$ids"
_DIFFERS = "differs"
SHAPES = frozenset({"list", "one", "csv", "records", "map", "json"})
DEEPEST = 20
"""Levels of nesting. Parameters of a component's call have a handful."""
LARGEST = 20_000
"""Characters of a template as JSON."""
_SEPARATORS = (",", ";", "|", "\n", " ")
_UUID = re.compile(r"[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_ID_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[A-Z0-5]{3})?", re.ASCII)
_ID_PREFIX = re.compile(r"[0-8][0-9A-Za-z]{2}|a[0-9A-Z][0-9A-Za-z]|[emxk][0A-Za-z][0-9A-Za-z]")
_NEEDED_KEYS = {"records": {"key"}, "csv": {"separator"}, "json": {"template", "inner"}}


@dataclass(frozen=True, slots=True)
class Hole:
    """Where ids stand in the parameters of a call."""

    path: Path
    """Way from the parameters to the value that holds the ids (for `json`: to the string)."""
    mark: Mapping[str, Json]
    """What stands there in the template."""
    ids: tuple[str, ...]
    """The ids that the recording has there."""

    @property
    def shape(self) -> str:
        """One of `SHAPES`."""
        return str(self.mark[MARK])

    @property
    def name(self) -> str:
        """The nearest name above the ids, for words and hints; empty where there is none."""
        return next((str(step) for step in reversed(self.path) if isinstance(step, str)), "")


def looks_like_id(text: str) -> bool:
    """Whether `text` may be a Salesforce record id. Wider than `is_id`: check characters may be wrong."""
    if is_id(text):
        return True
    shaped = _ID_SHAPE.fullmatch(text) is not None and _ID_PREFIX.match(text) is not None
    return shaped and sum(map(str.isdigit, text[3:15])) >= 3 and not text.isdigit()


def looks_like_uuid(text: str) -> bool:
    """Whether `text` is a UUID, as StoreConnect's ids are."""
    return _UUID.fullmatch(text) is not None


_TOKEN = re.compile(r"eyJ[\w-]{5}|00D\w{12}(?:\w{3})?!|\b(?:Basic|Bearer) [\w+/=.~-]{8}")
_OPAQUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.~-]{32,}", re.ASCII)
_HEX = re.compile(r"(?=.*\d)[0-9a-f]{20,}", re.IGNORECASE)


def looks_secret(text: str) -> bool:
    """Whether `text` holds a word that may be a token: a known beginning, or letters and digits at random."""
    return _TOKEN.search(text) is not None or any(map(_opaque, text.split()))


def _opaque(word: str) -> bool:
    if looks_like_uuid(word):
        return False
    if _HEX.fullmatch(word):
        return True
    return _OPAQUE.fullmatch(word) is not None and sum(map(str.isdigit, word)) >= 4 and word.lower() != word


def without_addresses(value: Json) -> Json:
    """Parameters without the addresses that a serialized record carries in `attributes`: they hold its id.

    Salesforce needs only the type there. Strings that are JSON are left as they are where they have none.
    """
    if isinstance(value, str) and '"attributes"' in value:
        inside = inside_of(value)
        stripped = without_addresses(inside)
        return value if stripped == inside else json.dumps(stripped, separators=(",", ":"))
    if isinstance(value, Mapping):
        typed = "type" in value
        return {
            key: without_addresses(member)
            for key, member in value.items()
            if not (typed and key == "url" and isinstance(member, str) and "/sobjects/" in member)
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without_addresses(item) for item in value]
    return value


def pointer(path: Path) -> str:
    """A path as JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def find_holes(params: Json) -> list[Hole]:
    """Every place in recorded parameters where record ids stand, in order.

    Raises:
        ValueError: The parameters are nested deeper than `DEEPEST`.
    """
    return list(_holes(params, ()))


def _holes(value: Json, path: Path) -> Iterator[Hole]:
    if len(path) > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        yield from _in_text(value, path)
    elif isinstance(value, Mapping):
        yield from _in_object(value, path)
    elif isinstance(value, Sequence):
        yield from _in_list(value, path)


def _in_text(text: str, path: Path) -> Iterator[Hole]:
    if _row_key(text):
        yield Hole(path, {MARK: "one"}, (text,))
        return
    for separator in _SEPARATORS:
        listed = text.rstrip(separator + " ")
        end = text[len(listed) :]
        parts = [part.strip() for part in listed.split(separator)]
        if (len(parts) > 1 or separator in end) and all(_row_key(part) for part in parts):
            written = separator + " " if separator + " " in listed and separator != " " else separator
            mark = {MARK: "csv", "separator": written}
            yield Hole(path, {**mark, "end": end} if end else mark, tuple(parts))
            return
    inside = inside_of(text)
    for hole in _holes(inside, ()):
        template = replaced(inside, hole.path, hole.mark)
        yield Hole(path, {MARK: "json", "inner": pointer(hole.path), "template": template}, hole.ids)


def _in_object(value: Mapping[str, Json], path: Path) -> Iterator[Hole]:
    if value and all(_row_key(key) for key in value):
        yield from _as_map(value, path)
        return
    for key, member in value.items():
        yield from _holes(member, (*path, key))


def _as_map(value: Mapping[str, Json], path: Path) -> Iterator[Hole]:
    first_id, first = next(iter(value.items()))
    key = None
    if isinstance(first, Mapping):
        key = next((name for name, member in first.items() if member == first_id), None)
    stripped = [
        {name: part for name, part in member.items() if name != key}
        if key and isinstance(member, Mapping) and member.get(key) == row
        else member
        for row, member in value.items()
    ]
    mark: dict[str, Json] = {MARK: "map", "value": stripped[0]}
    if any(member != stripped[0] for member in stripped):
        mark = {MARK: "map", _DIFFERS: True}
    elif key:
        mark["key"] = key
    yield Hole(path, mark, tuple(value))


def _in_list(value: Sequence[Json], path: Path) -> Iterator[Hole]:
    texts = [item for item in value if isinstance(item, str) and _row_key(item)]
    if value and len(texts) == len(value):
        yield Hole(path, {MARK: "list"}, tuple(texts))
        return
    records = [item for item in value if isinstance(item, Mapping)]
    if value and len(records) == len(value):
        holes = list(_as_records(records, path))
        same = [hole for hole in holes if _DIFFERS not in hole.mark]
        if holes:
            yield from same[:1] or holes
            return
    for index, item in enumerate(value):
        yield from _holes(item, (*path, index))


def _as_records(records: Sequence[Mapping[str, Json]], path: Path) -> Iterator[Hole]:
    """A hole for each member that holds an id in every record."""
    for key in records[0]:
        ids = [one for item in records if isinstance(one := item.get(key), str) and _row_key(one)]
        if len(ids) == len(records):
            items = [{name: part for name, part in item.items() if name != key} for item in records]
            mark: dict[str, Json] = {MARK: "records", "key": key, "item": items[0]}
            if any(item != items[0] for item in items):
                mark = {MARK: "records", "key": key, _DIFFERS: True}
            yield Hole(path, mark, tuple(ids))


def _row_key(text: str) -> bool:
    return looks_like_id(text) or looks_like_uuid(text)


def replaced(value: Json, path: Path, new: Json) -> Json:
    """A copy of `value` with `new` at `path`."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, Mapping):
        return {key: replaced(member, rest, new) if key == step else member for key, member in value.items()}
    assert isinstance(value, Sequence)
    return [replaced(item, rest, new) if index == step else item for index, item in enumerate(value)]


def inside_of(text: str) -> Mapping[str, Json] | Sequence[Json] | None:
    """The object or the list that `text` is, written as JSON; None where it is none."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        return cast("Mapping[str, Json] | Sequence[Json]", json.loads(text))
    except (ValueError, RecursionError):
        return None


def unfolded(value: Json) -> Json:
    """Parameters in which every string that is JSON stands as what it says, however it is written."""
    if isinstance(value, str):
        return value if (inside := inside_of(value)) is None else unfolded(inside)
    if isinstance(value, Mapping):
        return {key: unfolded(member) for key, member in value.items()}
    return [unfolded(item) for item in value] if isinstance(value, Sequence) else value


def texts(value: Json) -> Iterator[str]:
    """Every string in a template, keys of objects included; strings that are JSON also from inside."""
    if isinstance(value, str):
        yield value
        yield from texts(inside_of(value))
    elif isinstance(value, Mapping):
        for key, member in value.items():
            yield key
            yield from texts(member)
    elif isinstance(value, Sequence):
        for item in value:
            yield from texts(item)


def named_texts(template: Json) -> Iterator[tuple[str, str]]:
    """Constant texts with the names under which they stand, also inside of JSON strings."""
    if isinstance(template, str):
        yield from named_texts(inside_of(template))
    elif isinstance(template, Mapping):
        for name, member in template.items():
            if isinstance(member, str) and member:
                yield name, member
            yield from named_texts(member)
    elif isinstance(template, Sequence):
        for item in template:
            yield from named_texts(item)


def check(template: object) -> Hole:
    """Make sure that a stored template is one, and give its only hole (without recorded ids).

    Raises:
        ValueError: It is no template; the words say why.
    """
    try:
        size = len(json.dumps(template, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("it is not JSON, or it is nested too deeply") from None
    if size > LARGEST:
        raise ValueError(f"it is longer than {LARGEST} characters")
    marks = list(_marks(cast("Json", template), ()))
    if len(marks) != 1:
        raise ValueError(f"it needs exactly one place for the row ids and has {len(marks)}")
    path, mark = marks[0]
    _check_mark(mark)
    return Hole(path, mark, ())


def _marks(value: Json, path: Path) -> Iterator[tuple[Path, Mapping[str, Json]]]:
    if len(path) > DEEPEST:
        raise ValueError("it is nested too deeply")
    if isinstance(value, Mapping):
        if MARK in value:
            yield path, value
            return
        for key, member in value.items():
            yield from _marks(member, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            yield from _marks(item, (*path, index))


def _check_mark(mark: Mapping[str, Json]) -> None:
    shape = mark[MARK]
    if not isinstance(shape, str) or shape not in SHAPES:
        raise ValueError(f"it knows no such shape; there are: {', '.join(sorted(SHAPES))}")
    missing = _NEEDED_KEYS.get(shape, set()) - mark.keys()
    if missing:
        raise ValueError(f"a place of the shape {shape} needs {' and '.join(sorted(missing))}")
    if _DIFFERS in mark:
        raise ValueError("what stands beside the ids differs from row to row")
    for name in ("key", "separator", "inner", "end"):
        if name in mark and not isinstance(mark[name], str):
            raise ValueError(f"{name} has to be text")
    if shape == "csv" and not mark["separator"]:
        raise ValueError("separator may not be empty")
    if shape == "records" and not isinstance(mark.get("item", {}), Mapping):
        raise ValueError("item has to be an object")
    if shape == "json":
        inner = check(mark["template"])
        if pointer(inner.path) != mark["inner"]:
            raise ValueError("inner does not point to the place for the row ids")


def takes_one(template: Json) -> bool:
    """Whether a call of this template is for one row only."""
    hole = check(template)
    if hole.shape == "json":
        return takes_one(hole.mark["template"])
    return hole.shape == "one"


def filled(template: Json, ids: Sequence[str]) -> Json:
    """The parameters of a call for these rows, in this order.

    Raises:
        ValueError: There is no id, or there are several and the call takes one.
    """
    hole = check(template)
    if not ids:
        raise ValueError("a call needs at least one row")
    return replaced(template, hole.path, _SHAPED[hole.shape](hole.mark, ids))


def _one(_mark: Mapping[str, Json], ids: Sequence[str]) -> Json:
    if len(ids) != 1:
        raise ValueError("this call takes one row at a time")
    return ids[0]


def _records(mark: Mapping[str, Json], ids: Sequence[str]) -> Json:
    key, item = str(mark["key"]), cast("Mapping[str, Json]", mark.get("item", {}))
    return [{key: row, **item} for row in ids]


def _map(mark: Mapping[str, Json], ids: Sequence[str]) -> Json:
    key, value = mark.get("key"), mark.get("value")
    if isinstance(key, str) and isinstance(value, Mapping):
        return {row: {key: row, **value} for row in ids}
    return dict.fromkeys(ids, value)


_SHAPED: Mapping[str, Callable[[Mapping[str, Json], Sequence[str]], Json]] = {
    "list": lambda _mark, ids: list(ids),
    "one": _one,
    "csv": lambda mark, ids: str(mark["separator"]).join(ids) + str(mark.get("end", "")),
    "records": _records,
    "map": _map,
    "json": lambda mark, ids: json.dumps(filled(mark["template"], ids), separators=(",", ":")),
}
