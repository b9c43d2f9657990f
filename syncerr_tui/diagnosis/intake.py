"""What people have in their hands when something failed, as rows with a message each.

A Data Loader error file, the failed results of the Bulk API, JSON lines, a debug log: each is recognised by
its own shape. Everything else, a REST answer or a Flow's error e-mail among it, is one message.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import Any

LONGEST_CELL = 1_000_000
"""Characters in one cell of a CSV file; Salesforce's longest texts end far below."""


class Shape(StrEnum):
    """What a text is."""

    MESSAGE = "message"
    CSV = "csv"
    JSON_LINES = "jsonl"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One failed row."""

    line: int
    """Where it begins in the text, counted from 1."""
    message: str
    code: str | None = None
    id: object = None
    """What names the row: the record's id, or the `id` of a JSON line, whatever that is."""
    object_name: str | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read, and why."""

    line: int
    trouble: str
    id: object = None


class UnreadableTableError(ValueError):
    """A CSV file has no column that could hold an error message."""


_ERROR_COLUMNS = (
    "sf__error",
    "error",
    "errors",
    "error message",
    "errormessage",
    "message",
    "status message",
)
_CODE_COLUMNS = ("status code", "statuscode", "error code", "errorcode", "code")
_ID_COLUMNS = ("sf__id", "change event", "id", "storeconnect id", "external id")
_OBJECT_COLUMNS = ("object", "object name", "sobject", "sobject type")
_DELIMITERS = ",;\t|"
# A line of Salesforce's debug log, or of a web store's: Ruby's, with its tags.
_LOG_LINE = re.compile(
    r"\d{2}:\d{2}:\d{2}\.\d{1,9} ?(?:\(\d+\))?\|(?P<event>[A-Z_]+)(?:\||\Z)|"
    r"[A-Z], \[[^\[\]]{10,60}\] {1,4}(?P<level>[A-Z]+) -- [^:]{0,60}: (?:\[[^\[\]]{1,60}\] ?){0,9}"
)
_FAILED = ("FATAL_ERROR", "EXCEPTION_THROWN", "FLOW_ELEMENT_ERROR", "FLOW_ELEMENT_FAULT", "ERROR", "WARN")
"""Events of a log that say what failed, the most telling first."""


def decode(raw: bytes) -> str | None:
    """Bytes as text: UTF-8 and UTF-16 with and without their marks, else Windows' Latin-1; None for none."""
    encodings = ("utf-16",) if is_utf16(raw) else ("utf-8-sig", "cp1252")
    if is_utf16(raw) and raw[:2] not in {b"\xff\xfe", b"\xfe\xff"}:
        encodings = ("utf-16-le",) if raw[1:2] == b"\x00" else ("utf-16-be",)
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if _is_plain(text) else None
    return None


def _is_plain(text: str) -> bool:
    """Whether decoded bytes read like text: no control codes, and letters of ASCII among the others."""
    sample = text[:4000]
    ascii_letters = sum(letter.isascii() for letter in sample)
    others = sum(letter < "\u0100" and not letter.isascii() for letter in sample)
    return "\x00" not in text and others <= ascii_letters


def is_utf16(raw: bytes) -> bool:
    """Whether every other byte at the beginning is zero."""
    start = raw[:200]
    zeros = max(start[0::2].count(0), start[1::2].count(0))
    return len(start) >= 4 and zeros > len(start) // 4 and start.count(0) - zeros <= len(start) // 20


def shape_of(text: str) -> Shape:
    """What a text is, told from its first lines."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if _json_line(first) is not None:
        return Shape.JSON_LINES
    if sum(1 for line in text.splitlines()[:200] if _LOG_LINE.match(line)) >= 2:
        return Shape.LOG
    try:
        header, delimiter = _heading(first)
    except csv.Error:
        return Shape.MESSAGE
    if len(header) > 1 and _column(header, _ERROR_COLUMNS) is not None and delimiter and "\n" in text.strip():
        return Shape.CSV
    return Shape.MESSAGE


def rows_of(
    text: str, error_column: str | None = None, shape: Shape | None = None
) -> Iterator[ErrorRow | BadRow]:
    """The failed rows of a text, in order. Rows that succeeded are left out.

    Args:
        text: The whole text.
        error_column: The CSV column that holds the message, where it is not one of the usual names.
        shape: What the text is, where that is known.

    Raises:
        UnreadableTableError: A CSV file has no such column.
    """
    match shape or shape_of(text):
        case Shape.CSV:
            return _table_rows(text, error_column)
        case Shape.JSON_LINES:
            return (row for number, line in _numbered(text.splitlines()) for row in [json_row(number, line)])
        case Shape.LOG:
            return _log_rows(text)
        case _:
            return iter([ErrorRow(1, text)])


def _numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(lines, 1) if line.strip())


def json_row(number: int, line: str) -> ErrorRow | BadRow:
    """One JSON line: `message` is a text, `code` a text or null, `id` anything."""
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError):
        return BadRow(number, "not JSON")
    if not isinstance(row, dict):
        return BadRow(number, "not a JSON object")
    message, code, row_id = row.get("message"), row.get("code"), row.get("id")
    if not isinstance(message, str):
        return BadRow(number, "'message' has to be there and a text", row_id)
    if code is not None and not isinstance(code, str):
        return BadRow(number, "'code' has to be a text or null", row_id)
    name = row.get("object")
    return ErrorRow(number, message, code, row_id, name if isinstance(name, str) and name else None)


def _json_line(line: str) -> dict[str, Any] | None:
    """A JSON object with a message that is not one of Salesforce's own answers; None for anything else."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    known = isinstance(row, dict) and isinstance(row.get("message"), str)
    return row if known and not {"errorCode", "statusCode"} & row.keys() else None


def _heading(line: str) -> tuple[list[str], str]:
    delimiter = max(_DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter), [])
    return [name.strip().lstrip("\ufeff") for name in names], delimiter if delimiter in line else ""


def _column(header: Sequence[str], names: Iterable[str]) -> int | None:
    folded = [" ".join(name.casefold().split()) for name in header]
    return next((folded.index(name) for name in names if name in folded), None)


def _table_rows(text: str, error_column: str | None) -> Iterator[ErrorRow | BadRow]:
    lines = list(StringIO(text, newline=""))
    skipped = next((number for number, line in enumerate(lines) if line.strip()), 0)
    header, delimiter = _heading(lines[skipped].rstrip("\r\n") if lines else "")
    names = (error_column.casefold(),) if error_column else _ERROR_COLUMNS
    at = _column(header, names)
    if at is None:
        raise UnreadableTableError(", ".join(header[:20]))
    return _cells(lines[skipped + 1 :], skipped + 2, header, at, delimiter or ",")


def _cells(
    lines: Sequence[str], first: int, header: Sequence[str], at: int, delimiter: str
) -> Iterator[ErrorRow | BadRow]:
    limit = csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter)
    columns = [_column(header, names) for names in (_CODE_COLUMNS, _ID_COLUMNS, _OBJECT_COLUMNS)]
    success = _column(header, ("success",))
    try:
        while True:
            number = first + reader.line_num
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield BadRow(number, f"not CSV ({error})")
                continue
            if cells is None:
                return
            if not any(cells):
                continue
            if len(cells) > len(header) and at == len(header) - 1:
                # Tools that do not quote: the commas belong to the message, which stands last.
                cells = [*cells[:at], delimiter.join(cells[at:])]
            if len(cells) != len(header):
                yield BadRow(
                    number, f"the heading names {len(header)} columns, and this line has {len(cells)}"
                )
                continue
            done = success is not None and cells[success].strip().casefold() == "true"
            if not cells[at].strip() or done:
                continue
            code, row_id, name = (
                cells[place].strip() or None if place is not None else None for place in columns
            )
            yield ErrorRow(number, cells[at], code, row_id, name)
    finally:
        csv.field_size_limit(limit)


def _log_rows(text: str) -> Iterator[ErrorRow]:
    """What failed in a log: the last word on each failure, with the stack below it."""
    events: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LOG_LINE.match(line)
        if match:
            event = match["event"] or match["level"].replace("FATAL", "ERROR")
            events.append((event, number, [line[match.end() :]]))
        elif events:
            events[-1][2].append(line)
    kinds = {event for event, _, _ in events}
    failed_kind = next((kind for kind in _FAILED if kind in kinds), None)
    seen: set[str] = set()
    for event, number, lines in events:
        message = re.sub(r"\A\[\d+\]\|", "", "\n".join(lines)).strip()
        if event == failed_kind and message not in seen:
            seen.add(message)
            yield ErrorRow(number, message)
