"""One login for all threads, and none that nobody asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from syncerr_tui.errors import NotLoggedInError, UnreachableError
from syncerr_tui.salesforce.concurrency import Token, TokenProvider

URL = "https://acme.my.salesforce.com"
THREADS = 8


class Logins:
    """A way in that counts, and gives another token each time unless told otherwise."""

    def __init__(self, answer: Callable[[int], Token] | None = None) -> None:
        self.count = 0
        self._answer = answer or (lambda number: Token(URL, f"token-{number}"))

    def __call__(self) -> Token:
        self.count += 1
        return self._answer(self.count)


def tokens(login: Callable[[], Token]) -> TokenProvider:
    return TokenProvider(login, next_step="Log in again")


def test_eight_threads_with_one_expired_token_log_in_once() -> None:
    login = Logins()
    provider = tokens(login)
    stale = provider.current()
    together = threading.Barrier(THREADS)

    def renew() -> Token:
        together.wait()
        return provider.renew(stale)

    with ThreadPoolExecutor(THREADS) as pool:
        results = [job.result() for job in [pool.submit(renew) for _ in range(THREADS)]]
    assert login.count == 2
    assert {token.access_token for token in results} == {"token-2"}
    assert provider.current() == results[0]


def test_eight_threads_that_begin_log_in_once() -> None:
    login = Logins()
    provider = tokens(login)
    together = threading.Barrier(THREADS)

    def current() -> Token:
        together.wait()
        return provider.current()

    with ThreadPoolExecutor(THREADS) as pool:
        access_tokens = {job.result().access_token for job in [pool.submit(current) for _ in range(THREADS)]}
    assert (login.count, access_tokens) == (1, {"token-1"})


def test_the_same_token_again_is_tried_once_more_and_then_means_expired() -> None:
    login = Logins(lambda _: Token(URL, "always-the-same"))
    provider = tokens(login)
    stale = provider.current()
    again = provider.renew(stale)
    assert (again.access_token, again.generation) == ("always-the-same", stale.generation + 1)
    assert provider.renew(stale) == again
    for _ in range(5):
        with pytest.raises(NotLoggedInError, match="has expired") as caught:
            provider.renew(again)
        assert caught.value.hint == "Log in again."
    assert login.count == 3


def test_a_refused_login_is_not_tried_again() -> None:
    def answer(number: int) -> Token:
        if number in {2, 3}:
            raise NotLoggedInError("Refused")
        return Token(URL, f"token-{number}")

    login = Logins(answer)
    provider = tokens(login)
    stale = provider.current()
    for _ in range(3):
        with pytest.raises(NotLoggedInError):
            provider.renew(stale)
    assert login.count == 2


def test_an_unreachable_login_host_is_tried_again_by_the_next_request() -> None:
    def answer(number: int) -> Token:
        if number == 1:
            raise UnreachableError("Nobody answered")
        return Token(URL, "token")

    login = Logins(answer)
    provider = tokens(login)
    with pytest.raises(UnreachableError):
        provider.current()
    assert provider.current().access_token == "token"


def test_no_repr_shows_a_token() -> None:
    provider = tokens(lambda: Token(URL, "00Dsecret!AQ"))
    shown = f"{provider.current()!r} {provider!r} {provider.current()}"
    assert "secret" not in shown
    assert URL in shown


def test_a_renewal_that_leads_to_another_org_is_none() -> None:
    """An alias can be pointed to another org while a run is under way: its ids mean nothing there."""
    answers = {
        1: Token(URL, "00D5g000000abcd!one"),
        2: Token("https://other.my.salesforce.com", "00D5g000000abce!two"),
    }
    provider = tokens(Logins(lambda number: answers.get(number, Token(URL.upper() + "/", "three"))))
    stale = provider.current()
    with pytest.raises(NotLoggedInError, match=r"another address") as caught:
        provider.renew(stale)
    assert URL in caught.value.hint


def test_a_token_does_not_show_itself() -> None:
    assert "s3cr3t" not in f"{Token(URL, 's3cr3t')!r} {Token(URL, 's3cr3t')}"
