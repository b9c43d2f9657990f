"""Which objects a message speaks of, in the words it uses (`account`, `Opportunities`, `blng__Invoice__c`).

An object counts where the platform names it as one (`entity Contact`, `Entity type 'Lead'`, `CODE
(Account):`), and where a sentence calls a standard object by its capitalised name. In lower case the words
are too common: there only the first counts, in the singular, and only where nothing was named before it. A
name inside another name (trigger, flow, field) says nothing about the record and does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import islice

from syncerr_tui.diagnosis.parts import Part, Ranges, matches, part
from syncerr_tui.diagnosis.platform_sentences import entity_words

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
    r"Campaign Members?|Order(?: Products?| Items?)?|Orders|Assets?|Quotes?|Price ?[Bb]ook Entr(?:y|ies)|"
    r"Price ?[Bb]ooks?|Products?|Person Accounts?)(?![\w\]]|\.\w|"
    r" (?:Executive|Manager|Owner|Name|Number|Director|Status|Type|Rep|History|Share|Feed|Interest|Line|Code|"
    r"Source|Group|Family|Category|Reason|Date|Term|Role)\b)",
)
_PLAIN = re.compile(
    r"(?P<name>order (?:products?|items?)|account|contact|lead|opportunity|contract|order|"
    r"campaign|case)(?![\w\]]|\.\w)"
)
_INSIDE = re.compile(r"[\w.\[/\"“-]")
"""In front of an object's name: it is a part of another name. Looked at after a match, which is quicker."""
_OTHER_OBJECT = re.compile(r"(?:Sales|Purchase|Work|Return|Service|Fulfillment) \Z")
"""`Work Order` and `Service Contract` are objects of their own."""
_VERB = re.compile(r" (?:your|you|us|support|the|an?|our|salesforce|customer|system|to|of)\b", re.IGNORECASE)
_IDIOM = re.compile(r"\b(?:in|please|must|should|can) \Z", re.IGNORECASE)
_GENERIC_NAMES = "Record Records Type The This Alert Rule Object Value System SObject Class Trigger"
_GENERIC = frozenset(_GENERIC_NAMES.split())


def find_objects(text: str, taken: Ranges) -> list[Part]:
    """Objects named in a statement; parts inside the `taken` ranges are names of something else."""
    found = [*find_stated(text), *_capital(text, taken)]
    found.sort(key=lambda part: part.start)
    return found or list(islice(_lower(text, taken), 1))


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


def _capital(text: str, taken: Ranges) -> Iterator[Part]:
    for match in matches(_STANDARD, text):
        if match.start() and _INSIDE.match(text, match.start() - 1):
            continue
        if _OTHER_OBJECT.search(text, max(0, match.start() - 12), match.start()):
            continue
        verb = match["name"] in {"Contact", "Lead", "Order"} and _VERB.match(text, match.end())
        if not verb and match.start() not in taken:
            yield Part("object", match["name"], match.start(), match.end())


def _lower(text: str, taken: Ranges) -> Iterator[Part]:
    for match in matches(_PLAIN, text):
        if match.start() and (text[match.start() - 1] in "._[/-" or text[match.start() - 1].isalnum()):
            continue
        idiom = _VERB.match(text, match.end()) or _IDIOM.search(
            text, max(0, match.start() - 8), match.start()
        )
        if not idiom and match.start() not in taken:
            yield Part("object", match["name"], match.start(), match.end())
