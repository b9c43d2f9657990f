from __future__ import annotations

import pytest

from syncerr_tui.diagnosis import codes
from syncerr_tui.diagnosis.codes import known_codes
from tests.layers import layered


@pytest.mark.parametrize(
    "spelling", ["REQUIRED_FIELD_MISSING", "required_field_missing", " Required Field-Missing "]
)
def test_a_code_in_any_spelling(spelling: str) -> None:
    assert codes.known_code(spelling) == "REQUIRED_FIELD_MISSING"


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("REQUIRED_FEILD_MISSING", "REQUIRED_FIELD_MISSING"),
        ("duplicate_detected", "DUPLICATES_DETECTED"),
        ("UNABLE_TO_LOCK_ROWS", "UNABLE_TO_LOCK_ROW"),
        ("CANNOT_EXECUTE_FLOW", "CANNOT_EXECUTE_FLOW_TRIGGER"),
        ("LOCK_ROW", "UNABLE_TO_LOCK_ROW"),
    ],
)
def test_the_nearest_code(typo: str, meant: str) -> None:
    assert codes.known_code(typo) is None
    assert meant in codes.nearest_codes(typo)


@pytest.mark.parametrize("text", ["", "x", "xylophone", "Z" * 5000, "\x00\x01"])
def test_nothing_near(text: str) -> None:
    assert codes.nearest_codes(text) == ()


def test_one_wrong_letter_is_always_found() -> None:
    every = sorted(known_codes())
    for code in layered("codes with a letter wrong", every[::4], every):
        typo = f"{code[:2]}QX{code[3:]}" if len(code) > 8 else f"{code}Q"
        assert code in codes.nearest_codes(typo), code
