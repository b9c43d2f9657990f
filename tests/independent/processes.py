"""Starts the program many times: real processes, forked from one that has imported it.

A fork costs some milliseconds where a start costs half a second. `SYNCERR_INDEPENDENT_PRODUCT` names the
root of another checkout to test, for instance an older one.

Run as a module it reads one JSON job a line on stdin and answers each on stdout.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tests.forks import run_commands, settle

ROOT = Path(__file__).parents[2]
_NEVER_STARTED = 99
PRODUCT = "SYNCERR_INDEPENDENT_PRODUCT"


def product_root() -> Path:
    """The checkout under test."""
    return Path(os.environ.get(PRODUCT) or ROOT)


@dataclass(slots=True)
class Process:
    """One start of the program."""

    nursery: Nursery
    pid: int
    out_file: Path
    err_file: Path
    code: int | None = None

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self.code is None and not self.nursery.ask({"ended": self.pid})["ended"]

    def poll(self) -> int | None:
        """How it ended, or None: it runs."""
        return None if self.alive else self.wait()

    def signal(self, number: int) -> None:
        """Send a signal; one that has ended is not buried before `wait`, so this hits nobody else."""
        if self.code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """How it ended: its exit code, or minus the signal."""
        if self.code is None:
            ended = os.pidfd_open(self.pid)  # the nursery has to start and to end others meanwhile
            select.select([ended], [], [])
            os.close(ended)
            self.code = int(self.nursery.ask({"wait": self.pid})["code"])
            if self.code == _NEVER_STARTED:
                raise RuntimeError(f"the program did not start: {self.err[-2000:]}")
        return self.code

    @property
    def out(self) -> str:
        """Its stdout so far."""
        return self.out_file.read_text(encoding="utf-8", errors="replace")

    @property
    def err(self) -> str:
        """Its stderr so far."""
        return self.err_file.read_text(encoding="utf-8", errors="replace")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its stdout as JSON lines; one that a kill cut off does not count."""
        whole = [line for line in self.out.splitlines(keepends=True) if line.endswith("\n")]
        return [json.loads(line) for line in whole if line.startswith("{")]


@dataclass(slots=True)
class Nursery:
    """The process that forks. Use it as a context."""

    folder: Path
    _process: subprocess.Popen[str] = field(init=False)
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.independent.processes"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def ask(self, job: Mapping[str, object]) -> dict[str, Any]:
        """Hand over one job."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that forks has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        *,
        clock: Path | None = None,
        jumps: Sequence[tuple[float, float]] = (),
        fresh: bool = False,
    ) -> Process:
        """Start the program with these arguments, on this clock; `fresh`: in an interpreter of its own."""
        self._number += 1
        out, err = (self.folder / f"{self._number}.{name}" for name in ("out", "err"))
        job = {
            "argv": list(argv),
            "env": dict(env),
            "out": str(out),
            "err": str(err),
            "clock": str(clock) if clock else None,
            "jumps": [list(jump) for jump in jumps],
            "fresh": fresh,
        }
        return Process(self, self.ask(job)["pid"], out, err)

    def at_terminal(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        terminal: int,
        *,
        clock: Path,
        jumps: Sequence[tuple[float, float]] = (),
    ) -> Process:
        """Start the program in a session of its own, with a terminal as its three streams."""
        name = os.ttyname(terminal)
        job = {
            "argv": list(argv),
            "env": dict(env),
            "terminal": name,
            "clock": str(clock),
            "jumps": [list(jump) for jump in jumps],
            "fresh": False,
        }
        process = Process(self, self.ask(job)["pid"], Path(name), Path(name))
        # Whoever asked closes the terminal now: the child has to hold it by then.
        while process.alive and not Path(f"/proc/{process.pid}/fd/2").samefile(name):
            threading.Event().wait(0.001)
        return process


def _child(job: Mapping[str, Any]) -> int:
    terminal = job.get("terminal")
    if terminal:
        os.setsid()  # so that the terminal opened next is its own
    for path, number in ((os.devnull, 0), (job.get("out", ""), 1), (job.get("err", ""), 2)):
        mode = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        os.dup2(os.open(terminal or path, os.O_RDWR if terminal else mode, 0o600), number)
    # As in a fresh interpreter: nothing has been read or written through them.
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        way = "w" if number else "r"
        stream = open(number, way, 1, encoding="utf-8", closefd=False)  # noqa: SIM115 - stays open
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.environ.update(job["env"])
    if job["fresh"]:
        where = json.dumps([job["clock"], job["jumps"]])
        program = (sys.executable, "-m", "tests.independent.warp", where, *job["argv"])
        os.execv(sys.executable, program)
    from tests.independent import warp

    if job["clock"]:
        warp.attach(Path(job["clock"]), tuple((at, error) for at, error in job["jumps"]))
    return start(job["argv"])


def start(argv: Sequence[str]) -> int:
    """The program's own entry point in this process, as its script calls it; gives the exit code."""
    from syncerr_tui.__main__ import main

    sys.argv = ["syncerr-tui", *argv]
    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return int(code) if isinstance(code, int) else int(bool(code))


def _import_the_program() -> None:
    """Everything that a command needs, once for all children."""
    import importlib
    import pkgutil

    import simple_salesforce  # noqa: F401

    import syncerr_tui

    for module in pkgutil.walk_packages(syncerr_tui.__path__, "syncerr_tui."):
        room, _, name = module.name.removeprefix("syncerr_tui.").partition(".")
        if room not in {"ui", "demo"} and name != "__main__":
            with contextlib.suppress(ImportError):  # what needs a package that is not installed is not needed
                importlib.import_module(module.name)
    run_commands()
    settle()


def _serve() -> None:
    sys.path.insert(0, str(product_root()))
    from tests.independent import warp

    warp.install()
    _import_the_program()
    for line in sys.stdin:
        job = json.loads(line)
        if "ended" in job:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            answer: dict[str, Any] = {"ended": os.waitid(os.P_PID, job["ended"], flags) is not None}
        elif "wait" in job:
            _, status = os.waitpid(job["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status)}
        else:
            pid = os.fork()
            if pid == 0:
                code = _NEVER_STARTED
                try:
                    code = _child(job)
                except BaseException:  # noqa: BLE001 - a fork must not go on as its parent
                    traceback.print_exc()
                    sys.stderr.flush()
                finally:
                    os._exit(code)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
