"""The true graph of causes and victims, from the engine's book: what a diagnosis is measured against."""

from __future__ import annotations

from syncerr_tui.demo.event_queue import LOST, EventQueue, QueuedEvent


def ground_truth(queue: EventQueue) -> dict[str, object]:
    """Links and causes among all unresolved events now.

    A link's `cause` is the first unresolved event of the record that the victim needs; `accepts` are that
    record's other unresolved events, which are no wrong answer either. A cause's `events` are its roots:
    the events that it refused itself.
    """
    listed = [entry for entry in queue.all() if entry.state != LOST]
    by_record: dict[str, list[QueuedEvent]] = {}
    for entry in listed:
        by_record.setdefault(entry.sc_id, []).append(entry)
    links: list[dict[str, object]] = []
    causes: dict[str, dict[str, object]] = {}
    roots: dict[str, list[str]] = {}
    for entry in listed:
        first = [other for other in by_record.get(entry.needs, ()) if _comes_first(other, entry)]
        if entry.kind is not None and first:
            others = [other.event_id for other in first[1:]]
            link = {"victim": entry.event_id, "cause": first[0].event_id, "kind": entry.kind}
            links.append({**link, "accepts": others})
            continue
        events = roots.setdefault(entry.cause, [])
        events.append(entry.event_id)
        causes.setdefault(entry.cause, {"key": entry.cause, "code": entry.code, "events": events})
    return {"links": links, "causes": list(causes.values())}


def root_of(queue: EventQueue, entry: QueuedEvent) -> QueuedEvent:
    """The listed event whose refusal holds this one up, over any number of links; itself if none does."""
    seen = {entry.event_id}
    while entry.kind is not None:
        before = entry.seq if entry.kind == "same record" else None
        first = queue.earliest_listed(entry.needs, before)
        if first is None or first.event_id in seen:
            return entry
        entry = first
        seen.add(entry.event_id)
    return entry


def _comes_first(other: QueuedEvent, victim: QueuedEvent) -> bool:
    return other.seq < victim.seq if victim.kind == "same record" else other.event_id != victim.event_id
