"""Fields, values and external ids in one statement: behind labels, in lists, and in whole sentences.

What counts, and where it is looked for:

- A field stands as the platform prints it: the label before `: bad value for restricted picklist field`,
  the API name in the list at the end (`[Name, Close_Date__c]`), both where both are there, in order of
  appearance. Labels in free text count only where the sentence says that it is a field (`in the account
  name field`, `selected in Preferred Email`, `Close Date is required`) or, in the text of a rule, where a
  name ends as names of fields do (`Bundle Starting Rate`, `Show Close Date`).
- A value is what was refused: after `picklist field:`, in `contains EP, which isn't`, the id of a wrong
  type (which is a record id as well). A duplicate's id is a record id, not a value. `<unknown>`, `[]` and
  `…` are nothing.
- The value of `Foreign key external ID: ... not found` is an external id, not a value.
- A name that ends in `__c` is a field unless the words before say that it is an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from syncerr_tui.diagnosis.labelled import (
    find_after_code,
    find_labelled,
    find_labels_of,
    find_lists,
    find_refused,
    listed,
)
from syncerr_tui.diagnosis.platform_sentences import entity_words
from syncerr_tui.diagnosis.prose import find_prose
from syncerr_tui.diagnosis.source_text import Part, Ranges, matches, part

_NAME = r"['\"“]?(?P<name>[A-Z][A-Za-z]{2,40}2?(?![\w])|[A-Za-z]\w{1,80}__(?:c|mdt|e|x|kav)\b)"
_STATED = tuple(
    (clue, re.compile(lead + _NAME))
    for clue, lead in (
        ("ntity", r"\b[Ee]ntity(?: type)?:?\s"),
        ("bject", r"\b[sS]?[Oo]bject(?: of)?(?: type)?:?\s"),
        ("missing for", r"\bmissing for:?\s"),
        ("duplicate", r"\bduplicate:?\s"),
        ("not allowed on", r"\bnot allowed on:?\s"),
        ("nvalid field ", r"\b[Ii]nvalid field \w{1,80} for:?\s"),
        ("/sobjects/", "/sobjects/"),
        ("Salesforce (", r"Salesforce \("),
        ("OBJ: ", r"\bOBJ: "),
        ("vice versa", r"\bvice versa\):\s"),
        ("requested field", r"\brequested field:\s"),
        (" (", r"[A-Z]_[A-Z]+ \("),
    )
)
_QUOTED_NAME = r"[\"'“”„«»「][ \u00a0]?(?P<name>[^\W\d_][\w -]{1,79}?)[ \u00a0]?[\"'“”»」]"
_OWNER_OF = re.compile(
    r" as owner of \[?(?P<name>\w{2,80})|(?<!\w)(?P<other>[A-Z]\w{2,80}): bad field names on insert|"
    r"entity type cannot be \w{3,20}: (?P<entity>[A-Z][\w ]{2,60}\w)"
)
_KEYED = re.compile(
    r"(?:duplicateRuleEntityType|entityType)[\\\"'”]{0,8}\s{0,3}[:=]\s{0,3}[\\\"'“”]{1,8}(?P<name>\w{2,80})"
)
_STANDARD = re.compile(
    r"(?P<name>Accounts?|Contacts?|Leads?|Opportunit(?:y|ies)|Contracts?|Cases?|Campaigns?|"
    r"Campaign Members?|Order (?:[Pp]roducts?|[Ii]tems?)|Orders?|Assets?|Quotes?|"
    r"Price ?[Bb]ook Entr(?:y|ies)|"
    r"Price ?[Bb]ooks?|Products?|Person Accounts?)(?![\w\]]|\.\w|"
    r" (?:Executive|Manager|Owner|Name|Number|Director|Status|Type|Rep|History|Share|Feed|Interest|Line|Code|"
    r"Source|Group|Family|Category|Reason|Date|Term|Role)\b)"
)
_PLAIN = re.compile(
    r"(?P<name>order (?:products?|items?)|account|contact|lead|opportunity|contract|order|"
    r"campaign|case)(?![\w\]]|\.\w)"
)
_INSIDE = re.compile(r"[\w.\[/\"“-]")
"""In front of an object's name: it is a part of another name. Looked at after a match, which is quicker."""
_OTHER_OBJECT = re.compile(r"(?:Sales|Purchase|Work|Return|Service|Fulfillment) \Z")
"""`Work Order` and `Service Contract` are objects of their own."""
_LONGER_NAME = re.compile(r"[a-z] [A-Z][a-z]{1,30} \Z")
"""`won without Primary Contact`: a field's name, or another one that only ends like an object's."""
_VERB = re.compile(r" (?:your|you|us|support|the|an?|our|salesforce|customer|system|to|of)\b", re.IGNORECASE)
_IDIOM = re.compile(r"\b(?:in|please|must|should|can) \Z", re.IGNORECASE)
_GENERIC_NAMES = "Record Records Type The This Alert Rule Object Value System SObject Class Trigger"
_GENERIC = frozenset(_GENERIC_NAMES.split())


def find_objects(text: str, used: Ranges) -> list[Part]:
    """Objects named in a statement; parts inside the `taken` ranges are names of something else."""
    parts = [*find_stated(text), *_capital(text, used)]
    parts.sort(key=lambda part: part.start)
    return parts or list(islice(_lower(text, used), 1))


@cache
def _entity_words() -> tuple[str, ...]:
    return tuple({words.lower().split("'")[0] for words in entity_words()})


@cache
def _entity_pattern() -> re.Pattern[str]:
    """`Entity type 'Lead'`, in the languages of the platform."""
    words = "|".join(map(re.escape, sorted(entity_words(), key=len, reverse=True))).replace("'", "['’]")
    return re.compile(rf"(?:{words})\s?:?\s?{_QUOTED_NAME}", re.IGNORECASE)


def find_stated(text: str) -> Iterator[Part]:
    """Only what the platform itself calls an object."""
    if "owner of" in text or "bad field names" in text or "entity type cannot be" in text:
        for match in matches(_OWNER_OF, text):
            group = match.lastgroup or "name"
            yield Part("object", match[group], *match.span(group))
    if "ntityType" in text:
        for match in matches(_KEYED, text):
            yield part("object", match, "name")
    lowered = text.lower()
    if any(words in lowered for words in _entity_words()):
        for match in matches(_entity_pattern(), text):
            yield part("object", match, "name")
    for clue, pattern in _STATED:
        for match in matches(pattern, text) if clue in text else ():
            if match["name"] not in _GENERIC:
                yield Part("object", match["name"], match.start("name"), match.end("name"))


def _capital(text: str, used: Ranges) -> Iterator[Part]:
    for match in matches(_STANDARD, text):
        if match.start() and _INSIDE.match(text, match.start() - 1):
            continue
        if _OTHER_OBJECT.search(text, max(0, match.start() - 12), match.start()):
            continue
        if match["name"][-1] != "s" and _LONGER_NAME.search(text, max(0, match.start() - 33), match.start()):
            continue
        verb = match["name"] in {"Contact", "Lead", "Order"} and _VERB.match(text, match.end())
        if not verb and match.start() not in used:
            yield Part("object", match["name"], match.start(), match.end())


def _lower(text: str, used: Ranges) -> Iterator[Part]:
    for match in matches(_PLAIN, text):
        if match.start() and (text[match.start() - 1] in "._[/-" or text[match.start() - 1].isalnum()):
            continue
        idiom = _VERB.match(text, match.end()) or _IDIOM.search(
            text, max(0, match.start() - 8), match.start()
        )
        if not idiom and match.start() not in used:
            yield Part("object", match["name"], match.start(), match.end())


_CONTAINS = re.compile(
    r"[Tt]he (?P<field>[^\n.:]{1,80}?) field contains (?P<value>[^\n]{1,200}?), which (?:isn|is no)[’']?t"
)
_FOREIGN_KEY = re.compile(
    r"Foreign key external ID: (?P<id>[^\n]{1,255}?) not found(?: for field (?P<field>[\w.]{1,100}))?"
)
_NAMED_LISTS = (
    (
        "duplicates value",
        re.compile(r"duplicate value found: (?P<list>[^:\n]{1,300}?)\sduplicates value on record"),
    ),
    ("equired", re.compile(r"[Rr]equired fields? (?:(?:are|is) )?missing ?: (?P<list>[^\[\]\n.:]{1,300})")),
    ("/update fields", re.compile(r"create/update fields: (?P<list>[^\n]{1,400}?)(?:\.(?:\s|\Z)|(?=\n|\Z))")),
    (
        "for field: ",
        re.compile(r"value (?:[\"“'][^\n\"”']{1,80}[\"”'] )?for field: (?P<list>[^\n:,.\[\]]{1,80})"),
    ),
    ("by trigger for field ", re.compile(r"data changed by trigger for field (?P<list>[^\n:,.…\[\]]{1,80})")),
    (
        " field ",
        re.compile(
            r" (?:on|for) field [\"'“]?(?P<list>[A-Z]\w{1,100}|\w{1,100}__c)(?!\w| [A-Z]|:| \w{1,20}:)"
        ),
    ),
    ("INTEGRITY_EXCEPTION", re.compile(r"INTEGRITY_EXCEPTION[,:] ?(?P<list>[A-Z]\w{1,80}) \(")),
    ("bad field names", re.compile(r"bad field names on insert/update call: (?P<list>[\w, ]{1,300})")),
    ("INVALID_FIELD:", re.compile(r"INVALID_FIELD:\s{0,8}(?P<list>\w{1,80}(?:,\w{1,80}){1,50})")),
    ("ntegrity", re.compile(r"field integrity exception:\s{1,3}(?P<list>[A-Za-z][\w, ]{1,160}?) \(")),
    (
        "Cannot specify both",
        re.compile(r"an external ID reference (?P<list>\w{1,100}) and a salesforce id, "),
    ),
    ("o such column", re.compile(r"[Nn]o such column '?(?P<list>(?<=')[^'\n]{1,100}(?=')|[\w.]{1,100})")),
    ("requested field", re.compile(r"the requested field: \w{1,80}\.(?P<list>[\w.]{1,100})")),
    ("nvalid field ", re.compile(r"[Ii]nvalid field (?:name )?'?(?P<list>[\w.]{1,100})'? (?:for|on) ")),
)
_NAMED_VALUES = (
    ("field prefix", re.compile(r"recognize the field prefix (?P<value>[\w.]{1,100})")),
    ("inactive user", re.compile(r"inactive user \[(?P<value>[^\[\]\n]{1,100})\]")),
    ("address ", re.compile(r"address [\"“'](?P<value>[^\n\"”']{1,100})[\"”'] is (?:not valid|invalid)")),
    ("nvalid id: ", re.compile(r"Invalid id: (?P<value>[^\n:\[\]()]{1,80})")),
    (
        "address",
        re.compile(
            r"(?:[Ii]nvalid (?:\w{1,12} )?address|address is invalid) ?: ?"
            r"(?P<value>[^\n:,\[\]]{3,100}(?=: \[)|[^\s:,\[\]]{3,100})"
        ),
    ),
    ("too long: ", re.compile(r" too long: (?P<value>[^\n:\[\]]{1,200})(?=: )")),
    ("type xsd:", re.compile(r"'(?P<value>[^\n']{1,120})' is not a valid value for the type xsd:")),
    (" with the name ", re.compile(r" with the name (?P<value>[^\n\[\]]{1,120}?)(?=: \[)")),
    (
        " named ",
        re.compile(r"\bno (?:\w{1,60} )?named ['\"“]?(?P<value>[^\n'\"”]{1,100}?)['\"”]? (?:was )?found"),
    ),
    ("state value", re.compile(r"the state value [\"“'](?P<value>[^\n\"”']{1,80})[\"”']")),
)
_CUSTOM_FIELD = re.compile(
    r"(?<![\w.])(?<!\w-)(?:[A-Za-z]\w{0,100}\.)?(?P<field>[A-Za-z]\w{0,100}__[cC])(?![\w.])(?! trigger)"
    r"(?<!/s_c__sC_Id__c)"  # the store's key in an address: by it the record was sent
)
_BEFORE_OBJECT = re.compile(
    r"(?:(?:entity|object|of type|type|\bon|sobjects/|\bfrom)[ '\":\\]{0,6}|salesforce \(|\bobj: ?)\Z",
    re.IGNORECASE,
)
_LONGEST_LEAD = 28


def find_sentences(text: str) -> Iterator[Part]:
    """Sentences of the platform that name a field or a value."""
    if " field contains " in text:
        for match in matches(_CONTAINS, text):
            yield part("field", match, "field")
            yield part("value", match, "value")
    if "Foreign key external ID" in text:
        for match in matches(_FOREIGN_KEY, text):
            yield part("external_id", match, "id")
            if match["field"]:
                yield part("field", match, "field")
    for clue, pattern in _NAMED_LISTS:
        if clue in text:
            for match in matches(pattern, text):
                yield from listed(text, *match.span("list"))
    for clue, pattern in _NAMED_VALUES:
        if clue in text:
            for match in matches(pattern, text):
                yield part("value", match, "value")


@cache
def _before_object() -> re.Pattern[str]:
    """The words for `entity type`, in the languages of the platform, at the end of a text."""
    words = "|".join(map(re.escape, entity_words())).replace("'", "['’]")
    return re.compile(rf"(?:{words})\s?:?\s?[\"'“”„«「]?\s?\Z", re.IGNORECASE)


def find_custom_fields(text: str) -> Iterator[Part]:
    if "__c" in text or "__C" in text:
        for match in matches(_CUSTOM_FIELD, text):
            if (
                _BEFORE_OBJECT.search(text, max(0, match.start() - 12), match.start()) is None
                and _before_object().search(text, max(0, match.start() - _LONGEST_LEAD), match.start())
                is None
                and not text.startswith(": bad field names", match.end())
            ):
                yield part("field", match, "field")


_NOTHING = frozenset({"<unknown>", "null", "…", "...", "[]", ""})


def find_details(text: str, root: str | None = None) -> list[Part]:
    """Fields, values and external ids in order of appearance; a part may appear more than once.

    Args:
        text: One statement, unwrapped.
        root: The code the statement is about, where it is known from elsewhere.
    """
    listed = list(find_lists(text))
    parts = [*find_labelled(text), *find_after_code(text, root), *find_sentences(text), *listed]
    parts += find_labels_of(text, listed)
    if custom := [*find_custom_fields(text)]:
        known = Ranges((part.start, part.end) for part in parts)
        parts += (part for part in custom if part.start not in known)
    parts += find_prose(text, root)
    if not any(part.kind == "value" for part in parts):
        parts += find_refused(text, root)
    parts.sort(key=lambda part: part.start)
    return [part for part in parts if says_something(part, text)]


def says_something(part: Part, text: str) -> bool:
    """Whether a part is a name or value, and not a stand-in for one."""
    if part.kind == "value" and part.text.startswith("(value"):
        return False  # `(value has been hidden)`, `(value not shown)`
    if part.text == "null" and text[max(0, part.start - 1) : part.start] in {'"', "“"}:
        return part.kind == "value"  # `email address "null" is not valid`: the word itself was refused
    return part.text not in _NOTHING and not (part.kind == "field" and part.text == "unknown")
