"""How well a reading agrees with labels: the figures of the contract, and a table of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from syncerr_tui.diagnosis.identifiers import is_id
from syncerr_tui.diagnosis.read import diagnose

Row = Mapping[str, Any]

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "messages.jsonl"
FRESH = CORPUS.with_name("fresh.jsonl")
OWN = Path(__file__).with_name("messages.jsonl")
SEARCHED = Path(__file__).with_name("searched.jsonl")
"""358 messages found by searching public code, issues and pages, in four rounds (`s`, `n`, `w` and `x`).

Each says where it was seen; ids and names of people are invented. Labelled before they were read for the
first time. That first reading of the second round: root code 1.00 (.98 without the code column), codes 1.00,
automation .97, fields .91, values and ids 1.00. Of the third, half of it not English: root code 1.00
(.89), codes and automation 1.00, fields .91, values .86, record ids .67 (two of four), external ids .80.
Of the fourth: root code 1.00 (.92), codes and ids 1.00, automation .95, fields .91, values and objects .82.
What that taught was mended before 32 more (`x126` and on) were read: root code 1.00 (.97), codes and ids
1.00, automation .91 (five of six), fields .85, values 1.00, objects .83. And again before the last 19 (`x158`
and on): root code, codes, values and ids 1.00, fields .86.
"""

EXACT = ("root_code", "codes", "error_id", "limit", "transient")
SETS = ("automation", "fields", "values", "record_ids", "external_ids", "objects")


def rows_of(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


@dataclass(slots=True)
class Agreement:
    """Counts of one set-valued key over all messages."""

    hits: int = 0
    extra: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + self.extra) if self.hits + self.extra else 1.0

    @property
    def recall(self) -> float:
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else 1.0

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(slots=True)
class Score:
    """Every figure of one run over labelled messages."""

    messages: int = 0
    right: dict[str, int] = field(default_factory=lambda: dict.fromkeys(EXACT, 0))
    sets: dict[str, Agreement] = field(default_factory=lambda: {key: Agreement() for key in SETS})
    false_ids: int = 0
    faults: list[str] = field(default_factory=list)

    def accuracy(self, key: str) -> float:
        return self.right[key] / self.messages if self.messages else 1.0

    def table(self, title: str) -> str:
        lines = [f"{title}: {self.messages} messages, false ids {self.false_ids}"]
        lines += [f"  {key:13} accuracy {self.accuracy(key):6.1%}" for key in EXACT]
        lines += [
            f"  {key:13} precision {found.precision:.3f}  recall {found.recall:.3f}  F1 {found.f1:.3f}"
            f"  ({found.hits} found, {found.extra} extra, {found.missed} missed)"
            for key, found in self.sets.items()
        ]
        return "\n".join([*lines, *(f"  ! {fault}" for fault in self.faults)])


def score(rows: Iterable[Row], *, with_code: bool) -> Score:
    """Read every message and count. `with_code` hands the record's code in, as the org's list does."""
    total = Score()
    for row in rows:
        total.messages += 1
        message, code = row["message"], row["code"] if with_code else None
        answer = diagnose(message, code).payload()
        for key in EXACT:
            if answer[key] == row[key]:
                total.right[key] += 1
            else:
                total.faults.append(f"{row['id']} {key}: {row[key]!r} expected, read {answer[key]!r}")
        for key, found in total.sets.items():
            want, got = _as_set(row[key]), _as_set(answer[key])
            found.hits += len(want & got)
            found.extra += len(got - want)
            found.missed += len(want - got)
            if want != got:
                total.faults.append(
                    f"{row['id']} {key}: missed {want - got or '-'}, extra {got - want or '-'}"
                )
        ids = _as_set(answer["record_ids"])
        total.false_ids += len(ids - _as_set(row["record_ids"]))
        total.false_ids += sum(not is_id(json.loads(found_id)) for found_id in ids)
    return total


def _as_set(values: Any) -> set[str]:
    return {json.dumps(value, sort_keys=True) for value in values}
