"""`Label: what is wrong: value: [API_Name]`: how the platform speaks of one field, in any language.

And its lists of fields: `[Name, Close_Date__c]`, `:Name --` (Bulk API), `"fields":[...]`, `Field(s): ...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from syncerr_tui.diagnosis.codes import find_codes
from syncerr_tui.diagnosis.identifiers import bare_field, is_id
from syncerr_tui.diagnosis.source_text import Part, matches, part, trimmed

# Codes whose text is about one field: the label stands right behind the code.
_FIELD_CODES = frozenset({
    "DATE_OUT_OF_RANGE", "FIELD_FILTER_VALIDATION_EXCEPTION", "FIELD_INTEGRITY_EXCEPTION",
    "INVALID_CROSS_REFERENCE_KEY", "INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD", "INVALID_EMAIL_ADDRESS",
    "INVALID_ID_FIELD", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_TYPE_ON_FIELD_IN_RECORD",
    "MALFORMED_ID", "NUMBER_OUTSIDE_VALID_RANGE", "STRING_TOO_LONG",
})  # fmt: skip
# Codes that some write with nothing but the name of the field behind them.
_NAME_CODES = frozenset({"INVALID_FIELD_FOR_INSERT_UPDATE", "REQUIRED_FIELD_MISSING"})
_BARE_NAME = re.compile(
    r"(?P<field>[A-Z][A-Za-z0-9_]{1,80}(?:\.[A-Z][A-Za-z0-9_]{1,80})?)(?=\s*\Z|: not found)"
)
_CODE_SEPARATOR = re.compile(r"\s?[,:]\s*")
_LABEL_AND_TEXT = re.compile(
    r"(?P<field>[^\W\d_][^:\n\[\]\"“”]{1,45}): (?P<text>[^\W\dA-Z_][^\n\[\]:]{3,160})(?P<sep>: )?"
)
# What an integration writes in front of Salesforce's sentence, in its user's language.
_FOREIGN_ERROR = re.compile(
    r"\b(?:erreur|erro|errore|fout|crm)\b|mensaje de error|fehlermeldung|fehlercode|foutbericht|エラー|오류"
)
# A sentence of the platform, and no label: `Quantity: Quantity must be nonzero: [Quantity]`.
_SAYS = re.compile(r" (?:must|cannot|can[’']t|should) (?:not )?[a-z]")
_NOT_A_FAULT = re.compile(r"execution of|maximum trigger|data changed by trigger|\S+\Z")
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
LONGEST = r"(?=[^()=\n]{0,20}(?:[Mm](?:[aá]x|ass)|最大|최대))[^()=\n]{2,30}"
"""`max length`, `longitud máxima`, `lunghezza massima`, `最大長`: a length stands behind it, and `=`."""
# Where the platform's own words end and somebody else's begin.
_STOP = re.compile(
    r":\s?\[|\s\[\w+\]\s*\Z|\n|\.\.? ?(?:You can look up|For details, see|Error ID)|"
    r" Contact your administrator|"
    r"[,;] (?:RecordId|errorCode|statusCode|fields)\b|\s\((?:[sS]tatusCode|errorCode|" + LONGEST + r"=)|"
    r"\s\(?[A-Z]{3,40}(?:_[A-Z]{2,40})+\)?[.:]?\s*\Z|"
    r":[\w, ]{0,200} ?--|[ .]\(?(?:Class|Trigger)\.[A-Za-z]| ?\(System Code\)|\"[,}]"
)
_LENGTH_BEHIND = re.compile(r"[^:()]{1,400}?(?=\s\(" + LONGEST + "=)")
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
    starts: set[int] = set()
    for match in matches(_LABELLED, text):
        starts.add(match.end())
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
            if match.end() not in starts:
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
    if label.text.startswith("field "):  # the line was broken in front of it
        label = trimmed("field", text, label.start + len("field "), end)
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
        or _SAYS.search(text)
    ):
        return False
    return "=" not in text and not (text.isupper() and "_" in text)


def value_from(text: str, start: int, *, keep_dot: bool = False) -> Part:
    """What stands behind the platform's words, up to where they go on."""
    stop = _STOP.search(text, start, start + 400)
    end = stop.start() if stop else min(len(text), start + 400)
    if stop and stop[0] == "\n" and (more := _LENGTH_BEHIND.match(text, end)):
        end = more.end()  # the lines of a street
    value = trimmed("value", text, start, end)
    if value.text.startswith("[[") and value.text.endswith("]]"):
        value = trimmed("value", text, value.start + 2, value.end - 2)
    if value.text.endswith("]") and "[" not in value.text:
        value = trimmed("value", text, value.start, value.end - 1)
    if value.text.endswith(".") and stop is None and not keep_dot:
        value = trimmed("value", text, value.start, value.end - 1)
    return value


def find_after_code(text: str, root: str | None) -> Iterator[Part]:
    """`CODE, Label: what is wrong: value: [API_Name]` in any language, for codes that are about one field."""
    codes = find_codes(text)
    if codes:
        last = codes[-1]
        separator = _CODE_SEPARATOR.match(text, last.end)
        if last.code in _NAME_CODES and separator and (name := _BARE_NAME.match(text, separator.end())):
            yield part("field", name, "field")
        if last.code not in _FIELD_CODES or separator is None:
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


# `mensaje: valor incorrecto para la lista: Plata`: the sentence begins small, and what was refused ends it.
_REFUSED = re.compile(r"(?::\s?|：|\A)(?P<text>[^\W\dA-Z_][^\n\[\]:：\"“”]{12,160}?)\s?[:：]\s?(?=[^\s\[])")
_IN_ENGLISH = re.compile(r"restricted picklist|required type", re.IGNORECASE)
_VALUE_CODES = frozenset({"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INVALID_TYPE_ON_FIELD_IN_RECORD"})


def find_refused(text: str, root: str | None) -> Iterator[Part]:
    """What was refused, by the shape of a sentence in a language that no table has."""
    if root in _VALUE_CODES and not _IN_ENGLISH.search(text):
        codes = find_codes(text)
        start = codes[-1].end if codes else 0
        for match in _REFUSED.finditer(text, start, start + 600):
            if match["text"].count(" ") >= 2:
                yield value_from(text, match.end())
                return


_WORD = re.compile(r"\w+")
_API = re.compile(r"[A-Za-z]\w{0,100}(?:\.[A-Za-z]\w{0,100})?")
# Neither a link nor the tags in front of a line of a log: `ERROR -- : [ActiveJob] [SyncJob] ...`.
_FIELD_LIST = re.compile(r"\[(?P<list>[^\[\]{}\"“”<>\n]{1,400})\](?!\(http| \[)")
_LABEL_OF_LIST = re.compile(r": (?P<field>[^\W\d_][^:\n\[\]]{1,45}): \Z")
_BULK_LIST = re.compile(r":(?P<list>[A-Za-z][\w,. ]{0,400}?) ?--(?=\s*(?:\Z|\n|\"|,))")
_KEYED_LIST = re.compile(
    r"(?<![A-Za-z])(?:[\"'“”\\]{0,8}fields[\"'“”\\]{0,8}|getFields)\s{0,2}(?:=>|[:=])\s{0,2}['\"\\]{0,4}"
    r"[\[({](?P<list>[^\]){}\n:;]{1,400})"
)
_ENCLOSED_LIST = re.compile(
    r" \((?P<list>[A-Z][a-z]\w{0,60}(?:[A-Z]|__c)\w{0,60}(?:, [A-Z]\w{0,100}){0,20})\)\s*\Z"
)
# `... required type: 250.0 [NumberOfEmployees]`: an API name of several words, or an org's own field.
# `Enter the phone number [Phone]`: a word that the sentence has already.
_WORD_AT_END = re.compile(r"[^\s:] \[(?P<field>[A-Z][a-z]{2,40})\]\Z")
_NAME_AT_END = re.compile(
    r"[^\s:] \[(?P<field>[A-Z][a-z]+(?:[A-Z][a-z]+)+(?<!Exception)|[A-Za-z]\w{1,90}__c)\]\Z"
)
# `Field(s): Name, CRM ErrorMessage: ...` of an integration, in its user's language: `Feld(er)`, `Campo/i`.
_CRM_LIST = re.compile(
    r"(?:\b(?:F|Ch|C|V)[a-z]{3,5}(?:\([a-z]{1,3}\)|/[a-z]|os)|\b[Ff]ält|フィールド|필드) ?[:：] ?"
    r"(?P<list>[^\n:：;]{1,300}?)"
    r"(?=(?:, |、)[^\W\d_][\w '’-]{1,40} ?[:：]|[;.\n]|\Z)"
)


def find_lists(text: str) -> Iterator[Part]:
    """`[Name, Close_Date__c]`, `:Name --` and `fields: ...`."""
    if "[" in text:
        for match in matches(_FIELD_LIST, text):
            before = text[max(0, match.start() - 12) : match.start()].rstrip()
            if before.endswith("[") and text[match.end() :].strip() == "]":
                before = before[:-1].rstrip()
            # Behind `ERROR -- :` of a log stands whoever wrote the line.
            if before.endswith((":", "for", "missing")) and not before.endswith("-- :"):
                yield from _label_of_list(text, match)
                yield from listed(text, *match.span("list"))
    if (text.endswith("]") and (name := _NAME_AT_END.search(text, max(0, len(text) - 110)))) or (
        text.endswith("]")
        and (name := _WORD_AT_END.search(text, max(0, len(text) - 50)))
        and name["field"].casefold() in _WORD.findall(text[: name.start()].casefold())
    ):
        yield part("field", name, "field")
    last = _ENCLOSED_LIST.match(text, max(0, text.rfind(" (")))
    if last:
        yield from _names(text, *last.span("list"))
    if "--" in text:
        for match in matches(_BULK_LIST, text):
            yield from _names(text, *match.span("list"))
    if "ields" in text:
        for match in matches(_KEYED_LIST, text):
            yield from _names(text, *match.span("list"))
    if "CRM" in text:
        for match in matches(_CRM_LIST, text):
            yield from listed(text, *match.span("list"))


_ASKS_FOR = re.compile(
    r"\b(?:enter|provide|fill in|specify|select|choose|populate|set|add|supply|edit|change|update|"
    r"modify|clear|remove) "
    r"(?:an? |the |its |valid |your ){0,3}(?P<words>\w{2,40}(?:[ -]\w{1,40}){1,7})",
    re.IGNORECASE,
)


def find_labels_of(text: str, names: Iterable[Part]) -> Iterator[Part]:
    """Where a sentence asks for a listed field by its label: `Enter a close date.: [CloseDate]`.

    Names of one word are left alone: `Name` and `Type` stand in sentences for much else.
    """
    names_known = {bare_field(name.text) for name in names}
    for match in matches(_ASKS_FOR, text) if names_known else ():
        spelled = ""
        for number, word in enumerate(_WORD.finditer(text, *match.span("words"))):
            spelled += word[0].casefold()
            if number and spelled in names_known:
                start = match.start("words")
                yield Part("field", text[start : word.end()], start, word.end())


def _label_of_list(text: str, match: re.Match[str]) -> Iterator[Part]:
    """The label in `...: Billing Country: [BillingCountry]`: there it says the same as the API name."""
    label = _LABEL_OF_LIST.search(text, max(0, match.start() - 52), match.start())
    if label is None or label["field"].endswith(".") or not is_label(label["field"]):
        return
    plain = "".join(filter(str.isalnum, label["field"])).lower()
    name = match["list"].lower().removesuffix("__c").rpartition("__")[2].replace("_", "")
    if len(name) >= 3 and (plain.startswith(name) or name.startswith(plain)):
        yield part("field", label, "field")


def _names(text: str, start: int, end: int) -> Iterator[Part]:
    """API names, whatever stands between them."""
    for name in _API.finditer(text, start, end):
        if name[0] not in {"null", "n"} and not is_id(name[0]):
            yield Part("field", name[0], name.start(), name.end())


def listed(text: str, start: int, end: int) -> Iterator[Part]:
    """The names in a list with commas; what has an @ in it is the value that was refused."""
    while start <= end:
        comma = text.find(",", start, end)
        stop = end if comma < 0 else comma
        name = trimmed("field", text, start, stop)
        if "@" in name.text:
            yield name._replace(kind="value")
        elif is_id(name.text):
            pass  # `external id field: [001..., 001...]` lists records
        elif name.text and name.text[0].isalpha() and ":" not in name.text and len(name.text) <= 80:
            yield name
        start = stop + 1
