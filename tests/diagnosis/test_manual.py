"""The guidance of StoreConnect's nineteen codes, held against the text of its manual."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncerr_tui.diagnosis.codes import MANUAL_CODES
from syncerr_tui.diagnosis.guidance_catalog import ARTICLES, Entry, variants
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Retry

MANUAL = Path(__file__).resolve().parents[3] / "shared" / "reference" / "sync-error-tool.txt"
_TABLE = "Status Code Description Resolution"
_SWITCH_OFF = re.compile(r"\b(?:deactivate|switch (?:the|it)|switch off|take away|optional)\b", re.IGNORECASE)
_UNDO = re.compile(r"\b(?:again|changed on|set it back)\b", re.IGNORECASE)
# What the manual calls something, and how the guidance may call it.
_CURES = {
    r"\bFlows?\b": "flow",
    r"\bApex\b": "apex",
    r"\bowner\b": "owner",
    r"\bduplicate rules\b": "duplicate rules",
    r"\bmerge records\b": "merge",
    r"\bexisting record\b": "existing record",
    r"\bunique column\b": "unique",
    r"\bBounced\b": "bounced",
    r"\bclone\b": "clone",
    r"\btemplate\b": "template",
    r"\bdeactivate the object\b": "set the record back",
    r"\bactivated order\b": "order",
    r"\bmanaged package\b": "managed package",
    r"\bState/Country\b": "state or country",
    r"\bprevious failed change\b": "earlier",
    r"\bdeleted\b": "deleted",
    r"\bparent\b": "parent",
    r"\bpicklist value\b": "value",
    r"\bdefault value\b": "default value",
    r"\brequired status\b": "required",
    r"\bunlock\b": "end that",
}


def resolutions() -> dict[str, str]:
    """Every code of the manual with its description and resolution."""
    if not MANUAL.is_file():
        pytest.skip("the manual is not beside this clone")
    lines = MANUAL.read_text(encoding="utf-8").partition(_TABLE)[2].splitlines()
    rows = (line.partition(" ") for line in lines if line.strip())
    return {code: text for code, _, text in rows if code.isupper()}


def everything(entry: Entry) -> str:
    """All that an entry says."""
    parts = (entry.headline, entry.why, entry.afterwards, *entry.checks, *entry.put_back)
    return plain(" ".join((*parts, *(step.text for step in entry.steps)))).casefold()


def said_of(code: str) -> str:
    return " ".join(map(everything, variants(code)))


def test_the_codes_are_those_of_the_manual_in_its_order() -> None:
    assert tuple(resolutions()) == MANUAL_CODES


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_its_article_is_the_one_that_the_manual_names(code: str) -> None:
    named = re.findall(r"\b(resolve-[a-z-]+)", resolutions()[code])
    articles = {entry.article.removeprefix(ARTICLES) for entry in variants(code) if entry.article}
    assert set(named) <= articles


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_every_cure_that_the_manual_names_is_named(code: str) -> None:
    text, ours = resolutions()[code], said_of(code)
    missing = [cure for pattern, cure in _CURES.items() if re.search(pattern, text) and cure not in ours]
    assert not missing


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_what_the_manual_switches_off_can_be_switched_off_and_comes_on_again(code: str) -> None:
    manual = re.search(r"\b[Dd]isabl(?:e|ing)\b|\bRemove the required\b", resolutions()[code])
    entries = variants(code)
    if manual:
        assert any(_SWITCH_OFF.search(step.text) for entry in entries for step in entry.steps)
    for entry in entries:
        off = any(_SWITCH_OFF.search(step.text) for step in entry.steps)
        if off:
            assert any(map(_UNDO.search, entry.put_back)), entry.variant


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_nothing_is_put_back_that_no_step_changed(code: str) -> None:
    changing = re.compile(
        _SWITCH_OFF.pattern + r"|\b(?:change the value|recall|set (?:the record|it) back|support)\b",
        re.IGNORECASE,
    )
    for entry in variants(code):
        steps = " ".join(step.text for step in entry.steps)
        assert not entry.put_back or changing.search(steps), entry.variant


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_support_and_nobody_else_where_the_manual_says_so(code: str) -> None:
    to_support = "contact support" in resolutions()[code]
    alone = [entry for entry in variants(code) if entry.retry is Retry.SUPPORT_ONLY]
    # An Order that is activated is locked for its products too, under another code.
    assert bool(alone) is (to_support or code == "FIELD_INTEGRITY_EXCEPTION")
    for entry in alone:
        assert "Contact StoreConnect support" in entry.steps[0].text


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_a_retry_comes_first_only_where_the_manual_begins_with_it(code: str) -> None:
    usual = variants(code)[0]
    first = re.search(r"(?<=\. )Retry sync\. If it fails again", resolutions()[code])
    assert (usual.retry is Retry.JUST_RETRY) is bool(first)
    assert usual.steps[0].text.startswith("Re-sync") is bool(first)


@pytest.mark.parametrize("code", MANUAL_CODES)
def test_the_re_sync_comes_last_but_for_what_the_manual_does_afterwards(code: str) -> None:
    """Merging duplicates and switching a rule on again come after it; no correction does."""
    for entry in variants(code):
        if entry.retry is Retry.JUST_RETRY or "limit" in entry.variant or "batch" in entry.variant:
            continue
        texts = [step.text for step in entry.steps]
        resync = max(place for place, text in enumerate(texts) if re.search(r"\b[Rr]e-sync", text))
        for text in texts[resync + 1 :]:
            assert re.search(r"\bmerge|^Activate\b", text), (entry.variant, text)
