from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.codes import known_codes
from syncerr_tui.diagnosis.explanation import Explanation
from syncerr_tui.diagnosis.guidance import diagnosis_of_code, guide
from syncerr_tui.diagnosis.model import Authority, Guidance, OrgNote, Retry, Step
from syncerr_tui.diagnosis.org_notes import parse_notes
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.diagnosis.render import escape, facts_found, lines, markdown
from syncerr_tui.diagnosis.text_layout import Role, TextLine, wrap
from syncerr_tui.text import cells

ORG = "https://acme--dev.sandbox.my.salesforce.com"


def text(page: list[TextLine]) -> str:
    return "\n".join(line.text for line in page)


@pytest.mark.parametrize("width", [38, 39, 55, 80, 100, 120])
def test_every_guidance_fits_its_width_and_loses_no_word(width: int) -> None:
    for code in sorted(known_codes())[::9]:
        guidance = guide(diagnosis_of_code(code), instance_url=ORG)
        page = lines(guidance, width)
        assert all(cells(line.text) <= width for line in page)
        assert all(line.text == line.text.rstrip() for line in page)
        shown = "".join(text(page).split())
        for step in guidance.steps:
            assert "".join(step.text.replace("**", "").split()) in shown
            assert step.address is None or step.address in shown


def test_wide_and_combining_characters_are_counted() -> None:
    assert cells("配送") == 4
    assert cells("e\u0301") == 1
    assert cells("abc") == 3
    message = "We can't save this record because the “" + "配送先の状態を更新する" * 6 + "” process failed."
    guidance = guide(diagnose(message))
    assert all(cells(line.text) <= 38 for line in lines(guidance, 38))


@given(st.lists(st.tuples(st.text(max_size=60), st.sampled_from(Role)), max_size=6), st.integers(1, 60))
def test_wrapping_keeps_every_character_but_blanks(parts: list[tuple[str, Role]], width: int) -> None:
    from syncerr_tui.text import clean

    wrapped = list(wrap(parts, width, first="1 ", rest="  "))
    shown = "".join("".join(piece for piece, role in line if role is not Role.NUMBER) for line in wrapped)
    kept = "".join("".join(clean(piece) for piece, role in parts if role is not Role.NUMBER).split())
    assert "".join(shown.split()) == kept
    for line in wrapped:
        body = "".join(piece for piece, _ in line)
        assert cells(body) <= max(width, 4)


def test_a_word_in_two_roles_is_not_torn() -> None:
    parts = (("see ", Role.TEXT), ("(", Role.TEXT), ("Order", Role.NAME), (")", Role.TEXT))
    assert ["".join(piece for piece, _ in line) for line in wrap(parts, 9)] == ["see", "(Order)"]


def test_names_keep_their_role() -> None:
    message = "We can't save this record because the “Order Builder” process failed."
    page = lines(guide(diagnose(message)), 80)
    assert ("Order Builder", Role.NAME) in [part for line in page for part in line.parts]


def test_a_broken_address_is_still_one_link() -> None:
    page = lines(
        guide(diagnosis_of_code("REQUIRED_FIELD_MISSING"), object_name="s_c__Payment__c", instance_url=ORG),
        38,
    )
    pieces = [line for line in page if line.link and "s_c__Payment__c" in line.link]
    assert len(pieces) > 2
    assert len({line.link for line in pieces}) == 1
    shown = "".join(line.text.strip() for line in pieces)
    assert shown == str(pieces[0].link) * shown.count("https://")


def test_whole_addresses_are_never_broken() -> None:
    page = lines(
        guide(diagnosis_of_code("REQUIRED_FIELD_MISSING"), instance_url=ORG), 38, whole_addresses=True
    )
    assert all(line.link in line.text for line in page if line.link)


def test_the_parts_stand_in_their_order_and_org_notes_above_the_general_text() -> None:
    notes = parse_notes('[[note]]\ncode = "DUPLICATES_DETECTED"\ntext = "Call Priya."', "n")
    message = "duplicate Contact"
    diagnosis = diagnose(message, "DUPLICATES_DETECTED")
    page = lines(guide(diagnosis, notes=notes.matching(diagnosis)), 80, diagnosis=diagnosis)
    headings = [line.text for line in page if line.parts and line.parts[0][1] is Role.HEADING]
    assert headings == [
        "What happened",
        "What blocks",
        "Your org's note",
        "Why",
        "How to fix it",
        "What to check",
        "Afterwards",
        "Put back",
        "Source",
    ]
    note = next(line for line in page if ("Call Priya.", Role.NOTE) in line.parts)
    assert note.text == "| Call Priya."


def test_facts_are_listed_in_words() -> None:
    diagnosis = diagnose(
        "npsp.TDTM_X: execution of AfterUpdate caused by: REQUIRED_FIELD_MISSING, [Name]: [Name]"
    )
    facts = dict(facts_found(diagnosis))
    assert facts["Trigger"] == ("npsp.TDTM_X",)
    assert facts_found(diagnosis_of_code("INVALID_FIELD")) == ()


def test_hostile_text_neither_draws_nor_formats() -> None:
    evil = "\x1b]52;c;ZXZpbA==\x07 </details> [x](javascript:alert(1)) | `a` **b** #\n# Title"
    guidance = Guidance(
        code="X_Y",
        headline=f"**{evil}**",
        why=evil,
        retry=Retry.FIX_FIRST,
        authority=Authority.NONE,
        steps=(Step(f"**{evil}**", "https://acme.example/x"),),
        notes=(OrgNote(evil, evil),),
    )
    for line in lines(guidance, 40):
        assert line.text.isprintable()
    shown = markdown(Explanation.of(diagnose(evil), guidance))
    body = shown.split("## The whole message")[0]
    assert "\x1b" not in shown
    assert "</details>" not in body and "[x](" not in body
    assert "\n# Title" not in body


@pytest.mark.parametrize("value", ["a_b", "*x*", "<b>", "`c`", "[l](u)", "# h", "- i", "1. x"])
def test_escape_hides_nothing(value: str) -> None:
    assert escape(value).replace("\\", "") == value


def test_markdown_quotes_a_message_with_fences_whole() -> None:
    message = "```\nnot the end\n````"
    shown = markdown(Explanation.of(diagnose(message), guide(diagnosis_of_code("X_Y"))))
    assert f"`````\n{message}\n`````" in shown


def test_markdown_has_every_part() -> None:
    message = "The BillingStateCode field contains EP, which isn't an available state."
    diagnosis = diagnose(message)
    shown = markdown(Explanation.of(diagnosis, guide(diagnosis, instance_url=ORG)))
    assert shown.startswith("# `FIELD_INTEGRITY_EXCEPTION`\n")
    assert "**EP**" in shown and "- Field: `BillingStateCode`" in shown
    assert "1. Open State and Country" in shown
    assert (
        "<https://acme--dev.sandbox.lightning.force.com/lightning/setup/AddressCleanerOverview/home>" in shown
    )


def test_an_address_that_several_steps_share_is_shown_once() -> None:
    page = text(lines(guide(diagnosis_of_code("DUPLICATES_DETECTED"), instance_url=ORG), 100))
    assert page.count("/lightning/setup/DuplicateRules/home") == 1
    assert "2 Deactivate the rule" in page
    assert "(page of step 1)" in page
