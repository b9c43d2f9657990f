"""What the tests of this folder stand on: a clock, orgs made to order, operators' homes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from tests.independent.clock import Clock
from tests.independent.home import Home
from tests.independent.naming import Naming
from tests.independent.org import Manners, Org
from tests.independent.wire import Manner, Server


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """The time that org and program share."""
    return Clock.create(tmp_path / "clock")


@pytest.fixture
def serve(clock: Clock) -> Iterator[Callable[..., Server]]:
    """Makes an org and serves it: `serve(manners, naming=..., seed=...)`."""
    with ExitStack() as stack:

        def make(manners: Manners | None = None, *, naming: Naming | None = None, seed: int = 1) -> Server:
            rng = Random(seed)
            org = Org(clock, naming or Naming(), rng, manners)
            return stack.enter_context(Server(org, Manner(rng)))

        yield make


@pytest.fixture
def make_home(tmp_path: Path, clock: Clock) -> Callable[..., Home]:
    """Makes an operator's home: `make_home(server, name, method=..., proof_timeout=...)`."""

    def make(server: Server, name: str = "home", **settings: object) -> Home:
        return Home(tmp_path / name, server, clock, **settings)  # type: ignore[arg-type]

    return make
