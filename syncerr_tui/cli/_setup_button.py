"""The step of `setup` that learns the Re-sync button from a recording and turns it into a method."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncerr_tui.cli._ask import Asker, Nobody
from syncerr_tui.cli._console import heading, say
from syncerr_tui.cli.learn_button import HOW_TO_RECORD, UNSUPPORTED, describe, dispose, read_har_file
from syncerr_tui.errors import BadInputError, RefusedError

if TYPE_CHECKING:
    from syncerr_tui.salesforce.button.har import Exchange
    from syncerr_tui.salesforce.button.learn import ButtonCandidate, Lesson
    from syncerr_tui.salesforce.client import ApiClient
    from syncerr_tui.salesforce.profiles import FieldMapping


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
        why = lesson.why_none
        raise BadInputError(
            f"The recording does not show the Re-sync button: {why[:1].lower() + why[1:]}",
            "'syncerr-tui learn-button FILE' shows what was seen. Clear the log, press only Re-sync, export",
        )
    candidate = lesson.candidates[lesson.chosen]
    heading("The Re-sync button calls")
    say(*describe(candidate), "", *UNSUPPORTED)
    if not isinstance(asker, Nobody) and not asker.agree("Use this call to re-sync?", default=False):
        raise RefusedError("The call was not confirmed", "Choose another method, for example guided")
    table = await _table(candidate, client, mapping.object_name)
    dispose(Path(har), delete=False)
    return table


def _with_ids(lesson: Lesson, asker: Asker) -> Lesson | None:
    """A call that only lacks the person's word for a constant that looks like an id; None without it."""
    if lesson.chosen is None or isinstance(asker, Nobody):
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
    from syncerr_tui.salesforce.entry_points import package_version

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
