from __future__ import annotations

import pytest

from syncerr_tui.host.terminal import Background, Colour, terminal_profile, textual_environment

LOCAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("environ", "colour"),
    [
        (LOCAL, Colour.TRUE),
        ({"TERM": "xterm-256color"}, Colour.INDEXED),
        ({"TERM": "screen"}, Colour.ANSI),
        ({}, Colour.ANSI),
        ({**LOCAL, "NO_COLOR": "1"}, Colour.MONO),
        ({**LOCAL, "NO_COLOR": ""}, Colour.TRUE),
        ({**LOCAL, "SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, Colour.ANSI),
        ({**LOCAL, "SSH_CONNECTION": "x", "SYNCERR_COLOUR": "true"}, Colour.TRUE),
        ({**LOCAL, "NO_COLOR": "1", "SYNCERR_COLOUR": "16"}, Colour.ANSI),
    ],
)
def test_colours_follow_the_terminal_and_the_wish(environ: dict[str, str], colour: Colour) -> None:
    assert terminal_profile(environ).colour is colour


def test_over_ssh_nothing_moves_and_the_mouse_stays_the_terminals() -> None:
    profile = terminal_profile({**LOCAL, "SSH_TTY": "/dev/pts/1"})
    assert profile.slow
    assert not profile.mouse
    assert terminal_profile({**LOCAL, "SSH_TTY": "/dev/pts/1", "SYNCERR_MOUSE": "1"}).mouse
    assert terminal_profile(LOCAL).mouse


def test_without_a_screen_it_says_so() -> None:
    assert not terminal_profile(LOCAL, is_terminal=False).usable
    dumb = terminal_profile({"TERM": "dumb"})
    assert not dumb.usable
    assert "dumb" in dumb.reasons[0]


def test_a_light_background_is_believed() -> None:
    assert terminal_profile({**LOCAL, "COLORFGBG": "0;15"}).background is Background.LIGHT
    assert terminal_profile({**LOCAL, "COLORFGBG": "15;0"}).background is Background.DARK
    assert terminal_profile({**LOCAL, "SYNCERR_THEME": "light"}).background is Background.LIGHT


def test_links_and_unicode_only_where_they_work() -> None:
    assert terminal_profile({**LOCAL, "TERM_PROGRAM": "WezTerm"}).links
    assert not terminal_profile({"TERM": "screen-256color", "TERM_PROGRAM": "WezTerm"}).links
    assert not terminal_profile(LOCAL).links
    assert not terminal_profile(LOCAL, encoding="ascii").unicode
    assert not terminal_profile({**LOCAL, "SYNCERR_ASCII": "1"}).unicode
    assert not terminal_profile({**LOCAL, "LC_ALL": "C"}).unicode
    assert not terminal_profile({**LOCAL, "LANG": "POSIX"}).unicode
    assert terminal_profile({**LOCAL, "LANG": "C", "LC_ALL": "de_DE.UTF-8"}).unicode
    assert terminal_profile({**LOCAL, "LC_ALL": "C", "SYNCERR_ASCII": "0"}).unicode


def test_textual_is_told_before_it_is_imported() -> None:
    assert textual_environment(terminal_profile(LOCAL))["TEXTUAL_ANIMATIONS"] == "none"
    over_ssh = textual_environment(terminal_profile({**LOCAL, "SSH_TTY": "x"}))
    assert over_ssh["TEXTUAL_COLOR_SYSTEM"] == "standard"
