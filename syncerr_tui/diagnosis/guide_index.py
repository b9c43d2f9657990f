"""The catalogue as a book to look things up in: StoreConnect's codes first, then all others by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from syncerr_tui.diagnosis.codes import as_code, nearest_codes
from syncerr_tui.diagnosis.explanation import explain_message
from syncerr_tui.diagnosis.guidance import other_cases
from syncerr_tui.diagnosis.guidance_catalog import MANUAL_CODES, general_codes
from syncerr_tui.diagnosis.guidance_template import plain
from syncerr_tui.diagnosis.model import Guidance

if TYPE_CHECKING:
    from syncerr_tui.diagnosis.org_notes import OrgNotes


@dataclass(frozen=True)
class Chapter:
    """All about one code."""

    code: str
    guidance: Guidance
    instance_url: str | None = None

    @property
    def in_manual(self) -> bool:
        return self.code in MANUAL_CODES

    @property
    def title(self) -> str:
        """What it means, in one sentence."""
        return plain(self.guidance.headline)

    @cached_property
    def cases(self) -> tuple[tuple[str, Guidance], ...]:
        """What else the code may mean."""
        return other_cases(self.code, self.instance_url)

    @cached_property
    def words(self) -> str:
        texts = [self.code, self.code.replace("_", " ")]
        for guidance in (self.guidance, *(case for _, case in self.cases)):
            texts += [guidance.headline, guidance.why, guidance.retry.value, guidance.afterwards]
            texts += [step.text for step in guidance.steps]
            texts += [*guidance.checks, *guidance.put_back, *(note.text for note in guidance.notes)]
        texts += [name for name, _ in self.cases]
        return plain("\n".join(texts)).casefold()


def chapters(instance_url: str | None = None, notes: OrgNotes | None = None) -> tuple[Chapter, ...]:
    """All codes.

    Args:
        instance_url: The org's address, for the steps.
        notes: The org notes, shown where they are about a code.
    """

    def guidance(code: str) -> Guidance:
        return explain_message("", code, instance_url=instance_url, notes=notes).guidance

    codes = (*MANUAL_CODES, *sorted(general_codes()))
    return tuple(Chapter(code, guidance(code), instance_url) for code in codes)


def search(book: Sequence[Chapter], text: str) -> tuple[Chapter, ...]:
    """The chapters with all these words: StoreConnect's before the others, and of each kind those with the
    words in their code first, side by side before scattered.

    Where none has them: the codes that are spelled nearly like the text.
    """
    words = text.casefold().split()
    if not words:
        return tuple(book)
    wanted = as_code(text)
    parts = [part for part in wanted.split("_") if part] or [wanted]

    def is_named(chapter: Chapter) -> bool:
        return all(part in chapter.code for part in parts)

    named = sorted(
        filter(is_named, book), key=lambda c: (wanted not in c.code, not c.code.startswith(wanted))
    )
    others = [c for c in book if not is_named(c) and all(word in c.words for word in words)]
    if named or others:
        return tuple(sorted((*named, *others), key=lambda chapter: not chapter.in_manual))
    near = nearest_codes(text)
    return tuple(sorted((c for c in book if c.code in near), key=lambda c: near.index(c.code)))
