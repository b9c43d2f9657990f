from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, strategies as st

from syncerr_tui.text import clean
from syncerr_tui.triage.columns import CODE, OBJECT, ordered
from syncerr_tui.triage.filter import parse
from syncerr_tui.triage.listing import Listing
from tests.factories import NOW, sync_error

ROWS = tuple(
    sync_error(number, object=clean(("Order", "Account", "OrderItem")[number % 3])) for number in range(12)
)


def listing() -> Listing:
    return Listing().with_page(ROWS, NOW)


def objects(view: Listing) -> list[str]:
    return [view.errors[row_id].object for row_id in view.ids]


def test_pages_append_oldest_first_and_the_cursor_stays_on_its_row() -> None:
    first = Listing().with_page(ROWS[:4], NOW).moved_to(2)
    both = first.with_page(ROWS[4:], NOW)
    assert both.ids == tuple(row.id for row in ROWS)
    assert both.current == ROWS[2]


def test_a_page_that_comes_out_of_order_is_put_where_it_belongs() -> None:
    mixed = Listing().with_page(ROWS[6:], NOW).moved_to(0).with_page(ROWS[:6], NOW)
    assert mixed.ids == tuple(row.id for row in ROWS)
    assert mixed.current == ROWS[6]


def test_a_page_is_put_where_it_belongs_among_rows_that_the_filter_hides() -> None:
    hiding = Listing().with_page(ROWS[6:], NOW).filtered(parse("nowhere"), NOW)
    assert hiding.with_page(ROWS[:6], NOW).filtered(parse(""), NOW).ids == tuple(row.id for row in ROWS)


def test_a_reading_that_is_sorted_in_beside_a_person_keeps_what_they_did_meanwhile() -> None:
    before = listing()
    fresh = before.refreshed(ROWS[2:], NOW)
    meanwhile = before.moved_to(3).toggled().moved_to(0).toggled()
    kept = meanwhile.carried_to(fresh)
    assert kept.errors == fresh.errors
    assert kept.ids == fresh.ids
    assert kept.selected == {ROWS[3].id}  # the first row has left the list
    assert meanwhile.current == ROWS[1]
    assert kept.cursor == 1
    assert before.moved_to(5).carried_to(fresh).current == ROWS[5]


def test_space_marks_and_moves_on() -> None:
    marked = listing().toggled().toggled()
    assert marked.selected == {ROWS[0].id, ROWS[1].id}
    assert marked.cursor == 2
    assert marked.moved_to(0).toggled().selected == {ROWS[1].id}


def test_a_selection_survives_filter_sort_and_refresh() -> None:
    marked = listing().moved_to(1).toggled()
    hidden = marked.filtered(parse("object:Order"), NOW)
    assert hidden.hidden_selected == 1
    assert hidden.chosen == ()
    sorted_ = hidden.filtered(parse(""), NOW).sorted(OBJECT, reverse=True)
    assert sorted_.chosen == (ROWS[1],)
    refreshed = sorted_.refreshed(ROWS[1:], NOW)
    assert refreshed.selected == {ROWS[1].id}


def test_what_left_the_org_leaves_the_selection() -> None:
    gone = listing().all_selected().refreshed(ROWS[:3], NOW)
    assert gone.selected == {row.id for row in ROWS[:3]}
    assert gone.without([ROWS[0].id], NOW).selected == {ROWS[1].id, ROWS[2].id}


def test_only_what_is_visible_is_acted_on() -> None:
    everything = listing().all_selected().filtered(parse("object:Account"), NOW)
    assert {row.object for row in everything.chosen} == {"Account"}
    assert everything.hidden_selected == 8


def test_all_means_what_the_filter_shows() -> None:
    some = listing().filtered(parse("object:Account"), NOW).all_selected()
    assert some.selected == {row.id for row in ROWS if row.object == "Account"}


def test_invert_leaves_hidden_rows_alone() -> None:
    start = listing().moved_to(0).toggled()
    inverted = start.filtered(parse("object:Account"), NOW).inverted()
    assert inverted.selected == {ROWS[0].id} | {row.id for row in ROWS if row.object == "Account"}


def test_shift_arrows_draw_a_range_and_a_plain_move_ends_it() -> None:
    ranged = listing().moved_to(3).moved_to(4, extend=True).moved_to(5, extend=True)
    assert ranged.selected == {row.id for row in ROWS[3:6]}
    back = ranged.moved_to(4, extend=True)
    assert back.selected == {row.id for row in ROWS[3:5]}
    ended = back.moved_to(0)
    assert ended.selected == {row.id for row in ROWS[3:5]}
    assert ended.range is None


def test_v_makes_every_movement_extend_until_it_is_pressed_again() -> None:
    ranged = listing().moved_to(2).range_toggled().moved_to(11)
    assert ranged.selected == {row.id for row in ROWS[2:]}
    assert ranged.range_toggled().moved_to(0).selected == {row.id for row in ROWS[2:]}


def test_escape_goes_back_one_step_at_a_time() -> None:
    view = listing().toggled().filtered(parse("object:Account"), NOW).moved_to(0).range_toggled().moved_to(2)
    one = view.escaped(NOW)
    assert one.range is None
    assert one.selected == {ROWS[0].id}
    two = one.escaped(NOW)
    assert len(two.ids) == len(ROWS)
    assert two.selected == {ROWS[0].id}
    assert two.escaped(NOW).selected == frozenset()


def test_a_row_that_goes_leaves_the_cursor_on_the_next() -> None:
    assert listing().moved_to(5).without([ROWS[5].id], NOW).current == ROWS[6]
    assert listing().moved_to(11).without([ROWS[11].id], NOW).current == ROWS[10]
    assert listing().without([row.id for row in ROWS], NOW).current is None


def test_rows_without_a_code_or_a_time_stand_last() -> None:
    odd = sync_error(99, code=None, processed_at=None)
    assert ordered([odd, *ROWS])[-1] == odd
    assert ordered([odd, *ROWS], CODE)[-1] == odd


def test_equal_rows_keep_the_oldest_first_when_reversed() -> None:
    same = [sync_error(number, processed_at=NOW - timedelta(hours=number)) for number in range(5)]
    assert ordered(same, OBJECT, reverse=True) == same[::-1]


STEPS = st.sampled_from(
    [
        "toggle",
        "down",
        "up",
        "extend_down",
        "extend_up",
        "range",
        "all",
        "invert",
        "escape",
        "narrow",
        "wide",
        "sort",
        "refresh",
        "page",
    ],
)


@given(st.lists(STEPS, max_size=40))
def test_whatever_is_pressed_the_listing_stays_sound(steps: list[str]) -> None:
    view = listing()
    for step in steps:
        match step:
            case "toggle":
                view = view.toggled()
            case "down" | "up":
                view = view.moved_to(view.cursor + (1 if step == "down" else -1))
            case "extend_down" | "extend_up":
                view = view.moved_to(view.cursor + (1 if step == "extend_down" else -1), extend=True)
            case "range":
                view = view.range_toggled()
            case "all":
                view = view.all_selected()
            case "invert":
                view = view.inverted()
            case "escape":
                view = view.escaped(NOW)
            case "narrow":
                view = view.filtered(parse("object:Order"), NOW)
            case "wide":
                view = view.filtered(parse(""), NOW)
            case "sort":
                view = view.sorted(OBJECT, reverse=not view.reverse)
            case "refresh":
                view = view.refreshed(list(view.errors.values())[1:], NOW)
            case _:
                view = view.with_page(ROWS[:5], NOW)
        assert set(view.ids) <= set(view.errors)
        assert len(set(view.ids)) == len(view.ids)
        assert view.selected <= set(view.errors)
        assert view.current is None or view.filter.matches(view.current, NOW)
        assert {row.id for row in view.chosen} <= set(view.ids)
        assert view.hidden_selected == len(view.selected - set(view.ids))
        every = tuple(row.id for row in ordered(view.errors.values(), view.sort, reverse=view.reverse))
        assert view.filtered(parse(""), NOW).ids == every
        assert view.ids == tuple(i for i in every if view.filter.matches(view.errors[i], NOW))


def test_newer_versions_of_rows_stay_where_they_stand() -> None:
    first, second = sync_error(1), sync_error(2)
    listing = Listing().with_page([first, second], NOW)
    newer = replace(first, processed_at=NOW, code="DUPLICATE_VALUE")
    after = listing.updated([newer, sync_error(9)])
    assert after.ids == (first.id, second.id)
    assert after.errors[first.id] is newer
    assert len(after.errors) == 2


def test_v_draws_on_after_shift_and_keeps_what_is_selected() -> None:
    shown = listing().moved_to(1, extend=True).range_toggled().moved_to(3)
    assert shown.range is not None
    assert shown.range.sticky
    assert [shown.ids.index(row) for row in sorted(shown.selected, key=shown.ids.index)] == [0, 1, 2, 3]


def test_a_filter_that_hides_the_row_puts_the_cursor_on_the_first_hit() -> None:
    shown = listing().moved_to(4)
    assert shown.filtered(parse(f"-id:{shown.ids[4]}"), NOW).cursor == 0
    assert shown.filtered(parse(f"-id:{shown.ids[0]}"), NOW).cursor == 3


def test_a_lost_selection_comes_back_as_far_as_its_rows_are_there() -> None:
    chosen = listing().all_selected()
    assert not chosen.restorable
    lost = chosen.escaped(NOW)
    assert (len(lost.selected), lost.restorable) == (0, True)
    assert lost.restored().selected == chosen.selected
    assert lost.restored().restored().selected == frozenset()
    assert chosen.inverted().restored().selected == chosen.selected
    # One row is selected by a key, and unselected by it: that is no loss of the twelve.
    assert lost.toggled().moved_to(0).toggled().restored().selected == chosen.selected
    fewer = chosen.refreshed(ROWS[:5], NOW)
    assert (len(fewer.selected), fewer.restorable) == (5, False)
    assert fewer.refreshed(ROWS, NOW).restored().selected == chosen.selected
    assert fewer.unselected().restored().selected == {row.id for row in ROWS[:5]}


def test_a_range_that_is_thrown_away_comes_back_too() -> None:
    drawn = listing().range_toggled().moved_to(4)
    assert drawn.escaped(NOW).restored().selected == drawn.selected
    # A range that shrinks while it is drawn has lost nothing.
    assert not drawn.moved_to(2).restorable


def test_a_selection_that_is_lost_beside_a_reading_comes_back() -> None:
    before = listing()
    fresh = before.refreshed(ROWS[2:], NOW)
    kept = before.all_selected().unselected().carried_to(fresh)
    assert kept.restored().selected == {row.id for row in ROWS[2:]}


@given(st.integers(1, 20), st.integers(0, 11))
def test_a_count_marks_so_many_rows_as_there_are(count: int, start: int) -> None:
    marked = listing().moved_to(start).toggled(count)
    assert marked.selected == {row.id for row in ROWS[start : start + count]}
    assert marked.cursor == min(start + count, 11)


def test_a_code_that_only_the_wording_tells_is_marked() -> None:
    def shown(code: str | None, message: str) -> str:
        return CODE.text(sync_error(1, code=code, message=clean(message)), 30, NOW)

    assert shown(None, "Required fields are missing: [Fax]") == "~REQUIRED_FIELD_MISSING"
    assert shown("UNKNOWN_EXCEPTION", "Required fields are missing: [Fax]") == "UNKNOWN_EXCEPTION"
    assert shown(None, "The shop is closed") == "-"
