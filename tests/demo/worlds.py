"""For tests of the demo org's world: an org whose clock the test moves, and the few gestures of the app."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from syncerr_tui.demo import world
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.save_errors import SaveFault
from syncerr_tui.demo.schema import SC_ID
from syncerr_tui.demo.schema_variants import schema_of_variant, variant_named
from syncerr_tui.demo.server import ManualClock
from syncerr_tui.demo.store import Store

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
Event = Mapping[str, object]
_built: dict[tuple[DemoOptions, datetime, int], bytes] = {}
"""The database of every world made so far: a world is built once and then copied."""


def make_org(
    errors: int = 140,
    seed: int = 1,
    *,
    naming: str = "assumed",
    faults: tuple[str, ...] = (),
    options: DemoOptions | None = None,
    now: datetime = NOW,
) -> DemoOrg:
    chosen = replace(
        options or DemoOptions(),
        errors=errors,
        seed=seed,
        naming=naming,
        faults=faults,
        manual_clock=True,
    )
    clock = ManualClock(now)
    store = Store(None, schema_of_variant(naming), clock=clock)
    kind = chosen, now, world._GOOD_TIMES
    built = _built.get(kind)
    if built is not None:
        store._connection.deserialize(built)
    org = DemoOrg(chosen, clock=clock, store=store)
    if built is None:
        _built[kind] = store._connection.serialize()
    return org


def failed(org: DemoOrg) -> dict[str, Event]:
    """Failed change events by id, under the role names of `SchemaVariant`, in the order of arrival."""
    names = variant_named(org.options.naming)
    rows = org.store.find(names.event[0], **{names.status[0]: names.failed[0]})
    roles = ("object", "event_type", "processed_at", "salesforce_id", "storeconnect_id", "message", "payload")
    events: dict[str, Event] = {}
    for row in rows:
        event = {role: row[cast("tuple[str, str]", getattr(names, role))[0]] for role in roles}
        event["code"] = row[names.code[0]] if names.code else None
        events[str(row["Id"])] = event
    return events


def resync(org: DemoOrg, ids: Iterable[str], seconds: float = 10) -> list[SaveFault | None]:
    """Ask for a re-sync and let the time pass that it takes."""
    answers = org.engine.request(list(ids))
    cast("ManualClock", org.clock).advance(seconds)
    org.engine.run_due()
    return answers


def fix(org: DemoOrg, event_id: str) -> bool:
    """Do away with what blocks an event, as a person in Salesforce does; False: there is nothing to do."""
    return org.colleague.repair(event_id)


def links(org: DemoOrg) -> dict[str, str]:
    """Victim -> cause."""
    truth = cast("dict[str, list[dict[str, str]]]", org.apexrest("GET", "demo/truth", {}, None)[1])
    return {link["victim"]: link["cause"] for link in truth["links"]}


def causes(org: DemoOrg) -> dict[str, list[str]]:
    """Cause key -> root events."""
    truth = cast("dict[str, list[dict[str, object]]]", org.apexrest("GET", "demo/truth", {}, None)[1])
    return {str(cause["key"]): cast("list[str]", cause["events"]) for cause in truth["causes"]}


def records(org: DemoOrg, event: Event) -> Sequence[dict[str, object]]:
    """The records that carry an event's StoreConnect ID."""
    return org.store.find(str(event["object"]), **{SC_ID: event["storeconnect_id"]})
