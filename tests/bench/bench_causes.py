"""What it costs a core to link and group 100,000 errors, at once and page by page.

Run by hand: `python -m tests.bench.bench_causes [ROWS]`.
"""

from __future__ import annotations

import sys
from time import process_time

from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.model import EventType, SyncError
from syncerr_tui.text import clean
from tests.factories import storeconnect_id, sync_error

PAGE = 2000


def rows(count: int) -> list[SyncError]:
    """Chains of five: an Account, two children, a later change, and a Flow's own failure."""
    made = []
    for number in range(count):
        kind = number % 5
        parent = storeconnect_id(number - kind)
        if kind == 0:
            text = "It looks like you are creating a duplicate Account."
            row = sync_error(number, object=clean("Account"), code="DUPLICATES_DETECTED", message=clean(text))
        elif kind in {1, 2}:
            text = f"Foreign key external ID: {parent} not found for field s_c__sC_Id__c in entity Account"
            name = clean("Contact" if kind == 1 else "Order")
            row = sync_error(number, object=name, code="INVALID_FIELD", message=clean(text))
        elif kind == 3:
            row = sync_error(
                number,
                storeconnect_id=storeconnect_id(number - 1),
                event_type=EventType.UPDATE,
                code="INVALID_CHANGE_EVENT",
                message=clean("A previous change for the same record has failed."),
            )
        else:
            text = (
                f"The “Flow {number % 7}” process failed. Error ID: {number * 7919}-{number} (-{number * 31})"
            )
            row = sync_error(number, code="CANNOT_EXECUTE_FLOW_TRIGGER", message=clean(text))
        made.append(row)
    return made


def main(count: int) -> None:
    """Print the figures."""
    errors = rows(count)
    graph = CauseGraph()
    for label, page in (("at once", count), (f"pages of {PAGE}", PAGE)):
        graph = CauseGraph()
        start = process_time()
        for at in range(0, count, page):
            graph.add(errors[at : at + page])
        linked = process_time()
        causes = graph.causes()
        grouped = process_time()
        print(
            f"{count:,} errors {label}: linked {linked - start:.2f} s, grouped {grouped - linked:.2f} s, "
            f"{len(causes)} causes"
        )
    start = process_time()
    graph.add(errors[:PAGE])
    graph.causes()
    print(f"one page more of {PAGE:,} known rows: {process_time() - start:.2f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
