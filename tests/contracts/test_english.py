"""What can be held of plain English by a test: plurals, capitals, no entities, no 'is no terminal'."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.contracts.package import ROOT, sources, trees

CATALOG = ROOT / "diagnosis" / "catalog"
OTHERS = {"demo"}
"""Rooms that speak with Salesforce's voice."""
_COUNTED = (
    "(errors|rows|calls|records|causes|lines|runs|fields|values|columns|characters|changes|fixes|events|waves"
    "|requests|people|minutes|hours|days|seconds|options|objects|safeguards|notes|filters|selected rows)"
)
_AFTER_A_COUNT = re.compile(rf"^ (more |new |open |sync |API )?{_COUNTED}\b")
_LOWER_AFTER_A_STOP = re.compile(
    r"(?<!e\.g)(?<!i\.e)(?<!\.\.)[a-z)”\"']\. (?!(?:q|s|r|c|e|n|m|enter|esc|please) )[a-z](?!\w*[-_.,]\w)"
)
_IS_NO = re.compile(r"(?<!there )\b(?:is|are|was) no (?!longer\b|more\b)[a-z]", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d+|amp|lt|gt|quot|apos);")
_PLURAL_BY_HAND = re.compile(r"""(['"])\1 if [^'"]*?== 1 else (['"])s\2""")


@cache
def spoken() -> dict[str, ast.Module]:
    """The files whose words are ours."""
    return {path: tree for path, tree in trees().items() if not OTHERS & set(path.split("/"))}


def docstrings(tree: ast.AST) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Literals that are no docstrings; what is filled in stands as a brace."""
    hidden = docstrings(tree)
    hidden |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in hidden:
            yield node.lineno, node.value


@cache
def all_texts() -> list[tuple[str, int, str]]:
    return [(name, line, text) for name, tree in spoken().items() for line, text in texts(tree)]


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{line}: {text[:90]}"
        for name, line, text in all_texts()
        if " " in text
        and not text.lstrip().startswith(("SELECT", "INSERT", "CREATE"))
        and pattern.search(text)
    ]


def unsure_counts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What is filled in right before a plural noun, and may be 1."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if not (isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant)):
                continue
            expression = ast.unparse(value.value)
            constant = expression.lstrip("_").split(".")[-1].isupper()
            if _AFTER_A_COUNT.match(str(after.value)) and not constant:
                yield node.lineno, f"{{{expression}}}{after.value!s}"


SEVERAL = {
    ("salesforce/doctor.py", "usage.total"),
    ("salesforce/doctor.py", "len(stored.fields)"),
    ("salesforce/request_executor.py", "usage.total"),
    ("salesforce/scoring.py", "length"),
    ("cli/learn_button.py", "candidate.length"),
    ("diagnosis/explanation.py", "len(self.diagnosis.message)"),
    ("journal/request_log.py", "forgotten"),
    ("resync/proof.py", "len(records)"),
    ("ui/cause_words.py", "cause.held"),
    ("ui/fix_words.py", "len(people)"),
    ("ui/filter_controller.py", "term"),
    ("diagnosis/intake.py", "len(header)"),
    ("ui/screens/plan.py", "len(outs)"),
}
"""Counts that are never 1 where they are written: one is said in other words there."""


def test_a_count_that_may_be_one_goes_through_plural() -> None:
    unsure = [
        f"{name}:{line}: {text[:90]}"
        for name, tree in spoken().items()
        for line, text in unsure_counts(tree)
        if (name, text[1 : text.index("}")]) not in SEVERAL and "=" not in text.split("}")[1]
    ]
    assert unsure == []


def test_no_plural_is_made_by_hand() -> None:
    assert [name for name in spoken() if _PLURAL_BY_HAND.search(sources()[name])] == []


def test_after_a_full_stop_stands_a_capital() -> None:
    assert found(_LOWER_AFTER_A_STOP) == []


def test_a_thing_is_not_a_terminal_rather_than_no_terminal() -> None:
    assert found(_IS_NO) == []


def test_no_entity_of_markup_is_shown() -> None:
    assert found(_ENTITY) == []


@pytest.mark.parametrize("path", sorted(CATALOG.glob("*.t[os][mv]*")), ids=lambda p: p.name)
def test_guidance_is_plain_english(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for word in (
            "innocent",
            "broke off",
            "go along",
            "goes along",
            "leads nowhere to",
            "afresh",
            "anew",
            "blames",
        ):
            assert word not in line, f"{path.name}:{number}"
        text = re.sub(r"\[\[|\]\]|\{[^}]*\}", "", line)
        assert not _ENTITY.search(text), f"{path.name}:{number}"
        assert not re.search(r"(?<!e\.g)[a-z]\. [a-z]", text), f"{path.name}:{number}"
