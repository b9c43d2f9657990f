"""Misbehaviour of the metadata APIs. Faults of the wire come in addition, such as `lost-reply:metadata`."""

from __future__ import annotations

from collections.abc import Mapping

SETUP_FAULTS: Mapping[str, tuple[str, int | None]] = {
    "setup-locked": ("a deployment is running: metadata writes are refused, and nothing changes", None),
    "setup-error-though-done": ("a metadata write is done and answered with an error", None),
    "setup-half-done": ("of several components in one updateMetadata every second one is refused", None),
    "no-setup-permission": ("the user may not change metadata", None),
    "no-record-edit": ("the user may read records and not change them", None),
    "setup-late": ("a metadata write is answered with an error, and carried out two seconds later", 1),
    "soap-refuses-token": ("the Metadata API answers INVALID_SESSION_ID, as to some kinds of token", None),
    "colleague-edits": ("behind each reading of a component somebody edits its description", 1),
    "colleague-switches-back": ("behind each switch-off somebody switches the component on again", 1),
    "metadata-unreadable": ("Metadata is null, as that of packages is", None),
}
"""Name -> what happens, and how often where no count is given (None: always)."""
