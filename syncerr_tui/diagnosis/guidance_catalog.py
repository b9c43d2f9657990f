"""The catalogue on disk: one TOML file for each code of the manual, one table for all other status codes.

Everything is read when it is first asked for, and then kept.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from typing import Any, Literal, cast

from syncerr_tui.diagnosis.codes import MANUAL_CODES, general_lines
from syncerr_tui.diagnosis.model import Authority, Failure, Retry
from syncerr_tui.diagnosis.summary import root_words

ARTICLES = "https://support.storeconnect.com/article/"
"""Where the vendor's articles are, by slug."""


@dataclass(frozen=True, slots=True)
class StepText:
    """One step as the catalogue has it: a template, and the name of the page to open."""

    text: str
    page: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue says about one code. All texts are templates (`guidance_template`)."""

    headline: str
    nested: str
    """What stopped the Flow or Apex around it: goes behind "was stopped by"."""
    why: str
    retry: Retry
    authority: Authority
    steps: tuple[StepText, ...]
    checks: tuple[str, ...]
    afterwards: str
    put_back: tuple[str, ...]
    article: str | None
    variant: str = ""
    """Which case of the code this is; empty for the usual one."""


@dataclass(frozen=True, slots=True)
class General:
    """One row of the table of all other status codes."""

    meaning: str
    kind: str
    """A section of `kinds.toml`."""


def entry_for(code: str, diagnosis: Failure, event_type: str | None) -> Entry | None:
    """The catalogue's entry for a code of the manual, in the variant that fits; None for other codes."""
    if code not in MANUAL_CODES:
        return None
    raw = _manual(code)
    folded = diagnosis.text.casefold()
    for variant in raw.get("variant", ()):
        if _fits(variant["when"], diagnosis, folded, event_type):
            return _entry({**raw, **variant}, variant["name"])
    return _entry(raw, "")


def variants(code: str) -> tuple[Entry, ...]:
    """Every case of a code of the manual, the usual one first: for the manual on screen."""
    raw = _manual(code)
    special = (_entry({**raw, **variant}, variant["name"]) for variant in raw.get("variant", ()))
    return (_entry(raw, ""), *special)


def general_entry(code: str, diagnosis: Failure | None = None) -> Entry | None:
    """What is generally known about a status code that the manual does not explain; None for unknown ones."""
    row = general_codes().get(code)
    if row is None:
        return None
    raw = _kinds()[row.kind]
    for variant in raw.get("variant", ()):
        if diagnosis and _fits(variant["when"], diagnosis, diagnosis.text.casefold(), None):
            raw = {**raw, **variant}
            break
    fields, values = "{fields_word}: {fields}.", "{values_word}: {values}."
    sentence = "The message says: “{said}”."
    about = f"[[ {fields} {values}| {fields} {sentence}| {fields}| {values}| {sentence}| Limit: {{limit}}.|]]"
    return _entry(
        {
            "headline": f"{row.meaning}.{about}",
            "nested": f"**{code}**: {row.meaning[0].lower()}{row.meaning[1:]}[[ ({{limit}})|: “{{said}}”|]]",
            **raw,
            "authority": Authority.SALESFORCE.value,
        },
        "",
    )


def unknown_entry(section: str) -> Entry:
    """The honest answer where nothing specific is known: `unknown_code`, `no_code` or `empty`."""
    return _entry({**_kinds()[section], "authority": Authority.NONE.value}, "")


@cache
def general_codes() -> Mapping[str, General]:
    """All status codes outside of the manual, by name."""
    rows = (line.split("\t") for line in general_lines())
    return {code.removesuffix(" ~"): General(meaning, kind) for code, kind, meaning in rows}


@cache
def _manual(code: str) -> Mapping[str, Any]:
    return tomllib.loads(_read(f"{code}.toml"))


@cache
def _kinds() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads(_read("kinds.toml"))


def _read(name: str) -> str:
    return files("syncerr_tui.diagnosis").joinpath("catalog", name).read_text(encoding="utf-8")


def _entry(raw: Mapping[str, Any], variant: str) -> Entry:
    article = cast("str | None", raw.get("article"))
    return Entry(
        headline=raw["headline"],
        nested=raw.get("nested", ""),
        why=raw["why"],
        retry=Retry(raw["retry"]),
        authority=Authority(raw.get("authority", Authority.STORECONNECT.value)),
        steps=tuple(StepText(step["text"], step.get("page")) for step in raw["steps"]),
        checks=tuple(raw.get("checks", ())),
        afterwards=raw.get("afterwards", ""),
        put_back=tuple(raw.get("put_back", ())),
        article=ARTICLES + article if article else None,
        variant=variant,
    )


Condition = Literal[
    "says", "contains", "with", "without", "unlike", "fields", "limit", "flow", "transient", "event"
]


def _fits(when: Mapping[Condition, Any], diagnosis: Failure, message: str, event_type: str | None) -> bool:
    """Whether a condition holds: any of `says`, `contains` or `fields`, and every other one.

    `says` asks for kinds of the platform's own sentences: words of a rule, a class or a value cannot be one.
    `unlike` asks for a reason in words that is of none of these kinds.
    """
    named = (
        not diagnosis.sentence_kinds.isdisjoint(when.get("says", ()))
        or any(words in message for words in when.get("contains", ()))
        or any(
            fnmatchcase(field, pattern) for pattern in when.get("fields", ()) for field in diagnosis.fields
        )
    )
    flags = {
        # Fewer records at once make no text fit into its field.
        "limit": diagnosis.limit is not None and not diagnosis.limit.startswith("max length"),
        "flow": any(automation.kind == "flow" for automation in diagnosis.automation),
        "transient": diagnosis.transient,
    }
    return (
        (named or not ({"says", "contains", "fields"} & when.keys()))
        and not any(words in message for words in when.get("without", ()))
        and (
            "unlike" not in when
            or (diagnosis.sentence_kinds.isdisjoint(when["unlike"]) and " " in root_words(diagnosis))
        )
        and any(words in message for words in when.get("with", ("",)))
        and when.get("event", event_type) == event_type
        and all(flags[flag] for flag in flags if when.get(cast("Condition", flag)))
    )
