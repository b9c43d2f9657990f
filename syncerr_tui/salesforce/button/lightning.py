"""What Lightning's pages and its /aura endpoint say, and what is said to them. Pure: text in, values out.

None of this is documented by Salesforce. The facts are those of the framework's open-source servlet and of
clients that work today: the context stands in `auraConfig` of the page, the token in a cookie that the page
names under the key `eikoocnekot` ("token cookie" backwards), or, on older pages, in the config itself.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import cast
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from syncerr_tui.salesforce.button.template import Json
from syncerr_tui.salesforce.faults import quotable
from syncerr_tui.text import one_line

PAGE = "/lightning/page/home"
_CONFIG = re.compile(r"\bauraConfig\s*=\s*(?=\{)")
_CONTEXT_IN_ADDRESS = re.compile(r"/l/(%7B[^/\"'\s]+)", re.IGNORECASE)
_SCRIPT_REDIRECT = re.compile(
    r"(?:window\.|document\.|self\.|top\.)?location"
    r"(?:\.(?:replace|assign)\(\s*|(?:\.href)?\s*=\s*)(['\"])(?P<address>.{1,4000}?)\1",
    re.DOTALL,
)
_TITLE = re.compile(r"<title[^>]*>(.{1,300}?)</title>", re.IGNORECASE | re.DOTALL)
_UNICODE_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\(.)")
_CONTEXT_KEYS = ("mode", "fwuid", "app", "loaded", "dn", "globals", "uad")
# Sentences of the framework, said before any code runs, as a whole: code that ran may say no of a record in
# words of its own.
_NOT_ALLOWED = re.compile(r"You do not have access to the Apex class\b", re.IGNORECASE)
_MISSING_ACTION = re.compile(r"No apex action available|Unable to find action '", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LightningPage:
    """A Lightning page that was opened: what the next call needs. Kept in memory only."""

    context: Mapping[str, Json]
    token: str


def own_hosts(instance_url: str, address: str) -> bool:
    """Whether an address lies in the org that `instance_url` names, and may get this session.

    The host keeps the org's My Domain name and ends in one of Salesforce's domains for it. On loopback (the
    demo org) it is the same origin.
    """
    try:
        home, there = urlsplit(instance_url), urlsplit(address)
        home_port, port = home.port, there.port
    except ValueError:
        return False
    if home.scheme == "http":
        return (there.scheme, there.hostname, port) == (home.scheme, home.hostname, home_port)
    if there.scheme != "https" or there.username or there.password or port not in {None, 443, home_port}:
        return False
    here, host = (home.hostname or "").lower(), (there.hostname or "").lower()
    if host == here and port == home_port:
        return True
    own = here.partition(".")[0]
    # Visualforce hosts put a package's namespace behind the My Domain name: `acme--s-c.vf.force.com`.
    name = host.partition(".")[0]
    same = name == own or name.startswith(own + "--")
    return same and host.endswith((".salesforce.com", ".force.com")) and _same_kind(here, host)


def _same_kind(here: str, host: str) -> bool:
    """Whether both are of one kind of org: `.sandbox.`, `.develop.` and the like stand in all its hosts."""
    kind = [part for part in here.split(".")[1:-2] if part != "my"]
    return not kind or kind[0] in host.split(".")


def lightning_host(instance_url: str) -> str:
    """Scheme and host of the org's Lightning pages."""
    return re.sub(r"\.my\.salesforce\.com\b", ".lightning.force.com", instance_url.rstrip("/"))


def script_redirect(page: str, at: str) -> str | None:
    """Where a page's script sends the browser, as an absolute address; None where it stays."""
    if _CONFIG.search(page):
        return None
    match = _SCRIPT_REDIRECT.search(page)
    if match is None:
        return None
    address = html.unescape(_UNICODE_ESCAPE.sub(_unescaped, match["address"]))
    try:
        return urljoin(at, address)
    except ValueError:
        return None


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else match[3]


def read_page(page: str, cookies: Mapping[str, str]) -> LightningPage | None:
    """Context and token of an opened page; None where it is no page of a session (a login page, say).

    Args:
        page: The HTML.
        cookies: Those that this very response set.
    """
    config = _config(page)
    context = config.get("context")
    if not isinstance(context, Mapping):
        context = _context_of_scripts(page)
    if not context or not isinstance(context.get("fwuid"), str):
        return None
    named = config.get("eikoocnekot")
    token: Json = cookies.get(named) if isinstance(named, str) else None
    if not token:
        token = config.get("token") or config.get("csrfToken")
    if not isinstance(token, str) or not token or token in {"null", "undefined"}:
        return None
    return LightningPage({key: context[key] for key in _CONTEXT_KEYS if key in context}, token)


def _config(page: str) -> Mapping[str, Json]:
    for match in _CONFIG.finditer(page):
        try:
            config, _end = json.JSONDecoder().raw_decode(page, match.end())
        except (ValueError, RecursionError):
            continue
        if isinstance(config, dict):
            return cast("Mapping[str, Json]", config)
    return {}


def _context_of_scripts(page: str) -> Mapping[str, Json]:
    for match in _CONTEXT_IN_ADDRESS.finditer(page):
        try:
            context = json.loads(unquote(html.unescape(match[1])))
        except (ValueError, RecursionError):
            continue
        if isinstance(context, dict):
            return cast("Mapping[str, Json]", context)
    return {}


def page_title(page: str) -> str:
    """The page's title in one harmless line; empty where it has none."""
    match = _TITLE.search(page)
    return one_line(html.unescape(match[1]))[:80] if match else ""


def action_form(action: Mapping[str, Json], page: LightningPage) -> str:
    """The body of a POST to /aura that carries one action."""
    context = {"dn": [], "globals": {}, "uad": True, **page.context}
    return urlencode(
        {
            "message": _compact({"actions": [action]}),
            "aura.context": _compact(context),
            "aura.pageURI": PAGE,
            "aura.token": page.token,
        }
    )


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


class AuraOutcome(Enum):
    """What an answer of /aura says about the one action that was sent."""

    RETURNED = auto()
    OUT_OF_SYNC = auto()
    """The framework was updated. Nothing ran: the server checks this first."""
    INVALID_SESSION = auto()
    """The token is refused. Nothing ran."""
    NO_ACCESS = auto()
    """This user may not run the class, or not open the app. Nothing ran."""
    NO_SUCH_ACTION = auto()
    """No such class or method. Nothing ran."""
    MALFORMED = auto()
    """The framework did not understand the request. Nothing ran."""
    LOGIN_PAGE = auto()
    """A page in place of an answer, with a status that refuses (401, 403, a redirect). Nothing ran."""
    UNCLEAR = auto()
    """Anything else, also an exception of the Apex code: it may have run."""


@dataclass(frozen=True, slots=True)
class AuraAnswer:
    """An answer of /aura, read for one action."""

    outcome: AuraOutcome
    value: Json = None
    """What the method returned."""
    words: str = ""
    """The server's own sentence, harmless and short."""
    new_token: str = ""
    """INVALID_SESSION only: a token to try instead."""


_EVENTS = {
    "clientoutofsync": AuraOutcome.OUT_OF_SYNC,
    "invalidsession": AuraOutcome.INVALID_SESSION,
    "noaccess": AuraOutcome.NO_ACCESS,
}


def read_aura_answer(status: int, text: str, action_id: str) -> AuraAnswer:
    """Read the answer to a POST of one action."""
    body = text.strip().removeprefix("while(1);").removeprefix(")]}'").strip()
    framework = body.startswith("*/")
    body = body.removeprefix("*/").removesuffix("/*ERROR*/").strip()
    if body.startswith("<") or 300 <= status < 400:
        refused = status in {401, 403} or 300 <= status < 400
        return AuraAnswer(AuraOutcome.LOGIN_PAGE if refused else AuraOutcome.UNCLEAR, words=page_title(body))
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        # An empty body with status 200 is what some servers give for an empty token; 401 always means that.
        return AuraAnswer(AuraOutcome.INVALID_SESSION if status == 401 else AuraOutcome.UNCLEAR)
    if not isinstance(answer, dict):
        return AuraAnswer(AuraOutcome.UNCLEAR)
    if not answer.get("actions") and (event := _event(answer)):
        return event
    if status >= 500:
        return AuraAnswer(AuraOutcome.UNCLEAR, words=quotable(answer.get("message")))
    if framework or "actions" not in answer:
        words = quotable(answer.get("message") or answer.get("exceptionMessage"))
        if _MISSING_ACTION.match(words):
            return AuraAnswer(AuraOutcome.NO_SUCH_ACTION, words=words)
        return AuraAnswer(
            AuraOutcome.MALFORMED if framework and "aura.token" in words else AuraOutcome.UNCLEAR, words=words
        )
    return _action(answer, action_id)


def _event(holder: Mapping[str, Json]) -> AuraAnswer | None:
    """The framework's exception in an answer or in an action's error; None where there is none."""
    event = holder.get("event")
    if not isinstance(event, Mapping):
        return None
    descriptor = str(event.get("descriptor") or "").rpartition(":")[2].lower()
    words = quotable(holder.get("exceptionMessage") or _deep_message(event))
    meaning = _EVENTS.get(descriptor)
    if meaning is AuraOutcome.INVALID_SESSION:
        attributes = event.get("attributes")
        values = attributes.get("values") if isinstance(attributes, Mapping) else None
        token = values.get("newToken") if isinstance(values, Mapping) else None
        good = isinstance(token, str) and token not in {"", "null", "invalid_csrf"}
        return AuraAnswer(meaning, words=words, new_token=str(token) if good else "")
    if meaning is not None:
        return AuraAnswer(meaning, words=words)
    if _MISSING_ACTION.match(words):
        return AuraAnswer(AuraOutcome.NO_SUCH_ACTION, words=words)
    if descriptor == "systemerror" and "Missing parameter" in words:
        return AuraAnswer(AuraOutcome.MALFORMED, words=words)
    if _NOT_ALLOWED.match(words):
        return AuraAnswer(AuraOutcome.NO_ACCESS, words=words)
    return AuraAnswer(AuraOutcome.UNCLEAR, words=words)


def _deep_message(event: Mapping[str, Json]) -> Json:
    """The sentence in an event's `attributes.values.error.message`."""
    value: Json = event
    for step in ("attributes", "values", "error", "message"):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _action(answer: Mapping[str, Json], action_id: str) -> AuraAnswer:
    actions = answer.get("actions")
    rows = [one for one in actions if isinstance(one, Mapping)] if isinstance(actions, list) else []
    mine = [one for one in rows if one.get("id") == action_id]
    if len(mine) != 1:
        return AuraAnswer(AuraOutcome.UNCLEAR, words="The answer does not mention the call")
    result = mine[0]
    if result.get("state") == "SUCCESS":
        return AuraAnswer(AuraOutcome.RETURNED, result.get("returnValue"))
    errors = result.get("error")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            if event := _event(error):
                return event
            words = quotable(error.get("message"))
            if _NOT_ALLOWED.match(words):
                return AuraAnswer(AuraOutcome.NO_ACCESS, words=words)
            if _MISSING_ACTION.match(words):
                return AuraAnswer(AuraOutcome.NO_SUCH_ACTION, words=words)
            return AuraAnswer(AuraOutcome.UNCLEAR, words=words)
    return AuraAnswer(AuraOutcome.UNCLEAR)
