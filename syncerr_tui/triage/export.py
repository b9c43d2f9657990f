"""Rows as text to take away: CSV, JSON, JSON lines, Markdown. Pure; a row is an error as its JSON has it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from syncerr_tui.text import one_line

Row = Mapping[str, Any]

FIELDS = (
    "id",
    "object",
    "event_type",
    "processed_at",
    "salesforce_id",
    "storeconnect_id",
    "code",
    "message",
)
"""Every field of an error, as its JSON names them."""

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
        """The ending of a file of this kind."""
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


def heading(fields: Sequence[str], form: Format) -> list[str]:
    """What stands above the rows."""
    match form:
        case Format.CSV:
            return [csv_line(fields)]
        case Format.MARKDOWN:
            return [markdown_line(fields), f"|{'---|' * len(fields)}"]
        case _:
            return []


def lines(rows: Iterable[Row], fields: Sequence[str], form: Format) -> Iterator[str]:
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
