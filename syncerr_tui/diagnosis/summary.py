"""A message in the few words a table cell has room for: the named thing first, Salesforce's frame left out.

The median message is 146 characters long and begins with the same words as all the others; its telling part
is at the end. The whole text stands in the info panel.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, UNKNOWN, WRAPPERS
from syncerr_tui.diagnosis.evidence import PARENT_CODE, SAME_RECORD_CODE
from syncerr_tui.diagnosis.model import Failure
from syncerr_tui.diagnosis.read import diagnose_cached
from syncerr_tui.text import SafeText, one_line

# What stands before the innermost reason.
_LEAD_IN = re.compile(
    r"caused by:?\s{1,4}|Give your Salesforce admin these details\.?|Flow error messages:|"
    r"An Apex error occurred:|This error occurred(?: when the flow tried to [a-z ]{1,40})?:|process failed\.|"
    r"(?:Error: )?Validation error on [A-Z][\w ]{1,60}:",
    re.IGNORECASE,
)
# Where the words of a rule end and Salesforce's own begin again.
_END = re.compile(
    r":\s{0,2}\[[^\[\]]{0,200}\]|(?<=[.。!?])\s{0,2}[^.。!?\n]{0,80}ExceptionCode|Error ID:|\(StatusCode"
    r"|[,;、.]?\s{0,2}(?:[Rr]ecord ?I[Dd]|레코드 ID|レコード ID|post-ID|ID d[’']enregistrement)\s?: ?\w+\s*\Z"
    r"|,\s{0,2}RecordId:|\sExternal entry point"
    r"|[\"'],\s{0,2}[\"']|\s(?:Class|Trigger)\.[A-Za-z]|(?::\s{0,2}[\w.]{0,80})?\s--|\(System Code\)|<br|</"
    # The tail of a CSV line, of a debug log's line, and of an Apex error written out.
    r"|[\"'],[^\s,]{1,60}(?:,|\Z)|[\"']?\|0x[0-9a-f]|,\s?fields\s?[=:]"
)
_ADVICE = re.compile(r"Your administrator can add it for you|For details, see API Exceptions", re.IGNORECASE)
# `Field(s): User__c, CRM ErrorMessage: ...`: what an integration writes in front, in its user's language;
# `16:16:04.97 (1000)|FATAL_ERROR|`: how a line of a debug log begins.
_INTEGRATION = re.compile(
    r"\A(?:[^\n]{0,200}\bCRM\b[^:\n]{0,25}:\s?|"
    r"[\d:.]{5,20} \(\d{1,20}\)\|[A-Z_]{3,40}\|(?:\[[\w ]{0,20}\]\|)?)"
)
# An error that Apex wrote out, its words in front of its code; and one that a page or the sf CLI tells of.
_RESULTS = (
    re.compile(r"getMessage=(?P<words>(?s:.){1,2000}?);\s?get(?:StatusCode|Fields)="),
    re.compile(r"validation error encountered was \"(?P<words>(?s:.){1,2000}?)\"\.?(?=\s|\Z)"),
    re.compile(r"\. Message: (?P<words>(?s:.){1,2000}?)\.? Fields: \["),
)
_LONGEST = 2000


class Innermost(NamedTuple):
    """The innermost reason that a message gives, and how it was found."""

    words: str
    """From where the reason begins to where Salesforce's own words begin again."""
    rest: str
    """All that follows the root's code; the whole text where the code does not stand in it."""
    behind_code: bool
    led_in: bool
    """Words that announce a reason stand before it."""


def innermost(text: str, root_code: str | None) -> Innermost:
    """The innermost reason in a message that was unwrapped already."""
    for pattern in _RESULTS:
        if result := pattern.search(text):
            text = result["words"]
    end = end_of_root(text, root_code)
    rest = text[end or 0 :][:_LONGEST]
    wrapped = end is None or root_code in WRAPPERS
    parts = _LEAD_IN.split(rest) if wrapped else [rest]
    cut = _END.search(parts[-1])
    words = _INTEGRATION.sub("", parts[-1][: cut.start()] if cut else parts[-1])
    return Innermost(words, rest, end is not None, len(parts) > 1)


def end_of_root(text: str, root_code: str | None) -> int | None:
    """The offset behind the root's code, where it stands for the last time; None where it does not stand."""
    place = text.rfind(root_code) if root_code else -1
    return None if place < 0 or root_code is None else place + len(root_code)


def root_words(diagnosis: Failure) -> str:
    """The innermost reason in one line, at most 2,000 characters; may be empty."""
    words = _ADVICE.sub("", innermost(diagnosis.text, diagnosis.root_code).words)
    return one_line(words).strip(" ,:;.-[]{}()\"'#")


_KINDS = {"flow": "Flow", "trigger": "trigger", "class": "class", "flow_element": "element"}
_SHORT_ID = 8


@lru_cache(maxsize=8192)
def summarize(message: str, code: str | None) -> SafeText:
    """What blocks, in one line. Falls back on the message where nothing shorter tells more."""
    failures = diagnose_cached(message, code).each
    pieces = [": ".join(part for part in (_who(item), _reason(item)) if part) for item in failures]
    if len(failures) == 1:
        return one_line(pieces[0] or message)
    return one_line(f"{len(failures)} failures: {'; '.join(filter(None, pieces))}")


def code_or_inferred(message: str, code: str | None) -> str:
    """A row's own code; where it has none, the one that its wording means, marked by `~`; `-` without both.

    For eyes only: what is filtered, sorted and exported is the row's own.
    """
    root = code or diagnose_cached(message).root_code
    return root if code and root else f"~{root}" if root else "-"


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
    for item in diagnosis.automation if wrapped else ():
        if item.kind in _KINDS:
            return f"{_KINDS[item.kind]} {item.name}"
    return ""


def _is_frame(words: str) -> bool:
    return words.startswith("We can't save this record because")


def _short(identifier: str) -> str:
    return identifier if len(identifier) <= _SHORT_ID + 4 else f"{identifier[:_SHORT_ID]}…"
