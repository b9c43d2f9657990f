"""The doors of an org with safeguards: records, the Tooling API, and the Metadata API over SOAP."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from tests.independent import soql
from tests.independent.guarded_org import METADATA, XSI, GuardedOrg, Refusal
from tests.independent.wire import TOKEN, Manner, Server, _DroppedError, _Handler

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_LATE = 4.0
_OPAQUE = ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1")


_PAGE = b"<html><body><h1>Wartung</h1>Bitte warten</body></html>"


class _AnsweredError(Exception):
    """An answer that is none of the platform's own: status, body, content type."""


class GuardedServer(Server):
    """Serves an org with safeguards."""

    org: GuardedOrg

    def __init__(self, org: GuardedOrg, manner: Manner | None = None) -> None:
        super().__init__(org, manner or Manner(Random(0)))
        self.RequestHandlerClass = _GuardedHandler


class _GuardedHandler(_Handler):
    server: GuardedServer
    _V = r"/services/data/v\d+\.0"
    _ROUTES = (
        *_Handler._ROUTES,
        ("GET", rf"{_V}/tooling/query/?", "_tooling_query"),
        ("GET", rf"{_V}/tooling/sobjects/(\w+)/describe/?", "_describe"),
        ("GET", rf"{_V}/tooling/sobjects/(\w+)/(\w+)/?", "_component"),
        ("PATCH", rf"{_V}/tooling/sobjects/(\w+)/(\w+)/?", "_component"),
        ("GET", rf"{_V}/sobjects/(\w+)/(\w+)/?", "_record"),
        ("PATCH", rf"{_V}/sobjects/(\w+)/(\w+)/?", "_record"),
        ("DELETE", rf"{_V}/sobjects/(\w+)/(\w+)/?", "_record"),
        ("POST", rf"{_V}/sobjects/(\w+)/?", "_make"),
        ("GET", rf"{_V}/ui-api/object-info/(\w+)/picklist-values/(\w+)/(\w+)/?", "_offered"),
    )

    def _serve(self) -> None:
        if not self.path.startswith("/services/Soap/m/"):
            try:
                super()._serve()
            except _AnsweredError as answer:
                self._send(*answer.args)
            except Refusal as refusal:
                status = 403 if refusal.code == "INSUFFICIENT_ACCESS" else 400
                self._json(
                    [{"errorCode": refusal.code, "message": str(refusal), "fields": []}],
                    500 if refusal.code == "UNKNOWN_EXCEPTION" else status,
                )
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._soap(ET.fromstring(body))
        except _DroppedError:
            self._drop()
        except _AnsweredError as answer:
            self._send(*answer.args)

    def _read_fails(self) -> bool:
        return self.command == "GET" and super()._read_fails()

    def _write_setup(self, act: Callable[[], object]) -> None:
        """Do a write, with whatever happens to it on the way.

        Raises:
            Refusal: As the org refuses it, or says so though it was done.
        """
        org = self._org
        with org.lock:
            org.catch_up()
            org.attempts += 1
            trouble = org.trouble.pop(0) if org.trouble else ""
            match trouble:
                case "locked":
                    raise Refusal("ALREADY_IN_PROCESS", "Another change of the set-up is running")
                case "denied":
                    raise Refusal("INSUFFICIENT_ACCESS", "insufficient access rights")
                case "lost before":
                    raise _DroppedError
                case "page before" | "busy page":
                    raise _AnsweredError(503 if trouble == "busy page" else 500, _PAGE, "text/html")
                case "odd shape":
                    odd = b'{"success":false,"errors":[{"statusCode":"INVALID_INPUT","message":"nein"}]}'
                    raise _AnsweredError(400, odd, "application/json")
                case "not saved":
                    odd = b'{"success":false,"errors":[{"statusCode":"INVALID_INPUT","message":"nein"}]}'
                    raise _AnsweredError(200, odd, "application/json")
                case "late":
                    org.later(org.now() + _LATE, lambda _: act())  # type: ignore[arg-type]
                    raise Refusal(*_OPAQUE)
            act()
        if trouble == "lost after":
            raise _DroppedError
        if trouble == "error though done":
            raise Refusal(*_OPAQUE)
        if trouble == "page though done":
            raise _AnsweredError(500, _PAGE, "text/html")

    @property
    def _org(self) -> GuardedOrg:
        return self.server.org

    # -- REST

    def _row(self, table: str, key: str) -> dict[str, Any] | None:
        if table not in self._org.tables:
            return None
        rows = self._org.tables[table].rows
        return rows.get(key) or next((row for full, row in rows.items() if full[:15] == key), None)

    def _fields(self, table: str) -> list[str]:
        asked = parse_qs(urlsplit(self.path).query).get("fields")
        return asked[0].split(",") if asked else list(self._org.tables[table].fields)

    def _tooling_query(self) -> None:
        text = self._asked.get("q", "")
        query, rows = self._org.query(text, self._token)
        if len(rows) > 1 and {"Metadata", "FullName"} & set(query.columns):
            raise soql.QueryError("MALFORMED_QUERY", "no more than one row with Metadata or FullName")
        self._json({"size": len(rows), "totalSize": len(rows), "done": True, "records": rows})
        if "Metadata" in query.columns:
            self._colleague()

    def _colleague(self) -> None:
        with self._org.lock:
            if self._org.on_read:
                self._org.on_read.pop(0)()

    def _component(self, table: str, key: str) -> None:
        row = self._row(table, key)
        if row is None:
            self._fail(404, "NOT_FOUND", "The requested resource does not exist")
        elif self.command == "GET":
            names = self._fields(table)
            self._json(self._org.read(table, [row["Id"]], names, self._token)[0])
            self._colleague()
        elif table == "CustomField":
            self._fail(400, "INVALID_TYPE", "Save or update not supported in active organizations")
        elif set(self._body) - {"FullName"} != {"Metadata"}:
            self._fail(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields")
        else:
            self._write_setup(lambda: self._org.put_json(table, row["Id"], self._body["Metadata"]))
            self._send(204, b"")

    def _record(self, table: str, key: str) -> None:
        row = self._row(table, key)
        if row is None:
            self._fail(404, "NOT_FOUND", "The requested resource does not exist")
        elif self.command == "GET":
            self._json(self._org.read(table, [row["Id"]], self._fields(table), self._token)[0])
            self._colleague()
        elif self.command == "DELETE":
            self._write_setup(lambda: self._org.tables[table].rows.pop(row["Id"]))
            self._send(204, b"")
        else:
            self._write_setup(lambda: self._org.record_write(table, row["Id"], self._body))
            self._send(204, b"")

    def _make(self, table: str) -> None:
        made: list[str] = []
        self._write_setup(lambda: made.append(self._org.record_write(table, None, self._body)))
        self._json({"id": made[0], "success": True, "errors": []}, 201)

    def _offered(self, table: str, record_type: str, name: str) -> None:
        values = self._org.offers.get((record_type, name), self._org.tables[table].fields[name].values)
        self._json({"values": [{"value": one, "label": one, "validFor": []} for one in values]})

    # -- SOAP

    def _soap(self, root: ET.Element) -> None:
        token = next((one.text or "" for one in root.iter(f"{{{METADATA}}}sessionId")), "")
        if not token.startswith(TOKEN) or self._org.jwt_refused:
            self._fault("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader")
            return
        call = next(iter(root.find(f"{{{_SOAP}}}Body") or ()))
        operation = call.tag.rpartition("}")[2]
        if operation == "readMetadata":
            kind = call.findtext(f"{{{METADATA}}}type") or ""
            names = [one.text or "" for one in call.iter(f"{{{METADATA}}}fullNames")]
            records = "".join(self._record_xml(kind, name) for name in names)
            self._envelope(
                f"<md:readMetadataResponse><md:result>{records}</md:result></md:readMetadataResponse>"
            )
            self._colleague()
        elif operation == "updateMetadata":
            results = "".join(self._saved(node) for node in call.iter(f"{{{METADATA}}}metadata"))
            self._envelope(f"<md:updateMetadataResponse>{results}</md:updateMetadataResponse>")
        else:
            self._fault("INVALID_OPERATION", operation)

    def _record_xml(self, kind: str, name: str) -> str:
        inner = self._org.xml.get((kind, name))
        if inner is None:
            return "<md:records xsi:nil='true'/>"
        return (
            f"<md:records xsi:type='md:{kind}'><md:fullName>{escape(name)}</md:fullName>{inner}</md:records>"
        )

    def _saved(self, node: ET.Element) -> str:
        kind = (node.get(f"{{{XSI}}}type") or "").rpartition(":")[2]
        name = node.findtext(f"{{{METADATA}}}fullName") or ""
        inner = "".join(
            ET.tostring(child, encoding="unicode") for child in node
            if child.tag != f"{{{METADATA}}}fullName"
        )  # fmt: skip
        try:
            self._write_setup(lambda: self._org.put_xml(kind, name, inner))
        except Refusal as refusal:
            return (
                f"<md:result><md:errors><md:message>{escape(str(refusal))}</md:message><md:statusCode>"
                f"{refusal.code}</md:statusCode></md:errors><md:fullName>{escape(name)}</md:fullName>"
                "<md:success>false</md:success></md:result>"
            )
        return (
            f"<md:result><md:fullName>{escape(name)}</md:fullName><md:success>true</md:success></md:result>"
        )

    def _envelope(self, body: str, status: int = 200) -> None:
        text = (
            f"<?xml version='1.0' encoding='UTF-8'?><e:Envelope xmlns:e='{_SOAP}' xmlns:md='{METADATA}' "
            f"xmlns:xsi='{XSI}'><e:Body>{body}</e:Body></e:Envelope>"
        )
        self._send(status, text.encode(), "text/xml; charset=UTF-8")

    def _fault(self, code: str, message: str) -> None:
        fault = f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {escape(message)}</faultstring>"
        self._envelope(f"<e:Fault xmlns:sf='{METADATA}'>{fault}</e:Fault>", 500)
