"""How fast the wire is: requests a second, and the list of errors page by page. Run by hand:

    python -m tests.bench.bench_wire [ROWS]

Client and server share this machine and this process, so the figures are a floor for the client.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import tracemalloc

from syncerr_tui.model import SyncError
from syncerr_tui.salesforce.client import ApiClient
from syncerr_tui.salesforce.reading import EventReader
from syncerr_tui.salesforce.request_executor import ClientOptions, import_library
from syncerr_tui.salesforce.transport import open_session
from tests.factories import salesforce_id, storeconnect_id
from tests.salesforce.scripted import SECRET, Asked, Reply, ScriptedServer, tokens
from tests.salesforce.test_methods import MAPPING

PAGE = 2000


def megabytes() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def a_row(number: int) -> dict[str, object]:
    return {
        "attributes": {"type": "s_c__Change_Event__c", "url": f"/services/data/v66.0/sobjects/x/{number}"},
        "Id": salesforce_id(number),
        "CreatedDate": "2026-11-22T01:00:00.000+0000",
        "SystemModstamp": "2026-11-23T02:14:07.000+0000",
        "s_c__Object__c": ("Order", "Contact", "OrderItem")[number % 3],
        "s_c__Event_Type__c": "Create",
        "s_c__Processed_At__c": "2026-11-23T02:14:07.000Z",
        "s_c__Salesforce_Id__c": None,
        "s_c__StoreConnect_Id__c": storeconnect_id(number),
        "s_c__Message__c": f"Foreign key external ID: {storeconnect_id(number // 7)} not found for field X",
        "s_c__Status__c": "FAILED",
        "s_c__Code__c": "INVALID_FIELD",
    }


def pages(rows: int) -> list[bytes]:
    """All answers of the query, made beforehand."""
    times = []
    for start in range(0, rows, PAGE):
        last = start + PAGE >= rows
        body: dict[str, object] = {
            "totalSize": rows,
            "done": last,
            "records": [a_row(number) for number in range(start, min(start + PAGE, rows))],
        }
        if not last:
            body["nextRecordsUrl"] = f"/services/data/v66.0/query/01g-{start + PAGE}"
        times.append(json.dumps(body).encode())
    return times


async def streaming(rows: int) -> None:
    answers = pages(rows)

    def script(asked: Asked) -> Reply:
        tail = asked.path.rpartition("-")[2] if "01g-" in asked.path else "0"
        return Reply(answers[int(tail) // PAGE])

    with ScriptedServer(script) as server:
        client = ApiClient(tokens(server.url))
        reader = EventReader(MAPPING)
        before, started = megabytes(), time.perf_counter()
        first, reading = 0.0, 0.0
        kept: list[SyncError] = []
        async for page in client.pages(reader.query()):
            begun = time.perf_counter()
            kept += reader.errors(page.records)
            reading += time.perf_counter() - begun
            first = first or time.perf_counter() - started
        whole = time.perf_counter() - started
        print(f"{rows:,} errors: first page {first * 1000:.0f} ms, all {whole:.2f} s, {rows / whole:,.0f}/s;")
        print(f"  turning records into errors {reading:.2f} s of it; grew by {megabytes() - before:.0f} MB")
        await client.close()


async def requests(count: int, concurrency: int) -> None:
    with ScriptedServer(lambda _: Reply({"totalSize": 0, "done": True, "records": []})) as server:
        client = ApiClient(tokens(server.url), ClientOptions(concurrency=concurrency))
        await client.query_all("SELECT Id FROM Order")
        started = time.perf_counter()
        await asyncio.gather(*(client.query_all("SELECT Id FROM Order") for _ in range(count)))
        ours = time.perf_counter() - started
        await client.close()
        library = import_library()(
            instance_url=server.url, session_id=SECRET, session=open_session(server.url), version="66.0"
        )
        started = time.perf_counter()
        for _ in range(count):
            library.query("SELECT Id FROM Order")
        bare = time.perf_counter() - started
    print(
        f"{count} requests, {concurrency} at once: {count / ours:,.0f}/s; "
        f"the library alone: {count / bare:,.0f}/s"
    )


async def latency(calls: int, concurrency: int, seconds: float) -> None:
    """Calls under latency against the ideal, calls x latency / lanes."""
    results = [{"isSuccess": True, "errors": None, "outputValues": None}] * 200

    def script(_: Asked) -> Reply:
        time.sleep(seconds)
        return Reply(results)

    with ScriptedServer(script) as server:
        client = ApiClient(tokens(server.url), ClientOptions(concurrency=concurrency))
        inputs = [{"id": salesforce_id(number)} for number in range(200)]
        await client.action("apex", "Resync", inputs)
        started = time.perf_counter()
        await asyncio.gather(*(client.action("apex", "Resync", inputs) for _ in range(calls)))
        took, ideal = time.perf_counter() - started, calls * seconds / concurrency
        shape = f"{calls * 200:,} rows in {calls} calls of {seconds} s, {concurrency} at once"
        print(f"{shape}: {took:.2f} s, ideal {ideal:.2f}, {took / ideal:.2f}x")
        await client.close()


def memory(rows: int) -> None:
    """What the errors themselves hold."""
    reader = EventReader(MAPPING)
    records = [a_row(number) for number in range(rows)]
    tracemalloc.start()
    kept = reader.errors(records)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    print(f"{len(kept):,} errors hold {held / len(kept):.0f} bytes each beside the text of their records")


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    asyncio.run(requests(1000, 1))
    asyncio.run(requests(1000, 4))
    asyncio.run(latency(50, 5, 0.2))
    asyncio.run(streaming(rows))
    memory(2000)


if __name__ == "__main__":
    main()
