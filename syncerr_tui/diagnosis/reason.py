"""The words of whoever refused, without the frame that Salesforce puts around them."""

from __future__ import annotations

import re
from typing import NamedTuple

from syncerr_tui.diagnosis.codes import WRAPPERS
from syncerr_tui.diagnosis.model import Failure
from syncerr_tui.text import one_line

# What stands before the innermost reason.
_LEAD_IN = re.compile(
    r"caused by:?\s{1,4}|Give your Salesforce admin these details\.?|Flow error messages:|"
    r"An Apex error occurred:|This error occurred(?: when the flow tried to [a-z ]{1,40})?:|process failed\.",
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
# `Field(s): User__c, CRM ErrorMessage: ...`: what an integration writes in front, in its user's language.
_INTEGRATION = re.compile(r"\A[^\n]{0,200}\bCRM\b[^:\n]{0,25}:\s?")
# An error that Apex wrote out: its words stand in front of its code.
_RESULT = re.compile(r"getMessage=(?P<words>(?s:.){1,2000}?);\s?get(?:StatusCode|Fields)=")
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
    if result := _RESULT.search(text):
        text = result["words"]
    end = end_of_root(text, root_code)
    rest = text[end or 0 :][:_LONGEST]
    wrapped = root_code is None or root_code in WRAPPERS
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
