"""A message in the few words a table cell has room for: the named thing first, Salesforce's frame left out.

The median message is 146 characters long and begins with the same words as all the others; its telling part
is at the end. The whole text stands in the info panel.
"""

from __future__ import annotations

from functools import lru_cache

from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, UNKNOWN
from syncerr_tui.diagnosis.evidence import PARENT_CODE, SAME_RECORD_CODE
from syncerr_tui.diagnosis.model import Failure
from syncerr_tui.diagnosis.read import diagnose_cached
from syncerr_tui.diagnosis.reason import root_words
from syncerr_tui.text import SafeText, one_line

_KINDS = {"flow": "Flow", "trigger": "trigger", "class": "class", "flow_element": "element"}
_SHORT_ID = 8


@lru_cache(maxsize=8192)
def summarize(message: str, code: str | None) -> SafeText:
    """What blocks, in one line. Falls back on the message where nothing shorter tells more."""
    failures = diagnose_cached(message, code).each
    briefly = [": ".join(part for part in (_who(item), _reason(item)) if part) for item in failures]
    if len(failures) == 1:
        return one_line(briefly[0] or message)
    return one_line(f"{len(failures)} failures: {'; '.join(filter(None, briefly))}")


def _reason(diagnosis: Failure) -> str:
    root = diagnosis.root_code
    if root == SAME_RECORD_CODE:
        return "needs an earlier change of this record"
    if root == PARENT_CODE and diagnosis.external_ids:
        parent = diagnosis.objects[0] if diagnosis.objects else "its parent"
        return f"needs {parent} {_short(diagnosis.external_ids[0])}"
    fields = " ".join(diagnosis.fields[-1:])
    if fields and diagnosis.values:
        return f"{fields} = {diagnosis.values[0]}"
    if fields and root == "REQUIRED_FIELD_MISSING":
        return f"empty: {', '.join(diagnosis.fields)}"
    if diagnosis.limit:
        return f"limit: {diagnosis.limit}"
    words = root_words(diagnosis)
    # A Flow's standing text says nothing but the Flow's name, which is there already.
    return "" if diagnosis.automation and _is_frame(words) else words


def _who(diagnosis: Failure) -> str:
    """The outermost automation: what a person would open first. Only where it did the refusing."""
    wrapped = {FLOW_TRIGGER, APEX, UNKNOWN} & {diagnosis.code, diagnosis.root_code, *diagnosis.codes}
    for thing in diagnosis.automation if wrapped else ():
        if thing.kind in _KINDS:
            return f"{_KINDS[thing.kind]} {thing.name}"
    return ""


def _is_frame(words: str) -> bool:
    return words.startswith("We can't save this record because")


def _short(identifier: str) -> str:
    return identifier if len(identifier) <= _SHORT_ID + 4 else f"{identifier[:_SHORT_ID]}…"
