"""One metadata write or reading as both APIs do it, with the faults and the colleagues that come between."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Timer

from syncerr_tui.demo.answers import SaveFault
from syncerr_tui.demo.components import Component
from syncerr_tui.demo.http import Request
from syncerr_tui.demo.metadata import MetadataCatalog
from syncerr_tui.demo.rest.call import ServerContext

LATE = 2.0
"""Seconds after which a write that was answered with an error is carried out all the same."""
_COLLEAGUE = "tom@harbour-hearth.example"
_SWITCHES = {
    "ValidationRule": "active",
    "WorkflowRule": "active",
    "DuplicateRule": "isActive",
    "FlowDefinition": "activeVersionNumber",
}
LOCKED = SaveFault(
    "ALREADY_IN_PROCESS", "The changes you requested require Salesforce to wait for another change"
)
_OPAQUE = SaveFault("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 0")


@dataclass(frozen=True, slots=True)
class Setup:
    """The org's set-up as a client of the metadata APIs meets it."""

    context: ServerContext

    @property
    def catalog(self) -> MetadataCatalog:
        """What is really there."""
        return self.context.org.metadata

    def read(self, kind: str, name: str, request: Request) -> Component | None:
        """A component; None where there is none."""
        component = self.catalog.read(kind, name)
        if component is not None and self.context.faults.fires("colleague-edits", request):
            edited = {
                **component,
                "description": f"{component.get('description') or ''} (reviewed by Tom)".strip(),
            }
            self.catalog.write(kind, name, edited, by=self._colleague(), in_setup=True)
        return component

    def write(self, kind: str, name: str, component: Component, request: Request) -> list[SaveFault]:
        """Replace a component; empty where it was done and said so."""
        fires = self.context.faults.fires
        if fires("no-setup-permission", request):
            return [
                SaveFault("INSUFFICIENT_ACCESS", "insufficient access rights on metadata: modify metadata")
            ]
        if fires("setup-locked", request):
            return [LOCKED]
        if fires("setup-late", request):
            late = Timer(LATE, self.catalog.write, (kind, name, component))
            late.daemon = True
            late.start()
            return [_OPAQUE]
        before = self.catalog.read(kind, name)
        refused = self.catalog.write(kind, name, component)
        if refused:
            return refused
        switch = _SWITCHES.get(kind, "")
        if before and before.get(switch) and not component.get(switch):
            self._switched_off(kind, name, switch, before, request)
        return [_OPAQUE] if fires("setup-error-though-done", request) else []

    def _switched_off(self, kind: str, name: str, switch: str, before: Component, request: Request) -> None:
        if self.context.faults.fires("colleague-switches-back", request):
            now = self.catalog.read(kind, name) or {}
            self.catalog.write(kind, name, {**now, switch: before[switch]}, by=self._colleague())

    def _colleague(self) -> str:
        return str(self.context.store.find("User", Username=_COLLEAGUE)[0]["Id"])
