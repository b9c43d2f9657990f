"""When people are told, of what, and by which way; and the figures for Prometheus."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given, strategies as st

from syncerr_tui.errors import BadInputError, MachineError
from syncerr_tui.model import ApiUsage
from syncerr_tui.text import clean
from syncerr_tui.watch.delivery import (
    ChannelState,
    ChannelStateFile,
    Metrics,
    Notifier,
    Schedule,
    after,
    due,
    parse_quiet,
    parse_span,
    render,
    write_whole,
)
from syncerr_tui.watch.watcher import CauseSeen
from tests.factories import NOW, salesforce_id, sync_error

NOTHING = ChannelState({}, {})
CET = timezone(timedelta(hours=1))


def cause(name: str, count: int = 1) -> CauseSeen:
    return CauseSeen(name, "UNKNOWN_EXCEPTION", f"The Flow {name} failed.", count, 0, salesforce_id(1))


counts = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 40), max_size=4)


@given(steps=st.lists(st.tuples(counts, st.booleans()), max_size=8))
def test_each_cause_is_told_once_again_when_it_doubles_and_when_it_is_cleared(
    steps: list[tuple[dict[str, int], bool]],
) -> None:
    state = NOTHING
    known: dict[str, int] = {}
    for held, delivered in steps:
        causes = [cause(name, count) for name, count in held.items()]
        message = due(state, causes, "acme", sum(held.values()))
        news = held.keys() - known.keys()
        grown = {
            name for name in held.keys() & known.keys() if held[name] >= max(2 * known[name], known[name] + 5)
        }
        gone = known.keys() - held.keys()
        assert (message is None) == (not (news or grown or gone))
        if message is not None:
            assert {one.key for one in message.new} == news
            assert {one.key for one in message.grown} == grown
            assert len(message.cleared) == len(gone)
        if delivered:
            state = after(state, causes, NOW)
            known = {name: count if name in news | grown else known[name] for name, count in held.items()}


def test_a_message_names_ten_and_counts_the_others() -> None:
    message = due(NOTHING, [cause(f"F{number}") for number in range(25)], "acme", 25)
    assert message is not None
    assert len(message.lines) == 11
    assert message.lines[-1] == "and 15 more causes: syncerr-tui causes"
    assert message.title == "acme: 25 new causes (25 sync errors)"


@pytest.mark.parametrize(
    ("hour", "allowed"), [(21, True), (22, False), (23, False), (3, False), (6, True), (12, True)]
)
def test_quiet_hours_go_over_midnight_in_local_time(
    in_zone: Callable[[str], None], hour: int, allowed: bool
) -> None:
    in_zone("CET-1")
    schedule = Schedule(quiet=parse_quiet("22:00-06:00"))
    assert schedule.allows(NOW.astimezone(CET).replace(hour=hour, minute=0), None) is allowed


def test_a_digest_waits_since_the_last_message() -> None:
    schedule = Schedule(digest=timedelta(minutes=30))
    assert schedule.allows(NOW, None)
    assert not schedule.allows(NOW, NOW - timedelta(minutes=29))
    assert schedule.allows(NOW, NOW - timedelta(minutes=30))


@pytest.mark.parametrize(
    "text", ["", "5", "m", "1.5h", "-1m", "99999s", "22:00", "25:00-06:00", "22:00-06:99"]
)
def test_times_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_span(text, "--digest")
    with pytest.raises(BadInputError):
        parse_quiet(text)


def test_what_was_told_is_kept_and_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    file = ChannelStateFile(tmp_path / "watch" / "org.json")
    assert file.read() == {}
    states = {"one": after(NOTHING, [cause("a", 3)], NOW), "two": after(NOTHING, [], None)}
    file.write(states)
    assert file.read() == states
    for damaged in (
        '{"one": {"causes": [], "headlines": 1}}',
        '{"one": {"causes": {"a": Infinity}, "headlines": {}, "at": null}}',
        "[]",
        "[" * 100_000,
    ):
        file.path.write_text(damaged, encoding="utf-8")
        assert file.read() == {}


# -- Apprise, to a server of our own


class Inbox(BaseHTTPRequestHandler):
    got: ClassVar[list[dict[str, str]]] = []
    status = 200

    def do_POST(self) -> None:
        self.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def inbox() -> Iterator[HTTPServer]:
    Inbox.got, Inbox.status = [], 200
    server = HTTPServer(("127.0.0.1", 0), Inbox)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_people_are_told_through_apprise_and_the_address_is_never_shown(
    inbox: HTTPServer, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    notifier = Notifier(f"json://user:s3cret@127.0.0.1:{inbox.server_port}/", "env:PAGER")
    assert asyncio.run(notifier.send("acme: 1 new cause", "New: *The* <b>Flow</b>")) == ""
    assert (Inbox.got[0]["title"], Inbox.got[0]["message"]) == ("acme: 1 new cause", "New: *The* <b>Flow</b>")
    Inbox.status = 500
    failure = asyncio.run(notifier.send("again", "again"))
    assert failure == "env:PAGER did not take the message"
    out, err = capfd.readouterr()
    assert "s3cret" not in failure + caplog.text + out + err


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_an_address_that_apprise_does_not_know_is_refused_without_showing_it() -> None:
    with pytest.raises(BadInputError) as refused:
        Notifier("nonsense-s3cret", "file:/etc/pager")
    assert "s3cret" not in refused.value.line
    assert refused.value.line.startswith("file:/etc/pager is not an address")


# -- figures


LABEL = r'[a-z]+="(?:[^"\\\n]|\\["\\n])*"'
LINE = re.compile(
    r"# (?:HELP [a-z_]+ \S.*|TYPE [a-z_]+ gauge)|"
    rf"[a-z_]+\{{{LABEL}(?:,{LABEL})*\}} -?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
)


def test_the_figures_are_in_the_text_format_whatever_the_names_are() -> None:
    hostile = clean('A"b\\c\nd}{')
    errors = {error.id: error for error in (sync_error(1), sync_error(2, object=hostile, created_at=NOW))}
    causes = tuple(cause(f'k"{number}', 60 - number) for number in range(60))
    lines = list(render(Metrics('ac"me', NOW, errors, causes, 2, ApiUsage(10, 15_000))))
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    text = "\n".join(lines)
    assert 'syncerr_errors{org="ac\\"me",object="Order",code="REQUIRED_FIELD_MISSING"} 1' in lines
    assert sum(line.startswith("syncerr_cause_errors{") for line in lines) == 51
    assert 'syncerr_safeguards_off{org="ac\\"me"} 2' in lines
    assert f"}} {NOW.timestamp()}" in text
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_figures_that_are_not_known_are_left_out() -> None:
    text = "\n".join(render(Metrics("acme", NOW, {}, (), None, None)))
    assert "safeguards" not in text
    assert "api_calls" not in text
    assert 'syncerr_oldest_error_age_seconds{org="acme"} 0.0' in text


def test_a_file_is_replaced_whole_or_the_reason_is_told(tmp_path: Path) -> None:
    path = tmp_path / "syncerr.prom"
    write_whole(path, ["one"], 0o644)
    write_whole(path, ["two"], 0o644)
    assert path.read_text(encoding="utf-8") == "two\n"
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "folder").mkdir()
    with pytest.raises(MachineError, match="cannot be written"):
        write_whole(tmp_path / "folder", ["x"], 0o644)
