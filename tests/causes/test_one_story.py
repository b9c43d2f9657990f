"""`causes` and `explain` say the same about every error."""

from __future__ import annotations

from syncerr_tui.cli._connect import OpenOrg
from syncerr_tui.cli.causes import cause_payload
from syncerr_tui.cli.explain import Setting, explain_event
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.diagnosis.explanation import Explanation, OrgContext
from syncerr_tui.model import EventType
from syncerr_tui.salesforce.auth.environment import demo_profile
from syncerr_tui.salesforce.connect import connect
from syncerr_tui.text import clean
from tests.factories import sync_error


def story_of(explanation: Explanation) -> tuple[str | None, str, str]:
    return explanation.diagnosis.root_code, explanation.headline, explanation.retry.value


async def test_causes_and_explain_tell_one_story_about_every_event_of_the_demo() -> None:
    with DemoServer(DemoOptions(seed=5, errors=70)) as server:
        connection = await connect(*demo_profile(server.instance_url, server.access_token))
        rows = [error async for page in connection.errors() for error in page]
        for error in rows:
            graph = CauseGraph()
            graph.add([error])
            (cause,) = graph.causes()
            payload = cause_payload(graph, cause, await OpenOrg(connection).names(graph))
            explained = await explain_event(connection, error.id, Setting(OrgContext()))
            assert (payload["code"], payload["headline"], payload["retry"]) == story_of(explained), error
        await connection.close()
    assert EventType.DELETE in {error.event_type for error in rows}


def test_a_delete_of_what_is_gone_is_no_missing_parent() -> None:
    graph = CauseGraph()
    graph.add(
        [
            sync_error(
                1,
                code="INVALID_CROSS_REFERENCE_KEY",
                message=clean("invalid cross reference id"),
                event_type=EventType.DELETE,
            )
        ]
    )
    (cause,) = graph.causes()
    assert "wants to delete" in cause_payload(graph, cause)["headline"]
