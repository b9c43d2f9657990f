"""The Metadata API over SOAP: readMetadata, updateMetadata and listMetadata, `/services/Soap/m/NN.0`.

Components go in and out whole, as XML: nil elements as nil, repeated elements as lists. An `xsi:type` must
resolve to a type of the metadata namespace by the prefixes that are in force where it stands.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import cast
from xml.etree import ElementTree as ET

from syncerr_tui.demo.components import Component
from syncerr_tui.demo.http import Request, Response
from syncerr_tui.demo.metadata import TYPES
from syncerr_tui.demo.oauth import Sessions
from syncerr_tui.demo.rest import about
from syncerr_tui.demo.rest.tooling import Setup
from syncerr_tui.demo.save_errors import SaveFault

NAMESPACE = "http://soap.sforce.com/2006/04/metadata"
MOST_COMPONENTS = 10
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE = "text/xml;charset=UTF-8"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)
_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns:sf="{NAMESPACE}"><soapenv:Body><soapenv:Fault><faultcode>sf:{{0}}</faultcode>'
    "<faultstring>{0}: {1}</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)
_LISTS = frozenset({
    "actions", "countries", "customValue", "duplicateRuleFilterItems", "duplicateRuleMatchRules",
    "operationsOnInsert", "operationsOnUpdate", "picklistValues", "standardValue", "states", "values",
})  # fmt: skip
_NUMBERS = frozenset({"activeVersionNumber", "length", "precision", "scale", "sortOrder"})
_FLAGS = frozenset({
    "active", "default", "externalId", "isActive", "orgDefault", "required", "restricted",
    "shouldEvaluateOnClient", "sorted", "standard", "trackHistory", "trackTrending", "unique", "visible",
})  # fmt: skip


class MetadataFault(Exception):  # noqa: N818 - a fault is what SOAP calls it
    """A SOAP fault."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer(setup: Setup, sessions: Sessions, request: Request) -> Response:
    """Answer a POST to `/services/Soap/m/NN.0[/...]`."""
    try:
        return Response(
            200, _ENVELOPE.format(_answered(setup, sessions, request)).encode(), content_type=_TYPE
        )
    except MetadataFault as fault:
        text = _FAULT.format(fault.code, escape(str(fault)))
        return Response(500, text.encode(), content_type=_TYPE)


def _answered(setup: Setup, sessions: Sessions, request: Request) -> str:
    version = re.fullmatch(r"/services/Soap/m/(\d\d)\.0(?:/\w*)?/?", request.path)
    if request.method != "POST" or version is None:
        raise MetadataFault("UNKNOWN_EXCEPTION", "must use HTTP POST to a versioned address")
    if not about.FIRST_VERSION <= int(version[1]) <= about.LAST_VERSION:
        raise MetadataFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    envelope, types = _parsed(request.body)
    parts = _children(envelope)
    token = _header(parts, "sessionId")
    setup.context.count()
    refuses = setup.context.faults.fires("soap-refuses-token", request)
    if refuses or token.startswith("eyJ") or not sessions.knows(token):
        raise MetadataFault(
            "INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session"
        )
    call = next(iter(parts.get("Body", ())), None)
    if call is None:
        raise MetadataFault("INVALID_OPERATION", "The body holds no operation")
    match _name(call):
        case "readMetadata":
            return _read(setup, call, request)
        case "updateMetadata":
            all_or_none = _header(parts, "allOrNone") == "true"
            return _update(setup, call, types, request, all_or_none=all_or_none)
        case "listMetadata":
            return _list(setup, call)
        case other:
            raise MetadataFault("INVALID_OPERATION", f"The operation {other} is not offered here")


def _parsed(body: bytes) -> tuple[ET.Element, dict[ET.Element, tuple[str, str]]]:
    """The envelope, and each element's `xsi:type` as namespace and name.

    Raises:
        MetadataFault: It cannot be read, or a type's prefix is not declared.
    """
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise MetadataFault("UNKNOWN_EXCEPTION", "A document type is not allowed")
    declared: list[tuple[str, str]] = []
    types: dict[ET.Element, tuple[str, str]] = {}
    root: ET.Element | None = None
    try:
        for event, item in ET.iterparse(io.BytesIO(body), ("start-ns", "end-ns", "start")):  # noqa: S314 - see above
            if event == "start-ns":
                declared.append(cast("tuple[str, str]", item))
            elif event == "end-ns":
                declared.pop()
            else:
                node = cast("ET.Element", item)
                root = node if root is None else root
                written = node.get(f"{{{_XSI}}}type")
                if written:
                    prefix, _colon, name = written.rpartition(":")
                    known = dict(declared)
                    if prefix and prefix not in known:
                        raise MetadataFault("UNKNOWN_EXCEPTION", f"The prefix {prefix} is not declared")
                    types[node] = known.get(prefix, ""), name
    except ET.ParseError as problem:
        raise MetadataFault("UNKNOWN_EXCEPTION", f"The request is no XML: {problem}") from None
    if root is None or _name(root) != "Envelope":
        raise MetadataFault("UNKNOWN_EXCEPTION", "The request is no SOAP envelope")
    return root, types


def _name(node: ET.Element) -> str:
    return node.tag.rpartition("}")[2]


def _children(node: ET.Element) -> dict[str, ET.Element]:
    return {_name(child): child for child in node}


def _header(parts: Mapping[str, ET.Element], name: str) -> str:
    """The text of an element of the envelope's header; empty where there is none."""
    nodes = parts["Header"].iter() if "Header" in parts else ()
    return next(((node.text or "").strip() for node in nodes if _name(node) == name), "")


def _known_type(kind: str) -> str:
    if kind not in TYPES:
        raise MetadataFault("INVALID_TYPE", f"Unknown type: {kind}")
    return kind


def _read(setup: Setup, call: ET.Element, request: Request) -> str:
    kind = _known_type(next((node.text or "" for node in call if _name(node) == "type"), ""))
    names = [(node.text or "").strip() for node in call if _name(node) == "fullNames"]
    if not 0 < len(names) <= MOST_COMPONENTS:
        raise MetadataFault("LIMIT_EXCEEDED", f"A call may name 1 to {MOST_COMPONENTS} components")
    records = []
    for name in names:
        component = setup.read(kind, name, request)
        if component is None:
            records.append('<records xsi:nil="true"/>')
        else:
            inner = _xml({"fullName": name, **{k: v for k, v in component.items() if k != "urls"}})
            records.append(f'<records xsi:type="{kind}">{inner}</records>')
    return f"<readMetadataResponse><result>{''.join(records)}</result></readMetadataResponse>"


def _list(setup: Setup, call: ET.Element) -> str:
    results = []
    for query in call:
        if _name(query) == "queries":
            kind = _known_type(next((node.text or "" for node in query if _name(node) == "type"), ""))
            for name in setup.catalog.names(kind):
                managed = "installed" if setup.catalog.is_managed(kind, name) else "unmanaged"
                inner = _xml({"fullName": name, "manageableState": managed, "type": kind})
                results.append(f"<result>{inner}</result>")
    return f"<listMetadataResponse>{''.join(results)}</listMetadataResponse>"


def _update(
    setup: Setup,
    call: ET.Element,
    types: Mapping[ET.Element, tuple[str, str]],
    request: Request,
    *,
    all_or_none: bool,
) -> str:
    sent = [node for node in call if _name(node) == "metadata"]
    if not 0 < len(sent) <= MOST_COMPONENTS:
        raise MetadataFault("LIMIT_EXCEEDED", f"A call may change 1 to {MOST_COMPONENTS} components")
    named = {types.get(node, ("", "")) for node in sent}
    if len(named) != 1:
        raise MetadataFault("INVALID_TYPE", "All components of a call must be of one type")
    namespace, kind = named.pop()
    if namespace != NAMESPACE:
        raise MetadataFault(
            "INVALID_TYPE", f"The type {kind or 'of metadata'} is not of the metadata namespace"
        )
    _known_type(kind)
    components = [cast("Component", _value("metadata", node)) for node in sent]
    results: list[list[SaveFault]] = []
    with setup.context.org.alone():
        before = {
            str(c.get("fullName")): setup.catalog.read(kind, str(c.get("fullName"))) for c in components
        }
        for place, component in enumerate(components):
            name = str(component.get("fullName") or "")
            if place % 2 and setup.context.faults.fires("setup-half-done", request):
                results.append([SaveFault("UNKNOWN_EXCEPTION", "This component could not be changed")])
            else:
                results.append(setup.write(kind, name, component, request))
        if all_or_none and any(results):
            for name, was in before.items():
                if was is not None:
                    setup.catalog.write(kind, name, was, in_setup=True)
    inner = "".join(
        _saved(str(component.get("fullName") or ""), faults)
        for component, faults in zip(components, results, strict=True)
    )
    return f"<updateMetadataResponse>{inner}</updateMetadataResponse>"


def _saved(name: str, faults: Sequence[SaveFault]) -> str:
    errors = [{"fields": list(f.fields), "message": f.message, "statusCode": f.code} for f in faults]
    result: Component = {"errors": errors, "fullName": name, "success": not faults}
    return f"<result>{_xml(result)}</result>"


def _xml(component: Mapping[str, object]) -> str:
    return "".join(_element(name, value) for name, value in component.items())


def _element(name: str, value: object) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, list):
        return "".join(_element(name, each) for each in value)
    if isinstance(value, dict):
        return f"<{name}>{_xml(value)}</{name}>"
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{escape(str(value), quote=False)}</{name}>"


def _value(name: str, node: ET.Element) -> object:
    """What an element holds. Strings are trimmed, as the Metadata API does."""
    if (node.get(f"{{{_XSI}}}nil") or "") in {"true", "1"}:
        return None
    if len(node):
        component: Component = {}
        for child in node:
            key = _name(child)
            if f"{{{NAMESPACE}}}" not in child.tag:
                raise MetadataFault(
                    "UNKNOWN_EXCEPTION", f"The element {key} is not of the metadata namespace"
                )
            value = _value(key, child)
            if key in _LISTS or (key == "value" and name == "valueSetDefinition"):
                cast("list[object]", component.setdefault(key, [])).append(value)
            elif key in component:
                raise MetadataFault("UNKNOWN_EXCEPTION", f"The element {key} occurs twice")
            else:
                component[key] = value
        return component
    text = (node.text or "").strip()
    if name in _FLAGS:
        if text not in {"true", "false", "1", "0"}:
            raise MetadataFault("UNKNOWN_EXCEPTION", f"'{text}' is not a valid value for {name}")
        return text in {"true", "1"}
    if name in _NUMBERS:
        if not re.fullmatch(r"-?\d{1,9}", text):
            raise MetadataFault("UNKNOWN_EXCEPTION", f"'{text}' is not a valid value for {name}")
        return int(text)
    return text
