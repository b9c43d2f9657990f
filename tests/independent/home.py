"""An operator at a machine: a home with profile and journal, and the commands that are typed there."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.bench.pty_program import PtyProgram
from tests.forks import ROOT, Child
from tests.independent import processes
from tests.independent.clock import Clock
from tests.independent.naming import Naming
from tests.independent.org import Org
from tests.independent.processes import product_root
from tests.independent.wire import APEX, FLOW, ID_INPUT, IDS_KEY, RESOURCE, Server, token


@functools.cache
def knows(command: str, word: str) -> bool:
    """Whether the product's command has an option, or its help speaks of a word."""
    env = {**os.environ, "PYTHONPATH": str(product_root())}
    program = (sys.executable, "-m", "syncerr_tui", command, "--help")
    shown = subprocess.run(program, cwd=product_root(), env=env, capture_output=True, text=True, check=False)
    return word in shown.stdout


@functools.cache
def profile_takes(key: str) -> bool:
    """Whether a profile has this key, such as `mapping.done`: one that is no setting is refused as such."""
    if product_root() == ROOT:
        return True
    *table, name = key.split(".")
    with tempfile.TemporaryDirectory() as folder:
        orgs = Path(folder) / "config" / "orgs"
        orgs.mkdir(parents=True)
        header = f"[{table[0]}]\n" if table else ""
        (orgs / "x.toml").write_text(f"{header}{name} = 7\n", encoding="utf-8")
        env = {**os.environ, "PYTHONPATH": str(product_root()), "SYNCERR_HOME": folder}
        program = (sys.executable, "-m", "syncerr_tui", "list", "--org", "x")
        ran = subprocess.run(
            program, cwd=product_root(), env=env, capture_output=True, text=True, check=False
        )
    assert f" {key} " in ran.stderr, ran.stderr
    return "is not a setting" not in ran.stderr


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def method_table(kind: str, naming: Naming) -> Mapping[str, str]:
    """The profile's `[method]` for a kind."""
    return {
        "apex": {"kind": "apex", "name": APEX, "id_input": ID_INPUT},
        "flow": {"kind": "flow", "name": FLOW, "id_input": ID_INPUT},
        "apexrest": {"kind": "apexrest", "path": RESOURCE, "ids_key": IDS_KEY},
        "field": {"kind": "field", "field": naming.retry, "value": "yes"},
        "guided": {"kind": "guided"},
    }[kind]


@dataclass(slots=True)
class Home:
    """One operator's home, connected to one org."""

    folder: Path
    server: Server
    clock: Clock
    method: str = "apex"
    proof_timeout: float = 180.0
    batch_size: int = 50
    more_failed: tuple[str, ...] = ()
    """Values besides the usual one that this profile knows as failed."""
    knows_done: bool = True
    """Somebody has confirmed which value means done."""
    knows_sync_user: bool = True
    started: list[tuple[int, tuple[str, ...], Child]] = field(default_factory=list)
    """Every start: the number in its token, its arguments, the process."""
    jumps: tuple[tuple[float, float], ...] = ()
    """When, and by how many seconds, this machine's wall clock goes wrong in every command."""
    journal: Path | None = None
    """A journal that several homes share."""
    fresh: bool = False
    """Every command is a fresh interpreter instead of a fork."""

    def __post_init__(self) -> None:
        self.write_profile()

    @property
    def org(self) -> Org:
        """The org at the other end."""
        return self.server.org

    @property
    def journals(self) -> list[Path]:
        """The journal files."""
        if self.journal is not None:
            return sorted(self.journal.parent.glob(f"{self.journal.name}*"))
        return sorted((self.folder / "state" / "journals").glob("*.db*"))

    def write_profile(self, method: Mapping[str, object] | None = None) -> None:
        """Write down what a person has confirmed about this org; `method`: another than usual."""
        n = self.org.naming
        mapping: dict[str, str | Sequence[str]] = {
            "object_name": n.event_object,
            "object": n.object,
            "event_type": n.event_type,
            "processed_at": n.processed_at,
            "storeconnect_id": n.storeconnect_id,
            "message": n.message,
            "status": n.status,
            "failed": [n.failed, *self.more_failed],
            "pending": [n.pending],
            "record_key": n.record_key,
            **({"salesforce_id": n.salesforce_id, "pointer": "text"} if n.salesforce_id else {}),
            **({"code": n.code} if n.code else {}),
            **({"done": [n.done]} if self.knows_done and profile_takes("mapping.done") else {}),
        }
        names_sync_user = self.knows_sync_user and profile_takes("sync_user")
        lines = [
            'environment = "PRODUCTION"',
            f"patience = {self.proof_timeout}",
            f"batch_size = {self.batch_size}",
            *([f"journal = {_quoted(str(self.journal))}"] if self.journal else []),
            *([f'sync_user = "{self.org.users["sync"]}"'] if names_sync_user else []),
            "[way]",
            'kind = "environment"',
            "[method]",
            *(f"{key} = {_quoted(value)}" for key, value in (method or method_table(self.method, n)).items()),
            *(["accept_vendor_warning = true"] if self.method == "field" else []),
            "[mapping]",
            *(f"{key} = {_quoted(value)}" for key, value in mapping.items()),
            "[mapping.event_types]",
            *(f"{_quoted(n.kinds[i])} = {_quoted(k)}" for i, k in enumerate(("Create", "Update", "Delete"))),
        ]
        orgs = self.folder / "config" / "orgs"
        orgs.mkdir(parents=True, exist_ok=True)
        (orgs / "shop.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def environment(self, number: int) -> dict[str, str]:
        """What the program finds around it."""
        return {
            "SYNCERR_HOME": str(self.folder),
            "SYNCERR_INSTANCE_URL": self.server.url,
            "SYNCERR_ACCESS_TOKEN": token(number),
            "HOME": str(self.folder),
            "NO_PROXY": "*",
            "TZ": "UTC",
        }

    def at_a_terminal(self, *argv: str) -> PtyProgram:
        """Start a command in a pseudo-terminal, on the shared clock."""
        environ = {**self.environment(self.server.next_token()), "TERM": "xterm", "LANG": "C.UTF-8"}
        start = partial(processes.at_terminal, clock=self.clock.path, jumps=self.jumps)
        command = (argv[0], "--org", "shop", *argv[1:])
        return PtyProgram(command, columns=160, lines=50, environ=environ, start=start)

    def start(self, *argv: str) -> Child:
        """Start a command for this org."""
        number = self.server.next_token()
        env = self.environment(number)
        whole = (argv[0], "--org", "shop", *argv[1:])
        process = processes.start(whole, env, clock=self.clock.path, jumps=self.jumps, fresh=self.fresh)
        self.started.append((number, argv, process))
        return process

    def offline(self, *argv: str) -> Child:
        """Run a command that needs no org to its end."""
        env = {"SYNCERR_HOME": str(self.folder), "HOME": str(self.folder), "TZ": "UTC"}
        process = processes.start(argv, env, clock=self.clock.path)
        process.wait()
        return process

    def run(self, *argv: str) -> Child:
        """Run a command to its end."""
        process = self.start(*argv)
        process.wait()
        return process

    def really(self, *argv: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command as the shell does: a fresh interpreter on the machine's own clock."""
        number = self.server.next_token()
        env = {**os.environ, **self.environment(number), "PYTHONPATH": str(product_root())}
        return subprocess.run(
            (sys.executable, "-m", "syncerr_tui", argv[0], "--org", "shop", *argv[1:]),
            cwd=ROOT if product_root() == ROOT else product_root(),
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
