"""`syncerr-tui explain`: a code, a message or a sync error in plain words, with what to do about it.

Works without an org and without a network. Never imports Textual; simple-salesforce only for `--id`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from syncerr_tui.cli._console import complain, emit_json
from syncerr_tui.cli._explain_rows import Form, bad_row_answer, tell_one, tell_rows
from syncerr_tui.cli._options import later_org_options, packed
from syncerr_tui.diagnosis import codes
from syncerr_tui.diagnosis.explanation import Explanation, OrgContext, explain, explain_message
from syncerr_tui.diagnosis.intake import (
    BadRow,
    ErrorRow,
    Shape,
    UnreadableTableError,
    decode,
    is_utf16,
    json_row,
    rows_of,
    shape_of,
)
from syncerr_tui.diagnosis.links import full_id
from syncerr_tui.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    import asyncio

    from syncerr_tui.cli._options import LaterChoice
    from syncerr_tui.salesforce.metadata_lookup import OrgDictionary
    from syncerr_tui.salesforce.session import OrgSession

LONGEST_TEXT = 200_000_000
"""Bytes of a file of rows: what Data Loader leaves of a million records."""
LONGEST_LINE = 16_000_000
"""Bytes. A Salesforce message has at most some hundred thousand; more than this is not one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all errors of one call."""

    org: OrgContext
    object_name: str | None = None
    event_type: str | None = None
    names: OrgNames | None = None
    """Those of the org that messages are held against, where one is named."""

    def explain(self, message: str, code: str | None) -> Explanation:
        """Read one message and say what to do."""
        if self.names is not None:
            return self.names.explain(self, message, code)
        return explain_message(
            message, code, object_name=self.object_name, event_type=self.event_type, org=self.org
        )

    def knowing(self, **more: Any) -> Setting:  # noqa: ANN401 - the fields of `OrgContext`
        """With more known of the org."""
        return replace(self, org=replace(self.org, **more))

    def explain_row(self, row: ErrorRow) -> Explanation:
        """Read one row of many; it may know its object better than the call does."""
        if row.object_name is None:
            return self.explain(row.message, row.code)
        return replace(self, object_name=row.object_name).explain(row.message, row.code)


class OrgNames:
    """An org's own names for messages that come from elsewhere: a file, a paste, the command line.

    Args:
        connection: The org.
        runner: Waits for its answers.
        named_things: Whether the Flows, rules and code of a message are looked up too: calls for each.
    """

    def __init__(self, connection: OrgSession, runner: asyncio.Runner, *, named_things: bool) -> None:
        from syncerr_tui.host.remembered import kept_names

        self._runner = runner
        store = kept_names(connection.identity)
        self._dictionary: OrgDictionary = connection.dictionary(store)
        self._resolver = connection.name_resolver(store) if named_things else None
        self._url = connection.identity.instance_url

    def explain(self, setting: Setting, message: str, code: str | None) -> Explanation:
        """One message in the org's own names."""
        return self._runner.run(self._explain(replace(setting, names=None), message, code))

    async def _explain(self, setting: Setting, message: str, code: str | None) -> Explanation:
        setting = setting.knowing(instance_url=setting.org.instance_url or self._url)
        name = setting.object_name
        metadata = await self._dictionary.covering(setting.explain(message, code).diagnosis, name)
        setting = setting.knowing(metadata=metadata)
        if self._resolver is None:
            return setting.explain(message, code)
        diagnosis = setting.explain(message, code).diagnosis
        resolved = await self._resolver.resolve(diagnosis, object_name=name, processed_at=None)
        rule = next((item for item in resolved if item.kind == "validation_rule"), None)
        if rule is not None:
            name = name or rule.object_name
            if diagnosis.root_code is None:
                code = "FIELD_CUSTOM_VALIDATION_EXCEPTION"  # the text is the rule's own
        return replace(setting.knowing(resolved=resolved), object_name=name).explain(message, code)


@contextmanager
def _held_against(choose: LaterChoice, setting: Setting, *, named_things: bool) -> Iterator[Setting]:
    """The setting with the org that the command line names; as it is where it names none."""
    if not choose.is_set:
        yield setting
        return
    import asyncio

    from syncerr_tui.cli._connect import open_org

    with asyncio.Runner() as runner:
        opened = AsyncExitStack()
        session = runner.run(opened.enter_async_context(open_org(choose()))).session
        try:
            yield replace(setting, names=OrgNames(session, runner, named_things=named_things))
        finally:
            runner.run(opened.aclose())


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the errors stand: at most one of these is named."""

    message: str | None
    event_id: str | None
    jsonl: str | None
    table: str | None

    @property
    def count(self) -> int:
        return sum(one is not None for one in (self.message, self.event_id, self.jsonl, self.table))


def _setting(
    object_name: str | None, event_type: str | None, instance_url: str | None, notes: Path | None
) -> Setting:
    from syncerr_tui.host.paths import org_notes

    return Setting(OrgContext(org_notes(os.environ, notes), instance_url), object_name, event_type)


@click.command()
@click.argument("code_argument", metavar="[CODE]", required=False)
@packed(
    "source",
    _Source,
    message=click.option(
        "--message", "-m", metavar="TEXT", help="The message to read; - reads it from stdin."
    ),
    event_id=click.option(
        "--id",
        "event_id",
        metavar="ID",
        help="A change event of the org (--org or --demo); - reads ids from stdin.",
    ),
    jsonl=click.option("--jsonl", metavar="FILE", help="JSON lines with message, code, id; - reads stdin."),
    table=click.option(
        "--csv", "table", metavar="FILE", help="Data Loader's error file or failed results; - reads stdin."
    ),
)
@click.option("--code", metavar="CODE", help="The status code that came with the message.")
@click.option("--error-column", metavar="NAME", help="The column of --csv that holds the message.")
@packed(
    "setting",
    _setting,
    object_name=click.option(
        "--object", "object_name", metavar="NAME", help="Object that failed, e.g. Order."
    ),
    event_type=click.option(
        "--event", "event_type", type=click.Choice(["Create", "Update", "Delete"], case_sensitive=False)
    ),
    instance_url=click.option(
        "--instance-url", metavar="URL", help="Make the addresses of steps absolute for this org."
    ),
    notes=click.option(
        "--notes",
        metavar="FILE",
        envvar="SYNCERR_NOTES",
        type=click.Path(path_type=Path),
        help="Your org's notes (TOML).",
    ),
)
@packed(
    "form",
    Form.of,
    as_json=click.option("--json", "as_json", is_flag=True, help="One JSON object."),
    as_markdown=click.option(
        "--markdown", "as_markdown", is_flag=True, help="Markdown, for a ticket or a wiki."
    ),
)
@later_org_options
def command(
    code_argument: str | None,
    *,
    source: _Source,
    code: str | None,
    error_column: str | None,
    setting: Setting,
    form: Form,
    choose: LaterChoice,
) -> int:
    """Explain a status code, a message or a sync error: what happened, what blocks, what to do.

    \b
    syncerr-tui explain REQUIRED_FIELD_MISSING
    syncerr-tui explain --message "Required fields are missing: [Name]"
    syncerr-tui explain --id a0X5g000001CdEfEAK --org acme-prod
    syncerr-tui explain --jsonl - < errors.jsonl
    syncerr-tui explain --csv error061522.csv
    syncerr-tui explain --org acme-prod --object Order --message "Versandart: ungültiger Wert ..."

    A message may be a whole REST answer, a Flow's error e-mail or a debug log. What --message -, --csv and
    --jsonl get is told apart by itself. With --org the org's own names are used: labels become API names, a
    refused value is told against those that exist, a rule is found by its message.
    """  # noqa: D301 - click's mark for a block that keeps its lines
    if source.count > 1:
        raise BadInputError("--message, --id, --jsonl and --csv cannot be combined", "Give one of them")
    if not source.count and not code_argument and not code:
        raise BadInputError("Nothing to explain", "Give a status code, --message, --id, --jsonl or --csv")
    stated_code = _code(code_argument or code, strict=not source.count)
    if source.jsonl is not None:
        with _held_against(choose, setting, named_things=False) as held:
            return _answer_lines(source.jsonl, held)
    if source.event_id is not None:
        return _explain_events(source.event_id, choose, setting, form)
    if source.table is not None:
        text = _whole_text(source.table)
        shape = shape_of(text)
        if shape is Shape.MESSAGE and not text.lstrip().startswith(("{", "[", "<")):
            shape = Shape.CSV
    else:
        text = _whole_text("-").rstrip("\r\n") if source.message == "-" else source.message or ""
        shape = shape_of(text) if "\n" in text else Shape.MESSAGE
    rows = source.table is not None or shape is not Shape.MESSAGE
    with _held_against(choose, setting, named_things=not rows) as held:
        if rows:
            return _answer_rows(text, held, shape, error_column, form)
        tell_one(None, held.explain(text, stated_code), form)
    return ExitCode.OK


def _code(text: str | None, *, strict: bool) -> str | None:
    """The code that was typed. Alone it has to be known, or at least look like a code and resemble none."""
    if text is None:
        return None
    known = codes.known_code(text)
    if known or not strict:
        return known or text.strip() or None
    near = codes.nearest_codes(text)
    shown = codes.as_code(text)[:80]
    if near:
        raise BadInputError(f"{shown!r} is not a status code", f"Did you mean {' or '.join(near)}?")
    if not codes.looks_like_code(shown):
        raise BadInputError(f"{shown!r} is not a status code", "To explain a message, use --message")
    return shown


def _stdin() -> IO[bytes]:
    return sys.stdin.buffer


@contextmanager
def _opened(source: str) -> Iterator[IO[bytes]]:
    if source == "-":
        yield _stdin()
        return
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise BadInputError(f"{source} cannot be read ({error.strerror})", "Check the name") from None
    with stream:
        yield stream


def _whole_text(source: str) -> str:
    name = "stdin" if source == "-" else source
    with _opened(source) as stream:
        raw = stream.read(LONGEST_TEXT + 1)
    if len(raw) > LONGEST_TEXT:
        raise BadInputError(f"{name} has more than {LONGEST_TEXT:,} bytes", "Split it")
    text = decode(raw)
    if text is None:
        raise BadInputError(f"{name} is not text", "Pass it as UTF-8, UTF-16 or Latin-1 text")
    return text


def _answer_rows(text: str, setting: Setting, shape: Shape, error_column: str | None, form: Form) -> int:
    """Every failed row of a text, and the causes behind them."""
    try:
        rows = rows_of(text, error_column, shape)
    except UnreadableTableError as error:
        hint = f"Name it with --error-column. The columns are: {error}"
        raise BadInputError("No column of the file looks like an error message", hint) from None
    explained = (row if isinstance(row, BadRow) else (row, setting.explain_row(row)) for row in rows)
    fine = tell_rows(explained, form)
    return ExitCode.OK if fine else ExitCode.BAD_INPUT


def _answer_lines(source: str, setting: Setting) -> int:
    """One JSON line out for each one in, as it comes. A bad one gets an answer too."""
    bad = False
    with _opened(source) as stream:
        for number, raw in _lines(stream):
            if number == 1 and raw is not None and _other_shape(raw):
                text = decode(raw + stream.read(LONGEST_TEXT)) or ""
                return _answer_rows(text, setting, shape_of(text), None, Form.JSON)
            answer, fine = _answer(number, raw, setting)
            bad = bad or not fine
            emit_json(answer)
    return ExitCode.BAD_INPUT if bad else ExitCode.OK


def _other_shape(first: bytes) -> bool:
    """Whether the first line shows that no JSON lines follow: UTF-16, or the heading of a CSV file."""
    text = decode(first)
    return is_utf16(first) or (text is not None and shape_of(f"{text}\n,") is Shape.CSV)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without the empty ones; None for one that is too long to be kept."""
    number = 0
    while raw := stream.readline(LONGEST_LINE):
        number += 1
        whole = raw
        while not raw.endswith(b"\n") and len(raw) == LONGEST_LINE:
            raw = stream.readline(LONGEST_LINE)
            whole = b""
        if not whole:
            yield number, None
        elif whole.strip():
            yield number, whole


def _answer(number: int, raw: bytes | None, setting: Setting) -> tuple[dict[str, object], bool]:
    text = None if raw is None else decode(raw)
    if raw is None:
        row: ErrorRow | BadRow = BadRow(number, f"longer than {LONGEST_LINE:,} bytes")
    elif text is None:
        row = BadRow(number, "not text")
    else:
        row = json_row(number, text)
    if isinstance(row, BadRow):
        return bad_row_answer(row), False
    return {"id": row.id, **setting.explain_row(row).payload()}, True


def _explain_events(text: str, choose: LaterChoice, setting: Setting, form: Form) -> int:
    """One change event, or all that stdin names: what the org no longer has is said, and the others go on."""
    import asyncio

    from syncerr_tui.cli._choosing import read_ids
    from syncerr_tui.cli._connect import open_org

    ids = read_ids([text])
    for event_id in ids:
        if full_id(event_id) is None:
            raise BadInputError(
                f"{event_id[:40]!r} is not a Salesforce id", "Ids have 15 or 18 letters and digits"
            )

    async def explain_all() -> int:
        code = ExitCode.OK
        async with open_org(choose()) as org:
            for event_id in ids:
                try:
                    explanation = await explain_event(org.session, event_id, setting)
                except BadInputError as missing:
                    if len(ids) == 1:
                        raise
                    code = ExitCode.BAD_INPUT
                    complain(missing)
                else:
                    tell_one(event_id, explanation, form)
        return code

    return asyncio.run(explain_all())


async def explain_event(connection: OrgSession, event_id: str, setting: Setting) -> Explanation:
    """One sync error of the org, with what the org says about the things it names.

    Raises:
        BadInputError: The org has no such sync error.
    """
    error = await connection.read_error(event_id)
    if error is None:
        raise BadInputError(
            f"The org has no sync error {event_id}",
            "It may be resolved already; 'syncerr-tui list' shows what is open",
        )
    from syncerr_tui.host.remembered import kept_names

    url, store = connection.identity.instance_url, kept_names(connection.identity)
    metadata = await connection.dictionary(store).covering(explain(error).diagnosis, str(error.object))
    known = OrgContext(setting.org.notes, url, metadata=metadata)
    resolved = await connection.name_resolver(store).resolve(
        explain(error, known).diagnosis, object_name=str(error.object), processed_at=error.processed_at
    )
    return explain(error, replace(known, resolved=resolved))
