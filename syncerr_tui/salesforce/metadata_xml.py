"""A Metadata API component as the XML that the org sent, with one element changed and the rest untouched.

`updateMetadata` replaces the whole component: what is left out is lost or deactivated. So nothing is parsed
into objects and written out again (zeep drops elements that its WSDL does not know, and cannot write nil
ones). The component stays the text that arrived; an edit replaces a range of it. Order, nil elements,
namespaces, unknown elements and comments survive because nothing touches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

METADATA = "http://soap.sforce.com/2006/04/metadata"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DEEPEST = 60
_SEPARATOR = "\x1f"


class MetadataXmlError(ValueError):
    """The XML is not what the Metadata API answers; the words say in which way."""


@dataclass(slots=True)
class XmlElement:
    """One element, as offsets into the text that it stands in."""

    name: str
    namespace: str
    attributes: Mapping[str, str]
    """Expanded names: `{XSI}nil` is `XSI + "\\x1f" + "nil"`."""
    start: int
    inner_start: int = 0
    inner_end: int = 0
    end: int = 0
    text: str = ""
    """Character data directly in it, entities resolved."""
    children: list[XmlElement] = field(default_factory=list)
    scope: Mapping[str, str] = field(default_factory=dict)
    """Prefix -> namespace, as declared here or above; the default namespace has the empty prefix."""

    @property
    def nil(self) -> bool:
        return self.attributes.get(f"{XSI}{_SEPARATOR}nil") in {"true", "1"}

    def all(self, name: str) -> list[XmlElement]:
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> XmlElement | None:
        return next(iter(self.all(name)), None)

    def value(self, name: str) -> str | None:
        """Text of the first child of this name; None where there is none, or where it is nil."""
        child = self.first(name)
        return None if child is None or child.nil else child.text.strip()


def parse_xml(data: bytes) -> tuple[XmlElement, bytes]:
    """The root element of a document and the UTF-8 bytes that its offsets count in.

    Raises:
        MetadataXmlError: It is not well-formed XML, it declares a DTD, or it is nested deeper than `DEEPEST`.
    """
    data = _utf8(data)
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    builder = _Builder(parser, data)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise MetadataXmlError(f"it is not well-formed XML ({expat.ErrorString(error.code)})") from None
    assert builder.root is not None
    return builder.root, data


def _utf8(data: bytes) -> bytes:
    """Salesforce answers in UTF-8; another encoding would make the offsets wrong."""
    head = data[:200].lower()
    if b"encoding=" in head and b"utf-8" not in head:
        raise MetadataXmlError("it is not in UTF-8")
    return data


class _Builder:
    def __init__(self, parser: Any, data: bytes) -> None:  # noqa: ANN401 - expat's parser type is private
        self.root: XmlElement | None = None
        self._parser = parser
        self._data = data
        self._open: list[XmlElement] = []
        self._declared: list[dict[str, str]] = []
        self._pending: dict[str, str] = {}
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartNamespaceDeclHandler = self._declare
        parser.StartDoctypeDeclHandler = self._doctype

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._pending[prefix or ""] = uri or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= DEEPEST:
            raise MetadataXmlError("it is nested too deeply")
        namespace, _, local = name.rpartition(_SEPARATOR)
        scope = {**(self._open[-1].scope if self._open else {}), **self._pending}
        self._pending = {}
        node = XmlElement(local, namespace, attributes, self._parser.CurrentByteIndex, scope=scope)
        node.inner_start = self._tag_end(node.start)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _tag_end(self, start: int) -> int:
        """The offset behind a start tag's `>`. Quoted attribute values may hold one too."""
        quote = 0
        for offset in range(start, len(self._data)):
            byte = self._data[offset]
            if quote:
                quote = 0 if byte == quote else quote
            elif byte in b"\"'":
                quote = byte
            elif byte == 0x3E:
                return offset + 1
        raise MetadataXmlError("a tag does not end")

    def _end(self, _name: str) -> None:
        node = self._open.pop()
        closing = self._parser.CurrentByteIndex
        if self._data[node.inner_start - 2 : node.inner_start] == b"/>":
            node.inner_end = node.end = node.inner_start
        else:
            node.inner_end = closing
            node.end = self._tag_end(closing)

    def _characters(self, text: str) -> None:
        self._open[-1].text += text

    def _doctype(self, *_: object) -> None:
        raise MetadataXmlError("it declares a document type")


@dataclass(frozen=True, slots=True)
class Component:
    """One component, as it was read."""

    type: str
    full_name: str
    inner: bytes
    """Everything between the start and the end tag, UTF-8, untouched."""
    scope: Mapping[str, str]
    """Namespaces that hold there: prefix -> address."""

    @property
    def tree(self) -> XmlElement:
        """Its elements. Their offsets count from the start of the tag that is put around `inner`."""
        root, _data = parse_xml(self._wrapped())
        return root

    def _wrapped(self) -> bytes:
        return b"<c" + _declarations(self.scope) + b">" + self.inner + b"</c>"

    def value(self, *path: str) -> str | None:
        """Text of the element at `path`; None where it is missing or nil."""
        node: XmlElement | None = self.tree
        for name in path[:-1]:
            node = node.first(name) if node else None
        return node.value(path[-1]) if node else None

    def with_value(self, path: Sequence[str], value: str) -> Component:
        """The same component in which one element has another text; the element is there once.

        Raises:
            MetadataXmlError: There is no such element, or there are several.
        """
        return self.with_text(self._only(path), value)

    def with_text(self, node: XmlElement, value: str) -> Component:
        """The same component in which an element of its `tree` has another text."""
        return self._edited(node.start, node.end, _element(node.name, escape(value), self._prefix(node)))

    def with_element(self, path: Sequence[str], xml: str) -> Component:
        """The same component with `xml` in place of the element at `path`."""
        node = self._only(path)
        return self._edited(node.start, node.end, xml.encode())

    def with_element_after(self, node: XmlElement, xml: str) -> Component:
        """The same component with `xml` right behind an element of its `tree`."""
        return self._edited(node.end, node.end, xml.encode())

    def with_last_child(self, path: Sequence[str], xml: str) -> Component:
        """The same component with `xml` as the last child at `path`; an empty path is the component."""
        node = self._only(path) if path else self.tree
        return self._edited(node.inner_end, node.inner_end, xml.encode())

    def _only(self, path: Sequence[str]) -> XmlElement:
        node = self.tree
        for name in path:
            nodes = node.all(name)
            if len(nodes) != 1:
                raise MetadataXmlError(f"{'/'.join(path)} is there {len(nodes)} times, not once")
            node = nodes[0]
        return node

    def _prefix(self, node: XmlElement) -> str:
        """The prefix that an element's namespace has here, with its colon."""
        names = [prefix for prefix, address in node.scope.items() if address == node.namespace]
        if not node.namespace or "" in names:
            return ""
        return f"{names[0]}:"

    def _edited(self, start: int, end: int, new: bytes) -> Component:
        shift = len(b"<c" + _declarations(self.scope) + b">")
        inner = self.inner[: start - shift] + new + self.inner[end - shift :]
        return Component(self.type, self.full_name, inner, self.scope)


def _element(name: str, text: str, prefix: str) -> bytes:
    return f"<{prefix}{name}>{text}</{prefix}{name}>".encode()


def _declarations(scope: Mapping[str, str]) -> bytes:
    """`xmlns` attributes for a scope. A prefix cannot be taken back, only the default namespace can."""
    parts = []
    for prefix, address in scope.items():
        if prefix == "xml":
            continue
        if prefix:
            parts.append(f" xmlns:{prefix}={quoteattr(address)}")
        else:
            parts.append(f" xmlns={quoteattr(address)}")
    return "".join(parts).encode()


def components(answer: bytes) -> list[Component]:
    """The components in the answer of `readMetadata`. One that does not exist comes as nil and is left out.

    Raises:
        MetadataXmlError: It is no such answer.
    """
    root, data = parse_xml(answer)
    body = root.first("Body")
    response = body.first("readMetadataResponse") if body else None
    result = response.first("result") if response else None
    if result is None:
        raise MetadataXmlError("it is not an answer of readMetadata")
    elements = []
    for record in result.all("records"):
        full_name = record.value("fullName")
        kind = record.attributes.get(f"{XSI}{_SEPARATOR}type", "").rpartition(":")[2]
        if record.nil or not full_name:
            continue
        inner = data[record.inner_start : record.inner_end]
        elements.append(Component(kind, full_name, inner, record.scope))
    return elements


def update_element(component: Component) -> bytes:
    """The `metadata` element of `updateMetadata`, with the component's namespaces declared on it."""
    scope = {**component.scope}
    own = scope.get("") == METADATA
    prefix = "" if own else "m__"
    scope["xsi"] = XSI
    if not own:
        scope[prefix] = METADATA
    name = f"{prefix}:" if prefix else ""
    head = f"<{name}metadata xsi:type={quoteattr(name + component.type)}".encode()
    return head + _declarations(scope) + b">" + component.inner + f"</{name}metadata>".encode()
