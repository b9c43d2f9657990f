"""The demo org behind its HTTP server: saves, actions and Apex REST over one store and one sync engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from syncerr_tui.demo.answers import Action, ActionResult, SaveFault
from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.schema import SObject
from syncerr_tui.demo.store import Store


class DemoOrg:
    """One org.

    Args:
        options: As chosen at the start.
        clock: The org's time, aware and in UTC; with `advance(seconds)` it is a test's (`clock.ManualClock`).
        store: Made over `naming.schema_for(options.naming)`; an empty one is filled with a new world.
    """

    def __init__(self, options: DemoOptions, *, clock: Callable[[], datetime], store: Store) -> None:
        self.options = options
        self.clock = clock
        self.store = store
        self.schema: Mapping[str, SObject] = store.schema
        """What describe tells *now*: a fix may add a picklist value, so read it anew for every answer."""

    def save(
        self,
        object_name: str,
        operation: str,
        values: Mapping[str, object],
        record_id: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> list[SaveFault]:
        """Do one create, update or delete as a person's save; empty means that it is written.

        Args:
            object_name: API name, spelled as in the schema.
            operation: `create`, `update` or `delete`.
            values: By API name; empty for a delete.
            record_id: The record; for a create the id it shall get (`store.new_id`).
            headers: The request's, for `Sforce-Duplicate-Rule-Header` (lower-case names).
        """
        raise NotImplementedError

    def actions(self, kind: str) -> Sequence[Action]:
        """The invocable actions of a kind (`apex` or `flow`)."""
        raise NotImplementedError

    def describe_action(self, kind: str, name: str) -> Action | None:
        """One action, or None where there is none of that name."""
        raise NotImplementedError

    def invoke(self, kind: str, name: str, inputs: Sequence[Mapping[str, object]]) -> list[ActionResult]:
        """Call an action: one result for each input, in order; those that succeed are done even if others fail."""
        raise NotImplementedError

    def apexrest(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: object,
    ) -> tuple[int, object]:
        """Answer `/services/apexrest/<path>`: HTTP status and a JSON value. `body` is parsed JSON or None."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the engine's own thread."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop the engine; returns promptly. The store stays open."""
        raise NotImplementedError
