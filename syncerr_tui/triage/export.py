"""What is taken out of the app, as text. Pure.

Rows as CSV, JSON, JSON lines or Markdown (a row is an error as its JSON has it); what of an error a person
copies; a whole record for another program.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from syncerr_tui.model import SyncError
from syncerr_tui.text import HOSTILE, clean, one_line
from syncerr_tui.words import plural

ExportRow = Mapping[str, Any]

_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
"""How a cell begins that spreadsheets may calculate; the wide signs count in some of them."""
_MARKUP = re.compile(r"([\\|`*_<>\[\]#~!&])")


class Format(StrEnum):
    """The kinds of text; the value is also the ending of a file's name, `table` apart."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"

    @property
    def ending(self) -> str:
        return "md" if self is Format.MARKDOWN else self.value


def csv_line(values: Iterable[object]) -> str:
    """One line of CSV, every cell in quotes. A cell that a spreadsheet would calculate begins with `'`."""
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="").writerow([_harmless(v) for v in values])
    return buffer.getvalue()


def _harmless(value: object) -> str:
    text = one_line("" if value is None else str(value))
    return f"'{text}" if _FORMULA.match(text) else text


def markdown_text(text: str) -> str:
    """Text on one line of Markdown, in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", one_line(text))


def markdown_line(values: Iterable[object]) -> str:
    """One row of a Markdown table, in which the text of an org is text only."""
    cells = (markdown_text("" if value is None else str(value)) for value in values)
    return f"| {' | '.join(cells)} |"


def table_head(fields: Sequence[str], form: Format) -> list[str]:
    match form:
        case Format.CSV:
            return [csv_line(fields)]
        case Format.MARKDOWN:
            return [markdown_line(fields), f"|{'---|' * len(fields)}"]
        case _:
            return []


def export_lines(rows: Iterable[ExportRow], fields: Sequence[str], form: Format) -> Iterator[str]:
    """The rows, a line for each; JSON is one line in all. `Format.TABLE` is for whoever knows the window."""
    match form:
        case Format.CSV:
            yield from (csv_line(row[field] for field in fields) for row in rows)
        case Format.MARKDOWN:
            yield from (markdown_line(row[field] for field in fields) for row in rows)
        case Format.JSONL:
            yield from (_json({field: row[field] for field in fields}) for row in rows)
        case _:
            yield _json([{field: row[field] for field in fields} for row in rows])


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Copyable:
    """One thing to copy, of one error or of several."""

    key: str
    """The letter that asks for it."""
    name: str
    text: str
    """Empty where no error has it."""
    what: str
    """What it is, for the line that says what was copied: `5 StoreConnect IDs`."""


def copyables(
    errors: Sequence[SyncError], *, link: Callable[[SyncError], str], whole: Callable[[SyncError], str]
) -> list[Copyable]:
    """Everything that can be copied of these errors."""
    kinds: tuple[tuple[str, str, Callable[[SyncError], str]], ...] = (
        ("c", "StoreConnect ID", lambda error: error.storeconnect_id),
        ("s", "Salesforce ID", lambda error: error.salesforce_id or ""),
        ("e", "change event ID", lambda error: error.id),
        ("m", "message", lambda error: error.message),
        ("a", "whole error", whole),
        ("l", "link", link),
    )
    return [
        _copyable(key, name, [read(error) for error in errors], whole=read is whole)
        for key, name, read in kinds
    ]


def _copyable(key: str, name: str, values: Sequence[str], *, whole: bool) -> Copyable:
    there = [value for value in values if value]
    if len(values) == 1:
        return Copyable(key, name, "".join(there), f"the {name}")
    text = "\n\n".join(there) if whole else "\n".join(map(one_line, there))
    lacking = len(values) - len(there)
    without = f" ({plural(lacking, 'row')} without one)" if lacking else ""
    return Copyable(key, name, text, f"{plural(len(there), name)}{without}")


_MODELINE = re.compile(r"\b(vi|vim|ex|Vim)(?=[<=>]?\d*:)|-\*-|Local Variables(?=:)")
"""What an editor would take for its own settings where it stands at either end of a file."""
_LINE_ENDS = re.compile("[\u2028\u2029]")


def record_json(record: Mapping[str, Any]) -> str:
    """The record as JSON that says what the org sent, and that neither a terminal nor an editor obeys.

    What could be taken for a command is written as an escape: JSON reads it as what it was.
    """
    text = json.dumps(record, ensure_ascii=False, indent=2)
    text = HOSTILE.sub(
        lambda match: _escaped(match[0]), _LINE_ENDS.sub(lambda match: _escaped(match[0]), text)
    )
    return _MODELINE.sub(lambda match: _escaped(match[0][0]) + match[0][1:], text) + "\n"


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def record_fields(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every field with its value as text, in the org's order; what describes the record itself comes last."""
    shown = [(name, _value(value)) for name, value in record.items() if name != "attributes"]
    about = record.get("attributes")
    return [*shown, ("attributes", _value(about))] if about is not None else shown


def _value(value: object) -> str:
    if value is None:
        return "null"
    return clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
