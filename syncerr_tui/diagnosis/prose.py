"""Labels of fields in the sentences that validation rules are made of: somebody's own words, in any language.

They count where the sentence says that it is a field (`in the account name field`), where it asks for one
(`Enter the Cancellation Reason`), where it is about one (`Close date must be`, `Postcode is verplicht`), and,
in the text of a rule, where a name ends as names of fields do (`Bundle Starting Rate`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from syncerr_tui.diagnosis.identifiers import api_name
from syncerr_tui.diagnosis.labelled import is_label, listed
from syncerr_tui.diagnosis.source_text import Part, matches, part

_TITLE = r"(?P<field>[A-Z][\w/&-]{0,40}(?: [A-Z][\w/&-]{0,40}){0,5})"
# `the field "Tax Code"`, `"Versandart" Feld`: said to be a field, whatever the rest is about.
_QUOTED = re.compile(
    "|".join(
        rf"{opening}[ \u00a0]?([^\W\d_][^{closing}:;=\n]{{1,60}}?)[ \u00a0]?[{closing}]"
        for opening, closing in (
            ('"', '"'),
            ("“", "”"),
            ("„", "“”"),
            ("«", "»"),
            ("「", "」"),
            ("『", "』"),
            ("‘", "’"),
            (r"'(?<!\w')", "'"),
        )
    )
)
_FIELD_WORDS = (
    r"(?:(?<!\w)(?:fields?|felder|feld|champs?|campos?|camp[io]|velden|veld|fältet|fält|feltet|felt|kenttä|pol[eau])"
    r"(?!\w)|項目|필드|字段|欄位)"
)
_FIELD_BEFORE = re.compile(_FIELD_WORDS + r" ?\Z", re.IGNORECASE)
_FIELD_BEHIND = re.compile(r" ?" + _FIELD_WORDS, re.IGNORECASE)
_LONGEST_WORD = 9
_NOUNS = (
    r" (?:Date|Time|Name|Number|E-?[Mm]ail|Phone|Fax|Status|Stage|Type|"
    r"Amount|Price|Cost|Code|Address|Street|City|State|Province|Country|Rate|Quantity|Reason|Source|Owner|Currency|"
    r"Percent|Total|Salutation|Birthdate|Website|Priority|Probability|Discount|Method|Category|Level|Score|"
    r"Region|Territory|Language|Balance|Fee|Slot)(?![\w-]| [A-Z][a-z])"
)
_NOUN = re.compile(_NOUNS)
"""In every text that `_FIELD_NOUN` fits, and quicker to look for."""
# What a field's label ends with: `Show Close Date`, `Bundle Starting Rate`. Two words at least.
_FIELD_NOUN = re.compile(
    r"(?<![\w“\"'‘-])(?!(?:The|An?|This|That|Please|Your|When|If|Each|Every|Both|Only|No|All|Enter|Select|"
    r"Error) )"
    r"(?P<field>[A-Z][\w/&-]{0,40}(?: [A-Z][\w/&-]{0,40}){0,3}" + _NOUNS + ")"
    r"(?! (?:was |were |is |could |can)?(?:not )?(?:be )?(?:found|exists?)\b)"  # a record, not a field
    r"(?!: {0,2}\w+ ?(?:\n|\Z))"  # a line of a list of details: `Flow API Name: Order_After_Save`
)
_LABEL_AT_END = re.compile(
    r"[.!] ?: (?P<list>[A-Z][\w/ ()-]{1,60}?(?:, [A-Z][\w/ ()-]{1,60}?){0,8})"
    r"(?=\Z|, RecordId| \(StatusCode|: \[|\. You can)"
)
_RULE_TEXT = frozenset({None, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "FIELD_FILTER_VALIDATION_EXCEPTION"})
_PROSE_TEXT = _RULE_TEXT | {"FIELD_INTEGRITY_EXCEPTION", "INVALID_INPUT"}
"""Codes that the platform's own rules use too, in sentences that are made the same way."""
_REQUIRED = re.compile(
    r" (?:is|are) (?:a )?(?:required|mandatory)\b| required\.?\Z|"
    r" (?:can[’']t|cannot|must not) be (?:blank|empty|null)\b"
)
_LOWER_LABEL = (
    r"[A-Z][A-Za-z]{1,30} (?:date|time|name|number|e-?mail|phone|status|stage|type|amount|price|code|address|"
    r"city|state|country|quantity|reason)"
)
_LABEL_BEFORE = re.compile(
    r"(?:\A|[\s,.:])(?P<field>[A-Z][\w/&-]*(?: (?:[A-Z][\w/&-]*|of|and|or|to|\d+))*|" + _LOWER_LABEL + r")\Z"
)


def _is_code(text: str) -> bool:
    return text.isupper() and "_" in text


_PREDICATE = re.compile(
    r" (?:must(?: not)? (?:be|have|contain|match|start|end|equal|exceed)|"
    r"(?:can ?not|can[’']t|may not|should(?: not)?) (?:be|have|contain|exceed|equal)|exceeds|is exceeded|"
    r"is (?:required|mandatory|too|"
    r"not (?:(?:an?|the) )?(?:valid|correct|right|allowed|eligible)|invalid|missing|empty|blank)|"
    r"has to be|needs to be)\b"
)
# `Close date must be in the future`, `Name is too short`: what a rule's sentence is about.
_SUBJECT = re.compile(
    r"(?:\A|(?<=[.!?,:] )|(?<=[,:=]))(?:The )?(?P<field>[A-Z][\w/&-]{1,40}(?: [A-Z][\w/&-]{1,40}){0,3}|"
    r"[A-Z][\w/&-]{1,40} (?:[a-z]{2,20} )?(?!order|account|contact|lead|record)[a-z]{2,20}(?:[^s\W]|ss|us))"
    + _PREDICATE.pattern
)
# The same in other languages: `Die Lieferadresse darf nicht`, `El código postal debe`.
_SUBJECT_ABROAD = re.compile(
    r"(?:\A|(?<=[.!?,:] )|(?<=[,:=]))(?:(?:[DdLl][aeo]s?|D(?:er|ie)|Els?|Il|Het|[OA]s?) |[Ll]['’])?"
    r"(?P<field>[^\W\d_][\w/&-]{1,40}(?: [^\W\d_][\w/&-]{0,40}){0,3}?) "
    r"(?:muss|müssen|darf (?:nicht|kein)|ist (?:erforderlich|ein Pflichtfeld|ungültig)|"
    r"doi(?:t|vent)|ne peut pas|est (?:obligatoire|requise?|invalide)|"
    r"deben?|no puede|es (?:obligatori[oa]|requerid[oa]|inválid[oa])|"
    r"deve|devono|non può|è obbligatori[oa]|não pode|é obrigatóri[oa]|moet|mag (?:niet|geen)|is verplicht)\b"
)
_PREDICATE_ABROAD = re.compile(
    " (?:muss|müssen|darf |ist |doi|ne peut|est |deb|no puede|es |dev|non può|è |não|é |moet|mag |is v)"
)
"""In every text that `_SUBJECT_ABROAD` fits, and quicker to look for."""
_NO_SUBJECT_ABROAD = re.compile(
    r"\b(?:eine?[mnrs]?|une?|un[oa]|een|dies\w*|jede\w*|alle|sie|es|man|bitte|wenn|feld|c(?:e|et|ette|es)|chaque|vous|il|elle|on|si|champ|"
    r"est[aeo]s?|cada|usted|se|cuando|campo|quest\w+|ogni|lei|você|quando|de[zs]e|dit|dat|elke?|u|het|als|veld)\b",
    re.IGNORECASE,
)
_NO_SUBJECT = re.compile(
    r"\b(?:this|that|these|those|each|every|all|any|no|one|both|either|neither|it|you|we|they|he|she|there|of|for|in|on|"
    r"with|to|and|or|please|record|records|value|values|user|error|formula|field|fields|which|who|if|when|only)\b",
    re.IGNORECASE,
)

_VERB = re.compile(
    r"\b(?:enter|select|choose|specify|provide|fill in|populate|complete|change|edit|update|set)\Z",
    re.IGNORECASE,
)
_LONGEST_VERB = 9


def _may_be_field(subject: str) -> bool:
    return (
        not _NO_SUBJECT.search(subject)
        and not any(map(api_name, (subject, *subject.split()[:1])))
        and not _is_code(subject)
    )


def _named(match: re.Match[str]) -> Iterator[Part]:
    yield part("field", match, "field")


def _subject(match: re.Match[str]) -> Iterator[Part]:
    if _may_be_field(match["field"]):
        yield part("field", match, "field")


def _subject_abroad(match: re.Match[str]) -> Iterator[Part]:
    if not _NO_SUBJECT_ABROAD.search(match["field"]):
        yield from _subject(match)


def _asked_for(match: re.Match[str]) -> Iterator[Part]:
    if _VERB.search(match.string, max(0, match.start() - _LONGEST_VERB), match.start()):
        yield from _subject(match)


def _called_a_field(match: re.Match[str]) -> Iterator[Part]:
    before = max(0, match.start() - _LONGEST_WORD), match.start()
    if _FIELD_BEHIND.match(match.string, match.end()) or _FIELD_BEFORE.search(match.string, *before):
        number = match.lastindex or 0
        yield Part("field", match[number], *match.span(number))


def _listed(match: re.Match[str]) -> Iterator[Part]:
    yield from listed(match.string, *match.span("list"))


def _in_front(match: re.Match[str]) -> Iterator[Part]:
    text = match.string
    label = _LABEL_BEFORE.search(text, max(0, match.start() - 60), match.start())
    # `NullPointerException: Argument cannot be null` is about a variable of the code.
    in_code = label and text.endswith("Exception: ", 0, label.start("field"))
    if label and not in_code and is_label(label["field"]):
        yield part("field", label, "field")


class _Rule(NamedTuple):
    """A way in which a sentence names a field."""

    pattern: re.Pattern[str]
    fields: Callable[[re.Match[str]], Iterator[Part]] = _named
    """What a match names."""
    roots: frozenset[str | None] | None = None
    """The root codes whose texts are made so, None for a text without one; any where none is given."""
    clue: re.Pattern[str] | None = None
    """In every text that the pattern fits, and quicker to look for."""


_RULES = (
    _Rule(re.compile(r"(?:field you selected|specified) in " + _TITLE), clue=re.compile("ed in ")),
    _Rule(re.compile(r"selected for " + _TITLE + r"(?: \[[^\[\]\n]{1,60}\])? (?:can[’']t|cannot|must)")),
    _Rule(re.compile(r"in the (?P<field>[a-z][a-z ]{2,40}?|[A-Z][\w /]{1,60}?) field\b")),
    _Rule(re.compile(r"he (?P<field>[A-Z][\w/]{1,40}(?: [A-Z][\w/]{0,40}){0,5}) field\b")),
    _Rule(
        re.compile(r"lease (?:enter|provide|fill in|specify|select|choose) (?:an? |the |a valid )?" + _TITLE)
    ),
    _Rule(_QUOTED, _called_a_field),
    _Rule(_FIELD_NOUN, roots=_RULE_TEXT, clue=_NOUN),
    _Rule(_SUBJECT, _subject, _PROSE_TEXT, _PREDICATE),
    _Rule(_SUBJECT_ABROAD, _subject_abroad, _PROSE_TEXT, _PREDICATE_ABROAD),
    # `When the Stage is Closed Won`, `set Stage to`, `Enter the Cancellation Reason`: what a rule wants.
    _Rule(
        re.compile(
            r"\b(?:[Ww]hen|[Ww]hile|[Ii]f|[Uu]nless|[Uu]ntil) (?:the )?"
            + _TITLE
            + r" (?:is|equals|contains|changes)\b"
        ),
        _subject,
        _PROSE_TEXT,
        re.compile("(?:hen|hile|f|nless|ntil) "),
    ),
    _Rule(re.compile(r"\b[Ss]et " + _TITLE + r" to\b"), _subject, _PROSE_TEXT, re.compile("et ")),
    _Rule(re.compile(r" (?:an?|the|your) " + _TITLE + r"(?![\w-])"), _asked_for, _PROSE_TEXT),
    # `insert or update ActivityDate`: an API name of several words.
    _Rule(
        re.compile(r" (?:insert|update|set|edit) (?P<field>[A-Z][a-z]+(?:[A-Z][a-z]+)+)\b"),
        roots=frozenset({"INVALID_FIELD_FOR_INSERT_UPDATE"}),
    ),
    _Rule(_LABEL_AT_END, _listed, clue=re.compile(r"[.!] ?: ")),
    _Rule(_REQUIRED, _in_front),
)


def find_prose(text: str, root: str | None) -> Iterator[Part]:
    """Labels in the sentences that validation rules are made of."""
    for rule in _RULES:
        if (rule.roots is None or root in rule.roots) and (rule.clue is None or rule.clue.search(text)):
            for match in matches(rule.pattern, text):
                yield from rule.fields(match)
