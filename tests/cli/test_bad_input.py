"""Whatever stands in an option, a file or the environment: one plain line, a known exit code, no hang.

The cases are drawn from a seed; `--thorough` draws many more. A failing case prints its number, and
`-k` with that number runs it alone.
"""

from __future__ import annotations

import copy
import io
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from syncerr_tui.cli import COMMANDS, LateGroup
from syncerr_tui.cli.root import root
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.errors import ExitCode
from syncerr_tui.resync.plan import digest
from tests import forks
from tests.cli.conftest import CommandResult, Shell
from tests.cli.test_hostile import PROFILE
from tests.layers import layered

DEEP = 20_000
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    "",
    " ",
    "x",
    "\x00",
    "\u202e\n",
    "a'b\\c%s{0}",
    "ä" * 70_000,
    "a0X000000000000AAA",
    "a0X000000000000' OR Id != '",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-01-01T00:00:00",
    [],
    {},
    [[]],
    ["x"],
    {"x": 1},
    [None],
)


def one_plain_line(output: CommandResult) -> None:
    """The exit code is one of the table and not a defect; where something is wrong, one line says what."""
    assert output.code in set(ExitCode) - {ExitCode.DEFECT}, output.err
    assert "Traceback" not in output.err
    lines = [line for line in output.err.splitlines() if line.startswith(("syncerr-tui: ", '{"error": '))]
    # `watch --once` answers monitoring, which reads stdout.
    lines += [line for line in output.out.splitlines() if line.startswith(("UNKNOWN - ", "CRITICAL - "))]
    assert len(lines) == (output.code not in {ExitCode.OK, ExitCode.NOT_ALL_FIXED}), output.err


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*at, key))
    elif isinstance(value, list):
        for number in range(min(len(value), 2)):
            yield from places(value[number], (*at, number))


def changed(value: Any, at: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    if not at:
        return change(value)
    whole = copy.deepcopy(value)
    inner = whole
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = change(inner[at[-1]])
    return whole


@pytest.fixture
def acme(org: DemoServer, shell: Shell) -> Shell:
    """An org that a profile names, with a method that asks nobody."""
    settings = ("--method-set", "name=SyncErrResync", "--method-set", "id_input=changeEventId")
    assert shell("setup", "acme", "--yes", "--method", "apex", *settings).code == 0
    return shell


def plans(plan: dict[str, Any], rng: random.Random) -> Iterator[dict[str, Any]]:
    """Plan files with one or two odd values, their hash made anew: a hash is no signature."""
    everywhere = list(places(plan["plan"]))
    while True:
        payload = plan["plan"]
        for at in rng.sample(everywhere, rng.choice((1, 1, 2))):
            odd = rng.choice(ODD)
            how = rng.randrange(3)

            def with_odd(old: Any, odd: Any = odd, how: int = how) -> Any:
                return (odd, [old, odd], [old, old] if old else odd)[how]

            try:
                payload = changed(payload, at, with_odd)
            except (KeyError, IndexError, TypeError):  # the first change took the second one's place away
                continue
        # What is no object has no such hash; whatever stands there, it is no plan.
        yield {**plan, "plan": payload, "hash": digest(payload) if isinstance(payload, dict) else "0" * 64}


def shown(number: int, output: CommandResult, what: object) -> None:
    try:
        one_plain_line(output)
    except AssertionError:
        pytest.fail(f"case {number}: {str(what)[:3000]}\n{output.err[-2000:]}")


def test_plan_files(acme: Shell, tmp_path: Path) -> None:
    good, file = tmp_path / "good.plan", tmp_path / "odd.plan"
    words = ("--filter", "object:Order", "--patience", "0", "-o", str(good))
    assert acme("plan", "--org", "acme", *words).code == 0
    cases = plans(json.loads(good.read_text(encoding="utf-8")), random.Random(1))
    for number in range(layered("odd plan files", 20, 1_000)):
        file.write_text(json.dumps(next(cases)), encoding="utf-8")
        shown(number, acme("apply", "--org", "acme", str(file), "--yes"), file.read_text(encoding="utf-8"))


def toml(value: Any) -> str:
    """A value as TOML, where TOML has it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return "nan" if value is None else json.dumps(value)


def tomls(text: str, rng: random.Random) -> Iterator[str]:
    """A TOML file with something odd in one line, or cut short, or nested deep."""
    lines = text.strip().splitlines()
    while True:
        number = rng.randrange(len(lines))
        key = lines[number].partition(" = ")[0]
        odd = rng.choice(
            (
                f"{key} = {toml(rng.choice(ODD))}",
                f"{key} = {'[' * DEEP}",
                f"{key}{'.a' * DEEP} = 1",
                f"{'[' * rng.randrange(4)}{key}",
                f"{rng.choice(lines)}\n{lines[number]}",
                f"x{lines[number]}",
                "",
                "\x00",
            )
        )
        changed_text = "\n".join([*lines[:number], odd, *lines[number + 1 :]])
        yield changed_text[: rng.randrange(len(changed_text) + 1)] if rng.random() < 0.1 else changed_text


NOTES = """
[[note]]
code = "DUPLICATES_DETECTED"
text = "Ours."

[[note]]
automation = ["Order Builder*"]
contains = "credit hold"
pattern = 'ERP-'
text = "Theirs."
"""


def test_profiles_and_notes(shell: Shell, tmp_path: Path) -> None:
    shell.profiles.mkdir(parents=True)
    rng = random.Random(2)
    notes = tmp_path / "notes.toml"
    profiles, notes_files = tomls(PROFILE, rng), tomls(NOTES, rng)
    for number in range(layered("odd profiles and notes", 20, 1_000)):
        text = next(profiles)
        (shell.profiles / "acme.toml").write_text(text, encoding="utf-8")
        shown(number, shell("list", "--org", "acme"), text)
        text = next(notes_files)
        notes.write_text(text, encoding="utf-8")
        shown(number, shell("explain", "-m", "credit hold", "--notes", str(notes)), text)


def test_options(org: DemoServer, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any options together, each with any value; a run never begins, as nobody says yes."""
    monkeypatch.chdir(tmp_path)  # some options name a file to make
    assert isinstance(root, LateGroup)
    rng = random.Random(3)
    texts = (
        "",
        "-",
        "--",
        "x",
        "0",
        "-1",
        "nan",
        "inf",
        "1e999",
        "9" * 40,
        "=",
        "a=b",
        "\udcff",
        "/",
        ".",
        "*",
    )
    for number in range(layered("odd command lines", 30, 2_000)):
        name = rng.choice([name for name in COMMANDS if name != "demo"])
        context = root.make_context("syncerr-tui", [name], resilient_parsing=True)
        command = root.get_command(context, name)
        assert command is not None
        words = [name, *(["--once"] if name == "watch" else [])]  # else it would never end
        for parameter in rng.sample(command.params, rng.randrange(5) % (len(command.params) + 1)):
            if isinstance(parameter, click.Argument):
                words.append(rng.choice(texts))
            elif isinstance(parameter, click.Option) and parameter.name not in {"demo", "yes", "jsonl"}:
                words += [parameter.opts[0], *([] if parameter.is_flag else [rng.choice(texts)])]
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        shown(number, shell(*words), words)


ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "TZ": ("UTC+99", "x", ":", "\udcff", "A" * 5_000),
    "SYNCERR_HOME": (
        "/dev/null",
        "/proc/self/mem",
        "/" + "a" * 300,
        "/" + "a/" * 3_000,
        "~nobody-here/x",
        "\n",
    ),
    "SYNCERR_NOTES": ("/dev/zero", "/", "~", "\n"),
    "SYNCERR_INSTANCE_URL": ("x", "http://", "https://[::", "http://127.0.0.1:99999", "file:///etc/passwd"),
    "SYNCERR_ACCESS_TOKEN": ("\n", " ", "ä", "\x1b[2J"),
    "_SYNCERR_TUI_COMPLETE": ("bash_complete", "zsh_complete", "fish_complete", "x", "bash_x", "_"),
    "COMP_WORDS": ("syncerr-tui 'li", "", "syncerr-tui list --org"),
    "COMP_CWORD": ("x", "-7", "99", ""),
    "PYTHONIOENCODING": ("ascii", "iso-8859-15", "utf-16", "latin-1:strict"),
    "LC_ALL": ("C", "POSIX", "xx_YY.UTF-8"),
    "COLUMNS": ("0", "-1", "x", "1"),
    "TERM": ("", "dumb", "\x1b"),
    "HTTPS_PROXY": ("http://127.0.0.1:1", "x", "://"),
}


@pytest.mark.skipif(os.name != "posix", reason="the odd values are odd there")
def test_the_environment(tmp_path: Path) -> None:
    rng = random.Random(4)
    single = [{name: value} for name, values in ENVIRONMENT.items() for value in values]
    several = [
        {name: rng.choice(ENVIRONMENT[name]) for name in rng.sample(sorted(ENVIRONMENT), 3)}
        for _ in range(300)
    ]
    commands = (("explain", "-m", "“x”"), ("list",), ("info",))
    each = list(itertools.product(single + several, commands))
    for number, (odd, words) in enumerate(layered("commands in odd environments", rng.sample(each, 4), each)):
        done = subprocess.run(
            [sys.executable, "-m", "syncerr_tui", *words],
            env={**os.environ, "SYNCERR_HOME": str(tmp_path), "HOME": str(tmp_path), **odd},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        err = done.stderr.decode(errors="replace").replace("\x00", "")
        assert done.returncode in set(ExitCode) - {ExitCode.DEFECT}, (number, odd, words, err)
        assert "Traceback" not in err, (number, odd, words, err)


@pytest.fixture
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Something that stands where a file should."""
    path = tmp_path / "thing"
    match request.param:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listening:
                os.chdir(tmp_path)  # the name of a socket may have some 100 characters only
                listening.bind("thing")
        case "folder":
            path.mkdir()
        case "huge":
            with path.open("wb") as file:
                file.truncate(300_000_000)
        case _:
            path = Path(request.param)
    before = Path.cwd()
    yield path
    os.chdir(before)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices as files")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("no_file", ["pipe", "socket", "folder", "huge", "/dev/zero"], indirect=True)
@pytest.mark.parametrize("role", ["plan", "notes", "certificate", "profile", "secret", "key"])
def test_what_is_no_file_is_refused_at_once(role: str, no_file: Path, shell: Shell) -> None:
    words = {
        "plan": ("apply", str(no_file), "--demo"),
        "notes": ("explain", "x", "--notes", str(no_file)),
        "certificate": ("demo", "--serve", "--jwt-certificate", str(no_file)),
    }.get(role, ("list", "--org", "acme"))
    shell.profiles.mkdir(parents=True)
    profile = shell.profiles / "acme.toml"
    if role == "profile":
        profile.symlink_to(no_file)
    elif role == "secret":
        profile.write_text(
            f'[way]\nkind = "client-credentials"\nclient_id = "c"\nsecret = "file:{no_file}"\n'
            'login_url = "https://acme.my.salesforce.com"\n',
            encoding="utf-8",
        )
    elif role == "key":
        text = re.sub("key_file = .*", f'key_file = "{no_file}"', PROFILE)
        profile.write_text(text, encoding="utf-8")
    output = shell(*words)
    assert output.code == ExitCode.BAD_INPUT, output
    assert len(output.err.splitlines()) == 1
    assert "A defect" not in output.err


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs users")
@pytest.mark.parametrize("command", ["list", "info", "setup acme --yes", "explain x", "journal", "doctor"])
def test_a_folder_that_may_not_be_read(command: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "config" / "orgs").mkdir(parents=True)
    (home / "config" / "orgs").chmod(0)
    (home / "config").chmod(0)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/") and "pytest" in folder.name:
            folder.chmod(0o755)
    done = forks.run(
        *command.split(),
        env={"SYNCERR_HOME": str(home), "HOME": str(tmp_path)},
        first="import os\nif os.geteuid() == 0: os.setgid(65534); os.setuid(65534)",
    )
    (home / "config").chmod(0o700)
    assert done.code == (ExitCode.OK if command == "info" else ExitCode.MACHINE), done.err
    assert "Permission denied" in done.err + done.out
    assert len(done.err.splitlines()) == (0 if command == "info" else 1)
