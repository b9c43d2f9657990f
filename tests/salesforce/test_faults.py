"""What went wrong, in which words it is told, and whether it may be tried again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.errors import (
    NotLoggedInError,
    NotSentError,
    OutcomeUnknownError,
    RefusedError,
    SyncErrError,
    UnreachableError,
)
from syncerr_tui.salesforce.faults import ApiError, Kind, Retries, WayBlockedError, read_answer

ROWS = [
    # status, code, message, kind, error of a read, error of a write
    (
        401,
        "INVALID_SESSION_ID",
        "Session expired or invalid",
        Kind.SESSION,
        NotLoggedInError,
        NotLoggedInError,
    ),
    (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", Kind.TOKEN, NotLoggedInError, NotLoggedInError),
    (
        403,
        "INVALID_SESSION_ID",
        "This session is not valid",
        Kind.SESSION,
        NotLoggedInError,
        NotLoggedInError,
    ),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
        Kind.QUOTA,
        WayBlockedError,
        WayBlockedError,
    ),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        Kind.BUSY,
        UnreachableError,
        NotSentError,
    ),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentPerOrgLongTxn Limit exceeded.",
        Kind.BUSY,
        UnreachableError,
        NotSentError,
    ),
    (403, "API_DISABLED_FOR_ORG", "API is disabled", Kind.FORBIDDEN, RefusedError, RefusedError),
    (404, "NOT_FOUND", "The requested resource does not exist", Kind.MISSING, RefusedError, RefusedError),
    (400, "INVALID_FIELD", "No such column 'x'", Kind.BAD_REQUEST, RefusedError, RefusedError),
    (429, None, "", Kind.BUSY, UnreachableError, NotSentError),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error", Kind.BROKEN, UnreachableError, OutcomeUnknownError),
    (502, None, "", Kind.GATEWAY, UnreachableError, OutcomeUnknownError),
    (503, "SERVER_UNAVAILABLE", "", Kind.GATEWAY, UnreachableError, OutcomeUnknownError),
    (504, None, "", Kind.GATEWAY, UnreachableError, OutcomeUnknownError),
    (420, None, "", Kind.GATEWAY, UnreachableError, OutcomeUnknownError),
    (302, None, "", Kind.ELSEWHERE, WayBlockedError, OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "code", "message", "kind", "reading", "writing"), ROWS)
def test_an_answer_is_sorted_and_told(
    status: int,
    code: str | None,
    message: str,
    kind: Kind,
    reading: type[SyncErrError],
    writing: type[SyncErrError],
) -> None:
    body: Any = [{"errorCode": code, "message": message}] if code else "<html>maintenance</html>"
    fault = read_answer(status, body)
    assert fault.kind is kind
    for how, expected in ((False, reading), (True, writing)):
        error = fault.error(host="acme.my.salesforce.com", writing=how)
        assert type(error) is expected
        assert error.title
        assert error.hint
        assert not error.title.endswith(".")
        assert "\n" not in error.line


def test_an_oauth_body_and_a_dict_of_401_are_read_too() -> None:
    fault = read_answer(401, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
    assert (fault.kind, fault.code) == (Kind.SESSION, "invalid_grant")


def test_the_words_of_the_org_are_made_harmless_and_short() -> None:
    fault = read_answer(400, [{"errorCode": "X\x1b[2J", "message": "\x1b]52;c;x\x07 [bold]" + "y" * 5000}])
    error = fault.error(host="h", writing=False)
    assert "\x1b" not in error.line
    assert len(error.line) < 700
    assert fault.code is None


@given(
    st.integers(100, 599),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["errorCode", "message"]), inner)
        ),
        max_leaves=20,
    ),
    st.booleans(),
)
def test_any_body_gives_an_error_in_words(status: int, body: object, writing: bool) -> None:
    error = read_answer(status, body).error(host="h", writing=writing)
    assert error.title


def plain_delay(
    kind: Kind, *, writing: bool, tried: int = 1, elapsed: float = 0.0, **more: Any
) -> float | None:
    return Retries().delay(
        ApiError(kind, **more), writing=writing, tried=tried, elapsed=elapsed, jitter=lambda: 1.0
    )


@pytest.mark.parametrize("kind", list(Kind))
def test_a_write_never_goes_again_by_itself(kind: Kind) -> None:
    assert plain_delay(kind, writing=True) is None


@pytest.mark.parametrize(
    "kind",
    [Kind.SESSION, Kind.TOKEN, Kind.QUOTA, Kind.FORBIDDEN, Kind.MISSING, Kind.BAD_REQUEST, Kind.ELSEWHERE,
     Kind.CERTIFICATE, Kind.PROXY],
)  # fmt: skip
def test_what_needs_a_person_is_never_tried_again(kind: Kind) -> None:
    assert plain_delay(kind, writing=False) is None


def test_delays_double_up_to_the_cap_and_end() -> None:
    rules = Retries(tries=9, cap=10.0)
    delays = [
        rules.delay(ApiError(Kind.GATEWAY), writing=False, tried=tried, elapsed=0.0, jitter=lambda: 1.0)
        for tried in range(1, 11)
    ]
    assert delays == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0, 10.0, None, None]


def test_jitter_is_full() -> None:
    wait = Retries().delay(ApiError(Kind.BUSY), writing=False, tried=3, elapsed=0.0, jitter=lambda: 0.0)
    assert wait == 0.0


def test_retry_after_is_honoured_within_the_cap() -> None:
    assert plain_delay(Kind.GATEWAY, writing=False, retry_after=7.0) == 7.0
    assert plain_delay(Kind.GATEWAY, writing=False, retry_after=9999.0) == 60.0


def test_patience_ends() -> None:
    assert plain_delay(Kind.LOST, writing=False, elapsed=1000.0) is None


def test_a_platform_error_is_tried_once_more() -> None:
    assert plain_delay(Kind.BROKEN, writing=False, tried=1) is not None
    assert plain_delay(Kind.BROKEN, writing=False, tried=2) is None
