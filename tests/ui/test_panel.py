"""The info panel: everything that is known about one error, at any width, whatever the message is made of."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from textual.geometry import Region

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.diagnosis.org_notes import parse_notes
from syncerr_tui.diagnosis.read import diagnose
from syncerr_tui.diagnosis.text_layout import Role, TextLine
from syncerr_tui.errors import BadInputError
from syncerr_tui.host.terminal import Colour, TerminalProfile
from syncerr_tui.model import SyncError
from syncerr_tui.text import cells, clean
from syncerr_tui.ui.error_details_service import ErrorDetailsService
from syncerr_tui.ui.services import Services
from syncerr_tui.ui.widgets.line import flat
from tests.factories import NOW, sync_error
from tests.layers import layered
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.test_demo_org import on_demo

STATE = clean("The BillingStateCode field contains EP, which isn't an available state for Australia.")
HOSTILE = {
    "markup": "[bold red]Required[/] fields [/x] are missing: [Name] [@click=app.quit]here[/] {0} %s",
    "escapes": "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b[31mRequired fields are missing: [Na\x9bme]\x00\r\nnext",
    "right to left": "Required fields are missing: [Name] \u202eevil\u202c \u05e9\u05d3\u05d4 "
    "\u062d\u0642\u0644 \u2067x",
    "combining": "e\u0301\u0300\u0302 Required fields are missing: [Name] " + "Z\u0351\u036b\u0343" * 60,
    "joined": "👩\u200d👩\u200d👧 👍🏽 ❤️ 🇦🇺 Required fields are missing: [Name] "
    + "配送先の状態を更新する" * 20,
    "new symbols": "\u2630\u4dc0\u00ad\u0600" * 60 + " Required fields are missing: [Name]",
    "one word": "x" * 30_000,
    "thirty thousand": "FIELD_CUSTOM_VALIDATION_EXCEPTION, no: [Name] " * 652,
    "line ends": "Required fields are missing: [Name]\n\n\n\u2028a\u2029b\x0bc",
}


def squeezed(text: str) -> str:
    return "".join(flat(text).split())


def laid_out(error: SyncError, width: int) -> list[TextLine]:
    async def unused() -> Any:
        raise AssertionError

    from syncerr_tui.ui.context import AppContext
    from syncerr_tui.ui.journals import Journals
    from syncerr_tui.ui.messages import BackgroundContext

    journals = Journals(Path())
    background = BackgroundContext(AppContext(unused), journals, lambda _: None, lambda work, _: work.close())
    return Services(background, nullcontext).describe(error, NOW, "", width)


def message_part(lines: list[TextLine]) -> list[TextLine]:
    """Without its label. A long one stands whole further down, the beginning of it at the top."""
    places = {line.text: place for place, line in enumerate(lines) if line.parts[:1] and is_heading(line)}
    if "The whole message" in places:
        return lines[places["The whole message"] + 1 : -2]
    [first] = [place for place, line in enumerate(lines) if line.text.split()[:1] == ["Message"]][:1]
    label, *rest = lines[first].parts
    assert label[1] is Role.MUTED
    return [TextLine(tuple(rest)), *lines[first + 1 : places["What happened"]]]


def is_heading(line: TextLine) -> bool:
    return line.parts[0][1] is Role.HEADING


async def whole_panel(driven: Driven) -> str:
    """Every line of the panel as it is drawn, from its top to its end."""
    await driven.press("g")
    panel, drawn = driven.pane.panel, []
    for top in range(len(panel.text.split("\n"))):
        if top >= panel.page:
            panel.move(1)
        drawn.append(panel.render_line(min(top, panel.page - 1)).text)
    return "\n".join(drawn)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [38, 76, 100])
def test_a_message_is_told_whole_with_the_parts_that_were_found(name: str, width: int) -> None:
    message = clean(HOSTILE[name])
    lines = laid_out(sync_error(1, message=message, code=None), width)
    assert all(cells(line.text) <= width for line in lines)
    assert not any(letter < " " or letter in "\x7f\x9b\u202e\u2067" for line in lines for letter in line.text)
    part = message_part(lines)
    assert squeezed("".join(line.text for line in part)) == squeezed(message)
    marked = "".join(text for line in part for text, role in line.parts if role is Role.FOUND)
    at, expected = 0, ""
    for span in diagnose(message).spans:
        if span.start >= at:
            expected += message[span.start : span.end]
            at = span.end
    assert squeezed(marked) == squeezed(expected)


async def test_what_is_laid_out_is_what_is_drawn(opened: Open) -> None:
    texts = dict(enumerate(HOSTILE.values(), start=1))
    errors = [sync_error(number, message=clean(text), code=None) for number, text in texts.items()]
    async with opened(errors, size=(60, 24)) as driven:
        await driven.ready()
        await driven.press("enter")
        for name, error in zip(HOSTILE, errors, strict=True):
            await driven.wait_for(lambda error=error: error.storeconnect_id in driven.pane.panel.text)  # type: ignore[misc]
            drawn = await whole_panel(driven)
            assert squeezed(error.message[:2000]) in squeezed(drawn.replace("┃", "")), name
            assert "\x1b" not in drawn, name
            await driven.press("n")


async def test_the_parts_stand_in_their_order(opened: Open) -> None:
    notes = parse_notes('[[note]]\ncontains = "EP"\ntext = "Ours: EP means Enterprise Park."', "n")
    async with opened(
        [sync_error(1, message=STATE, code=None)], size=(60, 24), read_notes=lambda: notes
    ) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        await driven.wait_for(lambda: "Ours: EP" in driven.pane.panel.text)
        texts = {driven.pane.panel.text}
        for size in ((80, 24), (104, 24), (120, 30)):
            await driven.pilot.resize_terminal(*size)
            await driven.wait_for(lambda: driven.pane.panel.text not in texts)
            texts.add(driven.pane.panel.text)
    for text in texts:
        order = (
            "FIELD_INTEGRITY_EXCEPTION (inferred from the wording)",
            "Salesforce ID",
            "StoreConnect ID",
            "Message The BillingStateCode",
            "What happened",
            "What blocks",
            "Your org's note",
            "| Ours: EP means Enterprise Park.",
            "Why",
            "How to fix it",
            "Fix first.",
            "1 Open State and Country",
            "What to check",
            "Afterwards",
            "Source",
            "After StoreConnect's manual.",
            "support.storeconnect.com",
            "Change event",
        )
        shown, at = squeezed(text), 0
        for part in order:
            assert squeezed(part) in shown[at:], part
            at = shown.index(squeezed(part), at)
        assert "**" not in text


@pytest.mark.parametrize("width", [60, 80])
async def test_the_whole_panel(opened: Open, width: int) -> None:
    """A picture to read: everything that can stand in the panel."""
    notes = parse_notes(
        '[[note]]\nautomation = "Order Builder"\ntext = "Ours: the Flow team is on call."', "n"
    )
    message = clean(
        "We can't save this record because the “Order Builder” process failed. Give your Salesforce admin "
        "these details. This error occurred when the flow tried to update records: "
        "FIELD_CUSTOM_VALIDATION_EXCEPTION: Close Date is required. You can look up ExceptionCode values in "
        "the SOAP API Developer Guide. Error ID: 1405213620-33528 (-1704150698)"
    )
    error = sync_error(1, message=message, code="CANNOT_EXECUTE_FLOW_TRIGGER")
    async with opened([error], size=(width, 90), read_notes=lambda: notes) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("Ours: the Flow team")
        await driven.compare(f"panel-{width}")


async def test_addresses_have_the_orgs_lightning_host_and_are_one_link_over_many_lines(opened: Open) -> None:
    terminal = TerminalProfile(links=True)
    async with opened([sync_error(1)], size=(120, 30), terminal=terminal) as driven:
        await driven.ready()
        await driven.wait_for("How to fix it")
        panel = driven.pane.panel
        styles = [
            segment.style
            for y in range(panel.page)
            for segment in panel.render_line(y)
            if segment.style and segment.style.link
        ]
        first = (
            "https://acme.lightning.force.com/lightning/setup/ObjectManager/Order/"
            "FieldsAndRelationships/Name/view"
        )
        pieces = [style for style in styles if style.link == first]
        assert len(pieces) > 2
        assert len({style.link_id for style in pieces}) == 1


async def test_a_terminal_without_links_is_sent_none(opened: Open) -> None:
    async with opened([sync_error(1)], size=(120, 30)) as driven:
        await driven.ready()
        await driven.wait_for("How to fix it")
        panel = driven.pane.panel
        strips = panel.render_lines(Region(0, 0, *panel.size))
        assert not any(segment.style and segment.style.link for strip in strips for segment in strip)


@pytest.mark.parametrize("colour", list(Colour))
async def test_found_parts_show_without_colour_too(opened: Open, colour: Colour) -> None:
    terminal = TerminalProfile(colour=colour)
    async with opened([sync_error(1, message=STATE)], size=(80, 24), terminal=terminal) as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        style = driven.pane.panel.look("found")
        assert style.bold
        assert style.underline or colour is not Colour.MONO


async def test_a_held_key_asks_for_one_panel_not_for_all_it_flies_over(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    explain = ErrorDetailsService.explain

    def counted(self: ErrorDetailsService, error: SyncError) -> Any:
        read.append(error.id)
        return explain(self, error)

    monkeypatch.setattr(ErrorDetailsService, "explain", counted)
    rows = layered("rows under an open panel", 300, 100_000)
    errors = [sync_error(number, message=clean(f"Message {number} {STATE}")) for number in range(1, rows + 1)]
    async with opened(errors, size=(120, 30)) as driven:
        await driven.ready()
        await driven.wait_for("What happened")
        read.clear()
        await driven.press_at_once(*["j"] * 40)
        last = driven.pane.listing.current
        assert last is not None
        await driven.wait_for(lambda: last.id in read)
        assert len(set(read)) <= 3
        assert driven.pane.listing.cursor == 40


async def test_who_is_at_the_end_stays_there_while_more_becomes_known(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("enter")
        await driven.wait_for("What happened")
        pane, panel, described = driven.pane, driven.pane.panel, driven.pane.describe
        more = [TextLine((("more is known", Role.TEXT),))] * 5

        def at_the_end() -> bool:  # however much has become known by now
            return panel.top == len(panel.text.split("\n")) - panel.page

        pane.describe = lambda *about: [*more, *described(*about)]
        await driven.press("G")
        assert at_the_end()
        pane.known_better(None)
        await driven.wait_for(lambda: "more is known" in panel.text)
        assert at_the_end()
        await driven.press("k")
        assert not at_the_end()
        top = panel.top
        pane.describe = lambda *about: [*more, *more, *described(*about)]
        pane.known_better(None)
        await driven.wait_for(lambda: panel.text.count("more is known") == 2 * len(more))
        assert panel.top == top, "who reads elsewhere is left there"


async def test_a_broken_file_of_notes_is_named_and_hides_nothing(opened: Open) -> None:
    answers: list[Any] = [BadInputError("notes.toml, line 3, txt: is not known in a note", "Remove it.")]

    def read() -> Any:
        if isinstance(answers[0], BadInputError):
            raise answers[0]
        return answers[0]

    async with opened(size=(120, 50), read_notes=read) as driven:
        await driven.ready()
        await driven.wait_for("Notes: notes.toml, line 3, txt: is not known in a note")
        await driven.wait_for(lambda: "Your org's notes cannot be read" in driven.pane.panel.text)
        assert "How to fix it" in driven.text
        answers[0] = parse_notes('[[note]]\ncode = "REQUIRED_FIELD_MISSING"\ntext = "Call Priya."', "n")
        await driven.press("r")
        await driven.wait_for("| Call Priya.")
        assert "Your org's notes cannot be read" not in driven.pane.panel.text


async def test_who_rests_on_a_row_learns_when_its_flow_was_changed(tmp_path: Path) -> None:
    async with on_demo(tmp_path, DemoOptions(processing_delay=0.1), (120, 50)) as driven:
        await driven.press("slash")
        await driven.type("code:CANNOT_EXECUTE_FLOW_TRIGGER campaign")
        await driven.press("enter")
        await driven.wait_for(lambda: "Not changed since" in " ".join(driven.pane.panel.text.split()))
        before, after = " ".join(driven.pane.panel.text.split()).split("What to check")
        assert "last changed" not in before
        assert "Not changed since this failure" in after
        assert "flowBuilder.app" in "".join(driven.pane.panel.text.split())


async def test_without_a_connection_of_its_own_the_panel_keeps_the_list_page(opened: Open) -> None:
    message = clean("We can't save this record because the “Order Builder” process failed.")
    async with opened([sync_error(1, message=message, code=None)], size=(120, 50)) as driven:
        await driven.ready()
        await driven.wait_for("How to fix it")
        await driven.wait_for(lambda: not driven.app.services.error_details._asking)
        assert "/lightning/setup/Flows/home" in "".join(driven.pane.panel.text.split())
