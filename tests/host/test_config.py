from __future__ import annotations

import re
from pathlib import Path

import pytest

from syncerr_tui.cli import run
from syncerr_tui.errors import BadInputError
from syncerr_tui.files import TomlSource
from syncerr_tui.host.config import Config, parse_config, read_config
from syncerr_tui.host.paths import config_path
from syncerr_tui.host.terminal import Background, Colour, terminal_profile
from syncerr_tui.triage.columns import CODE, MESSAGE, OBJECT, WindowClass

PATH = Path("config.toml")
LOCAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


def read(text: str) -> Config:
    return parse_config(TomlSource(PATH, text))


def test_without_a_file_everything_is_as_usual(tmp_path: Path) -> None:
    assert read_config({"SYNCERR_HOME": str(tmp_path)}) == Config() == read("")


def test_the_example_of_the_readme_can_be_read() -> None:
    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    example = re.search(r"<!-- config example -->\n```toml\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    config = read(example[1])
    assert config.terminal.background is Background.DARK
    assert config.watch_seconds == 120
    assert config.filters["late orders"] == "object:Order age:>1d"
    assert config.actions.by_id["refresh"].keys == ("r", "f5")
    assert config.actions.by_id["hook.ticket"].keys == ("T",)
    assert config.hooks["hook.read"].command == ("jq . | less",)
    assert set(config.columns) == set(WindowClass)


def test_every_setting_has_its_place_in_the_readmes_example() -> None:
    from syncerr_tui.host import config

    readme = (Path(__file__).parent.parent.parent / "README.md").read_text(encoding="utf-8")
    example = readme.partition("<!-- config example -->")[2].partition("<!-- /config example -->")[0]
    missing = [name for name in config.SETTINGS if not re.search(rf"^\[?{name}\b", example, re.MULTILINE)]
    assert missing == []


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\nthem = 'dark'", 2, "them is not a setting that this version knows. Did you mean theme?"),
        ("x = 1\nthis is no toml", 2, "this is not TOML"),
        ("theme = 'drak'", 1, "theme cannot be 'drak'. Did you mean dark?"),
        ("theme = 3", 1, "theme cannot be 3. It takes: dark, light"),
        ("colours = 12", 1, "colours cannot be 12. It takes: mono, 16, 256, true"),
        ("mouse = 'no'", 1, "mouse must be true or false, not 'no'"),
        ("watch_interval = '2 s'\nmouse = true", 1, "watch_interval must be a time"),
        ("watch_interval = 0", 1, "watch_interval must be a time"),
        ("watch_interval = true", 1, "watch_interval must be a time"),
        ("columns = ['object', 'mesage']", 1, "does not know the column 'mesage'. Did you mean message?"),
        ("columns = ['code:0']", 1, "cannot read the width in 'code:0'"),
        ("columns = ['code', 'code']", 1, "names code twice"),
        ("columns = ['code', 3]", 1, "must be a text or a list of texts"),
        ("[columns]\nnarow = ['code']", 2, "Did you mean narrow?"),
        ("[palette]\ncode = 'pinkish'", 2, "palette.code must be a colour"),
        ("[palette]\nacent = '#112233'", 2, "Did you mean accent?"),
        ("[filters]\na = 'boots'\nb = 'event:foo'", 3, "filters.b cannot be used: no event type is called"),
        ("[filters]\na = 'objct:Order'", 2, "filters.a cannot be used"),
        ("filters = 3", 1, "filters must be a table, not 3"),
        ("[keys]\nresnc = 'Q'", 2, "keys.resnc is not an action. Did you mean resync?"),
        ("[keys]\nresync = 'Q7'", 2, "keys.resync cannot be 'Q7': that is not a key"),
        ("[keys]\nresync = 'ctrl+i'", 2, "is sent by a terminal as 'tab'"),
        ("[keys]\nresync = 'shift+a'", 2, "'A' for 'shift+a'"),
        ("[keys]\nsort = 'F'", 2, "keys.sort cannot have 'F': it asks for fix already"),
        ("[keys]\nsort = 'f5'\nrefresh = 'f5'", 3, "keys.refresh cannot have 'f5': it asks for sort already"),
        ("[keys]\nsort = 'ctrl+q'", 2, "asks for quit in every screen"),
        ("[keys]\nhelp = []", 2, "keys.help needs a key"),
        ("[keys]\nsort = 3", 2, "keys.sort must be a text or a list of texts, not 3"),
        ("[hooks.a]\nkey = 'T'", 1, "hooks.a needs a command"),
        ("[hooks.a]\ncommand = 'x'\nkey = 'F'", 3, "hooks.a.key cannot have 'F': it asks for fix already"),
        (
            "[hooks.a]\ncommand = 'x'\nkey = 'T'\n[hooks.b]\ncommand='x'\nkey='T'",
            6,
            "asks for hook.a already",
        ),
        ("[hooks.a]\ncommand = 'x y'", 2, "no shell reads it"),
        ("[hooks.a]\ncommand = ['x']\nshell = true", 2, "must be one text for the shell, not a list"),
        ("[hooks.a]\ncommand = []", 2, "must be a program with its arguments"),
        ("[hooks.a]\ncommand = 'x'\nwhere = ['error']", 3, "Did you mean errors?"),
        ("[hooks.a]\ncommand = 'x'\ntimout = 3", 3, "Did you mean timeout?"),
        ("[hooks.a]\ncommand = 'x'\ntimeout = '2d'", 3, "must be a time"),
        ("[hooks.'a b']\ncommand = 'x'", 1, "cannot be the name of a command"),
        ("[hooks]\na = 3", 2, "hooks.a must be a table"),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_key(text: str, line: int, words: str) -> None:
    with pytest.raises(BadInputError) as refused:
        read(text)
    refusal = refused.value.line
    assert refusal.startswith(f"config.toml:{line}: ")
    assert words in refusal
    assert "\n" not in refusal


def test_a_hostile_file_reaches_the_terminal_as_text_only() -> None:
    for text in ('"\\u001b[2J" = 1', 'theme = "\\u001b]52;c;x\\u0007"', '[keys]\n"\\u001b" = "f5"'):
        with pytest.raises(BadInputError) as refused:
            read(text)
        assert refused.value.line.isprintable()


def test_the_environment_goes_before_the_file() -> None:
    wishes = read('theme = "light"\ncolours = 16\nmouse = false\nascii = true').terminal
    wished = terminal_profile(LOCAL, preferences=wishes)
    assert (wished.background, wished.colour) == (Background.LIGHT, Colour.ANSI)
    assert not wished.mouse
    assert not wished.unicode
    assert any("config.toml" in reason for reason in wished.reasons)
    asked = {
        **LOCAL,
        "SYNCERR_THEME": "dark",
        "SYNCERR_COLOUR": "true",
        "SYNCERR_MOUSE": "1",
        "SYNCERR_ASCII": "0",
    }
    other = terminal_profile(asked, preferences=wishes)
    assert (other.background, other.colour) == (Background.DARK, Colour.TRUE)
    assert other.mouse
    assert other.unicode
    assert terminal_profile({**LOCAL, "NO_COLOR": "1"}, preferences=wishes).colour is Colour.MONO


def test_over_ssh_the_file_decides_about_the_mouse_and_the_colours() -> None:
    wishes = read("mouse = true\ncolours = 'true'").terminal
    profile = terminal_profile({**LOCAL, "SSH_TTY": "x"}, preferences=wishes)
    assert profile.mouse
    assert profile.colour is Colour.TRUE
    assert profile.slow


def test_columns_hold_for_all_windows_or_for_one_class() -> None:
    both = read("columns = ['object', 'code:22']").columns
    assert both == dict.fromkeys(WindowClass, ((OBJECT, 0), (CODE, 22)))
    assert read("columns.wide = ['message']").columns == {WindowClass.WIDE: ((MESSAGE, 0),)}


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    named = tmp_path / "mine.toml"
    environ = {"SYNCERR_HOME": str(tmp_path), "SYNCERR_CONFIG": str(named)}
    assert config_path(environ) == named
    with pytest.raises(BadInputError, match="is not there"):
        read_config(environ)
    named.write_text("mouse = true", encoding="utf-8")
    assert read_config(environ).terminal.mouse


def test_a_filter_may_name_another_one() -> None:
    config = read("[filters]\nlate = 'age:>1d'\nnight = 'saved:late object:Order'")
    assert list(config.filters) == ["late", "night"]
    with pytest.raises(BadInputError, match=r"config\.toml:2: filters\.night cannot be used"):
        read("[filters]\nnight = 'saved:lte'")


def test_a_key_may_move_from_one_action_to_another() -> None:
    actions = read("[keys]\nresync = 'f'\nfixes = 'f6'").actions
    assert actions.by_id["resync"].keys == ("f",)
    assert actions.key_of("fixes") == "f6"


def test_the_app_does_not_open_with_a_mistake_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNCERR_HOME", str(tmp_path))
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text("[keys]\nresnc = 'Q'\n", encoding="utf-8")
    assert run([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    path = tmp_path / "config" / "config.toml"
    assert output.err == f"syncerr-tui: {path}:2: keys.resnc is not an action. Did you mean resync?\n"
    assert run(["info"]) == 0
    shown = capsys.readouterr().out
    assert "keys.resnc is not an action" in shown
    assert f"{path}\n" in shown
    assert f"{tmp_path / 'config' / 'notes.toml'} (not there)" in shown
    assert run(["explain", "INVALID_FIELD"]) == 0


def test_info_lists_every_action_with_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNCERR_HOME", str(tmp_path))
    assert run(["info", "--keys"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in listed} == set(Config().actions.by_id)
    # What it shows can be written into the file.
    assert run(["info", "--keys", "--json"]) == 0
    shown = capsys.readouterr().out
    import json

    keys = {name: [f'"{key}"' for key in named] for name, named in json.loads(shown).items()}
    text = "[keys]\n" + "".join(f"{name} = [{', '.join(named)}]\n" for name, named in keys.items())
    assert read(text.replace('"\\"', '"\\\\"')).actions == Config().actions
