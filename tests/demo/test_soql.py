"""SOQL: what it answers, what it refuses and where, and that its logic is Python's."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from syncerr_tui.demo.schema_variants import schema_of_variant
from syncerr_tui.demo.soql import SoqlError, parse_query, plan
from syncerr_tui.demo.soql.tree import COUNTED_SPANS, DATE_SPANS, DateLiteral, days_of
from syncerr_tui.demo.store import Store
from tests.demo.tiny import Client, tiny
from tests.layers import layered

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EXAMPLES = layered("random SOQL queries", 40, 2_000)


@pytest.fixture(scope="module")
def org() -> Iterator[Client]:
    with tiny() as client:
        store = client.store
        ids = store.insert_many(
            "Account",
            [
                {"Name": "Acme", "s_c__sC_Id__c": "a-1", "Phone": "1", "BillingCity": "Oslo"},
                {"Name": "acme", "s_c__sC_Id__c": "a-2", "BillingCity": "oslo"},
                {"Name": "Zoë 100%", "s_c__sC_Id__c": "a-3", "Phone": "it's"},
                {"Name": "under_score", "s_c__sC_Id__c": "a-4", "BillingCity": "Bergen"},
                {"Name": "back\\slash", "s_c__sC_Id__c": "a-5"},
            ],
        )
        store.insert("Contact", {"LastName": "One", "AccountId": ids[0], "Email": "one@demo.example"})
        store.insert("Contact", {"LastName": "None"})
        store.insert(
            "Account",
            {"Name": "Old", "s_c__sC_Id__c": "a-6", "CreatedDate": datetime(2020, 2, 29, 23, 30, tzinfo=UTC)},
        )
        yield client


def names(org: Client, where: str) -> list[str]:
    rows = org.query(f"SELECT Name FROM Account WHERE {where} ORDER BY s_c__sC_Id__c")["records"]
    return [row["Name"] for row in rows]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name = 'ACME'", ["Acme", "acme"]),
        ("Name = 'ZOË 100%'", ["Zoë 100%"]),
        ("Name LIKE 'ZOË%'", ["Zoë 100%"]),
        ("Name LIKE '%100\\%'", ["Zoë 100%"]),
        ("Name LIKE 'under\\_%'", ["under_score"]),
        ("Name LIKE 'a_me'", ["Acme", "acme"]),
        ("Name LIKE '%\\\\slash'", ["back\\slash"]),
        ("Name = 'back\\\\slash'", ["back\\slash"]),
        ("Phone = 'it\\'s'", ["Zoë 100%"]),
        ("Phone = null", ["acme", "under_score", "back\\slash", "Old"]),
        ("Phone = ''", ["acme", "under_score", "back\\slash", "Old"]),
        ("Phone != null AND Name != 'acme'", ["Zoë 100%"]),
        ("BillingCity != 'Oslo'", ["Zoë 100%", "under_score", "back\\slash", "Old"]),
        ("BillingCity <> 'Oslo' AND BillingCity != null", ["under_score"]),
        ("BillingCity NOT IN ('oslo', null)", ["under_score"]),
        ("BillingCity IN ('OSLO', 'bergen')", ["Acme", "acme", "under_score"]),
        ("NOT BillingCity < 'M'", ["Acme", "acme", "Zoë 100%", "back\\slash", "Old"]),
        ("NOT (Name = 'acme' OR Name LIKE 'z%')", ["under_score", "back\\slash", "Old"]),
        ("(Name = 'acme' AND Phone = '1') OR Name = 'Old'", ["Acme", "Old"]),
        ("Name > 'b' AND Name <= 'old'", ["back\\slash", "Old"]),
        ("CreatedDate < 2020-03-01T00:00:00Z", ["Old"]),
        ("CreatedDate = 2020-03-01T01:30:00+02:00", ["Old"]),
        ("CreatedDate = 2020-03-01T00:30:00.000+0100", ["Old"]),
        ("CreatedDate > 2020-03-01T01:29:00+02:00 AND CreatedDate < LAST_YEAR", ["Old"]),
        ("CreatedDate != LAST_N_DAYS:30", ["Old"]),
        ("NOT CreatedDate >= TODAY", ["Old"]),
        ("Name = 'acme' AND CreatedDate > LAST_N_DAYS:3", ["Acme", "acme"]),
        ("Name = 'acme' AND CreatedDate > TODAY", []),
        ("CreatedDate < LAST_N_DAYS:3", ["Old"]),
        ("CreatedDate <= N_YEARS_AGO:2", ["Old"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName = 'one')", ["Acme"]),
        (
            "Id NOT IN (SELECT AccountId FROM Contact)",
            ["acme", "Zoë 100%", "under_score", "back\\slash", "Old"],
        ),
        ("IsDeleted = true", []),
        ("name = 'Old' and PHONE = NULL", ["Old"]),
    ],
)
def test_where(org: Client, where: str, found: list[str]) -> None:
    assert names(org, where) == found


def test_a_short_id_is_its_long_one_and_case_counts(org: Client) -> None:
    long = org.query("SELECT Id FROM Account WHERE Name = 'Old'")["records"][0]["Id"]
    assert names(org, f"Id = '{long[:15]}'") == ["Old"]
    assert names(org, f"Id IN ('{long}')") == ["Old"]
    assert org.refused(f"SELECT Id FROM Account WHERE Id = '{long.swapcase()}'")[0] == (
        "INVALID_QUERY_FILTER_OPERATOR"
    )


def test_parents_are_nested_and_absent_ones_null(org: Client) -> None:
    rows = org.query(
        "SELECT LastName, Account.Name, Account.CreatedBy.Username FROM Contact ORDER BY LastName"
    )
    none, one = rows["records"]
    assert none["Account"] is None
    assert one["Account"]["Name"] == "Acme"
    assert one["Account"]["attributes"]["type"] == "Account"
    assert one["Account"]["CreatedBy"]["Username"] == "admin@demo.example"
    assert [
        r["LastName"] for r in org.query("SELECT LastName FROM Contact WHERE Account.Name = null")["records"]
    ] == ["None"]
    assert org.query("SELECT COUNT() FROM Contact c WHERE c.Account.Name LIKE 'A%'")["totalSize"] == 1


def test_order_nulls_limit_and_offset(org: Client) -> None:
    def cities(tail: str) -> list[str | None]:
        return [r["BillingCity"] for r in org.query(f"SELECT BillingCity FROM Account {tail}")["records"]]

    assert cities("ORDER BY BillingCity, Name")[:3] == [None, None, None]
    assert cities("ORDER BY BillingCity DESC NULLS LAST, s_c__sC_Id__c LIMIT 2 OFFSET 1") == [
        "oslo",
        "Bergen",
    ]
    assert cities("ORDER BY BillingCity DESC, s_c__sC_Id__c DESC")[3:] == ["oslo", "Oslo", "Bergen"]
    assert cities("ORDER BY BillingCity ASC NULLS LAST")[-3:] == [None, None, None]
    assert cities("LIMIT 0") == []


def test_groups_and_counts(org: Client) -> None:
    answer = org.query(
        "SELECT BillingCity, COUNT(Id) many, MAX(Name) FROM Account WHERE BillingCity != null "
        "GROUP BY BillingCity HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC"
    )
    (row,) = answer["records"]
    assert row.pop("attributes") == {"type": "AggregateResult"}
    assert row["BillingCity"].lower() == "oslo"
    assert row["many"] == 2
    assert row["expr0"].lower() == "acme"
    assert org.query("SELECT COUNT(Phone), COUNT_DISTINCT(BillingCity) FROM Account")["records"][0] == {
        "attributes": {"type": "AggregateResult"},
        "expr0": 2,
        "expr1": 2,
    }
    count = org.query("SELECT COUNT() FROM Account")
    assert (count["totalSize"], count["records"], count["done"]) == (6, [], True)


def test_an_object_may_be_called_like_a_keyword(org: Client) -> None:
    page = org.query(
        "SELECT Order.Id, Account.Name FROM Order o WHERE o.Account.Name = 'x' ORDER BY Order.Id"
    )
    assert page["totalSize"] == 0
    assert org.query("SELECT Id FROM Order")["done"] is True


def test_fields_all_wants_a_limit(org: Client) -> None:
    row = org.query("SELECT FIELDS(ALL) FROM Account WHERE Name = 'Old' LIMIT 200")["records"][0]
    assert row["Name"] == "Old"
    assert row["IsDeleted"] is False
    assert org.refused("SELECT FIELDS(ALL) FROM Account")[0] == "MALFORMED_QUERY"


@pytest.mark.parametrize(
    ("soql", "code", "column", "reason"),
    [
        ("SELECT Id, Nope FROM Account", "INVALID_FIELD", 12, "No such column 'Nope' on entity 'Account'"),
        ("SELECT Id FROM Nope", "INVALID_TYPE", 16, "sObject type 'Nope' is not supported"),
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", 8, "Didn't understand relationship 'Nope'"),
        (
            "SELECT Id FROM Account WHERE Name = 5",
            "INVALID_FIELD",
            37,
            "must be of type string and should be",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > '2020'",
            "INVALID_FIELD",
            44,
            "must be of type dateTime",
        ),
        (
            "SELECT Id FROM Account WHERE CreatedDate > 2020-01-01",
            "INVALID_FIELD",
            44,
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Account WHERE IsDeleted = 'true'", "INVALID_FIELD", 42, "must be of type boolean"),
        (
            "SELECT Id FROM Account WHERE Id LIKE '001%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            38,
            "invalid operator",
        ),
        (
            "SELECT Id FROM Account WHERE Phone > null",
            "INVALID_QUERY_FILTER_OPERATOR",
            30,
            "invalid operator",
        ),
        ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", 35, "invalid ID field: x"),
        ("SELECT Id Id FROM Account", "MALFORMED_QUERY", 8, "only aggregate expressions use field aliasing"),
        ("SELECT Id, Id FROM Account", "MALFORMED_QUERY", 12, "duplicate field selected: Id"),
        (
            "SELECT Id, COUNT(Id) FROM Account",
            "MALFORMED_QUERY",
            8,
            "Field must be grouped or aggregated: Id",
        ),
        ("SELECT Id FROM Account WHERE Name = 'a", "MALFORMED_QUERY", 37, "unterminated string literal"),
        ("SELECT Id FROM Account WHERE Name = 'a\\q'", "MALFORMED_QUERY", 39, "Illegal character sequence"),
        ("SELECT Id FROM Account WHERE Name = 'a\\%'", "MALFORMED_QUERY", 39, "Illegal character sequence"),
        ("SELECT Id FROM Account WHERE (Name = 'a'", "MALFORMED_QUERY", 41, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account WHERE Id IN ()", "MALFORMED_QUERY", 37, "unexpected token: ')'"),
        ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY", 30, "unexpected token: 'x'"),
        ("SELECT Id FROM Account ORDER BY", "MALFORMED_QUERY", 32, "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Account; DROP TABLE Account", "MALFORMED_QUERY", 23, "unexpected character ';'"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", 12, "unexpected token: '('"),
        ("SELECT Id FROM Account FOR UPDATE", "MALFORMED_QUERY", 24, "unexpected token: 'FOR'"),
        (
            "SELECT Id FROM Account WHERE CreatedDate = 2020-13-01T00:00:00Z",
            "MALFORMED_QUERY",
            44,
            "Invalid date",
        ),
        ("SELECT Id FROM Account WHERE CreatedDate = LAST_N_DAYS", "MALFORMED_QUERY", 55, "'<EOF>'"),
        ("UPDATE Account SET Name = 'x'", "MALFORMED_QUERY", 1, "unexpected token: 'UPDATE'"),
        ("", "MALFORMED_QUERY", 1, "unexpected token: '<EOF>'"),
        (
            "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
            "MALFORMED_QUERY",
            56,
            "unexpected token: 'OR'",
        ),
    ],
)
def test_refusals_name_the_place(org: Client, soql: str, code: str, column: int, reason: str) -> None:
    found, message = org.refused(soql)
    assert found == code
    assert f"\nERROR at Row:1:Column:{column}\n" in message
    assert reason in message


def test_the_row_counts_lines(org: Client) -> None:
    assert "Row:3:Column:7" in org.refused("SELECT Id\nFROM Account\nWHERE Nope = 1")[1]


def test_limits_of_the_language(org: Client) -> None:
    assert org.refused("SELECT Id FROM Account LIMIT 1 OFFSET 2001")[0] == "NUMBER_OUTSIDE_VALID_RANGE"
    assert org.query("SELECT Id FROM Account OFFSET 2000")["records"] == []
    deep = "SELECT Id FROM Account WHERE " + "(" * 500 + "Name = 'a'" + ")" * 500
    assert org.refused(deep)[0] == "MALFORMED_QUERY"
    with pytest.raises(SoqlError, match="QUERY_TOO_COMPLICATED"):
        parse_query("SELECT Id FROM Account WHERE Name = 'a" + "a" * 100_000 + "'")
    with pytest.raises(SoqlError, match="4000"):
        parse_query("SELECT Id FROM Account WHERE Name = '" + "a" * 4_001 + "'")
    assert org.refused(
        "SELECT Id FROM Account WHERE " + " OR ".join(["Name = 'x'"] * 500) + " AND Name = 'x'"
    )


def test_a_thousand_conditions_and_ids_are_not_too_many() -> None:
    schema = schema_of_variant("assumed")
    store = Store(None, schema)
    store.insert("Account", {"Name": "x"})
    for soql in (
        "SELECT Id FROM Account WHERE " + " OR ".join(["Name = 'x'"] * 5_000),
        "SELECT Id FROM Account WHERE Name IN (" + ",".join(["'x'"] * 20_000) + ")",
    ):
        ready = plan(parse_query(soql), schema, now=NOW)
        assert len(store.sql(ready.rows_sql, ready.rows_values)) == 1


@pytest.mark.parametrize(
    ("name", "count", "first", "after"),
    [
        ("TODAY", None, "2026-11-23", "2026-11-24"),
        ("YESTERDAY", None, "2026-11-22", "2026-11-23"),
        ("LAST_N_DAYS", 7, "2026-11-16", "2026-11-24"),
        ("NEXT_N_DAYS", 7, "2026-11-24", "2026-12-01"),
        ("N_DAYS_AGO", 3, "2026-11-20", "2026-11-21"),
        ("THIS_WEEK", None, "2026-11-22", "2026-11-29"),
        ("LAST_WEEK", None, "2026-11-15", "2026-11-22"),
        ("LAST_N_WEEKS", 2, "2026-11-08", "2026-11-22"),
        ("THIS_MONTH", None, "2026-11-01", "2026-12-01"),
        ("NEXT_MONTH", None, "2026-12-01", "2027-01-01"),
        ("LAST_N_MONTHS", 12, "2025-11-01", "2026-11-01"),
        ("THIS_QUARTER", None, "2026-10-01", "2027-01-01"),
        ("LAST_YEAR", None, "2025-01-01", "2026-01-01"),
        ("N_YEARS_AGO", 2, "2024-01-01", "2025-01-01"),
        ("LAST_90_DAYS", None, "2026-08-25", "2026-11-24"),
    ],
)
def test_date_literals(name: str, count: int | None, first: str, after: str) -> None:
    # 2026-11-23 is a Monday.
    days = days_of(DateLiteral(name, count), NOW.date())
    assert days == (date.fromisoformat(first), date.fromisoformat(after))


def test_every_date_literal_is_a_range() -> None:
    for name in DATE_SPANS | COUNTED_SPANS:
        first, after = days_of(DateLiteral(name, 5 if name in COUNTED_SPANS else None), NOW.date())
        assert first < after, name


# The same small world for SQLite and for Python.
_PEOPLE = random.Random(5)
_VALUES = [None, "", "a", "A", "ab", "B", "b%", "b_", "é", "É", "z"]
_ROWS: list[dict[str, Any]] = [
    {
        "Name": _PEOPLE.choice(_VALUES[2:]),
        "Phone": _PEOPLE.choice(_VALUES),
        "BillingCity": _PEOPLE.choice(_VALUES),
        "s_c__sC_Id__c": str(number),
    }
    for number in range(60)
]


@pytest.fixture(scope="module")
def rows() -> Store:
    store = Store(None, schema_of_variant("assumed"))
    store.insert_many("Account", _ROWS)
    return store


def _fold(text: str | None) -> str | None:
    return text.lower() if text else None


def _like(text: str, pattern: str) -> bool:
    """LIKE by the book, one letter at a time."""
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_like(text[place:], pattern[1:]) for place in range(len(text) + 1))
    return bool(text) and (pattern[0] in {"_", text[0]}) and _like(text[1:], pattern[1:])


Tree = tuple[Any, ...]
_OPERATORS = ["=", "!=", "<", "<=", ">", ">="]
_LEAVES = st.one_of(
    st.tuples(
        st.just("compare"),
        st.sampled_from(["Name", "Phone", "BillingCity"]),
        st.sampled_from(_OPERATORS),
        st.sampled_from(["a", "AB", "b", "Z", "m"]),
    ),
    st.tuples(
        st.just("compare"),
        st.sampled_from(["Name", "Phone"]),
        st.sampled_from(["=", "!="]),
        st.sampled_from([None, "", "é", "É", "b%"]),
    ),
    st.tuples(
        st.just("like"),
        st.sampled_from(["Name", "Phone", "BillingCity"]),
        st.sampled_from(["a%", "%B%", "_", "__", "É", "%", "z"]),
    ),
    st.tuples(
        st.just("in"),
        st.sampled_from(["Name", "Phone", "BillingCity"]),
        st.booleans(),
        st.lists(st.sampled_from(["a", "AB", None, "É", "b_"]), min_size=1, max_size=3),
    ),
)
_TREES: st.SearchStrategy[Tree] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=8,
)


def _written(tree: Tree) -> str:
    match tree:
        case ("compare", field, operator, value):
            return f"{field} {operator} {_quoted(value)}"
        case ("like", field, pattern):
            return f"{field} LIKE {_quoted(pattern)}"
        case ("in", field, negated, values):
            return f"{field} {'NOT IN' if negated else 'IN'} ({', '.join(map(_quoted, values))})"
        case ("not", inner):
            return f"(NOT ({_written(inner)}))"
        case (word, parts):
            return "(" + f" {word} ".join(_written(part) for part in parts) + ")"
        case _:
            raise AssertionError(tree)


def _quoted(value: str | None) -> str:
    return "null" if value is None else f"'{value}'"


def _holds(tree: Tree, row: dict[str, Any]) -> bool:
    match tree:
        case ("compare", field, operator, value):
            return _compared(_fold(row[field]), operator, _fold(value))
        case ("like", field, pattern):
            text = _fold(row[field])
            return text is not None and _like(text, pattern.lower())
        case ("in", field, negated, values):
            return (_fold(row[field]) in [_fold(value) for value in values]) is not bool(negated)
        case ("not", inner):
            return not _holds(inner, row)
        case ("AND", parts):
            return all(_holds(part, row) for part in parts)
        case ("OR", parts):
            return any(_holds(part, row) for part in parts)
        case _:
            raise AssertionError(tree)


def _compared(left: str | None, operator: str, right: str | None) -> bool:
    if operator in {"=", "!="}:
        return (left == right) == (operator == "=")
    if left is None or right is None:
        return False
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator]


@settings(max_examples=EXAMPLES)
@given(tree=_TREES)
def test_conditions_mean_what_python_means(rows: Store, tree: Tree) -> None:
    ready = plan(
        parse_query(f"SELECT Id FROM Account WHERE {_written(tree)}"), schema_of_variant("assumed"), now=NOW
    )
    numbers = {int(str(row[0])) - 1 for row in rows.sql(ready.rows_sql, ready.rows_values)}
    assert numbers == {place for place, row in enumerate(_ROWS) if _holds(tree, row)}


@settings(max_examples=EXAMPLES)
@given(text=st.text(alphabet="SELECTFROMWHEREidName ,.'\\()=<>!%*0123456789-:TZ\n\x00é", max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    for soql in (
        text,
        f"SELECT Id FROM Account WHERE {text}",
        f"SELECT Id FROM Account WHERE Name = '{text}'",
    ):
        with contextlib.suppress(SoqlError):
            assert plan(parse_query(soql), schema_of_variant("assumed"), now=NOW).rows_sql.startswith(
                "SELECT"
            )
