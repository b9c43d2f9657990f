"""The words of whoever refused, without the frame that Salesforce puts around them."""

from __future__ import annotations

import re

from syncerr_tui.diagnosis.codes import WRAPPERS
from syncerr_tui.diagnosis.page import unwrap
from syncerr_tui.text import one_line

# What stands before the innermost reason.
_LEAD_IN = re.compile(
    r"caused by:?\s{1,4}|Give your Salesforce admin these details\.?|Flow error messages:|"
    r"An Apex error occurred:|This error occurred(?: when the flow tried to [a-z ]{1,40})?:|process failed\.",
    re.IGNORECASE,
)
# Where the words of a rule end and Salesforce's own begin again.
_END = re.compile(
    r":\s{0,2}\[[^\[\]]{0,200}\]|You can look up ExceptionCode|Error ID:|\(StatusCode|,\s{0,2}RecordId:"
    r"|[\"'],\s{0,2}[\"']|\s(?:Class|Trigger)\.[A-Za-z]|:?\s{0,2}[\w.]{0,80}\s--|\(System Code\)"
)
_ADVICE = re.compile(r"Your administrator can add it for you|For details, see API Exceptions", re.IGNORECASE)
_LONGEST = 2000


def root_words(message: str, root_code: str | None) -> str:
    """The innermost reason in one line, at most 2,000 characters; may be empty."""
    text = "\n".join(page.text for page in unwrap(message)[1])
    if root_code:
        text = text.rpartition(root_code)[2]
    text = text[:_LONGEST]
    if root_code is None or root_code in WRAPPERS:
        text = _LEAD_IN.split(text)[-1]
    end = _END.search(text)
    text = _ADVICE.sub("", text[: end.start()] if end else text)
    return one_line(text).strip(" ,:;.-[]{}()\"'#")
