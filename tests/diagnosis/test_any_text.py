"""Whatever comes: a diagnosis, spans inside the text, ids that are ids, work that grows with the length."""

from __future__ import annotations

import json
import random
import re
import sys
import time

import pytest
from hypothesis import given, settings, strategies as st

from syncerr_tui.diagnosis.identifiers import is_id
from syncerr_tui.diagnosis.model import Diagnosis
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.text import clean
from tests.diagnosis.scoring import CORPUS, OWN, rows_of
from tests.layers import layered, only_thorough

MUTATIONS = layered("mutated messages", 800, 100_000)
EXAMPLES = layered("hostile texts", 60, 3_000)

MESSAGES = [row["message"] for path in (OWN, CORPUS) if path.is_file() for row in rows_of(path)]
PIECES = sorted({piece for message in MESSAGES for piece in re.split(r"(\W)", message) if piece})


def _holds(message: str, diagnosis: Diagnosis) -> None:
    text = clean(message)
    for span in diagnosis.spans:
        assert 0 <= span.start <= span.end <= len(text)
    assert all(is_id(found_id) for found_id in diagnosis.record_ids)
    names = (*diagnosis.objects, *diagnosis.fields, *diagnosis.values, *diagnosis.external_ids)
    assert all(name and clean(name) == name for name in names)
    assert all(item.name for item in diagnosis.automation)
    json.dumps(diagnosis.payload())


@settings(max_examples=EXAMPLES)
@given(st.text(st.characters(), max_size=400), st.none() | st.text(max_size=40))
def test_any_text_gives_a_diagnosis(message: str, code: str | None) -> None:
    _holds(message, diagnose(message, code))


@settings(max_examples=EXAMPLES)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_any_mixture_of_real_words_gives_a_diagnosis(message: str) -> None:
    _holds(message, diagnose(message))


def _mutated(message: str, chance: random.Random) -> str:
    text = list(message)
    for _ in range(chance.randint(1, 8)):
        at = chance.randint(0, len(text))
        match chance.randint(0, 4):
            case 0:
                del text[at : at + chance.randint(1, 30)]
            case 1:
                text[at:at] = chance.choice(PIECES)
            case 2:
                text[at:at] = chr(
                    chance.choice((0, 9, 10, 27, 34, 39, 91, 92, 8220, 0x202E, 0xD800, 0x1F4A9))
                )
            case 3:
                text[at:at] = text[: chance.randint(0, 80)]
            case _:
                text[at:at] = chance.choice(MESSAGES)[: chance.randint(0, 120)]
    return "".join(text)


def test_damaged_messages_give_a_diagnosis() -> None:
    chance = random.Random(20261123)
    for _ in range(MUTATIONS):
        message = _mutated(chance.choice(MESSAGES), chance)
        _holds(message, diagnose(message, chance.choice((None, "FIELD_INTEGRITY_EXCEPTION", "nonsense"))))


def test_a_megabyte_gives_a_diagnosis() -> None:
    message = " ".join(MESSAGES) * (1_000_000 // sum(map(len, MESSAGES)) + 1)
    _holds(message, diagnose(message))


def test_json_in_json_ends() -> None:
    message = "The BillingStateCode field contains EP, which isn't an available state."
    for _ in range(8):
        message = json.dumps([{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}])
    _holds(message, diagnose(message))
    _holds("", diagnose('{"message":"' * 5_000))
    _holds("", diagnose("[" * 100_000))


def test_json_in_json_is_read_through() -> None:
    message = "The BillingStateCode field contains EP, which isn't an available state."
    for _ in range(3):
        message = json.dumps([{"message": message}])
    diagnosis = diagnose(message)
    assert (diagnosis.fields, diagnosis.values) == (("BillingStateCode",), ("EP",))


HARD = [
    *"\"'“”‘«„「[]{(<&\\\n\t\ud800",
    *(
        "a b ",
        "A B ",
        "a.",
        "A_",
        "Ab is required ",
        "[a] ",
        "[Name], ",
        ": [a",
        "a: b: ",
        "Class.a.b.c: line 1 ",
    ),
    *(
        "CANNOT_EXECUTE_FLOW_TRIGGER, ",
        '{"message":"',
        "message=“",
        "{'message': '",
        '[{"message":"a","fields":["b"]},',
    ),
    *(
        ": bad value for restricted picklist field: ",
        "Foreign key external ID: ",
        "x: execution of AfterInsert ",
    ),
    *(
        "&amp;",
        "<a ",
        "\\u00",
        "Order [Order] ",
        "a__c ",
        "The x field contains y, ",
        'the "x" process ',
        ":a --\n",
        "A_Trigger_: System.LimitException ",
        "x: data changed by trigger for field ",
        "Name too long: a",
        " with the name a ",
        "no x named ",
        "A.b Fail ",
        " (AaBbCcDd",
        " (AaB) ",
        "!: A, Ab, A",
        "x: maximum trigger depth exceeded ",
    ),
]


def _calls(message: str) -> int:
    """How many functions were entered: what the program does, whatever the machine is doing meanwhile."""
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(counted)
    try:
        diagnose(message)
    finally:
        sys.setprofile(None)
    return count


def _seconds(message: str) -> float:
    """Processor time of this process alone, the best of three."""
    times = []
    for _ in range(3):
        started = time.process_time()
        diagnose(message)
        times.append(time.process_time() - started)
    return min(times)


# A word of everything that rules look for, so that none of them passes a hard text by.
CLUES = (
    'Prozess flow "x" process failed. Flow Name: a actionName":"a" Error element a; a: '
    "execution of AfterInsert BeforeInsert Apex trigger a caused : System.LimitException "
    "a.bException: class 'a' validation rule \"a\" : line 1 the A field contains b, which isn't "
    "Foreign key external ID: a not found duplicates value required field missing: a "
    "create/update fields: a. value for field: a bad field names on insert/update call: a "
    "field name not found: a INVALID_FIELD:a,b field integrity exception: a (external ID "
    "field Field name provided, a does not match Cannot specify both an external ID reference "
    "a No such column a Invalid field a for recognize the field prefix a inactive user [a] "
    'Invalid id: a address is invalid: a the state value "a" __c bad value for restricted '
    "picklist field: a [a] -- fields: [a] Field(s): a Too many a: 1 Limit exceeded "
    "a: data changed by trigger for field a Apex action A too long: a with the name a no a named a "
    'address "a" is not valid Error ID: 1 FIELD_CUSTOM_VALIDATION_EXCEPTION, '
)


def _hard(piece: str, length: int) -> str:
    return CLUES + (piece * length)[:length]


@pytest.mark.parametrize("piece", layered("hard texts, four times as long", HARD[::3], HARD))
def test_four_times_the_text_is_about_four_times_the_calls(piece: str) -> None:
    """A quadratic rule would make it sixteen."""
    diagnose(CLUES)  # what is read or compiled once is no work of this text
    assert _calls(_hard(piece, 14_000)) < 6 * _calls(_hard(piece, 3_500)) + 200


@only_thorough("the processor time of four times the text")
def test_four_times_the_text_is_about_four_times_the_work() -> None:
    """The same for what happens inside regular expressions, which no call shows."""
    slow = {}
    for piece in HARD:
        small, large = (_seconds(_hard(piece, length)) for length in (3_500, 14_000))
        if large > 9 * small:
            slow[piece] = (small, large)
    assert slow == {}
