"""Names of an org, a profile, a person and a machine that are meant to harm, in every place and dialog."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.content import Content
from textual.widgets import Static

from syncerr_tui.diagnosis.model import Step
from syncerr_tui.errors import BadInputError
from syncerr_tui.fixes.model import (
    FixOption,
    FixRecord,
    FixResult,
    FixState,
    SafeguardNow,
    SafeguardState,
    options_for,
)
from syncerr_tui.fixes.org import FixCandidate, FixFacts, FixKind, FixPolicy, FixTarget
from syncerr_tui.model import SyncError, Verdict
from syncerr_tui.resync.org import MethodInfo
from syncerr_tui.text import SafeText
from syncerr_tui.ui.screens.dialog import Dialog, Question
from syncerr_tui.ui.screens.fix import FixDialog, SafeguardActions, SafeguardsDialog, Stage
from syncerr_tui.ui.screens.line_dialog import reason_dialog, target_name_dialog
from syncerr_tui.ui.screens.menus import address_menu
from syncerr_tui.ui.screens.resync import off_question, unticked_question
from tests.factories import NOW, sync_error
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import IDENTITY, FakeConnection
from tests.ui.past import ended_run, interrupted

EVIL = "E\x1b]52;c;QQ==\x07\x1b]0;p\x07\x9b2J\u202e\u2066\x00\x7f[/a]\nFAKED LINE"
SHORT = "\x1b[2J[/a]\nFAKED"
"""Short enough that nothing that holds it is broken at its blank."""


def evil_option() -> FixOption:
    candidate = FixCandidate(
        FixKind.CORRECT_VALUE,
        FixTarget(SHORT, SHORT, SHORT),
        {SHORT: SHORT},
        {SHORT: SHORT},
        title=SHORT,
        changed=(NOW, SHORT),
        audit=(SHORT,),
        affects=SHORT,
        steps=(Step(SHORT, f"https://{SHORT}"),),
    )
    (option,) = options_for(FixFacts((candidate,)), FixPolicy(unrestricted=True))
    return option


def evil_safeguard() -> SafeguardNow:
    target = FixTarget(SHORT, SHORT, SHORT)
    record = FixRecord(
        FixKind.FLOW_OFF,
        target,
        {SHORT: None},
        {SHORT: SHORT},
        id="abcd1234",
        at=NOW,
        whole="",
        event=SHORT,
        by=SHORT,
        org_user=SHORT,
        reason=SHORT,
    )
    return SafeguardNow(record, SafeguardState.OTHER_VERSION, {SHORT: SHORT}, SHORT)


def evil_errors() -> list[SyncError]:
    # As if the border had been forgotten: a SafeText that is none.
    text = SafeText(EVIL)
    return [
        replace(
            sync_error(number),
            object=text,
            message=text,
            code=EVIL if number == 2 else "REQUIRED_FIELD_MISSING",
            storeconnect_id=text,
            salesforce_id=EVIL,
        )
        for number in (1, 2, 3)
    ]


def evil_connection() -> Any:
    connection = FakeConnection(evil_errors())
    connection.identity = replace(IDENTITY, name=EVIL, username=EVIL)
    connection.org.identity = connection.identity
    connection.org.method = MethodInfo("apex", EVIL, batch_size=2, concurrency=2)
    return connection


def assert_harmless(driven: Driven) -> None:
    strips = driven.app.screen._compositor.render_strips()
    texts = {segment.text for strip in strips for segment in strip}
    texts |= {segment.style.link or "" for strip in strips for segment in strip if segment.style}
    for letter in {*"".join(texts)}:
        harmless = letter.isprintable() or unicodedata.category(letter) == "Zs" or letter == "\u200d"
        assert harmless, [text for text in texts if letter in text]
    for line in driven.lines if isinstance(driven.app.screen, Dialog) else ():
        # A name cannot write a line of its own into a question.
        assert not line.strip(" │|┃1234567890").startswith("FAKED"), driven.text


async def walk(driven: Driven, *keys: str) -> None:
    for key in keys:
        await driven.press(key)
        assert_harmless(driven)


async def test_no_place_and_no_dialog_hands_on_what_a_terminal_would_obey(
    opened: Open, tmp_path: Path
) -> None:
    errors = evil_errors()
    ended_run(tmp_path, errors, [Verdict.FIXED, Verdict.UNKNOWN, Verdict.STILL_FAILING], EVIL)
    connection = evil_connection()
    async with opened(
        connection=connection, org=EVIL, welcome=EVIL, size=(80, 24), clock=lambda: NOW
    ) as driven:
        await driven.ready()
        assert_harmless(driven)
        await walk(driven, "enter", "G", "escape", "e", "escape", "c", "enter", "l", "j", "G", "escape")
        await walk(driven, "3", "enter", "j", "enter", "G", "escape", "escape", "1")
        await walk(driven, "question_mark", "escape", "o", "escape", "ctrl+p", "escape", "m", "escape")
        await walk(driven, "slash", *"x", "escape", "b", "escape", "y", "Y")
        await walk(driven, "a", "R")
        await driven.wait_for("enter starts")
        await walk(driven, "w", *"why", "enter", "enter")
        await driven.wait_for("Result")
        assert_harmless(driven)
        driven.app.bench.say(EVIL)
        driven.app.bench.trouble(BadInputError(EVIL, EVIL))
        driven.app.notify(EVIL, markup=False)
        await driven.wait_for("E␛]52")
        assert_harmless(driven)


async def test_nothing_gets_out_where_a_widget_forgets(opened: Open) -> None:
    """The last door holds by itself: text that nobody has looked at reaches the screen as text."""
    async with opened() as driven:
        await driven.ready()
        await driven.app.bench.mount(Static(Content(EVIL)), before="#tabs")
        await driven.wait_for("FAKED LINE")
        strips = driven.app.screen._compositor.render_strips()
        assert "\x1b" not in "".join(strip.text for strip in strips)
        assert all(letter.isprintable() for strip in strips for letter in strip.text)


async def test_what_an_earlier_start_left_is_harmless_too(opened: Open, tmp_path: Path) -> None:
    interrupted(tmp_path, reason=EVIL, user=EVIL.replace("\x00", ""))
    async with opened(connection=evil_connection(), size=(100, 30)) as driven:
        await driven.wait_for("Nothing is read or sent")
        assert_harmless(driven)
        await walk(driven, "d")


async def test_fixes_and_safeguards_are_harmless_too(opened: Open) -> None:
    async with opened(connection=evil_connection(), size=(100, 30)) as driven:
        await driven.ready()
        fix = FixDialog(SHORT, lambda *_: None, names_target=True)
        driven.app.push_screen(fix)
        await driven.wait_for("Looking up")
        fix.learn([evil_option()])
        await driven.wait_for("chooses")
        await walk(driven, "enter", "enter")
        assert fix.stage is Stage.CONFIRMING, "the name was not typed"
        fix.stage = Stage.APPLYING
        fix.ended(FixResult("abcd1234", FixState.UNKNOWN, False, {SHORT: SHORT}, {SHORT: SHORT}, SHORT))
        await walk(driven, "escape")
        actions = SafeguardActions(lambda _: None, lambda _: None, lambda *_: None)
        off = SafeguardsDialog(actions, lambda: NOW)
        driven.app.push_screen(off)
        await driven.wait_for("Reading each")
        off.learn([evil_safeguard()], SHORT)
        await walk(driven, "j", "enter", "escape")


async def test_questions_in_the_middle_of_something_are_harmless_too(opened: Open) -> None:
    async with opened(connection=evil_connection(), size=(100, 30)) as driven:
        await driven.ready()
        for dialog in (
            unticked_question(3, leaving=True),
            Question(EVIL, EVIL, answers={"enter": ("quit", True)}),
            off_question(EVIL, [EVIL]),
            target_name_dialog(EVIL),
            address_menu([(EVIL, f"https://{EVIL}"), (EVIL, "https://example.com")]),
            reason_dialog(EVIL),
        ):
            driven.app.push_screen(dialog)
            await driven.wait_for(lambda shown=dialog: driven.app.screen is shown)  # type: ignore[misc]
            await driven.pilot.pause()
            assert_harmless(driven)
            await driven.press("escape")
