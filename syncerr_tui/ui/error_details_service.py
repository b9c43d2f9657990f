"""What is known about a sync error, made better in the background by org notes and by names looked up.

Reading a message costs a millisecond and is done when a row is shown. The org is asked only about a row
that a person rests on, once, one row at a time; who moves on before it answers is not bothered with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from textual.message import Message

from syncerr_tui.errors import BadInputError, NotLoggedInError
from syncerr_tui.model import SyncError
from syncerr_tui.ui.messages import BackgroundContext, Service, StateChanged

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.explanation import Explanation
    from syncerr_tui.diagnosis.org_metadata import OrgMetadata, Resolved
    from syncerr_tui.diagnosis.org_notes import OrgNotes
    from syncerr_tui.host.remembered import MetadataCache
    from syncerr_tui.salesforce.metadata_lookup import MetadataLookup, OrgDictionary
    from syncerr_tui.salesforce.session import OrgSession

REST_SECONDS = 0.6
"""How long a person looks at a row before the org is asked about the things it names."""
_SPARE_CALLS = 0.1
"""The part of a day's API calls that is left to others: names are a comfort, re-syncs are not."""


@dataclass
class KnownBetter(Message):
    """More is known about this error; without one, about all of them."""

    error: SyncError | None = None


class ErrorDetailsService(Service):
    """Explains errors, and learns more about them."""

    def __init__(self, background: BackgroundContext) -> None:
        super().__init__(background)
        self.notes: OrgNotes | None = None
        self.notes_trouble: BadInputError | None = None
        self._connection: OrgSession | None = None
        self._resolver: MetadataLookup | None = None
        self._store: MetadataCache | None = None
        self._dictionary: OrgDictionary | None = None
        self._metadata: OrgMetadata | None = None
        self._known: dict[SyncError, tuple[Resolved, ...]] = {}
        self._pending: SyncError | None = None
        self._asking = False

    @property
    def address(self) -> str | None:
        """The org's own address, which the steps need."""
        connection = self._context.connection
        return connection.identity.instance_url if connection else None

    @property
    def metadata(self) -> OrgMetadata | None:
        """The org's own names, as far as they were read."""
        return self._metadata

    def explain(self, error: SyncError) -> Explanation:
        """All that is known about this error by now."""
        # Reading messages takes patterns that take a while to compile: after the first frame.
        from syncerr_tui.diagnosis.explanation import OrgContext, explain

        known = OrgContext(self.notes, self.address, self._known.get(error, ()), self._metadata)
        explanation = explain(error, known)
        if error in self._known or self._resolver is None:
            return explanation
        # What refused another row too is known before a person rests on this one.
        resolved = self._resolver.remembered(
            explanation.diagnosis, object_name=error.object, processed_at=error.processed_at
        )
        return explain(error, replace(known, resolved=resolved)) if resolved else explanation

    # -- org notes -----------------------------------------------------------------------------------

    def forget_known(self) -> None:
        """Read the org notes again, and take what the org said about names for old."""
        self._known.clear()
        self._resolver = None
        self._work(self._read_notes(), "explaining")

    async def _read_notes(self) -> None:
        before = self.notes, self.notes_trouble
        try:
            self.notes = await asyncio.to_thread(self._context.read_notes)
        except BadInputError as trouble:
            # What was read before is still true.
            self.notes_trouble = trouble
            self._say(f"Notes: {trouble.line}", "bad")
        else:
            self.notes_trouble = None
        if (self.notes, self.notes_trouble) != before:
            self._post(KnownBetter())

    # -- names -----------------------------------------------------------------------------------------

    def look_up(self, error: SyncError) -> None:
        """A person rests on this error: ask the org about what it names, unless that is known."""
        if error in self._known or self._context.state.reading.expired or not self._may_ask():
            return
        self._pending = error
        if not self._asking:
            self._asking = True
            self._work(self._ask(), "explaining")

    def _may_ask(self) -> bool:
        connection = self._context.connection
        if connection is None:
            return False
        usage = connection.usage
        return usage is None or usage.used < usage.total * (1 - _SPARE_CALLS)

    async def _ask(self) -> None:
        try:
            while (error := self._pending) is not None:
                self._pending = None
                await self._ask_about(error)
        except NotLoggedInError as trouble:
            self._context.state = self._context.state.session_expired(trouble)
            self._post(StateChanged())
        finally:
            self._asking = False

    async def _ask_about(self, error: SyncError) -> None:
        resolver = self._resolver_now()
        if resolver is None or self._dictionary is None:
            return
        before = self.explain(error)
        metadata = await self._dictionary.covering(before.diagnosis, error.object)
        if resolver is not self._resolver:
            return
        self._metadata = metadata
        diagnosis = self.explain(error).diagnosis
        remembered = await resolver.recall(diagnosis, object_name=error.object)
        if remembered and resolver is self._resolver:
            # What an earlier start learned is shown at once; the org's answer takes its place.
            self._known[error] = remembered
            self._post(KnownBetter(error))
        resolved = await resolver.resolve(
            diagnosis, object_name=error.object, processed_at=error.processed_at
        )
        if resolver is self._resolver:
            self._known[error] = resolved
            if self.explain(error) != before:
                self._post(KnownBetter(error))

    def _resolver_now(self) -> MetadataLookup | None:
        """The resolver of the connection there is; a new connection gets a new one."""
        from syncerr_tui.host.remembered import kept_names

        connection = self._context.connection
        if connection is None:
            return None
        if self._resolver is None or connection is not self._connection:
            if connection is not self._connection:
                self._metadata = None
                self._store = kept_names(connection.identity, self._context.environ)
                self._dictionary = connection.dictionary(self._store)
            self._connection, self._resolver = connection, connection.name_resolver(self._store)
        return self._resolver


def addresses(explanation: Explanation) -> Sequence[tuple[str, str]]:
    """Where the guidance leads, next step first: (what to do there, address). Each address once."""
    from syncerr_tui.diagnosis.guidance_template import plain

    addresses: dict[str, str] = {}
    for item in explanation.failures:
        for number, step in enumerate(item.guidance.steps, 1):
            if step.address and step.address.startswith(("http://", "https://")):
                addresses.setdefault(step.address, f"Step {number}: {plain(step.text)}")
    for item in explanation.failures:
        if item.guidance.article:
            addresses.setdefault(item.guidance.article, "StoreConnect's article")
    return [(text, address) for address, text in addresses.items()]
