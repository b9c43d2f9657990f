"""The named things that ran while the record was saved: flows, flow elements, triggers, classes, rules.

A name is taken only from a place where the platform puts one: a quoted name beside the word for a process,
a stack line, `X: execution of AfterInsert`. How they are told apart:

- `npsp.TDTM_Contact` is the trigger `TDTM_Contact` of the package `npsp`; `dlrs_ContactTrigger` is the
  org's own trigger (made by a tool, but not in its package), so it has no namespace.
- A stack line names the class, not the method: `Class.A.run: line 3` is `A`. With a package in front
  (`Class.npsp.A.run`) that is the namespace; with an inner class (`Class.A.B.run`) the outer one is named.
  What is a package is seen from the rest of the text: `(npsp)`, `npsp.`, `npsp__`; four parts and more
  always begin with one.
- A flow's label is its name as it stands between the quotes, whatever quotes they are.
- Order is outermost first. A stack trace lists innermost first, so its frames are turned around and stand
  behind the trigger in them. A trace without such a trigger that comes after a fault's end (`: []`) is the
  caller of all and stands in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from syncerr_tui.diagnosis.codes import find_codes
from syncerr_tui.diagnosis.model import Automation
from syncerr_tui.diagnosis.source_text import matches


@dataclass(frozen=True, slots=True)
class NamedAutomation:
    """An automation and where its name stands."""

    automation: Automation
    start: int
    end: int


_QUOTED = (
    r"(?:“(?P<q1>[^“”\n]{1,200}(?=”)|[^“”\"\n]{1,200}(?=\"))[”\"]|"
    r"\"(?P<q2>[^\"\n]{1,200})\"|‘(?P<q3>[^‘’\n]{1,200})’|"
    r"«\s?(?P<q4>[^«»\n]{1,200}?)\s?»|„(?P<q5>[^„“”\n]{1,200})[“”]|「(?P<q6>[^「」\n]{1,200})」|"
    r"'(?P<q7>[^'\n]{1,200})'|”(?P<q8>[^”\n]{1,200})”)"
)
_PROCESS = (
    r"(?:process(?:us|o)?|[Pp]rozess|proceso|proces|процесс|プロセス|処理|流程|프로세스|"
    r"flow|Flow|flux|flujo|Ablauf|fluxo|flusso)"
)
_FLOW_BEFORE = re.compile(_QUOTED + r"[-\s]{0,2}" + _PROCESS + r"(?![A-Za-z])")
_FLOW_AFTER = re.compile(
    r"(?<![A-Za-z])" + _PROCESS + r"(?:\s+(?:named|called|with name|label))?:?\s{0,2}" + _QUOTED
)
_BARE_FLOW = re.compile(r"because the (?P<name>[^\s\"“”‘’'][^\n\"“”‘’']{0,199}?) process failed")
_FLOW_NAME = re.compile(r"Flow (?:API )?(?:Name|Label): {0,2}(?P<name>[^\n ][^\n]{0,119})")
_ACTION = re.compile(r"actionName[\\\"'“”]{0,8}\s{0,3}[:=]\s{0,3}[\\\"'“”]{1,8}(?P<name>\w{1,120})")
_FAILED_ACTION = re.compile(r"[Aa]ction [\"“](?P<name>\w{1,120})[\"”] failed")
_JOB = re.compile(r"(?:for|in) class '(?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>[A-Za-z]\w{0,100})'")
_ELEMENT = re.compile(
    r"(?:[Ee]rror element|[Ee]rror occurred at element|[Ff]ault at element|caused by element ?:)\s{1,3}"
    r"(?P<q>[\"“'‘]?)(?P<name>\w{1,120})"
)
# The end of a debug log's line about a Flow's element: `|FlowRecordCreate|Make_Order`.
_LOGGED_ELEMENT = re.compile(r"\|\s?Flow[A-Z]\w{2,40}\s?\|\s?(?P<name>[A-Za-z]\w{0,119})\s{0,3}(?:\n|\Z)")
# The debug view of a Flow: each element under its name, the one that failed says so.
_FAILED_ELEMENT = re.compile(
    r"(?:CREATE|UPDATE|DELETE|GET) RECORDS: (?P<name>\w{1,120})"
    r"(?:\n(?!(?:CREATE|UPDATE|DELETE|GET) RECORDS)[^\n]{0,200}){1,40}?\nFailed to "
)
# `X: execution of AfterInsert`, in the user's language; a trigger that died of a limit has no such words.
_EXECUTION = re.compile(
    r":\*{0,2}\s{0,3}(?:maximum trigger depth exceeded|"
    r"[^\W\d_]{3,20} (?:[^\W\d_]{1,8} ){0,2}(?:Before|After)(?:Insert|Update|Delete|Undelete)|"
    r"execution of(?: [A-Z][a-z]{0,5}(?:[A-Z][a-z]{0,7})?)?\Z)"  # cut off there
)
_NAME_AT_END = re.compile(r"(?<![\w.])(?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>[A-Za-z]\w{0,100})\Z")
_CHANGED = re.compile(
    r"(?<![\w.])(?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>[A-Za-z]\w{0,100}):\s{1,3}data changed by trigger"
)
_DIED = re.compile(
    r"(?:\A|(?<![A-Z_])[A-Z_]{3,60}[,:] ?)(?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>[A-Za-z]\w{0,100}) ?: {0,2}"
    r"System\.\w{0,40}Exception"
)
# Elsewhere only a name that is made like a trigger's: other words stand before an exception too.
_DIED_INSIDE = re.compile(
    r"(?<![\w.:])(?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>(?=\w{0,60}?(?:_|[Tt]rigger))[A-Za-z]\w{0,100}"
    r"(?:\[[\w ]{1,30}\]\w{0,30})?) ?: {0,2}System\.\w{0,40}Exception"
)
_APEX_ACTION = re.compile(r"Apex action [\"“']?(?:(?P<ns>[A-Za-z]\w{0,30})__)?(?P<name>[A-Z]\w{1,100})")
_TEST_RUN = re.compile(
    r"\A\s{0,3}(?P<name>[A-Z]\w{1,100})\.\w{1,100}[\s-]{1,20}(?:Fail[\s-]{1,40})?(?:Message:\s{0,3})?"
    r"System\.\w{1,40}Exception"
)
_RECURSIVE = re.compile(r"currently in trigger (?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>[A-Za-z]\w{0,100})")
_UNEXPECTED = re.compile(r"Apex trigger (?:(?P<ns>[A-Za-z]\w{0,30})\.)?(?P<name>[A-Za-z]\w{0,100}) caused")
_FRAME = re.compile(
    r"(?<![\w.])(?:(?P<kind>Class|Trigger)\.(?P<path>[A-Za-z]\w{0,100}(?:\.<?\w{1,100}>?){0,5})"
    r"(?:: line \d|\|\d{1,6} col |(?<=\w)(?P<cut>\Z))|"
    r"(?P<bare>[A-Z]\w{0,100}(?:\.\w{1,100}){1,4}): line \d{1,6}, column \d)"
)
_EXCEPTION = re.compile("Exception(?=:? )")
_PATH_AT_END = re.compile(r"(?<![\w.])(?P<path>[A-Za-z]\w{0,100}(?:\.[A-Za-z]\w{0,100}){1,3})\Z")
_LONGEST_PATH = 404
# What stands between the end of a fault and the trace of whoever made the call.
_AFTER_THE_FAULT = re.compile(r"\]\s*(?:\(\w{1,15}\)|==|\.)?\s*\Z")
_RULE = re.compile(
    r"(?P<kind>[Vv]alidation (?:[Rr]ule|[Ff]ormula)|[Dd]uplicate [Rr]ule)(?: named| called)?:? {0,2}"
    + _QUOTED
)
# The platform quotes the rule itself where its formula cannot be worked out.
_FORMULA = re.compile(r"Formula [\"'“](?P<name>\w{1,120})[\"'”] Invalid", re.IGNORECASE)
# `duplicateResult` of a REST body.
_RULE_KEY = re.compile(r"duplicateRule[\\\"'”]{0,8}\s{0,3}[:=]\s{0,3}[\\\"'“”]{1,8}(?P<name>\w{1,120})")
_BY_CLUE = (
    ("process failed", "flow", _BARE_FLOW),
    ("Flow ", "flow", _FLOW_NAME),
    ("Failed to ", "flow_element", _FAILED_ELEMENT),
    ("currently in trigger ", "trigger", _RECURSIVE),
    ("element", "flow_element", _ELEMENT),
    ("FLOW_ELEMENT_", "flow_element", _LOGGED_ELEMENT),
    ("Apex action ", "class", _APEX_ACTION),
    (" class '", "class", _JOB),
    ("ormula ", "validation_rule", _FORMULA),
    ("duplicateRule", "duplicate_rule", _RULE_KEY),
)
"""What has to be in a text, what it then may name, and where."""
_PLATFORM_NAMES = """
    System Database Schema ConnectApi Auth Messaging Apex Approval Canvas Cache DataSource Flow Process Search
    Test Salesforce TxnSecurity UserProvisioning Visualforce VisualEditor Limits
    java javax common core com org lib shared StatusCode ErrorCode ExceptionCode
"""
_PLATFORM = frozenset(_PLATFORM_NAMES.split())
_NOT_TRIGGERS = frozenset(
    {"by", "error", "exception", "failed", "fatal", "message", "occurred", "reason", "warning"}
)


def find_automation(text: str) -> list[NamedAutomation]:
    """Everything that `text` names as having run, outermost first, each once."""
    automations = [*_flows(text), *_triggers(text), *_exceptions(text), *_rules(text)]
    for clue, kind, pattern in _BY_CLUE:
        if clue in text:
            automations += (_by_name(kind, match) for match in matches(pattern, text))
    automations.sort(key=lambda named: named.start)
    return _distinct(_with_traces(text, automations))


def _named(kind: str, name: str, start: int, end: int, namespace: str | None = None) -> NamedAutomation:
    return NamedAutomation(Automation(kind, name, namespace), start, end)


def _by_name(kind: str, match: re.Match[str]) -> NamedAutomation:
    return _named(kind, match["name"].strip(), *match.span("name"), match.groupdict().get("ns"))


def _quoted(kind: str, match: re.Match[str]) -> Iterator[NamedAutomation]:
    for group in ("q1", "q2", "q3", "q4", "q5", "q6", "q7", "q8"):
        name = match[group]
        if name is not None:
            if any(map(str.isalnum, name)):
                yield _named(kind, name.strip(), match.start(group), match.end(group))
            return


def _flows(text: str) -> Iterator[NamedAutomation]:
    lowered = text.lower()
    if "proc" in lowered or "proz" in lowered or "fl" in lowered or not text.isascii():
        for pattern in (_FLOW_BEFORE, _FLOW_AFTER):
            for match in matches(pattern, text):
                yield from _quoted("flow", match)
    for clue, pattern in (("actionName", _ACTION), ("ction ", _FAILED_ACTION)):
        kind = "flow" if "flow" in lowered else "class"
        for match in matches(pattern, text) if clue in text else ():
            yield _by_name(kind, match)


def _triggers(text: str) -> Iterator[NamedAutomation]:
    for clue, pattern in (
        ("trigger ", _UNEXPECTED),
        (": System.", _DIED),
        (": System.", _DIED_INSIDE),
        ("data changed by", _CHANGED),
    ):
        if clue in text:
            yield from filter(None, map(_trigger, matches(pattern, text)))
    if "execution of" in text or "After" in text or "Before" in text or "maximum trigger depth" in text:
        for colon in matches(_EXECUTION, text):
            name = _before(_NAME_AT_END, text, colon.start())
            if name and (named := _trigger(name)):
                yield named


def _before(pattern: re.Pattern[str], text: str, end: int) -> re.Match[str] | None:
    """A name without blanks that ends here: few places can be its end, and every word its start."""
    start = max(0, end - _LONGEST_PATH, text.rfind(" ", 0, end))
    return pattern.search(text, start, end)


def _trigger(match: re.Match[str]) -> NamedAutomation | None:
    if match["name"].casefold() in _NOT_TRIGGERS or _is_code(match["name"]):
        return None
    return _by_name("trigger", match)


def _is_code(name: str) -> bool:
    return name.isupper() and bool(find_codes(name))


def _exceptions(text: str) -> Iterator[NamedAutomation]:
    """The class that an exception of its own belongs to: `SendBetterEmail.InvocableActionException: ...`."""
    if run := _TEST_RUN.match(text):
        yield _by_name("class", run)
    if "Exception" not in text:
        return
    for end in matches(_EXCEPTION, text):
        dotted = _before(_PATH_AT_END, text, end.end())
        if dotted is not None and (path := dotted["path"].split("."))[0] not in _PLATFORM:
            yield _class(text, path, dotted.start("path"), dotted.end("path"))


def _rules(text: str) -> Iterator[NamedAutomation]:
    if "alidation " in text or "uplicate " in text:
        for match in matches(_RULE, text):
            kind = "duplicate_rule" if match["kind"][0] in "dD" else "validation_rule"
            yield from _quoted(kind, match)


def _class(text: str, path: list[str], start: int, end: int) -> NamedAutomation:
    """The class in a dotted path whose last part is a method or an inner class."""
    packaged = (
        len(path) > 3
        or (len(path) == 3 and _is_namespace(path[0], text))
        # No method: the frame is a constructor's, or the exception is a class of the package itself.
        or (len(path) == 2 and (path[0].islower() or _is_marked(path[0], text)) and _is_class_name(path[1]))
    )
    namespace = path[0] if packaged else None
    return _named("class", path[1] if packaged else path[0], start, end, namespace)


def _is_class_name(name: str) -> bool:
    """Methods begin in lower case; so do few classes, and those carry a prefix: `fflib_Selector`."""
    return name[0].isupper() or ("_" in name and not name.islower())


def _is_namespace(name: str, text: str) -> bool:
    if len(name) > 15 or "__" in name or name.endswith("_"):
        return False
    return (
        name.islower() or (name.isupper() and (len(name) <= 8 or "_" not in name)) or _is_marked(name, text)
    )


def _is_marked(name: str, text: str) -> bool:
    """Whether the rest of the text shows that a name is a package's."""
    marks = (f"({name})", f"{name}__", f", {name}.", f"rigger {name}.", f"Trigger.{name}.")
    return (
        text.startswith(f"{name}.")
        or any(mark in text for mark in marks)
        or re.search(rf"(?<![\w.]){name}\.\w{{1,100}}: (?:execution of|maximum trigger)", text) is not None
    )


def _whole_name(kind: str, path: list[str]) -> bool:
    """Whether a frame that the message was cut off in still has the whole name of its class."""
    return kind == "Class" and (len(path) > 2 or (len(path) == 2 and path[1][0].islower()))


def _traces(text: str) -> list[tuple[int, list[NamedAutomation]]]:
    """The stack traces: where each begins, and its frames. It ends with the trigger it came from."""
    traces: list[tuple[int, list[NamedAutomation]]] = []
    ended = True
    for match in matches(_FRAME, text):
        group = "path" if match["path"] else "bare"
        path = match[group].split(".")
        if path[0] in _PLATFORM or (match["cut"] is not None and not _whole_name(match["kind"], path)):
            continue
        if ended:
            traces.append((match.start(), []))
        start, end = match.span(group)
        ended = match["kind"] == "Trigger"
        frame = (
            _named("trigger", path[-1], start, end, path[0] if len(path) > 1 else None)
            if ended
            else _class(text, path, start, end)
        )
        traces[-1][1].append(frame)
    return traces


def _with_traces(text: str, automations: list[NamedAutomation]) -> list[NamedAutomation]:
    """`found` with the frames of the stack traces put where they belong."""
    if not any(clue in text for clue in (": line ", " col ", "Class.")):
        return automations
    order = list(automations)
    known = {named.automation for named in automations}
    for start, frames in _traces(text):
        anchors = {frame.automation for frame in frames} & known
        fresh = [frame for frame in reversed(frames) if frame.automation not in known]
        if anchors:
            at = 1 + max(place for place, named in enumerate(order) if named.automation in anchors)
        else:
            at = 0 if _AFTER_THE_FAULT.search(text, max(0, start - 24), start) else len(order)
        order[at:at] = fresh
        known.update(frame.automation for frame in fresh)
    return order


def _distinct(automations: list[NamedAutomation]) -> list[NamedAutomation]:
    first: dict[Automation, NamedAutomation] = {}
    for named in automations:
        first.setdefault(named.automation, named)
    return list(first.values())
