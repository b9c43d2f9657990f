"""The safeguards that an admin or a package can switch: duplicate rules, validations, flows, triggers.

Each is a row of the set-up tables, looks at one change, and says no in its own words. They stand in
`rules.toml`, which says how it is written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from string import Template
from typing import Any

from syncerr_tui.demo import resource
from syncerr_tui.demo.records import Records
from syncerr_tui.demo.save_errors import Change, SaveError, error_id, flow_words

Condition = Callable[[Change, Records], object]

DISPATCH_WORKFLOW = "WorkflowRule:Shipment_Dispatch_Notice"
NOT_ON_WEB_LEADS = "Trade Fair"
"""A lead source of the list that the record type of web leads does not offer."""
APEX = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


@dataclass(frozen=True, slots=True)
class Rule:
    """One safeguard that can be switched off. What its attributes are is said in `rules.toml`."""

    key: str
    on: str
    when: Mapping[str, Any]
    label: str
    why: str
    code: str = "CANNOT_EXECUTE_FLOW_TRIGGER"
    text: str = ""
    flow: str = ""
    bare: bool = False
    fields: tuple[str, ...] = ()
    formula: str = "TRUE"
    bypass: str = ""
    carrier: str = ""
    namespace: str | None = None

    @property
    def setup(self) -> str:
        """The set-up object that holds it."""
        return self.key.partition(":")[0]

    @property
    def api_name(self) -> str:
        """Its API name in the set-up table."""
        return self.key.partition(":")[2]

    @property
    def object(self) -> str:
        return self.on.split()[0]

    @property
    def operations(self) -> frozenset[str]:
        return frozenset(self.on.split()[1:])

    @property
    def bounces(self) -> bool:
        """Whether the cause is data and not the safeguard itself: a bounce mark."""
        return "bounced" in self.when

    def condition(self) -> Condition:
        """Whether it refuses a change."""
        conditions = [*_conditions(self.when)]
        if len(conditions) == 1:
            return conditions[0]
        return lambda change, records: all(holds(change, records) for holds in conditions)

    def refusal(self, change: Change) -> SaveError:
        """What it says to a change that it refuses."""
        values, sc_id = change.values, change.sc_id
        text = self.flow or self.text
        if "$" in text:
            field = next((next(iter(of)) for of in self.when.values() if isinstance(of, dict)), "")
            blanks = {"value": values.get(field), "record": change.record_id, "error": error_id(sc_id)}
            text = Template(text).substitute(blanks)
        if self.flow:
            text = flow_words(sc_id, self.label, text)
        contact = str(values[self.when["bounced"]]) if self.bounces else ""
        bare = self.bare or bool(self.flow)
        return SaveError(self.key, self.code, text, self.fields, bare, record_id=contact)


def _conditions(when: Mapping[str, Any]) -> Iterator[Condition]:
    for kind, of in when.items():
        if kind == "twin":
            yield partial(_has_twin, of)
        elif kind == "bounced":
            yield partial(_is_bounced, of)
        else:
            yield from (_compared(kind, *one) for one in of.items())


def _has_twin(fields: list[str], change: Change, records: Records) -> object:
    match = dict(zip(fields, map(change.values.get, fields), strict=True))
    return records.twin_of(change.object, change.record_id, match)


def _is_bounced(field: str, change: Change, records: Records) -> object:
    contact = change.values.get(field)
    return contact and records.value("Contact", contact, "EmailBouncedReason") is not None


def _compared(kind: str, field: str, limit: Any) -> Condition:  # noqa: ANN401 - what a rule compares with
    """One call each, and no more: every change of a large world meets several."""
    form = re.compile(str(limit), re.DOTALL)
    kinds: Mapping[str, Condition] = {
        "value": lambda change, _: change.values.get(field) == limit,
        "empty": lambda change, _: not change.values.get(field),
        "like": lambda change, _: form.fullmatch(str(change.values.get(field) or "")),
        "unlike": lambda change, _: (value := change.values.get(field)) and not form.fullmatch(str(value)),
        "below": lambda change, _: (
            isinstance(value := change.values.get(field), int | float) and value < limit
        ),
        "from": lambda change, _: (
            isinstance(value := change.values.get(field), int | float) and value >= limit
        ),
    }
    return kinds[kind]


def _rules() -> Iterator[Rule]:
    table = tomllib.loads(resource("rules.toml"))
    for key, row in table["rule"].items():
        row["fields"] = tuple(row.get("fields", ()))
        yield Rule(key, **{"label": key.partition(":")[2], **row})


RULES = tuple(_rules())
"""In the order in which they act on a save."""
RULES_BY_KEY = {rule.key: rule for rule in RULES}
