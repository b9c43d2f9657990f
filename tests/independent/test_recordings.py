"""`learn-button` on recordings of every kind: what is found, what is refused, and that nothing leaks."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from syncerr_tui.salesforce.button.template import filled, find_holes, replaced
from tests.forks import Child
from tests.independent import processes
from tests.independent.clock import Clock
from tests.independent.ids import Ids
from tests.independent.recordings import NOISE, SECRETS, Action, Browser, Recorder, apex, press

_IDS = Ids(Random(8))
ROWS = [_IDS.next("a1K") for _ in range(2)]
ORDERS = [_IDS.next("801") for _ in range(2)]
USER, STORE = _IDS.next("005"), _IDS.next("a2C")
KINDS = {"apex", "record_update", "record_create", "invocable", "apexrest", "flow"}
SHAPES = {"list", "one", "csv", "json", "records", "map"}
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

Learn = Callable[..., Child]


@pytest.fixture
def learn(tmp_path: Path, clock: Clock) -> Learn:
    """Run `learn-button` on this content, and see that it leaks nothing and breaks nothing."""

    def run(content: str | bytes, *options: str, as_json: bool = True) -> Child:
        file, home = tmp_path / "press.har", tmp_path / "home"
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        file.write_bytes(data)
        words = ("learn-button", str(file), *(("--json",) if as_json else ()), *options)
        env = {"SYNCERR_HOME": str(home), "HOME": str(home), "COLUMNS": "80"}
        process = processes.start(words, env, clock=clock.path)
        assert process.wait() in {0, 1, 2}, process.err
        assert "Traceback" not in process.err + process.out
        assert file.read_bytes() == data
        kept = [one.read_bytes() for one in home.rglob("*") if one.is_file()]
        rows = [row[:15] for row in (*ROWS, *ORDERS)]
        for secret in (*SECRETS, *rows):
            assert secret not in process.out, secret
            assert secret not in process.err.replace(str(file), ""), secret
            assert not any(secret.encode() in one for one in kept)
        assert not CONTROL.search(process.out + process.err)
        if process.code == 2:
            assert process.out == ""
            assert len(process.err.splitlines()) == 1
        elif as_json:
            check_schema(process)
        return process

    return run


def strictly(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def holes(value: Any) -> list[dict[str, Any]]:
    """Every hole of a template."""
    if isinstance(value, dict):
        return [value] if "$ids" in value else [hole for one in value.values() for hole in holes(one)]
    return [hole for one in value for hole in holes(one)] if isinstance(value, list) else []


def at(value: Any, pointer: str) -> Any:
    """What a JSON pointer points to."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def check_schema(process: Child) -> None:
    """One object, with the promised keys."""
    document = strictly(process.out)
    assert {"candidates", "chosen", "refused"} <= set(document)
    assert (process.code == 0) == (document["chosen"] is not None)
    assert document["chosen"] in {None, *range(len(document["candidates"]))}
    for one in document["refused"]:
        assert one["what"]
        assert one["why"]
    for one in document["candidates"]:
        assert one["kind"] in KINDS
        assert one["style"] in {"lwc", "aura", "rest"}
        assert isinstance(one["namespace"], str)
        assert {"class", "method", "object"} <= set(one)
        assert isinstance(one["score"], int)
        assert all(isinstance(reason, str) for reason in one["reasons"])
        assert one["ids"]["shape"] in SHAPES
        assert one["ids"]["length"] in {15, 18, 36}
        assert one["ids"]["field"] in {"event", "record", "storeconnect"}
        (hole,) = holes(one["params"])
        assert at(one["params"], one["ids"]["path"]) == hole
        assert hole["$ids"] == one["ids"]["shape"]
        assert hole["$ids"] != "records" or "key" in hole
        assert hole["$ids"] != "csv" or hole["separator"]
        assert hole["$ids"] != "json" or "inner" in hole


def chosen(process: Child) -> dict[str, Any]:
    """The one clear candidate."""
    assert process.code == 0, process.out + process.err
    document = strictly(process.out)
    candidate: dict[str, Any] = document["candidates"][document["chosen"]]
    return candidate


def why_not(process: Child) -> str:
    """Why nothing was chosen."""
    assert process.code == 1, process.out
    return " | ".join(one["why"] for one in strictly(process.out)["refused"])


BUTTON = apex("SyncDesk", "retryNow", {"ids": ROWS, "mode": "RETRY"})


@pytest.mark.parametrize("named", [(), ("--event", ROWS[0], "--event", ROWS[1])], ids=["", "named"])
@pytest.mark.parametrize("browser", Browser)
def test_every_browser_s_export_is_read(learn: Learn, browser: Browser, named: tuple[str, ...]) -> None:
    refresh = apex("SyncDesk", "getStates", {"ids": ROWS})
    one = chosen(learn(press(BUTTON, browser, after=[refresh]).text(), *named))
    assert (one["kind"], one["class"], one["method"]) == ("apex", "SyncDesk", "retryNow")
    assert one["params"] == {"ids": {"$ids": "list"}, "mode": "RETRY"}
    assert one["ids"] == {"path": "/ids", "shape": "list", "length": 18, "field": "event"}


SHORT = [row[:15] for row in ROWS]
PLACES: dict[str, tuple[Any, str, str, int]] = {
    "list": ({"ids": ROWS}, "/ids", "list", 18),
    "nested list": (
        {"request": {"selection": {"ids": ROWS}, "all": False}}, "/request/selection/ids", "list", 18
    ),
    "list in a list": ({"calls": [{"ids": ROWS}]}, "/calls/0/ids", "list", 18),
    "odd names": ({"a/b": {"c~d": ROWS}}, "/a~1b/c~0d", "list", 18),
    "short": ({"ids": SHORT}, "/ids", "list", 15),
    "csv": ({"ids": ",".join(ROWS)}, "/ids", "csv", 18),
    "csv with blanks": ({"ids": ", ".join(ROWS)}, "/ids", "csv", 18),
    "csv with semicolons": ({"ids": ";".join(SHORT)}, "/ids", "csv", 15),
    "csv with an end": ({"ids": ",".join(ROWS) + ","}, "/ids", "csv", 18),
    "json list": ({"ids": json.dumps(ROWS)}, "/ids", "json", 18),
    "json object": ({"payload": json.dumps({"rows": ROWS, "force": True})}, "/payload", "json", 18),
    "json records": ({"payload": json.dumps([{"Id": row} for row in ROWS])}, "/payload", "json", 18),
    "json csv": ({"payload": json.dumps({"rows": ",".join(ROWS)}, indent=1)}, "/payload", "json", 18),
    "json in json": ({"payload": json.dumps({"in": json.dumps(ROWS)}, indent=1)}, "/payload", "json", 18),
    "records": ({"rows": [{"id": row} for row in ROWS]}, "/rows", "records", 18),
    "typed records": (
        {"rows": [{"sobjectType": "s_c__Change_Event__c", "Id": row} for row in ROWS]}, "/rows", "records", 18
    ),
    "map": ({"rows": dict.fromkeys(ROWS, True)}, "/rows", "map", 18),
    "map of objects": ({"rows": {row: {"id": row, "retry": True} for row in ROWS}}, "/rows", "map", 18),
    "map of names": ({"rows": {row: {"Id": row} for row in ROWS}}, "/rows", "map", 18),
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_the_place_of_the_ids_is_found(learn: Learn, place: str) -> None:
    params, path, shape, length = PLACES[place]
    one = chosen(learn(press(apex("SyncDesk", "retryNow", params)).text()))
    assert one["ids"] == {"path": path, "shape": shape, "length": length, "field": "event"}


def test_a_namespace_may_stand_in_the_class_s_name(learn: Learn) -> None:
    one = chosen(learn(press(apex("s_c__SyncDesk", "retryNow", {"ids": ROWS}, namespace="")).text()))
    assert (one["namespace"], one["class"]) == ("s_c", "SyncDesk")


def test_what_the_call_of_json_in_json_sends_is_what_was_recorded() -> None:
    params = {"payload": json.dumps({"in": json.dumps({"rows": ROWS, "force": True})})}
    (hole,) = find_holes(params)
    again = filled(replaced(params, hole.path, hole.mark), ROWS[::-1])
    assert isinstance(again, dict)
    inside = json.loads(json.loads(again["payload"])["in"])
    assert inside == {"rows": ROWS[::-1], "force": True}


def test_a_call_for_each_row_is_one_call(learn: Learn) -> None:
    recorder = Recorder()
    recorder.aura(*[apex("SyncDesk", "retryOne", {"id": row}) for row in ROWS])
    one = chosen(learn(recorder.text()))
    assert one["ids"]["shape"] == "one"


@pytest.mark.parametrize("field", ["record", "storeconnect"])
def test_ids_of_other_kinds_are_told_apart(learn: Learn, field: str) -> None:
    ids = (
        ORDERS
        if field == "record"
        else ["0b4f9a52-7c1e-4d5b-9a63-1f2e3d4c5b6a", "9c8b7a65-4d3e-4f2a-8b1c-0d9e8f7a6b5c"]
    )
    one = chosen(learn(press(apex("SyncDesk", "retryNow", {"keys": ids})).text()))
    assert one["ids"]["field"] == field


def test_a_press_that_was_made_twice_is_one(learn: Learn) -> None:
    recorder = press(BUTTON)
    recorder.aura(apex("SyncDesk", "retryNow", {"ids": ORDERS[:1] and [_IDS.next("a1K")], "mode": "RETRY"}))
    assert chosen(learn(recorder.text()))["method"] == "retryNow"


@pytest.mark.parametrize("name", ["tokenizer", "tokenType", "secretary", "cookieBanner", "passwordless"])
def test_a_harmless_constant_under_a_name_like_a_secret_s_is_kept(learn: Learn, name: str) -> None:
    params = {"ids": ROWS, name: "standard"}
    assert chosen(learn(press(apex("SyncDesk", "retryNow", params)).text()))["params"][name] == "standard"


@pytest.mark.parametrize(
    "constant",
    [
        {"token": "abcdef1234567890"},
        {"csrfToken": "Zk9x2LqP7wYtR4aa"},
        {"x": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"},
        {"x": "00D9V00000PLANT!AQ8AQx"},
        {"auth": {"password": "hunter2hunter2"}},
        {"x": "a" * 500},
        {"sessionId": "Zm9vYmFyMTIzNDU2Nzg5MA"},
        {"x": json.dumps({"token": "abcdef1234567890"})},
        {"x": ["ok", "c29tZSBzZWNyZXQgYnl0ZXMgaGVyZSAxMjM0NTY3ODkw"]},
    ],
    ids=str,
)
def test_what_may_be_a_secret_is_refused_and_not_shown(learn: Learn, constant: dict[str, Any]) -> None:
    process = learn(press(apex("SyncDesk", "retryNow", {"ids": ROWS, **constant})).text())
    assert "secret" in why_not(process)
    for text in re.findall(r"[\w!.-]{12,}", json.dumps(constant)):
        assert text not in process.out


@pytest.mark.parametrize(
    "constant",
    [{"userId": USER}, {"store": STORE}, {"note": f"for {USER}"}, {"in": {"org": "00D5g000004AbCdEAK"}}],
    ids=str,
)
def test_a_constant_that_is_somebody_s_id_needs_a_person_s_word(
    learn: Learn, constant: dict[str, Any]
) -> None:
    text = press(apex("SyncDesk", "retryNow", {"ids": ROWS, **constant})).text()
    named = ("--event", ROWS[0], "--event", ROWS[1])
    assert "--keep-ids" in why_not(learn(text, *named))
    assert chosen(learn(text, *named, "--keep-ids"))["params"].items() >= constant.items()


REFUSED: dict[str, tuple[Any, str]] = {
    "no ids": (apex("SyncDesk", "retryAll", {"filter": "FAILED"}), "re-sync everything"),
    "no parameters": (apex("SyncDesk", "retryAll", None), "re-sync everything"),
    "empty list": (apex("SyncDesk", "retryNow", {"ids": []}), "re-sync everything"),
    "other namespace": (apex("Desk", "retryNow", {"ids": ROWS}, namespace="kiosk"), "--namespace"),
    "own code": (apex("Desk", "retryNow", {"ids": ROWS}, namespace=""), "--namespace"),
    "bad class": (apex("Sync/../Desk", "retryNow", {"ids": ROWS}), "name"),
    "class of control codes": (apex("Desk\x1b[2J", "retryNow", {"ids": ROWS}), "name"),
    "the other direction": (apex("SyncRecordChangesInvocable", "invoke", {"ids": ROWS}), "other direction"),
    "ids twice": (apex("SyncDesk", "retryNow", {"ids": ROWS, "again": ROWS}), "more than one place"),
    "differing values": (apex("SyncDesk", "retryNow", {"rows": {ROWS[0]: "a", ROWS[1]: "b"}}), "differ"),
    "differing records": (
        apex("SyncDesk", "retryNow", {"rows": [{"id": ROWS[0], "no": 1}, {"id": ROWS[1], "no": 2}]}), "differ"
    ),
    "an endless number": (apex("SyncDesk", "retryNow", {"ids": ROWS, "x": float("inf")}), ""),
    "no number": (apex("SyncDesk", "retryNow", {"ids": ROWS, "x": float("nan")}), ""),
    "half a letter": (apex("SyncDesk", "retryNow", {"ids": ROWS, "x": "\ud83d"}), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_must_not_be_repeated_is_refused_with_its_true_reason(learn: Learn, case: str) -> None:
    action, words = REFUSED[case]
    process = learn(press(action).text())
    if process.code == 0:
        assert words == ""  # Kept, and told in valid JSON
        return
    assert words in why_not(process)


def test_two_calls_that_could_be_it_need_a_person(learn: Learn) -> None:
    process = learn(press(BUTTON, after=[apex("SyncDesk", "resendNow", {"ids": ROWS})]).text())
    assert process.code == 1
    assert {one["method"] for one in strictly(process.out)["candidates"]} == {"retryNow", "resendNow"}


@pytest.mark.parametrize("method", ["deleteEvents", "dismissAll", "ignoreNow", "getEvents", "loadRows"])
def test_what_reads_or_removes_is_never_chosen(learn: Learn, method: str) -> None:
    assert learn(press(apex("SyncDesk", method, {"ids": ROWS})).text()).code == 1


def test_noise_alone_teaches_nothing(learn: Learn) -> None:
    recorder = Recorder()
    recorder.aura(*NOISE)
    recorder.get("/services/data/v66.0/query?q=SELECT+Id")
    assert learn(recorder.text()).code == 1


_DATA_API = "/services/data/v66.0"
_UPDATES = [
    {"attributes": {"type": "s_c__Change_Event__c"}, "id": row, "s_c__Retry__c": True} for row in ROWS
]
OTHERS: dict[str, tuple[str, str, Any, str]] = {
    "invocable": (
        "POST",
        f"{_DATA_API}/actions/custom/apex/s_c__Again",
        {"inputs": [{"rows": ROWS}]},
        "invocable",
    ),
    "flow": (
        "POST",
        f"{_DATA_API}/actions/custom/flow/s_c__Again",
        {"inputs": [{"row": r} for r in ROWS]},
        "flow",
    ),
    "apexrest": ("POST", "/services/apexrest/s_c/again", {"ids": ROWS}, "apexrest"),
    "lwr": ("POST", "/lwr/apex/v66.0/s_c__SyncDesk/retryNow", {"ids": ROWS}, "apex"),
    "updates": ("PATCH", f"{_DATA_API}/composite/sobjects", {"records": _UPDATES}, "record_update"),
    "update": (
        "PATCH",
        f"{_DATA_API}/sobjects/s_c__Change_Event__c/{ROWS[0]}",
        {"s_c__Retry__c": True},
        "record_update",
    ),
    "update of the page": (
        "PATCH",
        f"{_DATA_API}/ui-api/records/{ROWS[0]}",
        {"fields": {"s_c__Retry__c": True}},
        "record_update",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_a_button_that_is_no_component_s_apex_is_recognised(learn: Learn, case: str) -> None:
    verb, target, body, kind = OTHERS[case]
    recorder = Recorder()
    recorder.aura(*NOISE)
    recorder.rest(verb, target, body, {"ok": True})
    ticked = [row for row in ROWS if row in recorder.text()]
    assert (
        chosen(learn(recorder.text(), *(word for row in ticked for word in ("--event", row))))["kind"] == kind
    )


def _twisted(change: Callable[[dict[str, Any]], None]) -> str:
    recorder = press(BUTTON)
    archive = recorder.archive()
    change(archive["log"])
    return json.dumps(archive)


def _base64_bodies(log: dict[str, Any]) -> None:
    for entry in log["entries"]:
        content = entry["response"]["content"]
        content |= {"text": base64.b64encode(content.get("text", "").encode()).decode(), "encoding": "base64"}


def _base64_posts(log: dict[str, Any]) -> None:
    for entry in log["entries"]:
        data = entry["request"].get("postData")
        if data:
            data |= {
                "text": base64.b64encode(data["text"].encode()).decode(),
                "encoding": "base64",
                "params": [],
            }


def _no_text(log: dict[str, Any]) -> None:
    for entry in log["entries"]:
        entry["request"].get("postData", {}).pop("text", None)


_EXECUTE = '{"descriptor":"aura://ApexActionController/ACTION$execute","params":[]}'
_PATHS = (
    "aura",
    "lwr/apex/v1.0/s_c__A/b",
    "apexremote",
    "services/apexrest/s_c/x",
    "services/data/v1.0/composite",
)
_DATA: tuple[Any, ...] = (
    None,
    [],
    "x",
    {"text": 3},
    {"text": "message=%7B"},
    {"text": "message=[[]]"},
    {"text": f'message={{"actions":[1,null,{{"descriptor":7}},{_EXECUTE}]}}'},
    {"params": [1, {"name": 2}]},
)


def _rubbish(log: dict[str, Any]) -> None:
    odd: list[Any] = [None, 3, "x", [], {}, {"request": None}, {"request": {"url": 3}}]
    odd.append({"request": {"url": "http://["}})
    for path in _PATHS:
        for data in _DATA:
            request = {"method": None, "url": f"https://x/{path}", "headers": {"a": 1}, "postData": data}
            odd.append({"request": request, "response": []})
    log["entries"][:0] = odd


def _unanswered(log: dict[str, Any]) -> None:
    for entry in log["entries"]:
        del entry["response"]


READ_ALL_THE_SAME: dict[str, Callable[[], str | bytes]] = {
    "answers in base64": lambda: _twisted(_base64_bodies),
    "bodies in base64": lambda: _twisted(_base64_posts),
    "fields alone": lambda: _twisted(_no_text),
    "rubbish among it": lambda: _twisted(_rubbish),
    "byte order mark": lambda: "\ufeff" + press(BUTTON).text(),
    "utf-16": lambda: press(BUTTON).text().encode("utf-16"),
    "indented": lambda: json.dumps(press(BUTTON).archive(), indent=2),
    "no response at all": lambda: _twisted(_unanswered),
    "packed": lambda: gzip.compress(press(BUTTON).text().encode()),
    "a key twice": lambda: (
        press(BUTTON).text().replace('"log": {', '"log": {"version": "9", "entries": [], ', 1)
    ),
}


@pytest.mark.parametrize("case", READ_ALL_THE_SAME)
def test_an_odd_file_is_read_or_refused_in_one_line(learn: Learn, case: str) -> None:
    process = learn(READ_ALL_THE_SAME[case]())
    if case == "packed":
        assert process.code == 2
        assert "HAR" in process.err
        return
    assert chosen(process)["method"] == "retryNow"


NO_HAR: dict[str, Callable[[], str | bytes]] = {
    "empty": lambda: b"",
    "blank": lambda: b" \n",
    "text": lambda: b"Hello",
    "binary": lambda: bytes(range(256)) * 40,
    "cut": lambda: press(BUTTON).text()[:-7],
    "list": lambda: b"[]",
    "other JSON": lambda: b'{"entries": []}',
    "a log without entries": lambda: b'{"log": {"version": "1.2"}}',
    "deep": lambda: b"[" * 100_000,
    "deep and whole": lambda: b'{"log":{"entries":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "an endless number": lambda: b'{"log": {"entries": [' + b"9" * 5000 + b"]}}",
    "html": lambda: b"<!DOCTYPE html><html></html>",
    "zip": lambda: b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("case", NO_HAR)
def test_what_is_no_har_is_one_line_and_exit_code_2(learn: Learn, case: str) -> None:
    process = learn(NO_HAR[case]())
    if case == "deep and whole" and process.code == 1:
        return
    assert process.code == 2


def test_a_folder_and_a_missing_file_are_told_as_such(tmp_path: Path, clock: Clock) -> None:
    for path in (tmp_path, tmp_path / "none.har"):
        process = processes.start(
            ("learn-button", str(path)), {"SYNCERR_HOME": str(tmp_path / "h")}, clock=clock.path
        )
        assert process.wait() == 2
        assert len(process.err.splitlines()) == 1


def test_for_people_it_fits_into_eighty_columns(learn: Learn) -> None:
    params = {
        "ids": ROWS,
        "options": {"mode": "RETRY", "reason": "pressed by hand in the utility bar", "force": True},
    }
    for action in (
        apex("SyncErrorUtilityBarController", "retryChangeEventsNow", params),
        apex("SyncDesk", "retryAll", {"x": 1}),
    ):
        process = learn(press(action).text(), as_json=False)
        assert max(map(len, process.out.splitlines())) <= 80, process.out


def test_thousands_of_calls_are_learned_in_good_time(learn: Learn) -> None:
    recorder = Recorder()
    rows = [_IDS.next("a1K") for _ in range(1500)]
    for start in range(0, 1500, 30):
        recorder.aura(*[apex("SyncDesk", "retryOne", {"id": row}) for row in rows[start : start + 30]])
    assert chosen(learn(recorder.text()))["ids"]["shape"] == "one"


def test_an_aura_component_s_call_keeps_who_called(learn: Learn) -> None:
    action = Action("apex://s_c.SyncDesk/ACTION$retryNow", {"ids": ROWS}, calling="markup://s_c:desk")
    one = chosen(learn(press(action).text()))
    assert (one["style"], one["calling"]) == ("aura", "markup://s_c:desk")
