"""What happened and what to do about it: a diagnosis meets the catalogue.

Pure. The texts are in `catalog/`, the language they are written in is `guidance_template`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from syncerr_tui.diagnosis import links
from syncerr_tui.diagnosis.codes import APEX, FLOW_TRIGGER, MANUAL_CODES, may_pass_by_itself
from syncerr_tui.diagnosis.guidance_catalog import (
    Entry,
    entry_for,
    general_entry,
    unknown_entry,
    variants,
)
from syncerr_tui.diagnosis.guidance_template import Facts, facts_of, fill, marked_name
from syncerr_tui.diagnosis.identifiers import api_name, object_of
from syncerr_tui.diagnosis.model import Diagnosis, Failure, Guidance, OrgNote, Retry, Step

_RECORDS = {"record": "record", "other_record": "other_record", "users": "user", "contact": "contact"}
"""Page of the catalogue that is one record -> the blank with its id; where none is known it is a list."""
_LISTS = {
    "transactional_emails": "s_c__Transactional_Email__c",
    "products": "Product2",
    "contact": "Contact",
}
_AUTOMATION = {"automation": ("flow", "trigger", "class"), "apex": ("trigger", "class")}
"""Page of the catalogue -> what it may list: the first that is named, or the first of all."""
_AUTOMATION_LISTS = {"flow": "flows", "trigger": "apex_triggers", "class": "apex_classes"}
_TRY_FIRST = (Step("Re-sync this error once: it may pass by itself. If it fails again, go on here."),)
_KINDS = {"flow": "the Flow", "trigger": "the trigger", "class": "the Apex class"}


def guide(
    diagnosis: Failure,
    *,
    object_name: str | None = None,
    event_type: str | None = None,
    salesforce_id: str | None = None,
    instance_url: str | None = None,
    notes: tuple[OrgNote, ...] = (),
) -> Guidance:
    """The guidance for one error.

    Args:
        diagnosis: What was read out of the message, about one failure.
        object_name: API name of the object that failed to sync.
        event_type: Create, Update or Delete, where known.
        salesforce_id: Id of the record that failed to sync, where Salesforce has it already.
        instance_url: The org's address; without it the steps carry paths only.
        notes: The org's own notes that apply.
    """
    facts = facts_of(diagnosis, object_name, salesforce_id)
    entry = _entry(diagnosis, event_type)
    return replace(_answer(entry, diagnosis, facts, instance_url), notes=notes)


def shared_headline(failures: Sequence[Failure], object_names: Sequence[str], event_type: str | None) -> str:
    """What happened to several records at once: names stand in it only where all failures have them."""
    facts = [facts_of(failure, name) for failure, name in zip(failures, object_names, strict=True)]
    first, *others = (each.blanks for each in facts)
    shared = {key: value for key, value in first.items() if all(o.get(key) == value for o in others)}
    blanks = {**shared, "code": (failures[0].root_code,) if failures[0].root_code else ()}
    in_all = tuple(t for t in failures[0].automation if all(t in other.automation for other in failures))
    entry = _entry(failures[0], event_type)
    headline = _headline(entry, replace(facts[0], blanks=blanks), replace(failures[0], automation=in_all))
    return headline or fill(unknown_entry("unknown_code").headline, blanks) or ""


def _answer(entry: Entry, diagnosis: Failure, facts: Facts, instance_url: str | None) -> Guidance:
    code = diagnosis.root_code
    blanks = {**facts.blanks, "code": (code,) if code else ()}
    facts = replace(facts, blanks=blanks)
    retry = _retry(entry, diagnosis)
    around = facts.nested and retry is not Retry.JUST_RETRY
    return Guidance(
        code=code,
        headline=_headline(entry, facts, diagnosis),
        why=fill(entry.why, blanks) or "",
        retry=retry,
        authority=entry.authority,
        steps=(*(_TRY_FIRST if retry is not entry.retry else ()), *_steps(entry, facts, instance_url)),
        checks=(*(_around(diagnosis) if around else ()), *_all(entry.checks, facts)),
        afterwards=fill(entry.afterwards, blanks) or "",
        put_back=(*_all(entry.put_back, facts), *(_around_back(diagnosis) if around else ())),
        article=entry.article,
    )


def other_cases(code: str, instance_url: str | None) -> tuple[tuple[str, Guidance], ...]:
    """The cases of a code of the manual besides the usual one: (what is the case, its guidance)."""
    if code not in MANUAL_CODES:
        return ()
    diagnosis = diagnosis_of_code(code)
    facts = facts_of(diagnosis)
    return tuple(
        (entry.variant, _answer(entry, diagnosis, facts, instance_url)) for entry in variants(code)[1:]
    )


def diagnosis_of_code(code: str) -> Diagnosis:
    """The diagnosis of a known code without a message: what `read.diagnose` says, without its rules."""
    return Diagnosis(code=code, codes=(), root_code=code, inferred=False, transient=may_pass_by_itself(code))


def _entry(diagnosis: Failure, event_type: str | None) -> Entry:
    code = diagnosis.root_code
    if code is None:
        # Apex that breaks off at a limit leaves a sentence without any code.
        limit = general_entry("LIMIT_EXCEEDED", diagnosis) if diagnosis.limit else None
        return limit or unknown_entry("no_code" if diagnosis.text.strip() else "empty")
    specific = entry_for(code, diagnosis, event_type)
    return specific or general_entry(code, diagnosis) or unknown_entry("unknown_code")


def _retry(entry: Entry, diagnosis: Failure) -> Retry:
    return Retry.JUST_RETRY if diagnosis.transient and entry.retry is Retry.FIX_FIRST else entry.retry


def _headline(entry: Entry, facts: Facts, diagnosis: Failure) -> str:
    """What happened; where the root is nested, who was stopped by what."""
    nested = fill(entry.nested, facts.blanks) if facts.nested and entry.nested else None
    if nested is None:
        return fill(entry.headline, facts.blanks) or ""
    return f"{_stopped(diagnosis)} was stopped by {nested}."


def _stopped(diagnosis: Failure) -> str:
    """The named thing whose work was refused: the innermost Flow or trigger, else the innermost class."""
    for kinds in (("flow",),) if diagnosis.root_code == APEX else (("flow", "trigger"), ("class",)):
        for automation in reversed(diagnosis.automation):
            if automation.kind in kinds:
                lead = _KINDS[automation.kind]
                return f"{lead[0].upper()}{lead[1:]} {marked_name(automation.full_name)}"
    return "A Flow" if FLOW_TRIGGER in {diagnosis.code, *diagnosis.codes} else "Automation"


def _around(diagnosis: Failure) -> tuple[str, ...]:
    """For a nested error: the way in, and the other way out."""
    ran = [item for item in diagnosis.automation if item.kind in _KINDS]
    lines: list[str] = []
    if len(ran) > 1:
        chain = ", then ".join(f"{_KINDS[item.kind]} {marked_name(item.full_name)}" for item in ran)
        lines.append(f"What ran, from the outside in: {chain}. The reason is the innermost.")
    off = ", or switching it off for a short while," if _flow_of(diagnosis) else ""
    lines.append(
        f"{_stopped(diagnosis)} made the write that was refused, not the website. "
        f"Correcting that{off} is the other way out."
    )
    return tuple(lines)


def _around_back(diagnosis: Failure) -> tuple[str, ...]:
    flow = _flow_of(diagnosis)
    return (f"Activate the Flow {marked_name(flow)} again, if you switched it off.",) if flow else ()


def _flow_of(diagnosis: Failure) -> str | None:
    """The innermost Flow."""
    return next((item.name for item in reversed(diagnosis.automation) if item.kind == "flow"), None)


def _all(templates: tuple[str, ...], facts: Facts) -> tuple[str, ...]:
    filled = (fill(template, facts.blanks) for template in templates)
    return tuple(text for text in filled if text)


def _steps(entry: Entry, facts: Facts, instance_url: str | None) -> list[Step]:
    steps: list[Step] = []
    for step in entry.steps:
        text = fill(step.text, facts.blanks)
        if text:
            path = page_path(step.page, facts) if step.page else None
            steps.append(Step(text, links.address(path, instance_url) if path else None))
    return steps


def page_path(page: str, facts: Facts) -> str | None:
    """The path behind a page name of the catalogue, as exact as the facts allow; None where there is none."""
    first = {name: texts[0] for name, texts in facts.blanks.items() if texts}
    if record := first.get(_RECORDS.get(page, "")):
        return links.record(record, object_of(record) or facts.own_object)
    if page in _LISTS:
        return links.object_list(_LISTS[page])
    if page in {"record", "other_record"}:
        return links.object_list(facts.target or "")
    if page == "object_list":
        return links.object_list(facts.target or "Account")
    if page == "parent_list":
        return links.object_list(api_name(first.get("parent", "")) or "")
    if page == "flow":
        return links.flow(first.get("flow_version", ""))
    if page == "field":
        return links.object_page("fields", facts.target, _standard_field(facts))
    if page in links.OBJECT_PAGES:
        object_name = api_name(first.get("object_said", "")) if page == "record_types" else None
        return links.object_page(page, object_name or facts.target)
    if page in _AUTOMATION:
        kinds = _AUTOMATION[page]
        page = _AUTOMATION_LISTS[next((kind for kind in kinds if kind in first), kinds[0])]
    return links.setup(page)


def _standard_field(facts: Facts) -> str | None:
    """The one field in question, where its API name can stand in an address; custom fields need their id."""
    field = facts.blanks.get("field", ())
    return field[0] if field and field[0].isidentifier() and "__" not in field[0] else None
