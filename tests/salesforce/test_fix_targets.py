"""A fix changes of a component what it is meant to change, and nothing else is lost or reordered."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from syncerr_tui.errors import BadInputError, RefusedError
from syncerr_tui.fixes.org import FixKind, Values
from syncerr_tui.salesforce.fix_targets import MOST_VALUES, _typed, edited, exempt_words, reading_of
from syncerr_tui.salesforce.metadata_xml import METADATA, SOAP, XSI, Component, components, update_element
from syncerr_tui.salesforce.soql import to_18

TEXT = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=12
).filter(str.strip)
UNKNOWN = st.dictionaries(st.from_regex(r"[a-z][A-Za-z]{3,8}X", fullmatch=True), TEXT, min_size=0, max_size=4)
"""Elements that no documentation knows yet."""
PREFIXES = st.sampled_from(("", "m", "sf2"))


def answer(kind: str, name: str, inner: str, prefix: str) -> Component:
    """A component as `readMetadata` sends it, its elements with this prefix."""
    p = f"{prefix}:" if prefix else ""
    declared = f'xmlns:{prefix}="{METADATA}"' if prefix else f'xmlns="{METADATA}"'
    body = (
        f'<s:Envelope xmlns:s="{SOAP}" {declared} xmlns:xsi="{XSI}"><s:Body><{p}readMetadataResponse>'
        f'<{p}result><{p}records xsi:type="{p}{kind}"><{p}fullName>{name}</{p}fullName>{inner}</{p}records>'
        f"</{p}result></{p}readMetadataResponse></s:Body></s:Envelope>"
    )
    (component,) = components(body.encode())
    return component


def said(component: Component) -> list[tuple[str, str, bool]]:
    """Every element that would be sent, in order: path, text, nil. Read by another parser."""
    wrapped = b"<x>" + update_element(component) + b"</x>"
    (root,) = ET.fromstring(wrapped)

    def walk(node: ET.Element, path: str) -> Iterator[tuple[str, str, bool]]:
        for child in node:
            assert child.tag.startswith(f"{{{METADATA}}}"), child.tag
            here = f"{path}/{child.tag.rpartition('}')[2]}"
            yield here, (child.text or "").strip(), child.get(f"{{{XSI}}}nil") == "true"
            yield from walk(child, here)

    return list(walk(root, ""))


def xml(elements: dict[str, str], prefix: str) -> str:
    p = f"{prefix}:" if prefix else ""
    return "".join(f"<{p}{name}>{escape(text)}</{p}{name}>" for name, text in elements.items())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(UNKNOWN, UNKNOWN, PREFIXES)
@pytest.mark.parametrize(
    ("kind", "type_name", "element", "after"),
    [
        (FixKind.DUPLICATE_RULE_OFF, "DuplicateRule", "isActive", {"isActive": False}),
        (FixKind.NOT_REQUIRED, "CustomField", "required", {"required": False}),
    ],
)
def test_a_switch_changes_itself_alone(
    kind: FixKind,
    type_name: str,
    element: str,
    after: Values,
    before_it: dict[str, str],
    behind_it: dict[str, str],
    prefix: str,
) -> None:
    inner = xml(before_it, prefix) + xml({element: "true"}, prefix) + xml(behind_it, prefix)
    component = answer(type_name, "Order.A__c", inner, prefix)
    off = edited(kind, component, after)
    changed = [(old, new) for old, new in zip(said(component), said(off), strict=True) if old != new]
    assert changed == [((f"/{element}", "true", False), (f"/{element}", "false", False))]
    assert reading_of(kind, off, after).values == after
    assert reading_of(kind, off, after).rest == reading_of(kind, component, after).rest
    assert edited(kind, off, {element: True}).inner == component.inner


VALUE_LISTS = (
    ("GlobalValueSet", "customValue", "{}"),
    ("StandardValueSet", "standardValue", "{}"),
    (
        "CustomField",
        "value",
        "<{p}valueSet><{p}valueSetDefinition>{{}}</{p}valueSetDefinition></{p}valueSet>",
    ),
)


def listed(name: str, prefix: str, *, active: str | None = "true") -> str:
    p = f"{prefix}:" if prefix else ""
    flag = f"<{p}isActive>{active}</{p}isActive>" if active else ""
    text = escape(name)
    return (
        f"<{p}fullName>{text}</{p}fullName><{p}default>false</{p}default>{flag}<{p}label>{text}</{p}label>"
        f"<{p}madeLater>7</{p}madeLater>"
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(TEXT.map(str.strip), min_size=1, max_size=6, unique_by=str.casefold), TEXT, PREFIXES, UNKNOWN)
@pytest.mark.parametrize(("type_name", "element", "around"), VALUE_LISTS)
def test_a_value_is_added_behind_the_others_and_switched_off_again(
    type_name: str,
    element: str,
    around: str,
    names: list[str],
    new: str,
    prefix: str,
    more: dict[str, str],
) -> None:
    new = f"{new.strip()} +"
    p = f"{prefix}:" if prefix else ""
    values = "".join(f"<{p}{element}>{listed(name, prefix)}</{p}{element}>" for name in names)
    wrapped = around.format(p=p).format(values) if "{p}" in around else around.format(values)
    component = answer(type_name, "Order.A__c", wrapped + xml(more, prefix), prefix)
    added = edited(FixKind.ADD_VALUE, component, {new: "active"})
    before, after = said(component), said(added)
    extra = [one for one in after if one not in before or after.count(one) > before.count(one)]
    kept = list(after)
    start = next(place for place, one in enumerate(after) if one[1] == new)
    del kept[start - 1 : start + 4]
    assert kept == before
    assert [text for _, text, _ in after[start : start + 4]] == [new, "false", "true", new]
    in_order = [text for path, text, _ in after if path.endswith(f"/{element}/fullName")]
    assert in_order == [*names, new]
    assert [one[1] for one in extra if one[1] == new] == [new, new]  # its name and its label
    reading = reading_of(FixKind.ADD_VALUE, added, {new: "active"})
    assert reading.values == {new: "active"}
    assert reading.rest == reading_of(FixKind.ADD_VALUE, component, {new: "active"}).rest
    off = edited(FixKind.ADD_VALUE, added, {new: "inactive"})
    assert [(a, b) for a, b in zip(said(added), said(off), strict=True) if a != b] == [
        (after[start + 2], (after[start + 2][0], "false", False))
    ]
    assert edited(FixKind.ADD_VALUE, off, {new: "active"}).inner == added.inner


@pytest.mark.parametrize("prefix", ["", "m"])
def test_a_value_that_does_not_say_whether_it_is_active_is_active(prefix: str) -> None:
    p = f"{prefix}:" if prefix else ""
    inner = f"<{p}customValue>{listed('A', prefix, active=None)}</{p}customValue>"
    component = answer("GlobalValueSet", "Ways", inner, prefix)
    assert reading_of(FixKind.ADD_VALUE, component, {"A": "active"}).values == {"A": "active"}
    off = edited(FixKind.ADD_VALUE, component, {"A": "inactive"})
    assert [path for path, _, _ in said(off)] == [
        "/fullName",
        "/customValue",
        "/customValue/fullName",
        "/customValue/default",
        "/customValue/isActive",
        "/customValue/label",
        "/customValue/madeLater",
    ]


def test_a_full_list_takes_no_more() -> None:
    inner = "".join(f"<customValue>{listed(str(number), '')}</customValue>" for number in range(MOST_VALUES))
    component = answer("GlobalValueSet", "Ways", inner, "")
    with pytest.raises(RefusedError, match="is full"):
        edited(FixKind.ADD_VALUE, component, {"new": "active"})


@given(UNKNOWN, UNKNOWN, PREFIXES, st.emails())
def test_an_exemption_is_one_condition_and_goes_again(
    before_it: dict[str, str], behind_it: dict[str, str], prefix: str, user: str
) -> None:
    p = f"{prefix}:" if prefix else ""
    nil = f'<{p}duplicateRuleFilter xsi:nil="true"/>'
    component = answer(
        "DuplicateRule", "Account.A", xml(before_it, prefix) + nil + xml(behind_it, prefix), prefix
    )
    words: Values = {"duplicateRuleFilter": exempt_words(user)}
    exempt = edited(FixKind.EXEMPT_SYNC_USER, component, words)
    assert reading_of(FixKind.EXEMPT_SYNC_USER, exempt, words).values == words
    top = [one for one in said(exempt) if one[0].count("/") == 1 and one[0] != "/duplicateRuleFilter"]
    assert top == [one for one in said(component) if one[0] != "/duplicateRuleFilter"]
    assert ("/duplicateRuleFilter/duplicateRuleFilterItems/value", user, False) in said(exempt)
    back = edited(FixKind.EXEMPT_SYNC_USER, exempt, {"duplicateRuleFilter": None})
    assert said(back) == said(component)


@pytest.mark.parametrize(
    ("field", "typed", "written"),
    [
        ({"type": "double", "scale": 2}, "12.50", 12.5),
        ({"type": "double", "scale": 2}, "12.505", None),
        ({"type": "double"}, "nan", None),
        ({"type": "double", "scale": 2}, "inf", None),
        ({"type": "int"}, "7", 7),
        ({"type": "date"}, " 2026-11-30", "2026-11-30"),
        ({"type": "date"}, "30.11.2026", None),
        ({"type": "date"}, "2026-11-30T09:00:00Z", None),
        ({"type": "datetime"}, "2026-11-30T10:00:00+01:00", "2026-11-30T09:00:00.000+0000"),
        ({"type": "datetime"}, "2026-11-30", None),
        ({"type": "reference"}, "0015g000001abcd", to_18("0015g000001abcd")),
        ({"type": "reference"}, "Kaufhaus", None),
        ({"type": "string", "length": 3}, " abc ", "abc"),
    ],
)
def test_what_is_typed_is_written_as_the_org_gives_it_back(
    field: dict[str, object], typed: str, written: object
) -> None:
    if written is not None:
        assert _typed(field, "A__c", typed) == written
        return
    with pytest.raises(BadInputError):
        _typed(field, "A__c", typed)
