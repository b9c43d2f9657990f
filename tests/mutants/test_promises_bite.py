"""For each promise a line that keeps it is broken in a copy of the package, and its tests have to go red.

A test that stays green on a broken promise guards nothing. The line is found by its text anywhere in the
package, so that it may move; a usual run only looks whether it still stands there, once. Promises 8 and 9
come with the fixes of an org's safeguards, and their mutants with them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import syncerr_tui
from tests.layers import only_thorough

PACKAGE = Path(syncerr_tui.__file__).parent
ROOT = PACKAGE.parent
PROMISES = "tests/resync/test_promises.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A line of the package, how it is broken, and the tests that must not stand for it."""

    promise: int
    what: str
    line: str
    broken: str
    tests: tuple[str, ...]

    def home(self) -> Path:
        """The one file with the line, relative to the package."""
        homes = [
            path.relative_to(PACKAGE)
            for path in sorted(PACKAGE.rglob("*.py"))
            for _ in range(path.read_text(encoding="utf-8").count(self.line))
        ]
        assert len(homes) == 1, f"{self.line!r} stands in {len(homes)} places: choose the line anew"
        return homes[0]


MUTANTS = [
    Mutant(
        1,
        "outcomes are shown and not recorded",
        "self.writer.put(lambda: self.journal.finish_rows(self.run, ends), rows=len(ends))",
        "pass",
        (f"{PROMISES}::test_1_no_error_leaves_the_list_without_a_recorded_reason",),
    ),
    Mutant(
        2,
        "the intent is not written before the request",
        "numbers = self.journal.intend(self.run, due, asking=asking)",
        "numbers = {attempt.event: number for number, attempt in enumerate(due, 1)}",
        (f"{PROMISES}::test_2_nothing_is_sent_before_its_intent_is_in_the_journal",),
    ),
    Mutant(
        3,
        "a look that got old on the way out is sent on",
        "self._stopwatch.check_fresh(self._looked_at)",
        "pass",
        ("tests/resync/test_runner.py",),
    ),
    Mutant(
        3,
        "what may have been done is sent again unasked",
        "return earlier.event not in self._state.request.again",
        "return False",
        (PROMISES, "tests/resync/test_doubt.py", "tests/resync/test_runner.py"),
    ),
    Mutant(
        4,
        "a victim does not wait for its cause",
        "return next((p for p in self.rows[event].parents if not self.proven(p)), None)",
        "return None",
        (
            f"{PROMISES}::test_4_a_victim_waits_for_the_proof_of_its_cause_and_a_failed_cause_stops_its_branch_only",
        ),
    ),
    Mutant(
        5,
        "answers are matched to rows by their order",
        "    for receipt in receipts:\n        if receipt.id in answers:",
        "    for event, receipt in zip(ids, receipts):\n        answers[event] = {receipt}\n    if False:",
        (f"{PROMISES}::test_5_a_run_touches_the_planned_set_and_results_find_their_rows_by_identity",),
    ),
    Mutant(
        6,
        "a record that was there before proves the write",
        "if record.modified_at < (second + timedelta(seconds=1) if event_gone else second):",
        "if False:",
        (PROMISES, "tests/resync/test_proof.py"),
    ),
    Mutant(
        6,
        "any event that left the list is fixed",
        'return case.wait(f"{how}, but no record has this StoreConnect ID")',
        "return case.proven(how)",
        (f"{PROMISES}::test_6_fixed_is_never_wrong", "tests/resync/test_proof.py"),
    ),
    Mutant(
        7,
        "the journal quotes what the transport quotes",
        "self._register(rows, leaving.at, (), problem.title)",
        'self._register(rows, leaving.at, (), f"{problem.title}: {problem.__cause__}")',
        (f"{PROMISES}::test_7_no_secret_reaches_the_journal_or_an_event",),
    ),
    Mutant(
        7,
        "a token shows itself",
        "access_token: str = field(repr=False)",
        "access_token: str",
        ("tests/salesforce/test_tokens.py",),
    ),
    Mutant(
        7,
        "the log quotes the error",
        'yield f"{type(at).__name__}\\n"',
        'yield f"{type(at).__name__}: {at}\\n"',
        ("tests/terminal/test_program.py::test_a_defect_leaves_one_line_and_no_local_variables",),
    ),
]


def named(mutant: Mutant) -> str:
    return f"{mutant.promise} {mutant.what}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_the_line_that_keeps_a_promise_is_known(mutant: Mutant) -> None:
    assert mutant.home().suffix == ".py"


@only_thorough("a broken line for each promise, and the tests that see it")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mutant", MUTANTS, ids=named)
def test_a_broken_promise_is_seen(mutant: Mutant, tmp_path: Path) -> None:
    home = mutant.home()
    for name in ("syncerr_tui", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    source = tmp_path / "syncerr_tui" / home
    source.write_text(source.read_text("utf-8").replace(mutant.line, mutant.broken), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider", *mutant.tests]
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "SYNCERR"))}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    # 1: tests failed. Anything else would be a mutant that does not run at all.
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout[-3000:]
