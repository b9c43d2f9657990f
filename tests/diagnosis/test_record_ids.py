"""Ids in free text: what is one, and what only looks like one."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.diagnosis.identifiers import check_characters, find_ids, find_uuids, is_id

BASE62 = string.ascii_letters + string.digits


def test_the_published_example() -> None:
    assert check_characters("001xx000003DGb2") == "AAG"


@given(st.text(BASE62, min_size=12, max_size=12))
def test_eighteen_characters_hold_their_own_proof(tail: str) -> None:
    short = f"001{tail}"
    assert is_id(short + check_characters(short))


@given(st.text(BASE62, min_size=12, max_size=12), st.integers(0, 17), st.sampled_from(BASE62))
def test_a_wrong_check_character_is_no_id(tail: str, place: int, other: str) -> None:
    short = f"001{tail}"
    whole = short + check_characters(short)
    changed = whole[:place] + other + whole[place + 1 :]
    assert not is_id(changed) or check_characters(changed[:15]) == changed[15:]


@pytest.mark.parametrize(
    "text",
    [
        "000000000000000",
        "000000000000000AAA",
        "responsibilities",
        "accountability1",
        "aBatchOfOrders1",
        "123456789012345",
        "5512345678901234",
        "0015g00000Qr7TbAAK",
        "0015g00000Qr7Tb_",
        "x0015g00000Qr7Tb",
        "0015G00000QR7TBAAJ",
        "zzz5g00000Qr7Tb",
        "9995g00000Qr7Tb",
        "1a2b3c0000d4e5f",
        "4B0000000012345",
    ],
)
def test_what_only_looks_like_one(text: str) -> None:
    assert list(find_ids(f" {text} ")) == []


@pytest.mark.parametrize(
    "text", ["0015g00000Qr7Tb", "0015g00000Qr7TbAAJ", "a0X5g000001CdEf", "3015g0000000Lyv", "0vL5g0000002d7e"]
)
def test_what_is_one(text: str) -> None:
    assert [match[0] for match in find_ids(f"({text}),{text}")] == [text, text]


def test_uuids_stand_alone() -> None:
    uuid = "66f8b672-5d8e-40b2-af6b-0659f7d97659"
    assert [match[0] for match in find_uuids(f"[{uuid}] x{uuid} {uuid}a")] == [uuid]
