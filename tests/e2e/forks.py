"""Starts the real program many times: forked from a process that has imported it, so a start costs little.

A child is a real process with the real command line; it can be killed, interrupted, and held to a file size.
Run as a module, it reads jobs as JSON lines on stdin and answers each with a JSON line on stdout:
`{"argv": [...], "env": {...}, "out": path, "err": path, "fsize": bytes or null}` -> `{"pid": n}`,
`{"ended": pid}` -> `{"ended": bool}`, `{"wait": pid}` -> `{"code": n}` (negative: the signal it died of).
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Child:
    """One start of the program."""

    forks: Forks
    pid: int
    out_file: Path
    err_file: Path
    code: int | None = None

    @property
    def alive(self) -> bool:
        """It has not ended."""
        return self.code is None and not self.forks.ask({"ended": self.pid})["ended"]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal. A child that has ended is no trouble: it is not buried before `wait`."""
        if self.code is None:
            os.kill(self.pid, number)

    def wait(self) -> int:
        """How it ended: its exit code, or minus the signal."""
        if self.code is None:
            self.code = self.forks.ask({"wait": self.pid})["code"]
        return self.code

    @property
    def out(self) -> str:
        """Its stdout so far."""
        return self.out_file.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """Its stderr so far."""
        return self.err_file.read_text(encoding="utf-8")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Its stdout, one JSON object a line; a line cut off by a kill does not count."""
        return [json.loads(line) for line in self.out.splitlines(keepends=True) if line.endswith("\n")]


@dataclass(slots=True)
class Forks:
    """The process that forks."""

    folder: Path
    _process: subprocess.Popen[str] = field(init=False)
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Start it; its imports take the time of one start."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forks"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, job: Mapping[str, object]) -> dict[str, Any]:
        """Hand over one job."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(job) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            return answer

    def start(self, *argv: str, env: Mapping[str, str], fsize: int | None = None) -> Child:
        """Start the program."""
        self._number += 1
        out, err = (self.folder / f"{self._number}.{name}" for name in ("out", "err"))
        job = {"argv": argv, "env": dict(env), "out": str(out), "err": str(err), "fsize": fsize}
        return Child(self, self.ask(job)["pid"], out, err)

    def run(self, *argv: str, env: Mapping[str, str], fsize: int | None = None) -> Child:
        """Start the program and wait for its end."""
        child = self.start(*argv, env=env, fsize=fsize)
        child.wait()
        return child

    def close(self) -> None:
        """End it. Its children are waited for by whoever started them."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=20)


def _child(job: Mapping[str, Any]) -> int:
    from syncerr_tui.cli import run

    for path, number in ((os.devnull, 0), (job["out"], 1), (job["err"], 2)):
        mode = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
        os.dup2(os.open(path, mode, 0o600), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - the jobs were read from the old one
    # As from a shell's prompt: under nohup, or in the background of a script, these are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.environ.update(job["env"])
    if job["fsize"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (job["fsize"], job["fsize"]))
    code = int(run(job["argv"]))
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code


def _serve() -> None:
    import simple_salesforce  # noqa: F401 - imported here, once for all children

    import syncerr_tui.cli.apply
    import syncerr_tui.cli.demo
    import syncerr_tui.cli.resume
    import syncerr_tui.demo.server
    import syncerr_tui.resync.factory
    import syncerr_tui.salesforce.connect
    import syncerr_tui.salesforce.transport  # noqa: F401 - as above
    from syncerr_tui.resync import doubt

    doubt.LEAST_USUAL = 5.0  # the demo org's; nothing here sleeps for minutes
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
                code = 99
                try:
                    code = _child(job)
                except BaseException:  # noqa: BLE001 - a defect of the child is told in its stderr
                    os.write(2, traceback.format_exc().encode())
                finally:
                    os._exit(code)
            answer = {"pid": pid}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve()
