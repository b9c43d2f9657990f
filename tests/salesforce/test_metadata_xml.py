"""A whole component goes back as it came, but for the one thing that was to change."""

from __future__ import annotations

import contextlib
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.salesforce.metadata_xml import (
    METADATA,
    XSI,
    Component,
    MetadataXmlError,
    components,
    parse_xml,
    update_element,
)

RULE = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="http://soap.sforce.com/2006/04/metadata"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><readMetadataResponse><result>
<records xsi:type="DuplicateRule"><fullName>Account.My_Rule</fullName><actionOnInsert>Block</actionOnInsert>
  <alertText xsi:nil="true"/><!-- kept --><duplicateRuleFilter xsi:nil="true"/>
  <isActive>true</isActive><madeLater a="1>2"><x/>R&amp;D &#252;</madeLater><sortOrder>3</sortOrder></records>
<records xsi:nil="true"/>
</result></readMetadataResponse></soapenv:Body></soapenv:Envelope>"""


def rule() -> Component:
    (component,) = components(RULE.encode())
    return component


def test_one_element_changes_and_every_other_byte_stays() -> None:
    before = rule()
    after = before.with_value(["isActive"], "false")
    assert before.value("isActive") == "true"
    assert after.value("isActive") == "false"
    old, new = b"<isActive>true</isActive>", b"<isActive>false</isActive>"
    assert after.inner == before.inner.replace(old, new)
    assert after.with_value(["isActive"], "true").inner == before.inner


def test_nil_and_missing_values_are_none() -> None:
    assert rule().value("alertText") is None
    assert rule().value("nothing") is None
    assert rule().value("madeLater") == "R&D ü"


def test_a_nil_element_can_be_filled_in_place() -> None:
    after = rule().with_element(
        ["duplicateRuleFilter"], "<duplicateRuleFilter><f>1</f></duplicateRuleFilter>"
    )
    assert after.value("duplicateRuleFilter", "f") == "1"
    names = [child.name for child in after.tree.children]
    assert names == [child.name for child in rule().tree.children]


def test_what_is_not_there_once_is_not_changed() -> None:
    with pytest.raises(MetadataXmlError, match="0 times"):
        rule().with_value(["isactive"], "false")


def test_the_request_s_element_says_the_same_in_its_own_namespaces() -> None:
    element = ET.fromstring(update_element(rule()))
    assert element.tag == f"{{{METADATA}}}metadata"
    assert element.attrib[f"{{{XSI}}}type"] == "DuplicateRule"
    assert [child.tag.partition("}")[2] for child in element] == [
        child.name for child in rule().tree.children
    ]


def test_a_prefixed_answer_is_understood_and_sent_back_with_its_prefixes() -> None:
    text = RULE.replace('xmlns="http://soap', 'xmlns:md="http://soap')
    for name in ("readMetadataResponse", "result", "records", "fullName", "isActive"):
        text = text.replace(f"<{name}", f"<md:{name}").replace(f"</{name}", f"</md:{name}")
    (component,) = components(text.encode())
    changed = component.with_value(["isActive"], "false")
    assert b"<md:isActive>false</md:isActive>" in changed.inner
    element = ET.fromstring(update_element(changed))
    assert element.findtext(f"{{{METADATA}}}isActive") == "false"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<a>",
        b"no xml",
        b"<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        b"<a>" * 100 + b"</a>" * 100,
        b"<Envelope><Body/></Envelope>",
    ],
)
def test_what_is_no_answer_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(MetadataXmlError):
        components(data)


NAMES = st.sampled_from(["fullName", "isActive", "value", "label", "newer", "sortOrder", "ns:other"])
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=("Cc", "Cs")), max_size=12
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    name = draw(NAMES)
    kind = draw(st.sampled_from(["text", "nil", "empty", "cdata", "comment"] + ["inner"] * (depth > 0)))
    attribute = draw(st.sampled_from(["", ' a="x>y"', " b='&lt;\"'", ' xmlns:q="urn:q"', "  "]))
    if kind == "nil":
        return f'<{name}{attribute} xsi:nil="true"/>'
    if kind == "empty":
        return f"<{name}{attribute}/>"
    if kind == "inner":
        inner = "".join(draw(st.lists(elements(depth=depth - 1), max_size=4)))
    elif kind == "cdata":
        inner = f"<![CDATA[{draw(TEXTS).replace(']]>', '')}]]>"
    else:
        inner = escape(draw(TEXTS)) if kind == "text" else "<!-- > --> <?pi x>y?>"
    return f"<{name}{attribute}>{inner}</{name}>"


# Generating random XML is slow on a busy machine, which is no fault of what is tested.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(elements(), max_size=6), st.lists(elements(), max_size=6), TEXTS)
def test_any_component_keeps_everything_around_the_changed_element(
    before: list[str], after: list[str], value: str
) -> None:
    inner = "".join(before) + "<target>old</target>" + "".join(after)
    scope = {"": METADATA, "xsi": XSI, "ns": "urn:ns"}
    component = Component("T", "N", inner.encode(), scope)
    changed = component.with_value(["target"], value)
    assert changed.inner.decode() == "".join(before) + f"<target>{escape(value)}</target>" + "".join(after)
    sent = ET.fromstring(update_element(changed))
    assert len(sent) == len(component.tree.children)
    assert sent.findtext(f"{{{METADATA}}}target") == value


@given(st.binary(max_size=200))
def test_junk_is_an_error_in_words(data: bytes) -> None:
    with contextlib.suppress(MetadataXmlError):
        parse_xml(data)
