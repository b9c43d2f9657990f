"""What `config.toml` says is so in the app: keys, commands, columns, colours."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from syncerr_tui.files import TomlSource
from syncerr_tui.host.config import Config, parse_config
from syncerr_tui.triage.keymap import ActionTable
from tests.ui.conftest import Open
from tests.ui.driver import Driven
from tests.ui.fakes import some_errors


def config(text: str) -> Config:
    return parse_config(TomlSource(Path("config.toml"), text))


async def test_a_key_of_ones_own_is_in_force_in_bindings_footer_help_and_palette(opened: Open) -> None:
    mine = config("[keys]\nselect_all = 'ctrl+a'\nhelp = 'f1'\nsort = 'a'\nwatch = []")
    async with opened(own_config=mine, size=(120, 90)) as driven:
        await driven.ready()
        assert "ctrl+a all" in driven.lines[-1]
        assert "f1 help" in driven.lines[-1]
        await driven.press("ctrl+a")
        assert driven.app.context.state.listing.selected
        await driven.press("a")
        await driven.wait_for("Sort by")
        await driven.press("escape")
        await driven.press("w")
        assert not driven.app.context.state.reading.watching
        await driven.press("question_mark")
        assert driven.app.screen is driven.app.bench
        await driven.press("f1")
        await driven.wait_for("Keys in Errors")
        assert "  ctrl+a " in driven.text
        await driven.press("escape", "ctrl+p")
        await driven.type("watch")
        await driven.wait_for(lambda: "watch  " in driven.text and "ctrl+a" not in driven.text)
        await driven.press("enter")
        await driven.wait_for("watching")


async def test_what_names_a_key_names_the_one_in_force(opened: Open) -> None:
    mine = config("[keys]\nback = 'f8'\nerrors = 'f2'\ncancel = 'f9'")
    async with opened(own_config=mine) as driven:
        await driven.ready()
        await driven.press("f9")
        assert "stop re-sync: no re-sync is under way; q quits" in driven.text
        await driven.press("3", "v")
        assert "works in Errors (f2)" in driven.text
        await driven.press("f2", "space", "slash")
        await driven.type("zzz")
        await driven.wait_for("f8 shows all rows again.")
        await driven.press("enter", "R")
        assert "f8 shows it" in driven.text


async def test_columns_of_the_configuration_give_way_to_the_orgs_own(opened: Open) -> None:
    mine = config("columns.narrow = ['storeconnect_id:36', 'code']")
    async with opened(own_config=mine) as driven:
        await driven.ready()
        header = next(line for line in driven.lines if "StoreConnect ID" in line)
        assert "Object" not in header
        assert some_errors()[0].storeconnect_id in driven.text
        await driven.press("t", "j", "space", "enter")
        header = next(line for line in driven.lines if "StoreConnect ID" in line)
        assert "Code" not in header


async def test_the_palette_colours_the_screen(opened: Open) -> None:
    async with opened(own_config=config("[palette]\naccent = '#123456'\nground = 'ansi_default'")) as driven:
        await driven.ready()
        assert driven.app.get_css_variables()["syncerr-accent"] == "#123456"


def program(tmp_path: Path, body: str) -> str:
    """A hook's command: this Python with a script."""
    script = tmp_path / "command.py"
    script.write_text(f"import json, os, sys, time\n{body}\n", encoding="utf-8")
    return json.dumps([sys.executable, str(script)])


def environ() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "SYNCERR_ACCESS_TOKEN": "secret", "MINE": "yes"}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def press_until(driven: Driven, key: str, words: str) -> None:
    await driven.press(key)
    await driven.wait_for(words)


async def test_a_command_gets_the_row_as_list_prints_it(opened: Open, tmp_path: Path) -> None:
    out = tmp_path / "out"
    body = f"open({str(out)!r}, 'w').write(sys.stdin.read() + repr(dict(os.environ))); print('noted')"
    mine = config(f"[hooks.note]\nkey = 'T'\nlabel = 'note it'\ncommand = {program(tmp_path, body)}")
    async with opened(own_config=mine, environ=environ()) as driven:
        await driven.ready()
        await press_until(driven, "T", "note: noted")
        row, _, environment = out.read_text(encoding="utf-8").partition("\n")
        assert json.loads(row) == driven.app.context.state.listing.current.payload()  # type: ignore[union-attr]
        assert "'MINE': 'yes'" in environment
        assert "secret" not in environment
        await driven.press("a")
        await press_until(driven, "T", "note: noted")
        lines = out.read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(driven.app.context.state.listing.ids) + 1
        await driven.press("question_mark", "G")
        assert "Your command 'note'" in driven.text
        await driven.press("escape", "ctrl+p")
        await driven.type("note it")
        await driven.press("enter")
        await driven.wait_for("note: noted")


async def test_a_command_that_fails_says_how_in_one_line(opened: Open, tmp_path: Path) -> None:
    body = r"print('\x1b[2Jbad news\x1b]52;c;x\x07', file=sys.stderr); sys.exit(3)"
    text = (
        f"[hooks.fails]\nkey = 'T'\ncommand = {program(tmp_path, body)}\n"
        "[hooks.gone]\nkey = 'E'\ncommand = ['no-such-program', '{id}']\n"
        "[hooks.shell]\nkey = 'D'\ncommand = 'echo $MINE; kill -9 $$'\nshell = true"
    )
    async with opened(own_config=config(text), environ=environ()) as driven:
        await driven.ready()
        await press_until(driven, "T", "fails ended with code 3: ")
        assert "bad news" in driven.text
        assert "\x1b" not in driven.text
        await press_until(driven, "E", "gone cannot run: there is no program 'no-such-program'.")
        await press_until(driven, "D", "shell was ended by SIGKILL: yes")


async def test_a_command_that_hangs_is_stopped_by_a_key_or_its_time(opened: Open, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    body = f"open({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    command = program(tmp_path, body)
    text = (
        f"[hooks.hangs]\nkey = 'T'\ncommand = {command}\n"
        f"[hooks.short]\nkey = 'E'\ntimeout = '1s'\ncommand = {command}"
    )
    async with opened(own_config=config(text), environ=environ()) as driven:
        await driven.ready()
        await press_until(driven, "T", "hangs is running on 1 row; X stops it.")
        await driven.wait_for(lambda: pids.exists() and pids.read_text().endswith("\n"))
        await press_until(driven, "T", "hangs is running already; X stops it.")
        await press_until(driven, "X", "hangs was stopped.")
        await press_until(driven, "E", "short took longer than 1 s and was ended.")
        await driven.wait_for(lambda: len(pids.read_text().splitlines()) == 2)
        await driven.press("T")
        await driven.wait_for(lambda: len(pids.read_text().splitlines()) == 3)
    # The third is ended because the app was left.
    assert [pid for pid in map(int, pids.read_text().split()) if is_alive(pid)] == []


async def test_a_command_that_changes_the_org_is_absent_where_the_app_is_read_only(
    opened: Open, tmp_path: Path
) -> None:
    body = f"open({str(tmp_path / 'ran')!r}, 'w')"
    text = f"[hooks.acts]\nkey = 'T'\nchanges_org = true\ncommand = {program(tmp_path, body)}"
    async with opened(own_config=config(text), environ=environ(), read_only=True) as driven:
        await driven.ready()
        await press_until(driven, "T", "read-only")
        assert "hook.acts" not in {action.id for action in driven.app.bench.actions}
    assert not (tmp_path / "ran").exists()


async def test_a_command_that_writes_much_or_reads_nothing_harms_nothing(
    opened: Open, tmp_path: Path
) -> None:
    body = "os.close(0)\nfor _ in range(3000): print('x' * 1000)\nprint('end')"
    text = f"[hooks.loud]\nkey = 'T'\ncommand = {program(tmp_path, body)}"
    async with opened(own_config=config(text), environ=environ()) as driven:
        await driven.ready()
        await driven.press("a")
        await press_until(driven, "T", "loud: end")


async def test_without_a_file_the_keys_that_sleep_are_those_of_the_table(opened: Open) -> None:
    # The app knows them without the table, which it does not import for the first frame.
    async with opened() as driven:
        bindings = driven.app._bindings.key_to_bindings.items()
        assert {key for key, bound in bindings if bound[0].action == "sleep"} == {
            *ActionTable().by_id["suspend"].keys
        }
