"""A HAR file, as Chrome, Edge, Firefox and Safari export one, read into the requests that it recorded.

HAR 1.2 says that a body's text and its params exclude each other; browsers write both, one or neither.
Chrome's params are percent-encoded, Firefox's are not, Safari's are often empty. "Sanitized" exports lack
cookies and the Authorization header, which is all the same to us: what identifies a session is never read.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

from syncerr_tui.errors import BadInputError

LARGEST_FILE = 200_000_000
"""Bytes. A whole page load with its answers has tens of megabytes, one press some hundred kilobytes."""
_LARGEST_BODY = 20_000_000
"""Bytes of one body when it is unpacked; what is longer is cut, and then no JSON."""
_SECRET_HEADERS = frozenset({"cookie", "set-cookie", "authorization", "x-csrf-token", "proxy-authorization"})
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request and what is known of its answer. No host, no cookie, no credential."""

    method: str
    """`GET`, `POST` ... in capitals."""
    path: str
    """Path of the address, percent-decoded, without host and query."""
    headers: Mapping[str, str]
    """Names in lower case; those that carry credentials are left out."""
    text: str | None
    """The body as it was sent; None where the recording has none."""
    form: Mapping[str, str]
    """Decoded fields of a form body; empty where it is none."""
    status: int
    answer: str
    """Text of the answer; empty where the browser did not keep it."""


def read_har(data: bytes) -> list[Exchange]:
    """The requests in a HAR file, in the order in which they were recorded.

    Raises:
        BadInputError: This is no HAR, it is cut short, or it is larger than `LARGEST_FILE`.
    """
    if len(data) > LARGEST_FILE:
        raise BadInputError(
            f"This recording is larger than {LARGEST_FILE // 1_000_000} MB",
            "Clear the log, press only Re-sync, and export again",
        )
    if data.startswith((b"\x1f\x8b", b"PK")):
        raise BadInputError("This HAR file is compressed", "Unpack it, and name the .har file that was in it")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise _not_har() from None
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        raise _not_har()
    exchanges = (_exchange(entry) for entry in entries if isinstance(entry, dict))
    return [exchange for exchange in exchanges if exchange is not None]


def _not_har() -> BadInputError:
    return BadInputError(
        "This file is not a complete HAR export",
        "Export it from the Network tab of the browser's developer tools (Chrome: Export HAR (sanitized))",
    )


def _exchange(entry: Mapping[str, object]) -> Exchange | None:
    request, response = entry.get("request"), entry.get("response")
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        return None
    try:
        address = urlsplit(request["url"])
    except ValueError:
        return None
    headers = _headers(request.get("headers"))
    post = request.get("postData")
    text, form = _body(post if isinstance(post, dict) else {}, headers)
    status = response.get("status") if isinstance(response, dict) else None
    return Exchange(
        method=str(request.get("method", "")).upper(),
        path=unquote(address.path),
        headers=headers,
        text=text,
        form=form,
        status=status if isinstance(status, int) else 0,
        answer=_answer(response),
    )


def _headers(recorded: object) -> dict[str, str]:
    headers: dict[str, str] = {}
    for header in recorded if isinstance(recorded, list) else ():
        if isinstance(header, dict) and isinstance(header.get("name"), str):
            name = header["name"].lower()
            if name not in _SECRET_HEADERS:
                headers[name] = str(header.get("value", ""))
    return headers


def _body(post: Mapping[str, object], headers: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
    mime = post.get("mimeType") or headers.get("content-type") or ""
    mime = str(mime).partition(";")[0].strip().lower()
    text = post.get("text")
    text = text if isinstance(text, str) and text else None
    if text is not None and post.get("encoding") == "base64":
        text = _from_base64(text)
    form: dict[str, str] = {}
    if text is not None and mime in {_FORM, "text/plain", ""}:
        form = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
    params = post.get("params")
    for param in params if isinstance(params, list) and not form else ():
        if isinstance(param, dict) and isinstance(param.get("name"), str):
            form[unquote_plus(param["name"])] = _param_value(str(param.get("value") or ""))
    return text, form


def _param_value(value: str) -> str:
    """A form value: Chrome writes it percent-encoded, Firefox decoded; JSON tells which."""
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return unquote_plus(value)
    return value


def _answer(response: object) -> str:
    content = response.get("content") if isinstance(response, dict) else None
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(text, str):
        return ""
    return _from_base64(text) if content.get("encoding") == "base64" else text


def _from_base64(text: str) -> str:
    try:
        data = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return ""
    return _unpacked(data).decode("utf-8", errors="replace")


def _unpacked(data: bytes) -> bytes:
    """A body as it was before it was packed for the wire (gzip or zlib): proxies record it as it went."""
    if data[:1] not in {b"\x1f", b"x"}:
        return data
    try:
        return zlib.decompressobj(wbits=47).decompress(data, _LARGEST_BODY)
    except zlib.error:
        return data
