"""An org whose every free text is hostile: a mirror in front of the demo org that rewrites what it answers.

Names, labels, messages and errors keep their beginning and get something that acts on a terminal.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from syncerr_tui.demo.server import DemoServer

MARK = "EVIL"
ATTACK = f"{MARK}\x1b]52;c;aGk=\x07\x1b[2J\x9b2J\x9d0;t\x9c\u202eabc\u2066\r\n\x00\x7f\u2028\U000e0041"
OWN_HEADERS = {"content-length", "transfer-encoding", "content-encoding", "connection"}
_FREE = re.compile(r"(?i).*(label|message|name|text|description|error|reason).*")
_TIED = re.compile(r"(?i)(.*Id|.*__sC_Id__c|sobject.*|objectName|errorCode|relationshipName|.*Type.*|name)")
"""Keys whose values tie rows together: with them changed there would be nothing to show."""


def poisoned(value: Any, *, everything: bool = False) -> Any:
    """A JSON value with the attack behind each free text."""
    if isinstance(value, list):
        return [poisoned(item, everything=everything) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item + ATTACK
        if isinstance(item, str) and (everything or (_FREE.fullmatch(key) and not _TIED.fullmatch(key)))
        else poisoned(item, everything=everything)
        for key, item in value.items()
    }


@contextmanager
def hostile_mirror(server: DemoServer, *, failing: bool = False) -> Iterator[str]:
    """The address of the mirror; where it is failing, every question about rows gets a hostile refusal."""
    behind = urlsplit(server.instance_url)

    class Mirror(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = {k: v for k, v in self.headers.items() if k.lower() not in {"host", "accept-encoding"}}
            line = http.client.HTTPConnection(behind.hostname or "", behind.port or 0, timeout=60)
            line.request(self.command, self.path, body or None, {**sent, "Host": behind.netloc})
            response = line.getresponse()
            status, raw = response.status, response.read()
            line.close()
            if failing and "/query" in self.path:
                status, raw = 400, json.dumps([{"message": ATTACK, "errorCode": ATTACK}]).encode()
            elif "json" in (response.getheader("Content-Type") or "") and raw:
                # The inputs of the one action keep their names, or nothing would ever be sent to it.
                described = self.command == "GET" and self.path.endswith("/SyncErrResync")
                everything = "/actions/" in self.path and not described
                raw = json.dumps(poisoned(json.loads(raw), everything=everything)).encode()
                raw = raw.replace(server.instance_url.encode(), mirror_url.encode())
            self.send_response_only(status)  # the org's own Date: with a second one nobody knows its time
            for name, value in response.getheaders():
                if name.lower() not in OWN_HEADERS:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = _pass_on  # noqa: N815 - http.server's names

        def log_message(self, *args: object) -> None:
            pass

    mirror = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    mirror.daemon_threads = True
    mirror_url = f"http://127.0.0.1:{mirror.server_address[1]}"
    threading.Thread(target=mirror.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield mirror_url
    finally:
        mirror.shutdown()
        mirror.server_close()
