"""The org's own Re-sync button on the wire, and all that can be odd about it.

Written from what is known of Salesforce's endpoints, by somebody who has not read the client. One port plays
the org's host and the Lightning host.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, urlsplit

from tests.independent.ids import guarded
from tests.independent.org import Org
from tests.independent.recordings import EXECUTE, Action, apex
from tests.independent.truth import Reply, Request
from tests.independent.wire import TOKEN, Fault, Manner, Server, _DroppedError, _Handler

HTML = "text/html;charset=UTF-8"
_LOGIN = (
    b"<html><head><title>Login | Salesforce</title></head><body><form action='/login'></form></body></html>"
)
_NO_PAGE = b"<!DOCTYPE html><html><head><title>404</title></head><body>URL No Longer Exists</body></html>"
_COOKIE_LASTS = 60.0


@dataclass(slots=True)
class Button:
    """What a package's button calls, and how the org around it behaves."""

    namespace: str = "s_c"
    class_name: str = "ErrorDesk"
    method: str = "sendAgain"
    style: str = "lwc"
    calling: str = "markup://s_c:errorDesk"
    shape: str = "list"
    """`list`, `one`, `csv`, `json`, `records` or `map`."""
    length: int = 18
    constants: Mapping[str, Any] = field(default_factory=lambda: {"mode": "RETRY", "silent": False})
    lwr: str = "open"
    """`open`, `absent`, `no access`, `forbidden`, `redirect`, `foreign`, `page` or `renamed`."""
    single: str = "open"
    """`open`, `denied` or `absent`."""
    front: str = "open"
    """`open`, `post only` or `closed`."""
    hops: Sequence[str] = ("replace",)
    """To the page: `http`, `replace`, `href`, `escaped`, `loop`, `foreign`, `flow` or `mfa`."""
    page: str = "cookie"
    """Where the token is: `cookie`, `stale`, `inline`, `urls` (the context's place) or `none`."""
    oddities: list[str] = field(default_factory=list)
    """What happens to the next requests to /aura, in order."""
    always: str = ""
    """What happens to every one of them."""
    answers: str = "rows"
    """What the method returns: `rows`, `nothing`, `text`, `failure`, `others` or `cut`."""
    seconds: float = 0.0
    """How long a call takes."""

    def params(self, ids: Sequence[str]) -> dict[str, Any]:
        """The parameters of a press with these rows ticked."""
        keys = [key[: self.length] for key in ids]
        makers: dict[str, Callable[[], Any]] = {
            "list": lambda: keys,
            "one": lambda: keys[0],
            "csv": lambda: ",".join(keys),
            "json": lambda: json.dumps({"eventIds": keys}),
            "records": lambda: [{"Id": key} for key in keys],
            "map": lambda: dict.fromkeys(keys, True),
        }
        return {"rows": makers[self.shape](), **self.constants}

    def ids(self, params: Any) -> list[str] | None:
        """The rows that these parameters name; None where they are not the method's."""
        if not isinstance(params, dict) or set(params) != {"rows", *self.constants}:
            return None
        if any(
            params[name] != value or type(params[name]) is not type(value)
            for name, value in self.constants.items()
        ):
            return None
        keys = self._keys(params["rows"])
        if not keys or not all(isinstance(key, str) and len(key) == self.length for key in keys):
            return None
        return [guarded(key[:15]) for key in keys]

    def _keys(self, value: Any) -> Any:
        match self.shape, value:
            case "list", list():
                return value
            case "one", str():
                return [value]
            case "csv", str():
                return value.split(",")
            case "json", str():
                return json.loads(value).get("eventIds")
            case "records", list():
                return [one["Id"] for one in value if list(one) == ["Id"]]
            case "map", dict() if all(one is True for one in value.values()):
                return list(value)
        return None

    def action(self, ids: Sequence[str]) -> Action:
        """What the browser records of a press."""
        if self.style == "lwc":
            return apex(self.class_name, self.method, self.params(ids), namespace=self.namespace)
        called = f"apex://{self.namespace}.{self.class_name}/ACTION${self.method}"
        return Action(called, self.params(ids), calling=self.calling)


@dataclass(slots=True)
class _Session:
    token: str
    """The access token that it was opened with."""
    lightning: bool = False
    csrf: dict[str, float] = field(default_factory=dict)
    """Tokens of its pages, and since when."""


class ButtonServer(Server):
    """Serves an org with its button."""

    def __init__(self, org: Org, manner: Manner, button: Button) -> None:
        super().__init__(org, manner)
        self.RequestHandlerClass = _ButtonHandler
        self.button = button
        self.fwuid = secrets.token_urlsafe(12)
        self.sessions: dict[str, _Session] = {}
        self.tickets: dict[str, str] = {}
        self.calls: list[str] = []
        """Every request to the button's endpoints: verb and path with query."""
        self.strangers: list[str] = []
        """Bodies that named a row which was not in the org."""

    @property
    def executions(self) -> dict[str, int]:
        """Event -> how often the button's method ran with it."""
        ran: dict[str, int] = {}
        for request in self.org.truth.requests:
            for event in request.events:
                ran[event] = ran.get(event, 0) + 1
        return ran

    def new_session(self, token: str, *, lightning: bool) -> str:
        """A session id for one host."""
        sid = f"{TOKEN}lightning{secrets.token_hex(16)}"
        self.sessions[sid] = _Session(token, lightning)
        return sid


class _RefusedError(Exception):
    """The framework refuses a request; nothing ran."""

    def __init__(self, event: str, message: str, **values: Any) -> None:
        super().__init__(message)
        self.event, self.values = event, values


class _ButtonHandler(_Handler):
    server: ButtonServer
    _PAGES: ClassVar[Sequence[tuple[str, str]]] = (
        ("/lwr/apex/", "_lwr"),
        ("/services/oauth2/singleaccess", "_single"),
        ("/secur/frontdoor.jsp", "_front"),
        ("/hop/", "_hop"),
        ("/lightning/", "_lightning"),
        ("/one/one.app", "_lightning"),
        ("/aura", "_aura"),
    )

    def _serve(self) -> None:
        where = urlsplit(self.path)
        for prefix, name in self._PAGES:
            if where.path.startswith(prefix):
                self._raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._in_address = {key: values[0] for key, values in parse_qs(where.query).items()}
                self.server.calls.append(f"{self.command} {self.path}")
                bearer = self.headers.get("Authorization", "")
                self._bearer = bearer.removeprefix("Bearer ") if bearer.startswith("Bearer ") else ""
                try:
                    getattr(self, name)(where.path)
                except _DroppedError:
                    self._drop()
                return
        super()._serve()

    @property
    def _button(self) -> Button:
        return self.server.button

    def _html(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    # -- the method itself

    def _run(self, params: Any, token: str) -> tuple[str, Any]:
        """Run the button's method: `value` and what it returns, `throws` and a text, or `wrong`."""
        button, org, manner = self._button, self._org, self.server.manner
        try:
            ids = button.ids(params)
        except (ValueError, AttributeError, KeyError, TypeError):
            ids = None
        if ids is None:
            return "wrong", "Parameters do not fit"
        if any(key not in org.events for key in ids):
            self.server.strangers.append(str(params))
            return "wrong", "Invalid id"
        fault = manner.next_fault()
        if button.seconds:
            time.sleep(button.seconds)
        request = org.request(ids, token)
        manner.before(request)
        if fault is Fault.LOST_BEFORE:
            raise _DroppedError
        half = ids[: (len(ids) + 1) // 2]
        done = half if fault in {Fault.HALF_FAILED, Fault.PARTIAL} else ids
        if fault is Fault.FAILED_BEFORE:
            done = []
        with org.lock:
            org.accept(done, request.at, request)
            if fault is Fault.PARTIAL:
                request.refused = set(ids) - set(done)
        manner.after(request)
        if fault is Fault.LOST_AFTER:
            raise _DroppedError
        if fault in {Fault.FAILED_BEFORE, Fault.FAILED_AFTER, Fault.HALF_FAILED}:
            return "throws", "System.LimitException: Apex CPU time limit exceeded"
        return "value", self._returned(request, ids, fault)

    def _returned(self, request: Request, ids: list[str], fault: Fault) -> Any:
        rows = [
            {
                "changeEvent": key[: self._button.length],
                "success": key not in request.refused,
                "message": "ok",
            }
            for key in ids
        ]
        if fault is Fault.SHUFFLED:
            self.server.manner.rng.shuffle(rows)
        if fault is Fault.MISSING:
            rows = rows[:-1]
        if self._button.answers in {"rows", "text"} and fault is not Fault.MISSING:
            request.reply = Reply.WHOLE
        answers: dict[str, Callable[[], Any]] = {
            "rows": lambda: rows,
            "nothing": lambda: None,
            "text": lambda: json.dumps({"results": rows}),
            "failure": lambda: {"success": False, "message": "Nothing was queued"},
            "others": lambda: [{**row, "changeEvent": "a0Q000000000001AAA"} for row in rows],
            "changed": lambda: {"version": 2, "jobs": ["7079V00000ABCDEFAA"]},
            "cut": lambda: rows,
        }
        return answers[self._button.answers]()

    # -- /lwr/apex

    def _lwr(self, path: str) -> None:
        button = self._button
        if not self._bearer.startswith(TOKEN):
            self._fail(401, "INVALID_SESSION_ID", "Session expired or invalid")
            return
        if button.lwr in {"redirect", "foreign"}:
            away = "https://evil.example/login" if button.lwr == "foreign" else f"{self.server.url}/login"
            self._html(b"", 302, {"Location": away})
            return
        pages = {
            "absent": (404, _NO_PAGE),
            "no access": (404, b""),
            "forbidden": (403, b"[]"),
            "page": (200, _LOGIN),
        }
        if button.lwr in pages:
            status, body = pages[button.lwr]
            self._html(body, status)
            return
        name = f"{button.namespace}__{button.class_name}" if button.namespace else button.class_name
        *_, class_name, method = path.split("/")
        if (class_name, method) != (name, button.method):
            self._html(b"", 404)
            return
        if self.command != "POST" or button.lwr == "renamed":
            self._json({"errorMessage": "Parameter rows is not defined by the method"}, 400)
            return
        how, value = self._run(json.loads(self._raw or b"{}"), self._bearer)
        if how == "wrong":
            self._json({"errorMessage": value}, 400)
        elif how == "throws":
            self._json({"errorMessage": value}, 500)
        elif button.answers == "cut":
            self._send(200, json.dumps(value).encode()[:-3])
        elif value is None:
            self._send(200, b"")
        else:
            self._json(value)

    # -- the bridge

    def _single(self, _: str) -> None:
        if self._button.single == "absent":
            self._html(_NO_PAGE, 404)
        elif self._button.single == "denied" or not self._bearer.startswith(TOKEN):
            self._html(b"Bad_OAuth_Token", 403)
        else:
            ticket = secrets.token_urlsafe(16)
            self.server.tickets[ticket] = self._bearer
            self._json({"frontdoor_uri": f"{self.server.url}/secur/frontdoor.jsp?otp={ticket}"})

    def _front(self, _: str) -> None:
        form = {key: values[0] for key, values in parse_qs(self._raw.decode()).items()}
        given = {**self._in_address, **form}
        in_address = "sid" in self._in_address
        token = self.server.tickets.pop(given.get("otp", ""), "") or given.get("sid", "")
        closed = self._button.front == "closed" or (self._button.front == "post only" and in_address)
        if not token.startswith(TOKEN) or closed:
            self._html(_LOGIN)
            return
        sid = self.server.new_session(token, lightning=False)
        self._go(0, f"sid={sid}; Path=/; HttpOnly")

    def _go(self, number: int, cookie: str = "") -> None:
        """On to the next hop, or to the page."""
        hops = self._button.hops
        kind = hops[number] if number < len(hops) else "http"
        target = f"/hop/{number + 1}" if number < len(hops) else "/lightning/page/home"
        target = f"{self.server.url}{target}?x=1&y=2"
        headers = {"Set-Cookie": cookie} if cookie else {}
        escaped = target.replace("/", "\\/").replace(":", "\\u003A").replace("&", "\\u0026")
        scripts = {
            "replace": f"window.location.replace('{target}');",
            "href": f'window.location.href="{target}";',
            "escaped": f'if (window.location.replace){{\nwindow.location.replace("{escaped}");\n}}',
            "foreign": "window.location.replace('https://nordwind.my.salesforce.com.evil.example/aura');",
            "loop": f"window.location.replace('{self.server.url}/hop/{number}');",
        }
        if kind in scripts:
            self._html(
                f"<html><head><script>\n{scripts[kind]}\n</script></head></html>".encode(), headers=headers
            )
        elif kind in {"flow", "mfa"}:
            title = "Login Flow" if kind == "flow" else "Verify Your Identity"
            self._html(
                f"<html><head><title>{title}</title></head><body>Go on</body></html>".encode(),
                headers=headers,
            )
        else:
            self._html(b"", 302, {"Location": target, **headers})

    def _session(self) -> _Session | None:
        for part in self.headers.get("Cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == "sid" and value in self.server.sessions:
                return self.server.sessions[value]
        return None

    def _hop(self, path: str) -> None:
        if self._session() is None:
            self._html(_LOGIN)
            return
        self._go(int(path.rpartition("/")[2]))

    def _lightning(self, _: str) -> None:
        between = next((hop for hop in self._button.hops if hop in {"flow", "mfa"}), None)
        if between:  # it stands in the way of every page until a person has gone through it
            self._go(self._button.hops.index(between))
            return
        session = self._session()
        if session is None:
            self._html(_LOGIN)
            return
        sid = self.server.new_session(session.token, lightning=True)
        token = f"eyJub25jZSI6{secrets.token_hex(20)}..secret"
        old = self._button.page == "stale"
        since = self._org.clock.now() - (_COOKIE_LASTS + 10 if old else 0)
        self.server.sessions[sid].csrf[token] = since
        context = {
            "mode": "PROD",
            "fwuid": self.server.fwuid,
            "app": "one:one",
            "loaded": {"APPLICATION@markup://one:one": "77_x"},
        }
        config: dict[str, Any] = {"deftype": "APPLICATION", "ns": {"internal": ["aura"]}, "host": "/x;}{"}
        cookies = [f"sid={sid}; Path=/; HttpOnly"]
        if self._button.page == "inline":
            config["token"] = token
        elif self._button.page == "none":
            config["token"] = None
        else:
            name = f"__Host-ERIC_PROD-{secrets.randbelow(10**12)}"
            config["eikoocnekot"] = name
            cookies.append(f"{name}={token}; Path=/; Max-Age=60; Secure")
        if self._button.page != "urls":
            config["context"] = context
        where = quote(json.dumps(context, separators=(",", ":")), safe="")
        body = (
            f'<html><head><title>Home</title><script src="/l/{where}/inline.js?jwt=1"></script>'
            f"<script>\nvar auraConfig = {json.dumps(config)};\n</script>"
            f'<script src="/l/{where}/app.js"></script></head></html>'
        ).encode()
        self.send_response(200)
        for cookie in cookies:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    # -- /aura

    def _aura(self, _: str) -> None:
        odd = self._button.oddities.pop(0) if self._button.oddities else self._button.always
        session = self._session()
        if odd == "401" and session is not None:
            self.server.sessions.clear()
            session = None
        if session is None or not session.lightning:
            self._framework(_RefusedError("invalidSession", "Guest user access is not allowed"), "bare", 401)
            return
        if odd == "empty":
            self._send(200, b"")
            return
        if odd in {"login", "maintenance"}:
            self._html(_LOGIN, 503 if odd == "maintenance" else 200)
            return
        try:
            form = {key: values[0] for key, values in parse_qs(self._raw.decode()).items()}
            self._check(form, session, odd)
            actions = json.loads(form["message"])["actions"]
            answers = [self._result(action, session, odd) for action in actions]
        except _RefusedError as refused:
            self._framework(refused, odd)
            return
        answers = [one for one in answers if one is not None]
        if odd == "foreign first":
            answers.insert(
                0, {"id": "99;z", "state": "SUCCESS", "returnValue": {"returnValue": []}, "error": []}
            )
        body = json.dumps({"actions": answers, "context": {"fwuid": self.server.fwuid}})
        if odd == "while":
            body = f"while(1);\n{body}"
        if self._button.answers == "cut" or odd == "cut":
            body = body[: len(body) // 2]
        self._send(200, body.encode())

    def _framework(self, refused: _RefusedError, odd: str, status: int = 200) -> None:
        name = f"markup://aura:{refused.event}"
        event = {
            "descriptor": name,
            "attributes": {"values": refused.values},
            "eventDef": {"descriptor": name},
        }
        body = json.dumps({"event": event, "exceptionMessage": str(refused), "exceptionEvent": True})
        self._send(status, (body if "bare" in odd else f"*/{body}/*ERROR*/").encode())

    def _check(self, form: Mapping[str, str], session: _Session, odd: str) -> None:
        """Format, message, fwuid, token, in the order of the servlet."""
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        if self.command != "POST" or kind != "application/x-www-form-urlencoded":
            raise _RefusedError("systemError", "Not a form")
        for name in ("message", "aura.context"):
            if name not in form:
                raise _RefusedError("systemError", f"Missing parameter value for {name}")
        actions = json.loads(form["message"]).get("actions")
        if not actions or any(not isinstance(action.get("id"), str) for action in actions):
            raise _RefusedError("systemError", "An action needs an id")
        sent = json.loads(form["aura.context"]).get("fwuid")
        if odd in {"out of sync", "bare out of sync"}:
            self.server.fwuid = secrets.token_urlsafe(12)
        if sent != self.server.fwuid:
            raise _RefusedError(
                "clientOutOfSync", f"Framework has been updated. Expected: {self.server.fwuid} Actual: {sent}"
            )
        if "aura.token" not in form:
            raise _RefusedError("systemError", "Missing parameter value for aura.token")
        if odd.startswith("token"):
            session.csrf.clear()
            new: dict[str, Any] = {"newToken": "invalid_csrf" if odd == "token invalid" else None}
            if odd == "token new":
                new = {"newToken": f"eyJub25jZSI6{secrets.token_hex(20)}..secret"}
                session.csrf[str(new["newToken"])] = self._org.clock.now()
            raise _RefusedError("invalidSession", "Invalid token", **new)
        since = session.csrf.get(form["aura.token"])
        if since is None or self._org.clock.now() - since > _COOKIE_LASTS:
            raise _RefusedError("invalidSession", "Expected 3 tokens in all", newToken="invalid_csrf")

    def _result(self, action: Mapping[str, Any], session: _Session, odd: str) -> dict[str, Any] | None:
        button, lwc = self._button, self._button.style == "lwc"
        failed = {"id": action["id"], "state": "ERROR", "returnValue": None}
        if odd == "out of sync inside":
            self.server.fwuid = secrets.token_urlsafe(12)
            event = {"descriptor": "markup://aura:clientOutOfSync", "attributes": {"values": {}}}
            return {**failed, "error": [{"exceptionEvent": True, "useDefault": False, "event": event}]}
        called = action.get("params") or {}
        if lwc:
            fits = action.get("descriptor") == EXECUTE and (
                called.get("namespace"), called.get("classname"), called.get("method")
            ) == (button.namespace, button.class_name, button.method)  # fmt: skip
            params = called.get("params", {})
        else:
            descriptor = f"apex://{button.namespace}.{button.class_name}/ACTION${button.method}"
            fits = (action.get("descriptor"), action.get("callingDescriptor")) == (descriptor, button.calling)
            params = called
        if odd == "missing" or not fits:
            return None
        if odd == "no access":
            text = f"You do not have access to the Apex class named '{button.namespace}.{button.class_name}'."
            return {**failed, "error": [{"message": text}]}
        how, value = self._run(params, session.token)
        if how != "value":
            return {
                **failed,
                "error": [
                    {
                        "exceptionType": "System.LimitException",
                        "message": value,
                        "stackTrace": "Class.X: line 1",
                    }
                ],
            }
        returned = {"returnValue": value, "cacheable": False} if lwc else value
        if lwc and value is None:
            returned = {"cacheable": False}
        return {"id": action["id"], "state": "SUCCESS", "returnValue": returned, "error": []}
