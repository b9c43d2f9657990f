"""Nothing a person has to read is cut off for good."""

from __future__ import annotations

from syncerr_tui.errors import UnreachableError
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import FakeConnection, some_errors

LONG = UnreachableError(
    "The org is down for maintenance and answers every request with a page of its own",
    "Wait until Salesforce says at its trust site that the maintenance is over, then try again",
)


def folded(driven: Driven) -> str:
    return " ".join(driven.text.split())


async def test_a_mistake_in_the_filter_is_readable_and_filters_nothing(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("objct:x")
        await driven.wait_for("Did you mean object:?")
        assert "The filter does not know objct:." in folded(driven)
        assert 'quote it: "objct:…"' in folded(driven), "before the list of fields, whose end is cut"
        assert "Message number 1" in driven.text
        await driven.press("enter")
        await driven.wait_for("Did you mean object:?")
        assert len(driven.pane.listing.ids) == 6
        await driven.press("escape")
        await driven.wait_for("? help")
        assert "Did you mean" not in driven.text


async def test_the_words_before_the_mistake_go_on_filtering(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        await driven.press("slash")
        await driven.type("object:Order objct:x")
        await driven.wait_for("Did you mean object:?")
        assert driven.pane.filter_text == "object:Order"


async def test_a_long_trouble_is_read_to_its_end(opened: Open) -> None:
    connection = FakeConnection(some_errors(4))
    async with opened(connection=connection) as driven:
        await driven.ready()
        connection.trouble = LONG
        await driven.press("r")
        await driven.wait_for("answers every request")
        assert LONG.hint in folded(driven)
        assert "Message number 1" in driven.text


async def test_an_empty_list_says_it_once_and_whole(opened: Open) -> None:
    connection = FakeConnection(some_errors(4))
    connection.trouble = LONG
    async with opened(connection=connection) as driven:
        await driven.wait_for("r tries again")
        assert folded(driven).count(LONG.title) == 1
        assert LONG.hint in folded(driven)


async def test_a_long_saying_takes_two_lines(opened: Open) -> None:
    async with opened() as driven:
        await driven.ready()
        driven.app.bench.say("word " * 20 + "end.")
        await driven.wait_for("end.")
        assert len(driven.lines) == 24
