"""What holds for every test: the thorough layer, and how many processes the suite is spread over."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from tests import forks, layers

if TYPE_CHECKING:
    from syncerr_tui.demo.world import World
    from tests.postgres import PostgresServer

WAITING = {"terminal", "e2e"}
"""Folders whose tests mostly wait for a program."""
_MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: a journal is on disk with every step, so that tests waited for disks."""
LEFT_OUT = pytest.StashKey[set[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--thorough",
        action="store_true",
        default=os.environ.get("SYNCERR_THOROUGH", "0") not in {"", "0"},
        help="run every seed, kill and fault instead of a sample (an hour and more)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("PYTHONDONTWRITEBYTECODE") and (cache := getattr(config, "cache", None)):
        # Many tests start the program. Where nothing compiled is to be left beside the sources, it is kept
        # with pytest's own cache, or every start and every worker would compile the whole package again.
        del os.environ["PYTHONDONTWRITEBYTECODE"]
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(cache.mkdir("bytecode"))
        sys.dont_write_bytecode = False
    if "TMPDIR" not in os.environ and _is_fit_for_files(_MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)
    os.environ["TZ"] = "UTC"  # times are shown in this machine's zone
    time.tzset()
    config.stash[LEFT_OUT] = set()
    thorough = config.getoption("--thorough")
    layers.set_thorough(thorough=thorough)
    forks.shared = getattr(config, "workerinput", {}).get("forks", {})
    if not getattr(config.option, "tx", None) or "PYTEST_XDIST_WORKER" in os.environ:
        _set_up_properties(thorough=thorough)


def _is_fit_for_files(folder: Path) -> bool:
    """Programs in it may be run, and there is room for what the tests write (some 100 MB)."""
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return False
    system = os.statvfs(folder)
    return not system.f_flag & os.ST_NOEXEC and system.f_bavail * system.f_frsize > 4 << 30


def _set_up_properties(*, thorough: bool) -> None:
    # Imported by who runs tests alone, and once what is compiled of it is kept.
    import hypothesis
    from hypothesis.internal.conjecture import providers
    from hypothesis.internal.constants_ast import Constants

    examples = layers.layered("examples of each property", 15, 200)
    # No deadline: how long an example takes says nothing where the processor is shared.
    hypothesis.settings.register_profile("suite", max_examples=examples, deadline=None)
    hypothesis.settings.load_profile("suite")
    if not thorough:  # constants of our own sources are examples too: to read them takes each process seconds
        providers._get_local_constants = Constants


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what collecting makes, which stays to the end, out of every garbage collection; and collect less
    often, as most of what a test makes goes with it.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where processes share the suite, spread the files whose tests wait for programs evenly among the
    others: each process gets a stretch of the suite, and while one waits the others compute. The end of each
    stretch is without them: they take seconds, and all the others would wait for the last one.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        stretches = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        files = [list(tests) for _, tests in itertools.groupby(items, key=lambda item: item.path)]
        waiting = [tests for tests in files if WAITING & {*tests[0].path.parts}]
        others = [tests for tests in files if tests not in waiting]
        early = [(place - place * stretches % 1 / stretches / 4, tests) for place, tests in _placed(waiting)]
        spread = sorted([*early, *_placed(others)], key=lambda placed: placed[0])
        items[:] = [item for _, tests in spread for item in tests]


def _placed(files: list[list[pytest.Item]]) -> Iterator[tuple[float, list[pytest.Item]]]:
    """Files with the place of their middle in all of them, from 0 to 1."""
    passed, total = 0, sum(map(len, files))
    for tests in files:
        yield (passed + len(tests) / 2) / total, tests
        passed += len(tests)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Where processes share the suite, send what a test came to, and not also that it began, was set up, torn
    down and ended: six messages a test instead of two took a millisecond, and each wakes the other process.
    """
    options = item.config.option
    if "PYTEST_XDIST_WORKER" not in os.environ or options.durations or options.xmlpath:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Spread the whole suite over two processes more than processors, as some tests wait; each one more has
    to collect all tests and start servers of its own. What is named runs right here.
    """
    return 2 + (os.cpu_count() or 1) if _whole_suite(config) else 0


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of the suite where its programs can be forked."""
    node.workerinput["forks"] = {forker: forks.share(forker) for forker in forks.FORKERS}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Compile the tests of a fresh clone once, on all processors: each worker would compile them all."""
    cache = getattr(config, "cache", None)
    if cache is None or not _whole_suite(config):
        return
    compiled = cache.mkdir("compiled") / "tests"
    files = sorted(Path(__file__).parent.rglob("test_*.py"), key=lambda file: -file.stat().st_size)
    if compiled.exists() and all(file.stat().st_mtime < compiled.stat().st_mtime for file in files):
        return
    parts = [files[start :: os.cpu_count() or 1] for start in range(os.cpu_count() or 1)]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-n0", "-p", "no:cacheprovider"]
    processes = [subprocess.Popen([*command, *part], stdout=subprocess.DEVNULL) for part in parts]
    if {process.wait() for process in processes} == {0}:
        compiled.touch()


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is None:
        session.config.stash[LEFT_OUT] |= layers.left_out()
    else:
        output["left_out"] = sorted(layers.left_out())


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OUT] |= set(getattr(node, "workeroutput", {}).get("left_out", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash[LEFT_OUT]
    if left_out and _whole_suite(config):
        terminalreporter.section("what --thorough would add")
        for line in sorted(left_out):
            terminalreporter.line(line)


def _whole_suite(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


@pytest.fixture(scope="session", autouse=True)
def worlds_made_once() -> Iterator[Callable[[World], None]]:
    """Copy a small demo world in memory from the first one like it: it differs in the org's id alone. What
    builds one anew.
    """
    from syncerr_tui.demo.setup_rows import new_organization_id
    from syncerr_tui.demo.world import World

    build, made = World.build, dict[tuple[object, ...], tuple[sqlite3.Connection, object]]()

    def built(world: World) -> None:
        store, options = world._store, world._engine._options
        if store._path is not None or options.errors > 200:
            build(world)
            return
        kind = (options.errors, options.seed, options.naming, world._now, *map(id, store.schema.values()))
        is_new = kind not in made
        if is_new:
            build(world)
            first = sqlite3.connect(":memory:", check_same_thread=False)
            made[kind] = first, [*store.schema.values()]  # kept, so that no id is another object's
        alone = store._connection.in_transaction
        if alone:  # what is under way cannot be copied
            store.sql("COMMIT")
        if is_new:
            store._connection.backup(made[kind][0])
        else:
            made[kind][0].backup(store._connection)
            store._next.clear()
            store.sql("UPDATE Organization SET Id = ?", (new_organization_id(),))
        if alone:
            store.sql("BEGIN IMMEDIATE")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(World, "build", built)
        yield build
    for first, _ in made.values():
        first.close()


@pytest.fixture(scope="session", autouse=True)
def _servers_end_at_once() -> Iterator[None]:
    """Wake a server that is to end: by itself it looks up ten times a second, and a thousand are ended."""

    def shutdown(server: socketserver.TCPServer) -> None:
        setattr(server, "_BaseServer__shutdown_request", True)  # noqa: B010 - before it is woken
        with contextlib.suppress(OSError):
            socket.create_connection(server.server_address[:2], timeout=1).close()  # type: ignore[arg-type]
        ended(server)

    ended = socketserver.BaseServer.shutdown
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socketserver.BaseServer, "shutdown", shutdown)
        yield


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes this machine's time zone another one, named as TZ has it."""

    def use(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield use
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run."""
    from tests.postgres import running

    with running(os.environ.get("PYTEST_XDIST_TESTRUNUID", "")[:8]) as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """An empty database on it: its name."""
    name = postgres.new_database()
    yield name
    postgres.drop(name)
