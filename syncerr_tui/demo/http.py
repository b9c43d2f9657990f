"""HTTP requests and responses as values; bodies read, answers encoded. Knows nothing of Salesforce."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote

MAX_HEAD = 16_384
"""Bytes of URI and headers together (Salesforce, API request limits): more is 414 or 431."""
MAX_BODY = 50 * 1024 * 1024
MAX_ANONYMOUS_BODY = 64 * 1024
"""Bytes of a body whose sender has shown no token: enough for every login."""
HTML = "text/html;charset=UTF-8"
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_FROM = 1_024


class Refused(Exception):  # noqa: N818 - not every answer that ends a request is an error
    """A request that ends here, with this answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(slots=True)
class Response:
    """An answer. A body that is no bytes is sent as JSON; None sends none."""

    status: int
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"
    close: bool = False
    """Close the connection after it."""

    def payload(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def error(status: int, code: str, message: str, fields: list[str] | None = None) -> Response:
    """An error in the form of every REST resource: a list of one."""
    entry: dict[str, object] = {"message": message, "errorCode": code}
    if fields is not None:
        entry["fields"] = fields
    return Response(status, [entry])


def refused(status: int, code: str, message: str, fields: list[str] | None = None) -> Refused:
    """An error that ends the request."""
    return Refused(error(status, code, message, fields))


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are in lower case; `path` is unquoted later, segment by segment."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    keep_alive: bool = True

    @property
    def path(self) -> str:
        """The path without the query, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def segments(self) -> tuple[str, ...]:
        """The path's parts, decoded; a trailing slash and doubled slashes make no part."""
        return tuple(unquote(part) for part in self.path.split("/") if part)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the last counts."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> object:
        """The body as JSON.

        Raises:
            Refused: 400 JSON_PARSER_ERROR.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as problem:
            message = str(problem) if self.body else "No content to map to Object due to end of input"
            raise Refused(error(400, "JSON_PARSER_ERROR", message)) from None


def bad_request(status: int, code: str, message: str) -> Refused:
    """A request that cannot be read on; the connection is of no use afterwards."""
    response = error(status, code, message)
    response.close = True
    return Refused(response)


def read_body(source: BinaryIO, headers: Mapping[str, str], limit: int) -> bytes:
    """A request's body: with Content-Length, in chunks, or none; unpacked where it is gzip.

    Args:
        source: What follows the head.
        headers: By name in lower case.
        limit: Most bytes, before and after unpacking.

    Raises:
        Refused: 400, it cannot be read; 413, it is over the limit.
    """
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise bad_request(400, "BAD_REQUEST", "The body's framing cannot be read")
        body = _read_chunks(source, limit)
    else:
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise bad_request(400, "BAD_REQUEST", "Content-Length is no number")
        if len(length) > len(str(limit)) or int(length) > limit:
            raise _too_large(limit)
        body = _exactly(source, int(length))
    if body and headers.get("content-encoding", "").lower() == "gzip":
        unpacker = zlib.decompressobj(_GZIP)
        try:
            body = unpacker.decompress(body, limit)
        except zlib.error:
            raise bad_request(400, "BAD_REQUEST", "The body is no gzip") from None
        if unpacker.unconsumed_tail:
            raise _too_large(limit)
    return body


def _too_large(limit: int) -> Refused:
    return bad_request(413, "REQUEST_ENTITY_TOO_LARGE", f"The body is over {limit:,} bytes")


def _exactly(source: BinaryIO, length: int) -> bytes:
    data = source.read(length)
    if len(data) < length:
        raise bad_request(400, "BAD_REQUEST", "The body ended early")
    return data


def _read_chunks(source: BinaryIO, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        head = source.readline(1_024).partition(b";")[0].strip()
        try:
            length = int(head, 16)
        except ValueError:
            length = -1
        size += length
        if size > limit:
            raise _too_large(limit)
        if length < 0 or head[:1] in {b"+", b"-"}:
            raise bad_request(400, "BAD_REQUEST", "A chunk of the body cannot be read")
        if length == 0:
            break
        pieces.append(_exactly(source, length))
        if source.readline(3).strip():
            raise bad_request(400, "BAD_REQUEST", "A chunk of the body does not end")
    trailer = 0
    while line := source.readline(MAX_HEAD).strip():
        trailer += len(line)
        if trailer > MAX_HEAD:
            raise bad_request(431, "REQUEST_HEADER_FIELDS_TOO_LARGE", "The trailer is over 16,384 bytes")
    return b"".join(pieces)


def encode_response(request: Request | None, response: Response, date: str) -> bytes:
    """An answer's head and body in one piece; `request` is None where it could not be read."""
    body = response.payload()
    headers = {"Date": date, **response.headers}
    bodiless = response.status in {204, 304} or response.status < 200
    if body and not bodiless:
        headers["Content-Type"] = response.content_type
        accepted = request.headers.get("accept-encoding", "") if request else ""
        if len(body) >= _GZIP_FROM and "gzip" in accepted:
            packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
            body = packer.compress(body) + packer.flush()
            headers["Content-Encoding"] = "gzip"
            headers["Vary"] = "Accept-Encoding"
    if not bodiless:
        headers["Content-Length"] = str(len(body))
    if response.close or request is None or not request.keep_alive:
        headers["Connection"] = "close"
    head = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
    head += [f"{name}: {value}" for name, value in headers.items()]
    silent = bodiless or (request is not None and request.method == "HEAD")
    return ("\r\n".join(head) + "\r\n\r\n").encode("iso-8859-1", "replace") + (b"" if silent else body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
