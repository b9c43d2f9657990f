"""What a browser recorded becomes one call that can be made again for other rows, or a plain refusal."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.errors import BadInputError
from syncerr_tui.salesforce.button.har import read_har
from syncerr_tui.salesforce.button.learn import KnownRows, Lesson, learn
from syncerr_tui.salesforce.button.recorded import read_recording
from syncerr_tui.salesforce.button.template import Json, check, filled, find_holes, replaced
from tests.button import recordings
from tests.button.recordings import EVENTS, FWUID, HOST, RECORDS, SESSION, TOKEN

TICKED = KnownRows(events=frozenset(one[:15] for one in EVENTS), ticked=True)
NOTHING = KnownRows()
OTHERS = ("a0X5g000001ZzzzEAC", "a0X5g000002YyyyEAC", "a0X5g000003XxxxEAC")
HARS = sorted(path.stem for path in recordings.FOLDER.glob("*.har"))


def lesson(name: str, known: KnownRows = TICKED, *, keep_ids: bool = False) -> Lesson:
    data = (recordings.FOLDER / f"{name}.har").read_bytes()
    return learn(read_recording(read_har(data)), known, keep_ids=keep_ids)


def test_the_recordings_are_those_that_the_builder_writes() -> None:
    assert set(HARS) == set(recordings.recordings())
    for name, text in recordings.recordings().items():
        assert (recordings.FOLDER / f"{name}.har").read_text(encoding="utf-8") == text, name


LIST = {"changeEventIds": ["A", "B"]}
LEARNED = {
    "01-chrome-sanitized": LIST,
    "02-chrome-with-secrets": LIST,
    "03-chrome-no-answers": LIST,
    "05-firefox": LIST,
    "06-firefox-old": LIST,
    "07-safari": LIST,
    "08-edge": LIST,
    "09-aura-component": {"ids": ["A", "B"]},
    "10-csv": {"ids": "A,B", "source": "utility bar"},
    "11-json-string": {"payload": '{"mode":"retry","rows":["A","B"]}'},
    "12-records": {"records": [{"Id": "A", "retry": True}, {"Id": "B", "retry": True}]},
    "14-fifteen-characters": LIST,
    "15-parent-records": {"orderIds": ["A", "B"]},
    "16-refresh-too": LIST,
    "19b-flow-without-screens": {"recordIds": ["A", "B"]},
    "19c-flow-of-an-older-page": {"recordIds": ["A", "B"]},
    "22-lwr-direct": LIST,
    "23-webruntime": LIST,
    "24-press-failed": LIST,
    "26-damaged-entries": LIST,
    "29-map": {"rows": {"A": {"retry": True}, "B": {"retry": True}}},
    "30-actions-api": {"inputs": [{"recordId": "A"}, {"recordId": "B"}]},
    "31-apex-rest": {"ids": ["A", "B"]},
}
"""Recording -> what its call sends for two other rows, A and B."""


@pytest.mark.parametrize("known", [TICKED, NOTHING], ids=["ticked rows named", "nothing known"])
@pytest.mark.parametrize("name", LEARNED)
def test_one_call_is_learned_and_takes_other_rows(name: str, known: KnownRows) -> None:
    learned = lesson(name, known)
    assert learned.chosen == 0
    assert filled(learned.candidates[0].call.params, ["A", "B"]) == LEARNED[name]


def test_a_call_for_each_row_is_learned_as_one_call_for_one_row() -> None:
    learned = lesson("13-one-each")
    assert learned.chosen == 0
    (candidate,) = learned.candidates
    with pytest.raises(ValueError, match="one row at a time"):
        filled(candidate.call.params, ["A", "B"])
    assert filled(candidate.call.params, ["A"]) == {"eventId": "A"}


def test_a_record_s_update_is_learned_without_its_id_and_its_time() -> None:
    learned = lesson("18-update-record")
    assert learned.payload()["chosen"] == 0
    assert filled(learned.candidates[0].call.params, ["A"]) == {
        "recordId": "A",
        "fields": {"s_c__Retry__c": True},
    }


REFUSED = {
    "04-chrome-no-body": "no body",
    "17-no-ids": "re-sync everything",
    "19-screen-flow": "step by step in the browser",
    "19d-screen-flow-of-an-older-page": "step by step in the browser",
    "20-remoting": "own page",
    "21-visualforce-form": "encrypted",
    "28-hostile-class": "not a name that Apex allows",
    "28b-other-namespace": "--namespace",
    "28c-token-constant": "may be a secret",
    "28d-deep": "nested too deeply",
    "28e-user-id-constant": "looks like an id",
    "32-downstream-action": "the other direction",
    "33-delete": "never repeated",
}


@pytest.mark.parametrize("known", [TICKED, NOTHING], ids=["ticked rows named", "nothing known"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_repeated_is_refused_with_the_reason(name: str, known: KnownRows) -> None:
    learned = lesson(name, known)
    assert learned.chosen is None
    assert learned.candidates == ()
    assert REFUSED[name] in " ".join(one.why for one in learned.refused)


@pytest.mark.parametrize("name", ["25-unrelated-site", "26b-empty"])
def test_a_recording_without_a_call_teaches_nothing(name: str) -> None:
    assert lesson(name) == Lesson((), None, ())


@pytest.mark.parametrize("name", ["34-purge-with-ids", "35-two-like-calls"])
def test_nothing_is_chosen_where_a_person_has_to(name: str) -> None:
    learned = lesson(name)
    assert learned.candidates
    assert learned.chosen is None


def test_what_is_no_har_is_said_to_be_none() -> None:
    cut = (recordings.FOLDER / "26c-cut-short.har").read_bytes()
    deep = b'{"log":' * 20_000
    for data in (cut, b"", b"[]", b'{"log": {}}', b'{"log": {"entries": 3}}', b"\xff\xfe\x00", deep):
        with pytest.raises(BadInputError, match="not a complete HAR"):
            read_har(data)


def test_a_failed_press_is_warned_about() -> None:
    assert "failed" in lesson("24-press-failed").candidates[0].warnings[0]
    assert lesson("01-chrome-sanitized").candidates[0].warnings == ()


def test_an_id_that_somebody_confirmed_is_kept() -> None:
    learned = lesson("28e-user-id-constant", keep_ids=True)
    assert learned.chosen == 0
    assert "0055g00000AbCdEAAV" in json.dumps(learned.payload())


def test_rows_that_were_not_ticked_are_not_taken_for_the_button_s() -> None:
    elsewhere = KnownRows(events=frozenset({"a0X5g000009Zzzz"}), ticked=True)
    learned = lesson("01-chrome-sanitized", elsewhere)
    assert learned.chosen is None
    assert "not those of the rows" in learned.refused[0].why


def test_other_change_events_than_the_ticked_ones_are_no_records_of_theirs() -> None:
    """The ticked rows are as many, and only the beginning of their ids shows that these are change events."""
    for rows, chosen in ((OTHERS[:2], None), (RECORDS, 0)):
        press = recordings.aura([recordings.lwc({"ids": list(rows)})])
        learned = learn(read_recording(read_har(recordings.har([press]).encode())), TICKED)
        assert learned.chosen == chosen


def _pressed(call: dict[str, Any]) -> Lesson:
    return learn(read_recording(read_har(recordings.har([call]).encode())), TICKED)


@pytest.mark.parametrize(
    ("method", "chosen"),
    [
        ("cancelRetry", None),
        ("undoResync", None),
        ("skipRows", None),
        ("markAsResolved", None),
        ("hideRows", None),
        ("canRetry", None),
        ("previewResync", None),
        ("exportRows", None),
        ("retrySkippedRows", 0),
        ("resyncCancelled", 0),
        ("checkAndRetry", 0),
        ("canonicalRetry", 0),
    ],
)
def test_a_method_that_looks_or_takes_away_is_not_chosen(method: str, chosen: int | None) -> None:
    learned = _pressed(recordings.aura([recordings.lwc({"ids": list(EVENTS)}, method=method)]))
    assert learned.candidates
    assert learned.chosen == chosen


@pytest.mark.parametrize(
    ("path", "chosen"),
    [
        ("/services/data/v64.0/actions/custom/apex/s_c__DismissErrors", None),
        ("/services/data/v64.0/actions/custom/flow/s_c__Cancel_Sync", None),
        ("/services/apexrest/s_c/errors/list", None),
        ("/services/apexrest/s_c/cancel/retry", 0),
    ],
)
def test_nor_is_an_action_a_flow_or_an_address(path: str, chosen: int | None) -> None:
    learned = _pressed(recordings.rest(path, {"inputs": [{"id": one} for one in EVENTS]}))
    assert learned.candidates
    assert learned.chosen == chosen


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        ({"s_c__Ignored__c": True}, None),
        ({"s_c__Status__c": "Dismissed"}, None),
        ({"s_c__Resolved__c": True}, None),
        ({"s_c__Ignored__c": False, "s_c__Status__c": "Pending"}, 0),
        ({"s_c__Retry__c": True}, 0),
    ],
)
def test_nor_is_an_update_that_takes_the_rows_away(fields: dict[str, Any], chosen: int | None) -> None:
    records = [{"attributes": {"type": "s_c__Change_Event__c"}, "Id": one, **fields} for one in EVENTS]
    body = {"records": records}
    learned = _pressed(recordings.rest("/services/data/v64.0/composite/sobjects", body, method="PATCH"))
    assert learned.candidates
    assert learned.chosen == chosen


def test_with_the_org_known_only_its_rows_count() -> None:
    org = KnownRows(events=frozenset(one[:15] for one in EVENTS + OTHERS), prefix="a0X")
    assert lesson("01-chrome-sanitized", org).chosen == 0
    assert lesson("15-parent-records", org).chosen is None
    records = KnownRows(events=org.events, records=frozenset(one[:15] for one in RECORDS), prefix="a0X")
    assert lesson("15-parent-records", records).payload()["candidates"][0]["ids"]["field"] == "record"  # type: ignore[index]


@pytest.mark.parametrize("name", [name for name in HARS if name != "26c-cut-short"])
@pytest.mark.parametrize("known", [TICKED, NOTHING], ids=["ticked rows named", "nothing known"])
def test_nothing_of_a_session_or_a_row_comes_out(name: str, known: KnownRows) -> None:
    text = json.dumps(lesson(name, known).payload())
    for secret in (
        TOKEN,
        SESSION,
        FWUID,
        HOST,
        "force.com",
        *EVENTS,
        *RECORDS,
        *(one[:15] for one in EVENTS),
    ):
        assert secret not in text


def test_thirty_megabytes_are_read(tmp_path: Path) -> None:
    noise = recordings.aura(recordings.NOISE, answer="x" * 1_000_000)
    press = recordings.aura([recordings.PRESS])
    data = recordings.har([*[noise] * 30, press]).encode()
    assert len(data) > 30_000_000
    learned = learn(read_recording(read_har(data)), TICKED)
    assert learned.chosen == 0


IDS = st.integers(0, 61**4).map(
    lambda n: "a0X5g00000" + "".join("0123456789"[n // 10**k % 10] for k in range(5)) + "EAK"
)
ROWS = st.lists(IDS, min_size=2, max_size=5, unique=True)
CONSTANTS = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "retry", "[]", '{"a": 1}', "a,b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc/~"), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[Json, list[str]]:
    rows, rest = draw(ROWS), draw(CONSTANTS)
    shapes: list[Json] = [
        list(rows),
        ",".join(rows),
        ";".join(rows),
        [{"Id": one, "other": rest} for one in rows],
        dict.fromkeys(rows, rest),
        {one: {"id": one, "other": rest} for one in rows},
    ]
    value: Json = draw(st.sampled_from(shapes))
    for wrap in draw(st.lists(st.sampled_from(["object", "list", "text"]), max_size=3)):
        if wrap == "object":
            value = {"in": value, "rest": rest}
        elif wrap == "list":
            value = [rest, value]
        elif not isinstance(value, str) and not any(hole.shape == "json" for hole in find_holes(value)):
            value = json.dumps(value)
    return {"params": value, "rest": rest}, rows


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(calls(), ROWS)
def test_any_shape_of_ids_is_found_and_filled_with_other_rows(
    call: tuple[Json, list[str]], others: list[str]
) -> None:
    params, rows = call
    (hole,) = find_holes(params)
    assert list(hole.ids) == rows
    template = replaced(params, hole.path, hole.mark)
    assert check(template).shape == hole.shape
    assert not any(one in json.dumps(template) for one in rows)
    (again,) = find_holes(filled(template, others))
    assert list(again.ids) == others
    assert replaced(filled(template, others), again.path, again.mark) == template


def _of_page(params: Any) -> Lesson:
    har = recordings.har([recordings.aura([recordings.lwc(params)])])
    return learn(read_recording(read_har(har.encode())), NOTHING)


def _of_rest(path: str, body: Any, method: str = "POST") -> Lesson:
    har = recordings.har([recordings.rest(path, body, method=method)])
    return learn(read_recording(read_har(har.encode())), NOTHING)


@pytest.mark.parametrize(
    "constant",
    [
        {"csrfToken": "Zk9x2LqP7wYtR4aa"},
        {"note": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"},
        {"note": "{" + EVENTS[0] + " " + TOKEN},
        {"note": "row_" + EVENTS[0]},
        {"state": {"row-" + EVENTS[1]: True}},
        {"pwd": "s3cr3t"},
        {"how": "Basic czNjcjN0OnMzY3IzdA=="},
        {"call": "+43 660 1234567"},
        {"ref": "4111-1111-1111-1111"},
    ],
    ids=[
        "named a token",
        "hexadecimal",
        "begins like JSON",
        "id behind a name",
        "id in a key",
        "a short password",
        "a header's value",
        "a telephone",
        "a card",
    ],
)
def test_a_secret_or_a_row_in_disguise_is_refused(constant: dict[str, Any]) -> None:
    learned = _of_page({"rowIds": list(EVENTS), **constant})
    assert not learned.candidates
    assert learned.refused
    assert not any(str(value) in json.dumps(learned.payload()) for value in constant.values())
    for harmless in ("again", "2026-11-20 22:14:07", "20261120"):
        assert _of_page({"rowIds": list(EVENTS), "note": harmless}).chosen == 0


@pytest.mark.parametrize("part", [EVENTS[0], "eyJhbGciOiJIUzI1NiJ9"])
def test_an_address_with_an_id_or_a_secret_is_refused_and_not_shown(part: str) -> None:
    learned = _of_rest(f"/services/apexrest/s_c/again/{part}", {"ids": list(EVENTS)})
    assert not learned.candidates
    assert learned.refused
    assert part not in json.dumps(learned.payload())


def test_records_as_salesforce_writes_them_are_learned_without_their_addresses() -> None:
    kind = "s_c__Change_Event__c"
    rows = [
        {"attributes": {"type": kind, "url": f"/services/data/v60.0/sobjects/{kind}/{row}"}, "Id": row}
        for row in EVENTS
    ]
    for params in ({"records": rows}, {"records": json.dumps(rows)}):
        learned = _of_page(params)
        assert learned.chosen == 0
        assert EVENTS[0] not in json.dumps(learned.payload())


def test_new_records_are_no_update_and_a_composite_request_is_refused() -> None:
    rows = [{"attributes": {"type": "s_c__Request__c"}, "s_c__Event__c": row} for row in EVENTS]
    learned = _of_rest("/services/data/v60.0/composite/sobjects", {"records": rows})
    assert str(learned.candidates[0].call.kind) == "record_create"
    assert _of_rest("/services/data/v60.0/composite", {"compositeRequest": []}).refused


def one_call(params: Json, name: str = "SyncErrorController") -> Lesson:
    text = recordings.har([recordings.aura([recordings.lwc(params, name=name)])])
    return learn(read_recording(read_har(text.encode())), TICKED)


def test_what_may_belong_to_the_only_ticked_row_is_not_kept() -> None:
    alone = KnownRows(events=frozenset({EVENTS[0][:15]}), ticked=True)
    row = {"Id": EVENTS[0], "Name": "Jane Doe", "Amount": 12}
    text = recordings.har([recordings.aura([recordings.lwc({"records": [row]})])])
    learned = learn(read_recording(read_har(text.encode())), alone)
    assert learned.chosen is None
    assert "tick two rows" in learned.refused[0].why
    assert "Jane" not in json.dumps(learned.payload())


def test_a_long_readable_class_name_is_no_secret() -> None:
    assert one_call({"ids": list(EVENTS)}, name="SyncErrorResyncController2024V12Service").chosen == 0
    assert one_call({"ids": list(EVENTS)}, name="Q9fX2b7ZkP4mT8wLr3Vn6Hs1Jd5Gc0Ya").chosen is None


def test_a_body_that_cannot_be_read_is_said_to_be_so() -> None:
    form = {"mimeType": "multipart/form-data; boundary=x", "text": '--x\r\nname="message"\r\n\r\n{}\r\n--x--'}
    press = {"request": {"method": "POST", "url": f"https://{HOST}/aura?r=1", "postData": form}}
    data = json.dumps({"log": {"entries": [press]}}).encode()
    (refused,) = read_recording(read_har(data)).refused
    assert "can be read" in refused.why


def _of(*entries: dict[str, Any]) -> Lesson:
    return learn(read_recording(read_har(recordings.har(entries).encode())), NOTHING)


def test_a_page_s_form_and_an_address_with_an_id_are_named_for_what_they_are() -> None:
    form = '--x\r\nname="com.salesforce.visualforce.ViewState"\r\n\r\ni:A\r\n--x--'
    post = {"mimeType": "multipart/form-data; boundary=x", "text": form}
    (refused,) = _of(recordings.entry(f"https://{HOST}/apex/Errors", post=post)).refused
    assert refused.what == "A Visualforce page"
    (refused,) = _of_rest(f"/services/apexrest/s_c/sync/{EVENTS[0]}/retry", {"force": True}).refused
    assert refused.why == "The row's id stands in its address"


def _packed(text: str, pack: Callable[[bytes], bytes]) -> str:
    return base64.b64encode(pack(text.encode())).decode()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_body_that_a_proxy_recorded_as_it_was_sent_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    press = recordings.aura([recordings.PRESS])
    content = press["response"]["content"]
    content |= {"text": _packed(content["text"], pack), "encoding": "base64"}
    text = urlencode(recordings.form([recordings.PRESS]))
    press["request"]["postData"] = {
        "mimeType": recordings.FORM,
        "text": _packed(text, pack),
        "encoding": "base64",
    }
    learned = _of(press)
    assert learned.chosen == 0
    assert "The recorded call succeeded" in learned.candidates[0].reasons


def test_a_packed_file_is_said_to_be_packed() -> None:
    with pytest.raises(BadInputError, match="compressed"):
        read_har(gzip.compress(recordings.har([recordings.aura([recordings.PRESS])]).encode()))


@pytest.mark.parametrize(
    "path",
    ["/shop/lwr/apex/v60.0/s_c__Again/run", "/shop/services/apexrest/s_c/again", "/services/apexrest/s_c/x"],
)
def test_an_address_of_a_site_is_read_as_the_org_s(path: str) -> None:
    assert _of_rest(path, {"ids": list(EVENTS)}).chosen == 0


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("/services/Soap/class/s_c/Again", "A SOAP call"),
        ("/services/data/v60.0/graphql/batch", "A GraphQL mutation"),
    ],
)
def test_what_changes_something_in_another_way_is_refused(path: str, what: str) -> None:
    assert [one.what for one in _of_rest(path, {"query": "mutation again { x }"}).refused] == [what]


SECRET_NAME = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY"


@pytest.mark.parametrize(
    "entry",
    [
        recordings.rest(
            f"/services/data/v60.0/actions/custom/apex/{SECRET_NAME}", {"inputs": [{"ids": EVENTS}]}
        ),
        recordings.rest(f"/services/data/v60.0/actions/custom/flow/{SECRET_NAME}", "cut"),
        recordings.rest(
            f"/services/data/v60.0/sobjects/{SECRET_NAME}/{EVENTS[0]}", {"s_c__A__c": 1}, method="PATCH"
        ),
        recordings.rest("/apexremote", {"action": f"s_c.{SECRET_NAME}", "method": "again"}),
        recordings.entry(
            f"https://{HOST}/aura",
            headers=[("X-SFDC-LDS-Endpoints", f"ApexActionController.execute:{SECRET_NAME}.again")],
        ),
        recordings.aura(
            [
                {
                    "descriptor": "apex://s_c.Again/ACTION$run",
                    "callingDescriptor": f"markup://s_c:{SECRET_NAME}",
                    "params": {"ids": EVENTS},
                    "id": "1",
                }
            ]
        ),
        recordings.aura(
            [
                recordings.framework(
                    "aura://FlowRuntimeController/ACTION$runInterview", {"flowDevName": SECRET_NAME}
                )
            ]
        ),
    ],
    ids=["action", "flow", "object", "remoting", "header", "component", "interview"],
)
def test_a_secret_in_the_place_of_a_name_is_never_shown(entry: dict[str, Any]) -> None:
    learned = _of(entry)
    assert SECRET_NAME not in json.dumps(learned.payload())
    assert SECRET_NAME not in " ".join(one.call.calling for one in learned.candidates)


def test_several_presses_in_one_recording_are_one_call_and_what_varies_beside_the_ids_is_refused() -> None:
    def presses(*params: dict[str, Json]) -> Lesson:
        return _of(*(recordings.aura([recordings.lwc(one)]) for one in params))

    text = presses({"ids": ",".join(EVENTS)}, {"ids": OTHERS[0]})
    assert (text.chosen, text.candidates[0].hole.shape) == (0, "csv")
    rows = presses({"row": {"Id": EVENTS[0], "Name": "Jane"}}, {"row": {"Id": EVENTS[1], "Name": "Joe"}})
    for learned in (rows, presses({"ids": list(EVENTS), "at": 1}, {"ids": [OTHERS[0]], "at": 2})):
        assert not learned.candidates
        assert "differs from call to call" in learned.refused[0].why
    assert "Jane" not in json.dumps(rows.payload())


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"keys": [f"s_c__Change_Event__c:{row}" for row in EVENTS]}, "within longer texts"),
        ({"data": json.dumps(json.dumps(EVENTS))}, "within longer texts"),
        ({"items": [{"event": {"id": row}} for row in EVENTS]}, "more than one place"),
        ({"note": "again"}, "no row ids"),
    ],
    ids=["behind a name", "JSON in JSON in JSON", "deeper in a list", "none"],
)
def test_where_the_ids_cannot_be_put_again_the_reason_is_the_true_one(params: Json, why: str) -> None:
    (refused,) = one_call(params).refused
    assert why in refused.why


def test_a_form_that_is_said_to_be_plain_text_is_read() -> None:
    text = urlencode(recordings.form([recordings.PRESS]))
    post = {"mimeType": "text/plain;charset=UTF-8", "text": text}
    assert _of(recordings.entry(f"https://{HOST}/aura", post=post)).chosen == 0


def test_a_number_that_somebody_confirmed_is_kept() -> None:
    har = recordings.har([recordings.aura([recordings.lwc({"ids": list(EVENTS), "store": "1002003004"})])])
    recording = read_recording(read_har(har.encode()))
    assert "--keep-ids" in learn(recording, NOTHING).refused[0].why
    assert learn(recording, NOTHING, keep_ids=True).chosen == 0
