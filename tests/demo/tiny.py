"""A small org behind the demo server, so that the HTTP side is tested without the world and its engine."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.org import DemoOrg
from syncerr_tui.demo.save_errors import InvocableAction, Outcome, Parameter, SaveFault
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.demo.store import DEMO_ORGANIZATION_ID, DEMO_USER_ID, Store

ACTION = InvocableAction(
    "apex", "s_c__Again", "Try again", "Tries again", (Parameter("eventId", "Event", required=True),)
)


class TinyOrg(DemoOrg):
    """Saves everything but a Name that begins with `bad`; its one action succeeds but for `bad` inputs."""

    def __init__(self, options: DemoOptions, *, clock: Callable[[], datetime], store: Store) -> None:
        self.options = options
        self.clock = clock
        self.store = store
        self.schema = store.schema
        self.invoked: list[str] = []
        self.entered, self.leave = threading.Event(), threading.Event()
        if not store.count("Organization"):
            store.insert("Organization", {"Id": DEMO_ORGANIZATION_ID, "Name": "Tiny", "IsSandbox": False})
            store.insert("User", {"Id": DEMO_USER_ID, "Username": "admin@demo.example", "Name": "Ada Min"})

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self.store.transaction():
            yield

    def save(
        self,
        object_name: str,
        operation: str,
        values: Mapping[str, object],
        record_id: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> list[SaveFault]:
        assert record_id is not None
        if str(values.get("Name", "")).startswith("bad"):
            return [SaveFault("FIELD_CUSTOM_VALIDATION_EXCEPTION", "No bad names", ("Name",))]
        if operation == "create":
            self.store.insert(object_name, {**values, "Id": record_id})
        elif operation == "update":
            self.store.update(object_name, record_id, values)
        else:
            self.store.delete(object_name, record_id)
        return []

    def actions(self, kind: str) -> Sequence[InvocableAction]:
        return [ACTION] if kind == "apex" else []

    def describe_action(self, kind: str, name: str) -> InvocableAction | None:
        return ACTION if (kind, name) == ("apex", ACTION.name) else None

    def invoke(self, kind: str, name: str, inputs: Sequence[Mapping[str, object]]) -> list[Outcome]:
        results: list[Outcome] = []
        for each in inputs:
            event = str(each["eventId"])
            self.invoked.append(event)
            fault = SaveFault("INVALID_ID_FIELD", "no such event")
            results.append(fault if event.startswith("bad") else {"ok": event})
        return results

    def apexrest(self, method: str, path: str, query: Mapping[str, str], body: object) -> tuple[int, object]:
        if path == "crash":
            raise RuntimeError("a defect")
        if path == "block":
            self.entered.set()
            assert self.leave.wait(60)
        return 200, {"method": method, "path": path, "query": dict(query), "body": body}

    def start(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to stop."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> str:
        """The first error's code."""
        return str(self.json[0]["errorCode"])


class Client:
    """Plain HTTP to a demo server on one kept connection."""

    def __init__(self, server: DemoServer) -> None:
        self.server = server
        self.org = server.org
        self.store = server.store
        host, _, port = server.instance_url.removeprefix("http://").partition(":")
        self.address = (host, int(port))
        self.connection = http.client.HTTPConnection(host, int(port), timeout=20)

    def ask(
        self,
        path: str,
        method: str = "GET",
        body: object = None,
        *,
        raw: bytes | str | None = None,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        """One request; `path` without a leading slash stands below /services/data/v59.0/."""
        target = path if path.startswith("/") else f"/services/data/v59.0/{path}"
        sent = {"Authorization": f"Bearer {token or self.server.access_token}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        payload = raw if raw is not None else None if body is None else json.dumps(body)
        self.connection.request(method, target, payload, {k: v for k, v in sent.items() if v})
        response = self.connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def query(self, soql: str, path: str = "query", **headers: str) -> Any:
        """A query that must be answered."""
        answer = self.ask(f"{path}?q={quote(soql)}", **headers)
        assert answer.status == 200, answer.raw
        return answer.json

    def refused(self, soql: str) -> tuple[str, str]:
        """Code and message of a query that must be refused."""
        answer = self.ask(f"query?q={quote(soql)}")
        assert answer.status == 400, answer.raw
        return answer.code, answer.json[0]["message"]

    def raw(self, data: bytes) -> bytes:
        """Bytes over a connection of their own, until the server closes it."""
        with socket.create_connection(self.address, 20) as line:
            line.sendall(data)
            line.shutdown(socket.SHUT_WR)
            pieces = iter(lambda: line.recv(65_536), b"")
            return b"".join(pieces)


@contextmanager
def tiny(options: DemoOptions | None = None, **more: Any) -> Iterator[Client]:
    """A server over a `TinyOrg`; a defect inside it fails the test."""
    with DemoServer(options or DemoOptions(), make_org=TinyOrg, **more) as server:
        client = Client(server)
        yield client
        client.connection.close()
        assert server.crashes == []
