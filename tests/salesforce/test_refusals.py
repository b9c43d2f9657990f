"""Whether an answer that names no row says no to something."""

from __future__ import annotations

import pytest

from syncerr_tui.salesforce.methods import refuses


@pytest.mark.parametrize(
    "answer",
    [
        False,
        {"success": False},
        {"success": True, "results": [{"success": True}, {"success": False}]},
        {"success": True, "data": {"results": [{"isSuccess": False, "message": "locked"}]}},
        {"a0X000000000001AAA": {"success": True}, "a0X000000000002AAA": {"error": "locked"}},
    ],
)
def test_a_no_is_found_however_deep_it_lies(answer: object) -> None:
    assert refuses(answer)


@pytest.mark.parametrize(
    "answer", [None, True, "Queued", {"success": True, "data": {"errors": [], "error": None}}, []]
)
def test_what_says_no_to_nothing_is_no_refusal(answer: object) -> None:
    assert not refuses(answer)
