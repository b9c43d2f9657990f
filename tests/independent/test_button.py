"""The org's own button against an org of another make: pressed once for each row, and no false FIXED."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.forks import Child
from tests.independent.button import Button, ButtonServer
from tests.independent.clock import Clock
from tests.independent.home import Home
from tests.independent.naming import Naming
from tests.independent.oracle import Oracle, Ran, secrets_kept
from tests.independent.org import Fate, Org
from tests.independent.recordings import SECRETS, Browser, press
from tests.independent.steps import doubled, orders, resync, verdicts
from tests.independent.wire import Fault, Manner, token
from tests.layers import layered

ROWS = 5
Desk = Callable[[Button], tuple[ButtonServer, Home]]


@pytest.fixture
def learn_at(tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """Serves an org with this button, and sets an operator up who learned it from a recording."""
    with ExitStack() as stack:

        def make(button: Button) -> tuple[ButtonServer, Home]:
            rng = Random(5)
            org = Org(clock, Naming(), rng)
            server = stack.enter_context(ButtonServer(org, Manner(rng), button))
            ticked = [event.id for event in orders(org, ROWS, delay=2)][: 1 if button.shape == "one" else 2]
            home = Home(tmp_path / "home", server, clock, method="guided", proof_timeout=40)
            har = tmp_path / "press.har"
            har.write_text(press(button.action(ticked), Browser.CHROME_SENSITIVE).text(), encoding="utf-8")
            rows = [word for key in ticked for word in ("--event", key)]
            words = ("learn-button", str(har), "--namespace", button.namespace, "--json")
            taught = home.offline(*words, *rows)
            assert taught.code == 0, taught.out + taught.err
            home.write_profile(stored(json.loads(taught.out)))
            har.unlink()
            return server, home

        yield make


def stored(lesson: dict[str, Any]) -> dict[str, object]:
    """The `[method]` that a lesson makes."""
    one = lesson["candidates"][lesson["chosen"]]
    assert one["kind"] == "apex"
    return {
        "kind": "button",
        "class_name": one["class"],
        "method": one["method"],
        "namespace": one["namespace"],
        "style": one["style"],
        "params": json.dumps(one["params"]),
        "ids": one["ids"]["field"],
        "length": one["ids"]["length"],
        "calling": one.get("calling") or "",
    }


def as_ran(server: ButtonServer, home: Home, process: Child, began: float) -> Ran:
    """A command that has ended, as the oracle takes it."""
    number, argv, _ = next(each for each in home.started if each[2] is process)
    rows = [(row["id"], row["verdict"], row.get("reason", "")) for row in process.rows if "verdict" in row]
    return Ran(
        str(home.folder),
        argv,
        token(number),
        process.code or 0,
        began,
        server.org.now(),
        rows,
        process.out,
        process.err,
    )


def examine(server: ButtonServer, home: Home, *ran: Ran) -> None:
    """Nothing ran twice, nothing is called fixed that is not, no secret is left anywhere."""
    assert Oracle(server.org, ran).wrongs() == []
    assert server.strangers == []
    assert list(secrets_kept(home.folder)) == []
    for file in home.folder.rglob("*"):
        if file.is_file():
            assert not [one for one in SECRETS if one.encode() in file.read_bytes()], file
    assert not [call for call in server.calls if "sid=" in call.partition("?")[2]]


def go(server: ButtonServer, home: Home) -> Child:
    """Re-sync everything, and look at what came of it."""
    began = server.org.now()
    process = resync(home)
    examine(server, home, as_ran(server, home, process, began))
    assert max(server.executions.values(), default=0) <= 1, server.executions
    assert not server.executions or doubled(server.org) == []
    return process


SHAPES = [
    Button(namespace="kiosk", class_name="Desk2", method="runAgain"),
    Button(shape="one"),
    Button(shape="csv"),
    Button(shape="json", namespace="acme_sync"),
    Button(shape="records"),
    Button(shape="map"),
    Button(length=15),
    Button(shape="csv", length=15),
    Button(constants={}),
    Button(style="aura"),
    Button(style="aura", shape="csv", namespace="kiosk", calling="markup://kiosk:tool"),
]
LIGHTNING = [
    Button(lwr=lwr, hops=hops)
    for lwr, hops in [
        ("absent", ("http",)),
        ("no access", ("replace",)),
        ("forbidden", ("href",)),
        ("redirect", ("escaped",)),
        ("foreign", ("replace", "http", "href")),
        ("page", ()),
    ]
] + [
    Button(lwr="absent", single="denied"),
    Button(lwr="absent", single="absent", front="post only"),
    Button(lwr="absent", page="inline"),
    Button(lwr="absent", page="urls"),
    Button(lwr="absent", style="aura", shape="csv"),
    Button(lwr="absent", oddities=["out of sync"]),
    Button(lwr="absent", oddities=["bare out of sync"]),
    Button(lwr="absent", oddities=["out of sync inside"]),
    Button(lwr="absent", oddities=["token new"]),
    Button(lwr="absent", oddities=["token invalid"]),
    Button(lwr="absent", oddities=["token"]),
    Button(lwr="absent", oddities=["401"]),
    Button(lwr="absent", always="foreign first"),
    Button(lwr="absent", always="while"),
]
ANSWERS = [
    Button(lwr=lwr, answers=words) for lwr in ("open", "absent") for words in ("nothing", "text", "changed")
]


def name_of(button: Button) -> str:
    usual = Button()
    names = (
        "namespace",
        "style",
        "shape",
        "length",
        "lwr",
        "single",
        "front",
        "hops",
        "page",
        "oddities",
        "always",
        "answers",
    )
    return (
        " ".join(f"{n}={getattr(button, n)}" for n in names if getattr(button, n) != getattr(usual, n))
        or "usual"
    )


BUTTONS = [*SHAPES, *LIGHTNING, *ANSWERS]


@pytest.mark.parametrize("button", layered("shapes of a button", BUTTONS[::2], BUTTONS), ids=name_of)
def test_every_row_is_fixed_and_its_button_pressed_once(learn_at: Desk, button: Button) -> None:
    server, home = learn_at(button)
    process = go(server, home)
    assert set(verdicts(process).values()) == {"FIXED"}, process.err
    assert server.executions == dict.fromkeys(server.org.events, 1)
    sizes = [len(request.events) for request in server.org.truth.requests]
    assert sizes[0] == 1
    assert sum(sizes) == ROWS


NOTHING_RUNS = [
    (Button(lwr="renamed"), "Record the button again"),
    (Button(lwr="absent", hops=("loop",)), ""),
    (Button(lwr="absent", hops=("foreign",)), ""),
    (Button(lwr="absent", hops=("flow",)), "Login Flow"),
    (Button(lwr="absent", hops=("mfa",)), "Verify Your Identity"),
    (Button(lwr="absent", single="denied", front="closed"), "web"),
    (Button(lwr="absent", page="none"), ""),
    (Button(lwr="absent", page="stale"), ""),
    (Button(lwr="absent", always="out of sync"), "being updated"),
    (Button(lwr="absent", always="out of sync inside"), "being updated"),
    (Button(lwr="absent", always="token invalid"), ""),
    (Button(lwr="absent", always="token new"), ""),
    (Button(lwr="absent", always="401"), ""),
    (Button(lwr="absent", always="no access"), "permission set"),
]


@pytest.mark.parametrize(
    ("button", "words"),
    layered("buttons that can do nothing", NOTHING_RUNS[::2], NOTHING_RUNS),
    ids=lambda one: name_of(one) if isinstance(one, Button) else "",
)
def test_where_nothing_can_run_one_plain_line_says_why(learn_at: Desk, button: Button, words: str) -> None:
    server, home = learn_at(button)
    process = go(server, home)
    assert server.executions == {}
    assert set(verdicts(process).values()) == {"NOT SENT"}
    assert words in process.err
    assert process.code in {1, 3, 4, 5}
    assert len(server.calls) < 60


IN_DOUBT = [
    Button(answers="failure"),
    Button(answers="others"),
    Button(answers="cut"),
    Button(lwr="absent", answers="failure"),
    Button(lwr="absent", answers="cut"),
    Button(lwr="absent", always="cut"),
    Button(lwr="absent", always="empty"),
    Button(lwr="absent", always="missing"),
    Button(lwr="absent", always="login"),
    Button(lwr="absent", always="maintenance"),
]


@pytest.mark.parametrize("button", IN_DOUBT, ids=name_of)
def test_an_answer_that_proves_nothing_is_followed_by_reading_alone(learn_at: Desk, button: Button) -> None:
    server, home = learn_at(button)
    process = go(server, home)
    ran = server.executions
    assert all(verdict != "FIXED" or ran.get(event) for event, verdict in verdicts(process).items())
    assert set(verdicts(process)) == set(server.org.events)


TROUBLE = [
    Fault.LOST_BEFORE,
    Fault.LOST_AFTER,
    Fault.FAILED_BEFORE,
    Fault.FAILED_AFTER,
    Fault.HALF_FAILED,
    Fault.PARTIAL,
]
TROUBLE += [Fault.SHUFFLED, Fault.MISSING]
FATES: list[tuple[Fate, ...]] = layered(
    "fates of events in trouble",
    [(Fate.WRITES, Fate.FAILS, Fate.NEVER)],
    [
        (Fate.WRITES,),
        (Fate.FAILS, Fate.WRITES, Fate.NEVER, Fate.TWINS),
        (Fate.WRITES, Fate.FAILS, Fate.NEVER),
    ],
)


@pytest.mark.parametrize("fates", FATES, ids=" ".join)
@pytest.mark.parametrize(
    ("lwr", "fault"),
    layered(
        "troubles of a button",
        list(zip(["open", "absent"] * len(TROUBLE), TROUBLE, strict=False)),
        list(product(["open", "absent"], TROUBLE)),
    ),
)
def test_trouble_while_it_runs_never_makes_it_run_again(
    learn_at: Desk, lwr: str, fault: Fault, fates: tuple[Fate, ...]
) -> None:
    server, home = learn_at(Button(lwr=lwr))
    for number, event in enumerate(server.org.events.values()):
        event.fate = fates[number % len(fates)]
    server.manner.writes = [Fault.NONE, fault, fault]
    ran = []
    for _ in range(2):  # without a person's consent nothing that is in doubt goes again
        began = server.org.now()
        process = resync(home)
        ran.append(as_ran(server, home, process, began))
    examine(server, home, *ran)


@pytest.mark.parametrize("seed", range(layered("other orgs with a button", 4, 200)))
def test_any_mixture(learn_at: Desk, seed: int) -> None:
    rng = Random(seed)
    button = replace(
        rng.choice(BUTTONS),
        oddities=rng.choices(
            ["", "out of sync", "token new", "token invalid", "401", "cut", "empty", "missing"], k=6
        ),
        answers=rng.choice(["rows", "nothing", "text", "failure", "changed", "others"]),
    )
    server, home = learn_at(button)
    for event in server.org.events.values():
        event.fate = rng.choice(list(Fate))
    server.manner.chance, server.manner.kinds = 0.4, TROUBLE
    go(server, home)


def test_a_slow_answer_is_waited_for(learn_at: Desk) -> None:
    server, home = learn_at(Button(seconds=1.5))
    assert set(verdicts(go(server, home)).values()) == {"FIXED"}
