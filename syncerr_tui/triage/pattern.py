"""Regular expressions that take time in proportion to the text, whatever they are: RE2's.

Python's own can take years on a short text, and cannot be stopped.
"""

from __future__ import annotations

from collections.abc import Callable

from syncerr_tui.errors import BadInputError
from syncerr_tui.text import one_line

_LONGEST = 500
"""Characters. Nobody types more."""


def compiled(pattern: str) -> Callable[[str], object]:
    """What searches a text for a pattern: the first match, or None. Upper and lower case are the same.

    Raises:
        BadInputError: It is no regular expression, or needs what RE2 has not.
    """
    if len(pattern) > _LONGEST:
        raise BadInputError(f"A pattern has more than {_LONGEST} characters", "Write a shorter one.")
    try:
        import re2
    except ImportError:
        raise BadInputError(
            "Patterns between slashes need the package google-re2", "Install it: pip install google-re2"
        ) from None
    options = re2.Options()
    options.case_sensitive, options.dot_nl, options.log_errors = False, True, False
    try:
        return re2.compile(pattern, options=options).search  # type: ignore[no-any-return]
    except re2.error as problem:
        reason = problem.args[0].decode(errors="replace")
    except UnicodeError:
        reason = "it holds half a character"
    raise BadInputError(
        f"The pattern /{one_line(pattern)[:40]}/ cannot be read: {one_line(reason)}",
        "A \\ takes the sign behind it as it is, as in \\( or \\*.",
    )
