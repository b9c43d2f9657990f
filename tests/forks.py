"""Starts the real program many times, at little cost: forked from a process that has imported it.

A child is a real process with the real command line and its whole environment; it can be killed, interrupted,
held to a file size, and given a terminal. One process for each process of the suite forks them all; where
several share the suite, those are forked in turn from one that `share` starts. It runs one of `FORKERS`, gets
one job a line through a socket, the child's streams along with it, and answers each
with a line: `{"argv": [...], "env": {...}, ...}` -> `{"pid": n}`, `{"wait": pid}` -> `{"code": n}` (negative:
the signal it died of).
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import fcntl
import functools
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).parents[1]
FORKERS = ("tests.forks", "tests.independent.processes")
"""Modules that fork the program: on the machine's clock, and on one that tests move on."""
USUAL = 5.0
"""Seconds that the demo org takes for a request at most; the program allows a real org minutes."""


@dataclass(slots=True)
class Child:
    """One start of the program."""

    pid: int
    _alive: int
    """A pipe that ends when the child does."""
    _parent: _Parent
    code: int | None = None
    """How it ended, once somebody has looked: its exit code, or minus the signal."""
    _out: BinaryIO | None = None
    _err: BinaryIO | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self.poll() is None

    def poll(self) -> int | None:
        """How it ended, or None: it runs."""
        return self._ended(0)

    def wait(self) -> int:
        """How it ended. The test's own timeout is the bound."""
        while (code := self._ended(60)) is None:
            pass
        return code

    def wait_for(self, words: str) -> None:
        """Until its stderr says so. The test's own timeout is the bound."""
        while words not in self.err:
            assert self.alive or words in self.err, self.err
            time.sleep(0.005)

    def _ended(self, seconds: float) -> int | None:
        with self._lock:
            if self.code is None and select.select([self._alive], [], [], seconds)[0]:
                self.code = int(self._parent.ask({"wait": self.pid})["code"])
                os.close(self._alive)
            return self.code

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal. A child that has ended is no trouble: until it is waited for, its id is its own."""
        if self.code is None:
            os.kill(self.pid, number)

    @property
    def out(self) -> str:
        """Its stdout so far."""
        return _text(self._out)

    @property
    def err(self) -> str:
        """Its stderr so far."""
        return _text(self._err)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its stdout, one JSON object a line; a line cut off by a kill does not count."""
        return [json.loads(line) for line in self.out.splitlines(keepends=True) if line.endswith("\n")]


def start(
    *argv: str,
    env: Mapping[str, str],
    fsize: int | None = None,
    stdout: int | None = None,
    stderr: int | None = None,
    first: str = "",
    usual: float | None = USUAL,
    forker: str = FORKERS[0],
) -> Child:
    """Start the program.

    Args:
        argv: Its arguments.
        env: What it finds around it besides the environment of the tests.
        fsize: The most bytes that a file may grow to.
        stdout: Where it writes, if not to where the child's `out` reads.
        stderr: Likewise for `err`.
        first: Python that the child runs before the program, or in its place where it exits.
        usual: Seconds that the org takes for a request at most; None: what the program allows.
        forker: Which of `FORKERS` forks it.
    """
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the child
    with Path(os.devnull).open("rb") as nothing:
        streams = (
            nothing.fileno(),
            out.fileno() if stdout is None else stdout,
            err.fileno() if stderr is None else stderr,
        )
        child = _parent(forker).fork(
            argv, {**os.environ, **env}, streams, {"fsize": fsize, "usual": usual, "first": first}
        )
    child._out, child._err = out, err
    return child


def run(*argv: str, env: Mapping[str, str], fsize: int | None = None, first: str = "") -> Child:
    """Start the program and wait for its end."""
    child = start(*argv, env=env, fsize=fsize, first=first)
    child.wait()
    return child


def at_terminal(
    argv: Sequence[str],
    environ: Mapping[str, str],
    terminal: int,
    *,
    first: str = "",
    forker: str = FORKERS[0],
) -> Child:
    """Start the program in a session of its own, with a terminal as its three streams.

    Args:
        argv: Its arguments.
        environ: Its whole environment.
        terminal: The program's end of it.
        first: Python that the child runs before the program, to break something.
        forker: Which of `FORKERS` forks it.
    """
    return _parent(forker).fork(argv, environ, (terminal,) * 3, {"terminal": True, "first": first})


def _text(file: BinaryIO | None) -> str:
    if file is None:
        return ""
    number = file.fileno()
    return os.pread(number, os.fstat(number).st_size, 0).decode()


class _Parent:
    """The process that forks, as the tests see it."""

    def __init__(self, forker: str) -> None:
        self._lock = threading.Lock()
        if address := shared.get(forker):
            self._process = None
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(address)
        else:
            self._socket, other = socket.socketpair()
            self._process = _started(forker, "serve", other)
        atexit.register(self._close)

    def ask(self, job: Mapping[str, object], streams: Sequence[int] = ()) -> dict[str, Any]:
        """Hand over one job."""
        data = json.dumps(job).encode() + b"\n"
        with self._lock:
            sent = socket.send_fds(self._socket, [data], list(streams))
            self._socket.sendall(data[sent:])
            answer: dict[str, Any] = json.loads(_line(self._socket)[0])
        return answer

    def fork(
        self,
        argv: Sequence[str],
        environ: Mapping[str, str],
        streams: tuple[int, int, int],
        more: Mapping[str, object],
    ) -> Child:
        """Start a child."""
        alive, held = os.pipe()
        try:
            job = {"argv": list(argv), "env": dict(environ), **more}
            return Child(self.ask(job, (*streams, held))["pid"], alive, self)
        finally:
            os.close(held)

    def _close(self) -> None:
        self._socket.close()
        if self._process:
            self._process.wait(timeout=20)


_LONGEST = 100
"""Characters of a socket's address: Linux takes 107, others fewer."""
shared: dict[str, str] = {}
"""The addresses at which the processes that `share` started fork one for who connects."""


@functools.cache
def share(forker: str) -> str:
    """Start a process that imports the program once for all processes of the suite, when one connects.

    It ends with this one. Gives its address; empty: each has to do so itself.
    """
    folder = tempfile.TemporaryDirectory()
    address = str(Path(folder.name, "forks"))
    if len(address) > _LONGEST:
        return ""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        process = _started(forker, "share", listener, stdin=subprocess.PIPE)

    def end() -> None:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=20)
        folder.cleanup()

    atexit.register(end)
    return address


def _started(forker: str, job: str, line: socket.socket, stdin: int | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", forker, job, str(line.fileno())]
    process = subprocess.Popen(command, cwd=ROOT, pass_fds=[line.fileno()], stdin=stdin)
    line.close()
    return process


_FIRST_COMES_ALONE = threading.Lock()


def _parent(forker: str) -> _Parent:
    # A cache alone lets two threads make one each, and neither could wait for the other's children.
    with _FIRST_COMES_ALONE:
        return _the_parent(forker)


@functools.cache
def _the_parent(forker: str) -> _Parent:
    return _Parent(forker)


def _line(line: socket.socket) -> tuple[bytes, list[int]]:
    """A line, and the files that came along with it; nothing: the other end is closed."""
    data, files = b"", list[int]()
    while not data.endswith(b"\n"):
        part, more, *_ = socket.recv_fds(line, 1 << 16, 4)
        if not part:
            return b"", []
        data += part
        files += more
    return data, files


def _child(job: Mapping[str, Any], streams: Sequence[int]) -> int:
    if job.get("terminal"):
        os.setsid()
        fcntl.ioctl(streams[0], termios.TIOCSCTTY, 0)
    for number, (name, stream) in enumerate(zip(("stdin", "stdout", "stderr"), streams, strict=True)):
        os.dup2(stream, number)
        os.close(stream)
        # As in a fresh interpreter: nothing has been read or written through it.
        old = getattr(sys, f"__{name}__")
        lines = 1 if name == "stderr" or os.isatty(number) else -1
        fresh = open(  # noqa: SIM115 - stays open
            number, "w" if number else "r", lines, old.encoding, old.errors, closefd=False
        )
        setattr(sys, name, fresh)
        setattr(sys, f"__{name}__", fresh)
    # As from a shell's prompt: under nohup, or in the background of a script, these are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    if job.get("fsize") is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["fsize"], job["fsize"]))
        # Python 3.11 keeps half of a compiled file, and all that start later would read it.
        sys.dont_write_bytecode = True
    if job.get("usual") is not None:
        from syncerr_tui.resync import doubt

        doubt.LEAST_USUAL = job["usual"]
    return run_program(job["argv"], first=job.get("first", ""))


def run_program(argv: Sequence[str], *, first: str = "") -> int:
    """The program's own entry point in this process, as its script calls it; gives the exit code."""
    from syncerr_tui.__main__ import main

    sys.argv = ["syncerr-tui", *argv]
    code: object = None
    try:
        exec(first, {})
        main()
    except SystemExit as end:
        code = end.code
    with contextlib.suppress(OSError, AttributeError, ValueError):  # closed, or gone from the start
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else int(bool(code))


@functools.cache
def _import_the_program() -> None:
    """Import everything that a child needs, once for all of them."""
    import simple_salesforce  # noqa: F401
    import wcwidth  # noqa: F401

    import syncerr_tui
    from syncerr_tui.host import terminal
    from syncerr_tui.ui import launch

    for module in pkgutil.walk_packages(syncerr_tui.__path__, "syncerr_tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    from textual import constants

    run_commands()
    chosen_for = terminal.textual_environment

    def read_anew(profile: terminal.TerminalProfile) -> dict[str, str]:
        """Textual reads its environment when it is imported: in a child that is now."""
        chosen = chosen_for(profile)
        os.environ.update(chosen)
        importlib.reload(constants)
        return chosen

    setattr(launch, terminal.textual_environment.__name__, read_anew)  # where it is asked
    settle()


def run_commands() -> None:
    """Run what children run. What is read or worked out when it is first asked for is theirs then from the
    start, and Python has fitted the code to its use: a re-sync takes a child two thirds of the time.
    """
    from syncerr_tui import cli
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.demo.server import DemoServer

    environ = dict(os.environ)
    with contextlib.ExitStack() as stack:
        org = stack.enter_context(DemoServer(DemoOptions(errors=12, processing_delay=0.01)))
        home = stack.enter_context(tempfile.TemporaryDirectory())
        nothing = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
        stack.enter_context(contextlib.redirect_stdout(nothing))
        stack.enter_context(contextlib.redirect_stderr(nothing))
        around = {"SYNCERR_INSTANCE_URL": org.instance_url, "SYNCERR_ACCESS_TOKEN": org.access_token}
        os.environ.update(around, SYNCERR_HOME=home, HOME=home)
        for command in ("list", "causes", "fix", "resync --all --yes", "journal", "safeguards"):
            cli.run(command.split())  # whether they do it well is for the tests to say
        os.environ.clear()
        os.environ.update(environ)
    _wait_until_alone()


_FILLING = list[bytes]()


def settle() -> None:
    """Spare the children from copying pages: nothing there is collected, and none of its gaps is used.

    What a child makes would be spread over the gaps of all pages, each a copy; fresh pages take half as many.
    """
    gc.collect()
    _FILLING.extend(bytes(size) for size in range(16, 480, 16) for _ in range(500))
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # as in the tests themselves (conftest.py)


def _wait_until_alone() -> None:
    """A fork leaves all other threads behind, and what they hold locked."""
    while threading.active_count() > 1:
        time.sleep(0.01)


@functools.cache
def _open_the_app() -> None:
    """Open the app on the demo org, without a terminal, and close it: what Python and its libraries work out
    in a process the first time is then worked out for all children: a quarter of what a start takes them.
    """
    from syncerr_tui.cli._connect import EmbeddedOrg
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.host.terminal import TerminalProfile
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.context import AppContext
    from syncerr_tui.ui.journals import Journals

    async def open_and_close(folder: Path) -> None:
        org, journals = EmbeddedOrg(DemoOptions(errors=20)), Journals(folder)
        app = SyncErrApp(AppContext(org.connect, TerminalProfile()), journals)
        async with app.run_test() as pilot:
            while not app.services.graph_worker.known.count:
                await pilot.pause(0.01)
            app.workers.cancel_all()
        await app.release()
        journals.close()
        org.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(open_and_close(Path(folder)))
    _wait_until_alone()
    settle()


def _share(listener: socket.socket) -> None:
    servers: list[int] = []
    # Who started this is at the other end of stdin, and has ended when that can be read.
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        line, _ = listener.accept()
        _import_the_program()
        _open_the_app()
        servers.append(os.fork())
        if servers[-1] == 0:
            listener.close()
            _serve(line)
            os._exit(0)
        line.close()
    for server in servers:
        os.waitpid(server, 0)


def _serve(line: socket.socket) -> None:
    _import_the_program()
    children: set[int] = set()
    while (request := _line(line))[0]:
        job, files = json.loads(request[0]), request[1]
        if "wait" in job:
            children.discard(job["wait"])
            answer = {"code": os.waitstatus_to_exitcode(os.waitpid(job["wait"], 0)[1])}
        else:
            if job.get("terminal"):
                _open_the_app()
            pid = os.fork()
            if pid == 0:
                code = 99
                try:
                    line.close()
                    code = _child(job, files[:3])
                except BaseException:  # noqa: BLE001 - a defect of the child is told in its stderr
                    os.write(2, traceback.format_exc().encode())
                finally:
                    os._exit(code)
            for file in files:
                os.close(file)
            children.add(pid)
            answer = {"pid": pid}
        line.sendall(json.dumps(answer).encode() + b"\n")
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def fork_all() -> None:
    """Do the job of this process: a forker's."""
    {"serve": _serve, "share": _share}[sys.argv[1]](socket.socket(fileno=int(sys.argv[2])))


if __name__ == "__main__":
    fork_all()
