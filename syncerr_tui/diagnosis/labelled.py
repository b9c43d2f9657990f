"""`Label: what is wrong: value: [API_Name]`: how the platform speaks of one field, in any language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from syncerr_tui.diagnosis.codes import find_codes
from syncerr_tui.diagnosis.parts import Part, matches, part, trimmed

# Codes whose text is about one field: the label stands right behind the code.
_FIELD_CODES = frozenset(
    {
        "DATE_OUT_OF_RANGE",
        "FIELD_FILTER_VALIDATION_EXCEPTION",
        "FIELD_INTEGRITY_EXCEPTION",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD",
        "INVALID_EMAIL_ADDRESS",
        "INVALID_ID_FIELD",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "MALFORMED_ID",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "STRING_TOO_LONG",
    },
)
_CODE_SEPARATOR = re.compile(r"\s?[,:]\s*")
_LABEL_AND_TEXT = re.compile(
    r"(?P<field>[^\W\d_][^:\n\[\]\"“”]{1,45}): (?P<text>[^\W\dA-Z_][^\n\[\]:]{3,160})(?P<sep>: )?",
)
# What an integration writes in front of Salesforce's sentence, in its user's language.
_FOREIGN_ERROR = re.compile(
    r"\b(?:erreur|erro|errore|fout|crm)\b|mensaje de error|fehlermeldung|fehlercode|foutbericht|エラー|오류"
)
_NOT_A_FAULT = re.compile(r"execution of|maximum trigger|\S+\Z")
_LABELLED = re.compile(
    r":\s(?P<what>bad value for restricted picklist field|id value of incorrect type|invalid email address|"
    r"data value too large|value outside of valid range on numeric field|value not of required type|"
    r"this ID value isn['’]t valid for the user|"
    r"(?P<bare>owner cannot be blank|cannot be blank|invalid cross reference id|invalid id))(?P<sep>:? ?)",
    re.IGNORECASE,
)
_PICKLIST_WORDS = (
    r"bad value for restricted picklist field|"
    r"sélection restreinte|selección restringid[ao]|opções restritas?|"
    r"selezione limitat[ao]|eingeschränkte[nrs]? Auswahllistenfeld"
)
_PLAIN_PICKLIST = re.compile(f"(?:{_PICKLIST_WORDS}) ?: ?")
# Where the platform's own words end and somebody else's begin.
_STOP = re.compile(
    r":\s?\[|\s\[\w+\]\s*\Z|\n|\.\.? ?(?:You can look up|For details, see|Error ID)|"
    r"[,;] (?:RecordId|errorCode|statusCode|fields)\b|\s\((?:StatusCode|max length)|"
    r"\s\(?[A-Z]{3,40}(?:_[A-Z]{2,40})+\)?[.:]?\s*\Z|"
    r":[\w, ]{0,200} ?--|[ .]\(?(?:Class|Trigger)\.[A-Za-z]| ?\(System Code\)|\"[,}]",
)
_BORDER = re.compile(
    r"[,;\n\"“”\[\]{}]\s*|\. |: |(?<=[A-Z]):(?=\S)|\b(?:errorM|m)essage ?: ?|"
    r"\b[A-Z]{3,}(?:_[A-Z]+)+ "
)
_NOT_LABEL_LIST = (
    "message,error,errors,errormessage,crm errormessage,first error,exception,field(s),fields,warning,null,"
    "details,flow,response,result,value,it,this,that,role,he,she,they,we,you,which,what"
)
_NOT_LABELS = frozenset(_NOT_LABEL_LIST.split(","))


def find_labelled(text: str) -> Iterator[Part]:
    """`Label: bad value for restricted picklist field: Value` and its kin."""
    told: set[int] = set()
    for match in matches(_LABELLED, text):
        told.add(match.end())
        label = label_before(text, match.start())
        if label is not None:
            yield label
        if match["bare"] is None and match["sep"].strip():
            value = value_from(text, match.end(), keep_dot="email" in match["what"])
            # An address has no blank in it: what follows is its label again.
            email = value.text.partition(": ")[0] if "email" in match["what"] else value.text
            yield value._replace(text=email, end=value.start + len(email))
    if "picklist" in text or not text.isascii():
        for match in matches(_PLAIN_PICKLIST, text):
            if match.end() not in told:
                yield value_from(text, match.end())


def label_before(text: str, end: int) -> Part | None:
    """The field's label that ends at `end`; None where the words there can be none."""
    start = max(0, end - 80)
    borders = list(_BORDER.finditer(text, start, end))
    if borders:
        start = borders[-1].end()
    elif start:
        return None
    # The label is what the words before it lead up to: `changed by trigger for field Email`.
    for lead in (" for field ", " component "):
        if (at := text.rfind(lead, start, end)) >= 0:
            start = at + len(lead)
    label = trimmed("field", text, start, end)
    if "." in label.text and " " not in label.text:
        label = trimmed("field", text, text.rfind(".", start, end) + 1, end)
    return label if is_label(label.text) else None


def is_label(text: str) -> bool:
    """Whether a text in front of a colon can be the label of a field."""
    plain = text.casefold()
    if (
        not text
        or plain in _NOT_LABELS
        or plain.startswith("error ")
        or plain.endswith(("error", "exception", " too long", " invalid"))
        or _FOREIGN_ERROR.search(plain)
    ):
        return False
    return "=" not in text and not (text.isupper() and "_" in text)


def value_from(text: str, start: int, *, keep_dot: bool = False) -> Part:
    """What stands behind the platform's words, up to where they go on."""
    stop = _STOP.search(text, start, start + 400)
    value = trimmed("value", text, start, stop.start() if stop else min(len(text), start + 400))
    if value.text.startswith("[[") and value.text.endswith("]]"):
        value = trimmed("value", text, value.start + 2, value.end - 2)
    if value.text.endswith("]") and "[" not in value.text:
        value = trimmed("value", text, value.start, value.end - 1)
    if value.text.endswith(".") and stop is None and not keep_dot:
        value = trimmed("value", text, value.start, value.end - 1)
    return value


def find_after_code(text: str, root: str | None) -> Iterator[Part]:
    """`CODE, Label: what is wrong: value: [API_Name]` in any language, for codes that are about one field."""
    codes = list(find_codes(text))
    if codes:
        last = codes[-1]
        separator = _CODE_SEPARATOR.match(text, last.end())
        if last[0] not in _FIELD_CODES or separator is None:
            return
        start = separator.end()
    elif root in _FIELD_CODES:
        start = 0
    else:
        return
    match = _LABEL_AND_TEXT.match(text, start)
    if (
        match is None
        or _LABELLED.match(text, match.end("field"))
        or _NOT_A_FAULT.match(match["text"])
        or match["field"] == "Foreign key external ID"
    ):
        return
    if len(match["field"].split()) <= 6 and is_label(match["field"]) and match["field"][0].isupper():
        yield part("field", match, "field")
        if match["sep"] and not text.startswith("[", match.end()):
            yield value_from(text, match.end())
