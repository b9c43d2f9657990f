"""`syncerr-tui learn-button`: which call the org's Re-sync button makes, read from a recording.

`setup` turns the same call into a method (`learn_method`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from syncerr_tui.cli._console import (
    Asker,
    at_terminal,
    confirm,
    heading,
    json_option,
    say,
    tell,
    wrapped,
)
from syncerr_tui.cli._options import choice_of, complete_org
from syncerr_tui.errors import BadInputError, ExitCode, MachineError, RefusedError
from syncerr_tui.words import plural

if TYPE_CHECKING:
    from syncerr_tui.salesforce.button.har import Exchange
    from syncerr_tui.salesforce.button.learn import ButtonCandidate, KnownRows, Lesson
    from syncerr_tui.salesforce.client import ApiClient
    from syncerr_tui.salesforce.profiles import FieldMapping


HOW_TO_RECORD = (
    "1. Open the Sync Error Tool in the browser and tick two rows.",
    "2. Open the developer tools (F12), Network tab, and clear the log.",
    "3. Press Re-sync and wait for its message.",
    "4. Export the log as HAR. Chrome and Edge: 'Export HAR (sanitized)' is enough.",
    "5. Run: syncerr-tui learn-button FILE.har --event ID --event ID",
    "6. Delete the file: it holds a session token.",
)
"""What a person does in the browser. README and the guided set-up show the same lines."""
UNSUPPORTED = (
    "This repeats a private call of the StoreConnect package. Neither Salesforce",
    "nor StoreConnect supports it, and a package upgrade may change it. Ask",
    "StoreConnect for a public re-sync action.",
)


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--event", "events", multiple=True, metavar="ID", help="Id of a row that was ticked; once for each row."
)
@click.option("--org", metavar="NAME", shell_complete=complete_org, help="Recognise the rows of this org.")
@click.option(
    "--namespace", default="s_c", show_default=True, metavar="NAME", help="Namespace of the package."
)
@click.option(
    "--keep-ids", is_flag=True, help="Accept constants like ids and numbers (of a user, the org, a store)."
)
@click.option("--delete", is_flag=True, help="Delete the file afterwards: it holds a session token.")
@json_option("One JSON object.")
def command(
    file: Path,
    *,
    events: tuple[str, ...],
    org: str | None,
    namespace: str,
    keep_ids: bool,
    delete: bool,
) -> int:
    """Find the call of the Re-sync button in a browser's recording (HAR). Works offline.

    Shows class, method, parameters and where the row ids go. Nothing of the recording is kept: no token, no
    cookie, no id. Exit code 0: one clear call; 1: none, or a person has to choose; 2: no readable HAR.
    """
    lesson = read_lesson(file, events=events, org=org, namespace=namespace, keep_ids=keep_ids)
    tell(lesson.payload(), *_lines(lesson))
    dispose(file, delete=delete)
    return ExitCode.OK if lesson.chosen is not None else ExitCode.NOT_ALL_FIXED


def read_lesson(
    file: Path, *, events: tuple[str, ...], org: str | None, namespace: str, keep_ids: bool
) -> Lesson:
    """Read a recording and decide which call is the button.

    Raises:
        BadInputError: The file cannot be read or is no HAR; an id is none; the namespace is none.
    """
    from syncerr_tui.salesforce.button.learn import learn
    from syncerr_tui.salesforce.button.recorded import read_recording

    known = _known(events, org)
    if namespace and not namespace.isidentifier():
        raise BadInputError(f"'{namespace[:40]}' is not a namespace", "It looks like s_c")
    return learn(read_recording(read_har_file(file)), known, namespace=namespace, keep_ids=keep_ids)


def read_har_file(file: Path | str) -> list[Exchange]:
    """The requests in a HAR file.

    Raises:
        BadInputError: The file cannot be read or is no HAR.
    """
    from syncerr_tui.files import read_plain, reading
    from syncerr_tui.salesforce.button.har import LARGEST_FILE, read_har

    with reading(f"The recording {file}", "Name a HAR file that the browser exported"):
        data = read_plain(Path(file).expanduser(), LARGEST_FILE)
    return read_har(data)


def _known(events: tuple[str, ...], org: str | None) -> KnownRows:
    from syncerr_tui.salesforce.button.learn import KnownRows
    from syncerr_tui.salesforce.button.template import looks_like_id

    for event in events:
        if not looks_like_id(event):
            raise BadInputError(
                f"'{event[:40]}' is not the id of a change event", "An id has 15 or 18 letters and digits"
            )
    ticked = frozenset(event[:15] for event in events)
    if org is None:
        return KnownRows(events=ticked, ticked=bool(ticked))
    import asyncio

    return asyncio.run(_rows_of(org, ticked))


async def _rows_of(org: str, ticked: frozenset[str]) -> KnownRows:
    """The ids of the org's sync errors; of the ticked ones only, where they are named."""
    from syncerr_tui.cli._connect import open_org
    from syncerr_tui.salesforce.button.learn import KnownRows

    events, records, storeconnect = set(ticked), set(), set()
    async with (
        open_org(choice_of(org=org, demo=False, read_only=True)) as opened,
        aclosing(opened.session.errors()) as pages,
    ):
        async for page in pages:
            for error in page:
                if ticked and error.id[:15] not in ticked:
                    continue
                events.add(error.id[:15])
                records |= {error.salesforce_id[:15]} if error.salesforce_id else set()
                storeconnect |= {error.storeconnect_id.lower()} if error.storeconnect_id else set()
    return KnownRows(frozenset(events), frozenset(records), frozenset(storeconnect), ticked=bool(ticked))


def _lines(lesson: Lesson) -> list[str]:
    if not lesson.candidates:
        lines = ["No call of the Re-sync button was found in this recording."]
        lines += [] if lesson.refused else [_seen(lesson)]
    elif lesson.chosen is None:
        lines = ["No call is clearly the Re-sync button. What could be it:"]
    else:
        lines = ["The Re-sync button calls:"]
    shown = lesson.candidates[:1] if lesson.chosen is not None else lesson.candidates[:5]
    for candidate in shown:
        lines += ["", *describe(candidate)]
    if lesson.refused:
        lines += ["", "What cannot be repeated:"]
        for one in lesson.refused:
            lines += wrapped(f"{one.what}: {one.why}.", "  ")
    if lesson.chosen is None:
        lines += ["", "To record it again:", *(f"  {line}" for line in HOW_TO_RECORD)]
    else:
        lines += ["", *UNSUPPORTED, "", "To use it: syncerr-tui setup NAME --method button --har FILE"]
    return lines


def _seen(lesson: Lesson) -> str:
    if not lesson.lightning:
        return "It holds no request of a Lightning page: was the log cleared after the press?"
    return f"It holds {plural(lesson.lightning, 'Lightning action')}, none of which takes row ids."


def describe(candidate: ButtonCandidate) -> list[str]:
    """A candidate for people: what is called, with which parameters, and why it was chosen."""
    shape = {"one": "one row a call", "list": "a list", "csv": "one text with separators"}
    kind = shape.get(candidate.hole.shape, candidate.hole.shape)
    whose = {"event": "change events", "record": "the records themselves", "storeconnect": "StoreConnect"}
    ids = f"{kind}, ids of {whose[str(candidate.field)]} with {candidate.length} characters"
    return [
        *wrapped(candidate.call.words, "  "),
        *wrapped(json.dumps(candidate.call.params), "  Parameters  "),
        *wrapped(ids, "  Row ids     "),
        *wrapped(f"{'. '.join(candidate.reasons)}.", "  Why         "),
        *(line for one in candidate.warnings for line in wrapped(f"{one}.", "  Note        ")),
    ]


def dispose(file: Path, *, delete: bool) -> None:
    """Offer to delete the recording; without a person there, say that it has to go."""
    asks = not delete and at_terminal()
    if not delete and not (
        asks and confirm(f"{file} holds a session token. Delete it now?", flag="--delete")
    ):
        say(f"{file} holds a session token: delete it when the button has been learned.")
        return
    try:
        file.unlink()
    except OSError as problem:
        raise MachineError(
            f"{file} could not be deleted: {problem.strerror}", "Delete it yourself: it holds a session token"
        ) from None
    say(f"{file} has been deleted.")


async def learn_method(
    har: str | None,
    recorded: Sequence[Exchange],
    asker: Asker,
    client: ApiClient,
    mapping: FieldMapping,
    *,
    namespace: str,
    keep_ids: bool,
) -> dict[str, Any]:
    """The `[method]` table of a recording: `button` for an Apex method, else the method that exists for it.

    Raises:
        BadInputError: The recording cannot be used, or no file is named and nobody can be asked.
        RefusedError: The person did not confirm the call.
    """
    from syncerr_tui.salesforce.button.learn import KnownRows, learn
    from syncerr_tui.salesforce.button.recorded import read_recording

    if har is None:
        heading("Record the Re-sync button")
        say(*HOW_TO_RECORD[:4], "5. Name the file here.", *HOW_TO_RECORD[5:])
        har = asker.text("HAR file", None, "--har FILE")
        recorded = read_har_file(har)
    prefix = str((await client.describe(mapping.object_name)).get("keyPrefix") or "")
    known = KnownRows(prefix=prefix if len(prefix) == 3 else "")
    recording = read_recording(recorded)
    lesson = learn(recording, known, namespace=namespace, keep_ids=keep_ids)
    if lesson.chosen is None and not keep_ids:
        lesson = _with_ids(learn(recording, known, namespace=namespace, keep_ids=True), asker) or lesson
    if lesson.chosen is None:
        why = lesson.why_no_candidate
        raise BadInputError(
            f"The recording does not show the Re-sync button: {why[:1].lower() + why[1:]}",
            "'syncerr-tui learn-button FILE' shows what was seen. Clear the log, press only Re-sync, export",
        )
    candidate = lesson.candidates[lesson.chosen]
    heading("The Re-sync button calls")
    say(*describe(candidate), "", *UNSUPPORTED)
    if asker.asks and not asker.agree("Use this call to re-sync?", default=False):
        raise RefusedError("The call was not confirmed", "Choose another method, for example guided")
    table = await _table(candidate, client, mapping.object_name)
    dispose(Path(har), delete=False)
    return table


def _with_ids(lesson: Lesson, asker: Asker) -> Lesson | None:
    """A call that only lacks the person's word for a constant that looks like an id; None without it."""
    if lesson.chosen is None or not asker.asks:
        return None
    heading("The Re-sync button calls, with an id that stays the same")
    say(*describe(lesson.candidates[lesson.chosen]))
    agreed = asker.agree(
        "Is that id (a user's, the org's or a store's) right for every re-sync?", default=False
    )
    return lesson if agreed else None


async def _table(candidate: ButtonCandidate, client: ApiClient, events: str) -> dict[str, Any]:
    from syncerr_tui.salesforce.button.learn import IdField
    from syncerr_tui.salesforce.button.recorded import CallKind
    from syncerr_tui.salesforce.identity import package_version

    call = candidate.call
    full = f"{call.namespace}__{call.name}" if call.namespace else call.name
    if call.kind is not CallKind.APEX and candidate.field is not IdField.EVENT:
        raise BadInputError(
            f"The button is not an Apex call, and takes ids of records, not of change events ({call.words})",
            "Use the guided method, or ask StoreConnect for a public action",
        )
    match call.kind:
        case CallKind.APEX:
            return {
                "kind": "button",
                "class_name": call.name,
                "method": call.method,
                "params": json.dumps(call.params),
                "namespace": call.namespace,
                "style": str(call.style),
                "calling": call.calling,
                "continuation": call.continuation,
                "ids": str(candidate.field),
                "length": candidate.length,
                "package": await package_version(client, call.namespace),
                "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
            }
        case CallKind.INVOCABLE | CallKind.FLOW if name := _only_input(candidate):
            return {
                "kind": "apex" if call.kind is CallKind.INVOCABLE else "flow",
                "name": full,
                "id_input": name,
            }
        case CallKind.APEXREST if candidate.hole.shape == "list" and len(candidate.hole.path) == 1:
            if call.method == "POST" and isinstance(call.params, Mapping) and len(call.params) == 1:
                return {"kind": "apexrest", "path": call.name, "ids_key": str(candidate.hole.path[0])}
        case CallKind.RECORD_UPDATE if isinstance(call.params, Mapping) and call.name in {"", events}:
            fields = candidate.hole.mark.get("item", call.params.get("fields"))
            if isinstance(fields, Mapping) and len(fields) == 1:
                ((field, value),) = fields.items()
                return {"kind": "field", "field": field, "value": _text(value)}
    raise BadInputError(
        f"The button is not an Apex call, and this tool cannot repeat it as it is ({call.words})",
        "Use the guided method, or ask StoreConnect for a public action",
    )


def _only_input(candidate: ButtonCandidate) -> str | None:
    """The one input of an action or a Flow that takes the row's id; None where there are others too."""
    hole, params = candidate.hole, candidate.call.params
    if hole.shape == "records" and not hole.mark.get("item"):
        return str(hole.mark["key"])
    names = [step for step in hole.path if isinstance(step, str)]
    inputs = params.get("inputs") if isinstance(params, Mapping) else None
    only = inputs[0] if isinstance(inputs, list) and len(inputs) == 1 else params
    if hole.shape in {"list", "one"} and isinstance(only, Mapping) and len(only) == 1 and names:
        return names[-1]
    return None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
