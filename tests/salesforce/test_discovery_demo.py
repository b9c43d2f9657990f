"""Every vocabulary that the demo org can speak is understood over HTTP, without a profile."""

from __future__ import annotations

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.schema_variants import SCHEMA_VARIANTS
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.model import EventType
from syncerr_tui.salesforce.auth.environment import demo_profile
from syncerr_tui.salesforce.connect import open_client
from syncerr_tui.salesforce.discovery import discover
from syncerr_tui.salesforce.profiles import RecordPointer


@pytest.mark.parametrize("key", SCHEMA_VARIANTS)
async def test_the_demo_orgs_names_are_found(key: str) -> None:
    naming = SCHEMA_VARIANTS[key]
    with DemoServer(DemoOptions(errors=40, naming=key)) as server:
        client = open_client(*demo_profile(server.instance_url, server.access_token))
        try:
            mapping = (await discover(client)).mapping()
        finally:
            await client.close()
    assert mapping.object_name == naming.event[0]
    assert mapping.object == naming.object[0]
    assert mapping.event_type == naming.event_type[0]
    assert mapping.processed_at == naming.processed_at[0]
    assert mapping.storeconnect_id == naming.storeconnect_id[0]
    assert mapping.message == naming.message[0]
    assert mapping.status == naming.status[0]
    assert mapping.salesforce_id == naming.salesforce_id[0]
    assert mapping.code == (naming.code[0] if naming.code else None)
    assert mapping.failed == (naming.failed[0],)
    assert mapping.pointer is (RecordPointer.LOOKUP if naming.id_is_lookup else RecordPointer.TEXT)
    assert {mapping.event_types[value] for value in naming.events.values()} == {
        EventType.CREATE,
        EventType.UPDATE,
        EventType.DELETE,
    }
