"""Salesforce's own sentences, in the languages it speaks: what each means, and what it names.

The sentences are data (`catalog/sentences`): one table for each language, one table of what the kinds mean.
A sentence is looked for by its rarest word first, so that some hundreds of them cost little.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from syncerr_tui.diagnosis.codes import known_codes
from syncerr_tui.diagnosis.labelled import label_before, listed, value_from
from syncerr_tui.diagnosis.source_text import Part, matches, trimmed

_WORD = re.compile(r"[^\W\d_]{4,}")
_WITHOUT_BLANKS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Kana, Chinese characters and Hangul: words there are short, or not told apart by blanks."""
ENTITY = "entity type"
"""The kind of a row that is no sentence: the words in front of an object's quoted name."""

_PLACEHOLDER = re.compile(r"\{(label|value|fields|any|id)\}")
_LABEL = "{label}: "
_SAME = str.maketrans(
    {"’": "'", "‘": "'", "＇": "'", "：": ":", "／": "/", "\n": " ", "\u00a0": " ", "\u3000": " "}
)
"""Spellings of one character; every replacement is one character long, so that places stay right."""
_GROUPS = {
    "label": "",
    "any": r"[^\n]{1,200}?",
    "id": r"[0-9a-z]{15}(?:[0-9a-z]{3})?(?![\w-])",
    "fields": r"(?P<fields>[^\n]{1,300}?)",
    "value": r"(?P<value>[^\n]{1,200}?)",
}


@dataclass(frozen=True)
class Sentence:
    """One sentence of the platform."""

    kind: str
    """Of `kinds.tsv`, or a status code."""
    text: str

    @cached_property
    def anchor(self) -> str:
        """The longest fixed piece, as `folded` writes it."""
        return max((piece.strip(" :") for piece in _PLACEHOLDER.split(folded(self.text))[::2]), key=len)

    @property
    def labelled(self) -> bool:
        """Whether a field's label stands in front of it."""
        return self.text.startswith(_LABEL)

    @property
    def valued(self) -> bool:
        """Whether what was refused stands behind it."""
        return self.text.endswith("{value}")

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The sentence without its label and without the value at its end, in a folded text."""
        body = folded(self.text).removeprefix(_LABEL)
        body = body.removesuffix("{value}").rstrip(" ").removesuffix(":") if self.valued else body
        pieces = _PLACEHOLDER.split(body)
        regex = "".join(
            _GROUPS[piece] if place % 2 else _literal(piece) for place, piece in enumerate(pieces)
        )
        if body.endswith("{fields}"):
            regex = regex.removesuffix(_GROUPS["fields"]) + r"(?P<fields>[^\n\[\].:]{1,300}|)"
        return re.compile(regex + (r"(?P<colon>\s?: ?)?" if self.valued else ""))


@dataclass(frozen=True, slots=True)
class SentenceMatch:
    """A sentence of the platform that a text has, and where."""

    sentence: Sentence
    match: re.Match[str]

    @property
    def kind(self) -> str:
        return self.sentence.kind


def _literal(piece: str) -> str:
    escaped = r"\s+".join(re.escape(word) for word in piece.split())
    lead = r"\s*" if piece[:1].isspace() else ""
    tail = r"\s*" if piece[-1:].isspace() else ""
    return lead + escaped.replace(":", r"\s?:") + tail


def folded(text: str) -> str:
    """The text in lower case, with one spelling for each character; every place stays what it was."""
    if text.isascii():
        return text.replace("\n", " ").lower()
    plain = text.translate(_SAME)
    lowered = plain.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := letter.lower()) == 1 else letter for letter in plain)
    return lowered


ANY_CODE = "*"
"""In the table of kinds: here rank the sentences whose kind is a status code. What follows are mere hints."""


@cache
def code_of_kind() -> dict[str, str]:
    """The status code of each kind of sentence, the most special first."""
    codes: dict[str, str] = {}
    for kind, code, *_ in _rows("kinds.tsv"):
        if kind == ANY_CODE:
            plain = (sentence.kind for sentence in _sentences() if sentence.kind in known_codes())
            codes |= {name: name for name in plain}
        codes[kind] = code
    return codes


@cache
def _ranks() -> dict[str, tuple[int, str]]:
    """The place of each kind in their order, and its code."""
    return {kind: (rank, code) for rank, (kind, code) in enumerate(code_of_kind().items())}


@cache
def _sentences() -> tuple[Sentence, ...]:
    rows = (row for name in _languages() for row in _rows(name))
    return tuple(Sentence(kind, text) for kind, text, *_ in rows if kind != ENTITY)


@cache
def _index() -> tuple[dict[str, list[Sentence]], list[Sentence]]:
    """The sentences by the rarest word of their anchors, and those of languages without blanks."""
    without_blanks = [sentence for sentence in _sentences() if _WITHOUT_BLANKS.search(sentence.text)]
    words = {
        sentence: _WORD.findall(sentence.anchor)
        for sentence in _sentences()
        if sentence not in without_blanks
    }
    common = Counter(word for found in words.values() for word in found)
    by_word: dict[str, list[Sentence]] = {}
    for sentence, found in words.items():
        by_word.setdefault(min(found, key=lambda word: (common[word], -len(word))), []).append(sentence)
    return by_word, without_blanks


@cache
def entity_words() -> tuple[str, ...]:
    """The words in front of an object's quoted name: `Entity type 'Lead'`, `Entitätstyp 'Lead'`."""
    return tuple(text for name in _languages() for kind, text, *_ in _rows(name) if kind == ENTITY)


@cache
def _languages() -> tuple[str, ...]:
    names = (item.name for item in _folder().iterdir())
    return tuple(sorted(name for name in names if name.endswith(".tsv") and name != "kinds.tsv"))


def _rows(name: str) -> Iterator[list[str]]:
    for line in _folder().joinpath(name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def _folder() -> Traversable:
    return files("syncerr_tui.diagnosis").joinpath("catalog", "sentences")


def find_platform_sentences(text: str) -> list[SentenceMatch]:
    """Every sentence of the platform in a text, left to right; the longest of those that begin together."""
    plain = folded(text)
    by_word, without_blanks = _index()
    likely = [sentence for word in by_word.keys() & _WORD.findall(plain) for sentence in by_word[word]]
    if not text.isascii() and _WITHOUT_BLANKS.search(text):
        likely += without_blanks
    sentences: list[SentenceMatch] = []
    for sentence in likely:
        if sentence.anchor in plain:
            sentences += (SentenceMatch(sentence, match) for match in matches(sentence.pattern, plain))
    sentences.sort(key=lambda sentence: (sentence.match.start(), -sentence.match.end()))
    return sentences


def code_from_sentences(kinds: frozenset[str], *, hints: bool = True) -> str | None:
    """The code that these kinds of sentences stand for; None where they stand for none.

    Args:
        kinds: Of all sentences in one failure.
        hints: Whether those count that may stand in other errors' texts too.
    """
    ranks = _ranks()
    ranked = [ranks[kind] for kind in kinds if kind in ranks]
    if not ranked:
        return None
    rank, code = min(ranked)
    return code if hints or rank < ranks[ANY_CODE][0] else None


def named_in(text: str, sentence: SentenceMatch) -> Iterator[Part]:
    """The label, fields and value that a sentence names."""
    match, groups = sentence.match, sentence.match.groupdict()
    if sentence.sentence.labelled:
        end = match.start()
        while end and text[end - 1] in " :：":
            end -= 1
        label = label_before(text, end) if end < match.start() else None
        if label is not None:
            yield label
    if groups.get("fields"):
        yield from listed(text, *match.span("fields"))
    if groups.get("value"):
        yield trimmed("value", text, *match.span("value"))
    if sentence.sentence.valued and groups.get("colon"):
        yield value_from(text, match.end())
