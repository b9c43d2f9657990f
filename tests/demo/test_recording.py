"""`demo --har`: a recording of the button, in the form in which Chrome exports one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.server import DemoServer
from tests import forks
from tests.demo.tiny import Client


def actions_of(archive: Any) -> list[dict[str, Any]]:
    payload: list[dict[str, Any]] = []
    for entry in archive["log"]["entries"]:
        if "postData" in entry["request"]:
            form = parse_qs(entry["request"]["postData"]["text"])
            payload += json.loads(form["message"][0])["actions"]
    return payload


def run(*options: str) -> forks.Child:
    return forks.run("demo", *options, env={})


def test_the_recorded_press_can_be_made_again() -> None:
    with DemoServer(DemoOptions(errors=12, manual_clock=True)) as server:
        archive = json.loads(json.dumps(server.recording(server.instance_url)))
        assert server.button.executions == {}
        (press,) = [
            each["params"]
            for each in actions_of(archive)
            if each["params"].get("method", "").startswith("resync")
        ]
        ids = press["params"]["changeEventIds"]
        assert len(set(ids)) == 2
        org = Client(server)
        path = f"/lwr/apex/v67.0/{press['namespace']}__{press['classname']}/{press['method']}"
        assert [row["success"] for row in org.ask(path, "POST", press["params"]).json] == [True, True]


def test_it_looks_like_a_sanitized_export_of_chrome(tmp_path: Path) -> None:
    file = tmp_path / "button.har"
    done = run("--errors", "12", "--har", str(file))
    assert (done.code, done.out) == (0, "")
    assert str(file) in done.err
    assert file.stat().st_mode & 0o777 == 0o600
    log = json.loads(file.read_text())["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "WebInspector")
    for entry in log["entries"]:
        request, response = entry["request"], entry["response"]
        assert request["cookies"] == response["cookies"] == []
        names = {header["name"].lower() for part in (request, response) for header in part["headers"]}
        assert not names & {"cookie", "set-cookie", "authorization"}
        post = request.get("postData")
        if post:
            form = parse_qs(post["text"])
            assert form["aura.token"][0].startswith("eyJub25jZSI6")
            encoded = {param["name"]: param["value"] for param in post["params"]}
            assert unquote(encoded["message"]) == form["message"][0]


def test_a_file_that_exists_is_left_alone_and_an_empty_org_has_no_button_to_press(tmp_path: Path) -> None:
    file = tmp_path / "button.har"
    file.write_text("mine")
    done = run("--errors", "12", "--har", str(file))
    assert done.code == 2
    assert "is there already" in done.err
    assert file.read_text() == "mine"
    done = run("--errors", "0", "--har", str(tmp_path / "other.har"))
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert not (tmp_path / "other.har").exists()
