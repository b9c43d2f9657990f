"""Fields, values and external ids in one statement.

What counts, and where it is looked for:

- A field stands as the platform prints it: the label before `: bad value for restricted picklist field`,
  the API name in the list at the end (`[Name, Close_Date__c]`), both where both are there, in order of
  appearance. Labels in free text count only where the sentence says that it is a field (`in the account
  name field`, `selected in Preferred Email`, `Close Date is required`) or, in the text of a rule, where a
  name ends as names of fields do (`Bundle Starting Rate`, `Show Close Date`).
- A value is what was refused: after `picklist field:`, in `contains EP, which isn't`, the id of a wrong
  type (which is a record id as well). A duplicate's id is a record id, not a value. `<unknown>`, `[]` and
  `…` are nothing.
- The value of `Foreign key external ID: ... not found` is an external id, not a value.
- A name that ends in `__c` is a field unless the words before say that it is an object.
"""

from __future__ import annotations

from syncerr_tui.diagnosis.labelled import find_after_code, find_labelled
from syncerr_tui.diagnosis.lists import find_labels_of, find_lists
from syncerr_tui.diagnosis.parts import Part
from syncerr_tui.diagnosis.ranges import Ranges
from syncerr_tui.diagnosis.sentences import find_custom_fields, find_prose, find_sentences

_NOTHING = frozenset({"<unknown>", "null", "…", "...", "[]", ""})


def find_details(text: str, root: str | None = None) -> list[Part]:
    """Fields, values and external ids in order of appearance; a part may appear more than once.

    Args:
        text: One statement, unwrapped.
        root: The code the statement is about, where it is known from elsewhere.
    """
    listed = list(find_lists(text))
    found = [*find_labelled(text), *find_after_code(text, root), *find_sentences(text), *listed]
    found += find_labels_of(text, listed)
    known = Ranges((part.start, part.end) for part in found)
    found += (part for part in find_custom_fields(text) if part.start not in known)
    found += find_prose(text, root)
    found.sort(key=lambda part: part.start)
    return [part for part in found if says_something(part, text)]


def says_something(part: Part, text: str) -> bool:
    """Whether a part is a name or value, and not a stand-in for one."""
    if part.kind == "value" and part.text.startswith("(value"):
        return False  # `(value has been hidden)`, `(value not shown)`
    if part.text == "null" and text[max(0, part.start - 1) : part.start] in {'"', "“"}:
        return part.kind == "value"  # `email address "null" is not valid`: the word itself was refused
    return part.text not in _NOTHING and not (part.kind == "field" and part.text == "unknown")
