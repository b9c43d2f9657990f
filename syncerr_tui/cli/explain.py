"""`syncerr-tui explain`: a code, a message or a sync error in plain words, with what to do about it.

Works without an org and without a network. Never imports Textual; simple-salesforce only for `--id`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from syncerr_tui.cli._console import emit, emit_json, emit_linked
from syncerr_tui.cli._options import later_org_options
from syncerr_tui.diagnosis import suggest
from syncerr_tui.diagnosis.explanation import Explanation, explain, explain_message
from syncerr_tui.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncerr_tui.cli._options import OrgChoice
    from syncerr_tui.diagnosis.org_notes import OrgNotes
    from syncerr_tui.salesforce.session import OrgSession

LONGEST_MESSAGE = 10_000_000
LONGEST_LINE = 16_000_000
"""Bytes. A Salesforce message has at most some hundred thousand; more than this is not one."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all errors of one call."""

    notes: OrgNotes | None
    object_name: str | None = None
    event_type: str | None = None
    instance_url: str | None = None

    def explain(self, message: str, code: str | None) -> Explanation:
        """Read one message and say what to do."""
        return explain_message(
            message,
            code,
            object_name=self.object_name,
            event_type=self.event_type,
            instance_url=self.instance_url,
            notes=self.notes,
        )


@click.command()
@click.argument("code_argument", metavar="[CODE]", required=False)
@click.option("--message", "-m", metavar="TEXT", help="The message to read; - reads it from stdin.")
@click.option("--code", metavar="CODE", help="The status code that came with the message.")
@click.option("--id", "event_id", metavar="ID", help="A change event of the org (--org or --demo).")
@click.option("--jsonl", metavar="FILE", help="JSON lines with message, code, id; - reads stdin.")
@click.option("--object", "object_name", metavar="NAME", help="Object that failed, e.g. Order.")
@click.option(
    "--event", "event_type", type=click.Choice(["Create", "Update", "Delete"], case_sensitive=False)
)
@click.option("--instance-url", metavar="URL", help="Make the addresses of steps absolute for this org.")
@click.option(
    "--notes",
    metavar="FILE",
    envvar="SYNCERR_NOTES",
    type=click.Path(path_type=Path),
    help="Your org's notes (TOML).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Markdown, for a ticket or a wiki.")
@later_org_options
def command(
    code_argument: str | None,
    *,
    message: str | None,
    code: str | None,
    event_id: str | None,
    jsonl: str | None,
    object_name: str | None,
    event_type: str | None,
    instance_url: str | None,
    notes: Path | None,
    as_json: bool,
    as_markdown: bool,
    choose: Callable[[], OrgChoice],
) -> int:
    """Explain a status code, a message or a sync error: what happened, what blocks, what to do.

    \b
    syncerr-tui explain REQUIRED_FIELD_MISSING
    syncerr-tui explain --message "Required fields are missing: [Name]"
    syncerr-tui explain --id a0X5g000001CdEfEAK --org acme-prod
    syncerr-tui explain --jsonl - < errors.jsonl
    """  # noqa: D301 - click's mark for a block that keeps its lines
    sources = [source for source in (message, event_id, jsonl) if source is not None]
    if len(sources) > 1:
        raise BadInputError("--message, --id and --jsonl exclude each other", "Give one of them")
    if not sources and not code_argument and not code:
        raise BadInputError("Nothing to explain", "Give a status code, --message, --id or --jsonl")
    setting = Setting(_notes(notes), object_name, event_type, instance_url)
    given = _code(code_argument or code, strict=not sources)
    if jsonl is not None:
        return _answer_lines(jsonl, setting)
    if event_id is not None:
        error_id, explanation = _from_org(event_id, choose(), setting)
    else:
        text = _stdin_text() if message == "-" else message or ""
        error_id, explanation = None, setting.explain(text, given)
    _tell(error_id, explanation, as_json=as_json, as_markdown=as_markdown)
    return ExitCode.OK


def _code(text: str | None, *, strict: bool) -> str | None:
    """The code that was typed. Alone it has to be known, or at least look like a code and resemble none."""
    if text is None:
        return None
    known = suggest.known_code(text)
    if known or not strict:
        return known or text.strip() or None
    near = suggest.nearest_codes(text)
    shown = suggest.as_code(text)[:80]
    if near:
        raise BadInputError(f"{shown!r} is not a status code", f"Did you mean {' or '.join(near)}?")
    if not suggest.looks_like_code(shown):
        raise BadInputError(f"{shown!r} is not a status code", "To explain a message, use --message")
    return shown


def _notes(path: Path | None) -> OrgNotes | None:
    from syncerr_tui.host.notes import org_notes

    return org_notes(os.environ, path)


def _stdin_text() -> str:
    raw = _stdin().read(LONGEST_MESSAGE + 1)
    if len(raw) > LONGEST_MESSAGE:
        raise BadInputError(f"More than {LONGEST_MESSAGE:,} bytes came in", "That is no Salesforce message")
    text = _decoded(raw)
    if text is None:
        raise BadInputError("What came in on stdin is not text", "Pass the message as UTF-8 text")
    return text.rstrip("\r\n")


def _decoded(raw: bytes) -> str | None:
    """Bytes as text; None for what is none."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _stdin() -> IO[bytes]:
    return sys.stdin.buffer


def _answer_lines(source: str, setting: Setting) -> int:
    """One JSON line out for each one in, as it comes. A bad one gets an answer too."""
    stream: IO[bytes]
    if source == "-":
        stream = _stdin()
    else:
        try:
            stream = Path(source).open("rb")  # noqa: SIM115 - closed below, and stdin must stay open
        except OSError as error:
            raise BadInputError(f"{source} cannot be read ({error.strerror})", "Check the name") from None
    bad = False
    try:
        for number, raw in _lines(stream):
            answer, fine = _answer(number, raw, setting)
            bad = bad or not fine
            emit_json(answer)
    finally:
        if source != "-":
            stream.close()
    return ExitCode.BAD_INPUT if bad else ExitCode.OK


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
    if raw is None:
        return _refused(number, f"longer than {LONGEST_LINE:,} bytes"), False
    try:
        # Read as text here: `loads` would guess UTF-16 and UTF-32 from stray zeros.
        row: Any = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _refused(number, "not UTF-8 text"), False
    except (ValueError, RecursionError):
        return _refused(number, "not JSON"), False
    if not isinstance(row, dict):
        return _refused(number, "not a JSON object"), False
    message, code, error_id = row.get("message"), row.get("code"), row.get("id")
    if not isinstance(message, str):
        return _refused(number, "'message' has to be there and a text", error_id), False
    if code is not None and not isinstance(code, str):
        return _refused(number, "'code' has to be a text or null", error_id), False
    return {"id": error_id, **setting.explain(message, code).payload()}, True


def _refused(number: int, what: str, error_id: object = None) -> dict[str, object]:
    return {"id": error_id, "error": f"line {number}: {what}"}


def _from_org(event_id: str, choice: OrgChoice, setting: Setting) -> tuple[str, Explanation]:
    from syncerr_tui.cli._connect import run_async
    from syncerr_tui.diagnosis.links import full_id

    wanted = full_id(event_id.strip())
    if wanted is None:
        raise BadInputError(
            f"{event_id[:40]!r} is not a Salesforce id", "Ids have 15 or 18 letters and digits"
        )
    return run_async(_read_and_explain(wanted, choice, setting))


async def _read_and_explain(event_id: str, choice: OrgChoice, setting: Setting) -> tuple[str, Explanation]:
    from syncerr_tui.cli._connect import open_connection

    async with open_connection(choice) as connection:
        return event_id, await explain_event(connection, event_id, setting)


async def explain_event(connection: OrgSession, event_id: str, setting: Setting) -> Explanation:
    """One sync error of the org, with what the org says about the things it names.

    Raises:
        BadInputError: The org has no such sync error.
    """
    seen = (await connection.read_events([event_id])).get(event_id)
    error = seen.error if seen else None
    if error is None:
        raise BadInputError(
            f"The org has no sync error {event_id}",
            "It may be resolved already; 'syncerr-tui list' shows what is open",
        )
    url = connection.identity.instance_url
    explanation = explain(error, notes=setting.notes, instance_url=url)
    resolved = await connection.name_resolver().resolve(
        explanation.diagnosis, object_name=str(error.object), processed_at=error.processed_at
    )
    return explain(error, notes=setting.notes, instance_url=url, resolved=resolved)


def _tell(error_id: str | None, explanation: Explanation, *, as_json: bool, as_markdown: bool) -> None:
    if as_json:
        emit_json({"id": error_id, **explanation.payload()})
    elif as_markdown:
        from syncerr_tui.diagnosis.markdown import markdown

        emit(*markdown(explanation).splitlines())
    else:
        _tell_plainly(explanation)


def _tell_plainly(explanation: Explanation) -> None:
    """The guidance for a person: 80 columns where nobody says how wide it is."""
    from syncerr_tui.diagnosis.render import explanation_lines
    from syncerr_tui.diagnosis.text_layout import Role
    from syncerr_tui.host.terminal import terminal_profile

    terminal = sys.stdout.isatty()
    width = min(max(shutil.get_terminal_size((80, 24)).columns, 38), 100) if terminal else 80
    links = terminal and terminal_profile(os.environ).links
    code = explanation.guidance.code
    inferred = " (read off the wording)" if explanation.diagnosis.inferred else ""
    emit(f"{code}{inferred}" if code else "No status code", "")
    emit_linked(
        [
            [(text, line.link if links and role is Role.ADDRESS else None) for text, role in line.parts]
            for line in explanation_lines(explanation, width, whole_addresses=True)
        ]
    )
