"""The cause graph against what the demo org knows: links found, missed and wrong, groups pure and whole."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import pytest

from syncerr_tui.demo.options import DemoOptions
from syncerr_tui.demo.schema_variants import SCHEMA_VARIANTS
from syncerr_tui.demo.server import DemoServer
from syncerr_tui.diagnosis.causes import CauseGraph
from syncerr_tui.salesforce.auth.environment import demo_profile
from syncerr_tui.salesforce.connect import connect
from tests.layers import layered

WORLDS = [
    (seed, size)
    for seed in range(1, 1 + layered("worlds whose causes are known", 3, 40))
    for size in layered("sizes of such a world", (140,), (60, 140, 1000))
]


@dataclass(frozen=True)
class Score:
    """What the graph says, measured against what the org knows."""

    true_links: int
    found: int
    wrong: int
    impure_groups: int
    complete: float
    """Share of root errors that stand in the biggest group of their true cause."""


async def look(options: DemoOptions) -> tuple[CauseGraph, dict[str, Any]]:
    with DemoServer(options) as server:
        connection = await connect(*demo_profile(server.instance_url, server.access_token))
        graph = CauseGraph()
        async for page in connection.errors():
            graph.add(page)
        await connection.close()
        asked = urllib.request.Request(
            f"{server.instance_url}/services/apexrest/demo/truth",
            headers={"Authorization": f"Bearer {server.access_token}"},
        )
        truth: dict[str, Any] = json.loads(await asyncio.to_thread(_read, asked))
    return graph, truth


def _read(asked: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(asked) as answer:
        return bytes(answer.read())


def score(graph: CauseGraph, truth: dict[str, Any]) -> Score:
    true = {(link["victim"], link["cause"]) for link in truth["links"]}
    facts = {
        (link.victim, link.cause) for row_id in graph.errors for link in graph.links_of(row_id) if link.fact
    }
    key_of = {event: cause["key"] for cause in truth["causes"] for event in cause["events"]}
    group_of = {row_id: cause.key for cause in graph.causes() for row_id in cause.roots}
    mixed = defaultdict(set)
    for row_id, group in group_of.items():
        mixed[group].add(key_of[row_id])
    together = 0
    for cause in truth["causes"]:
        together += Counter(group_of[event] for event in cause["events"]).most_common(1)[0][1]
    return Score(
        true_links=len(true),
        found=len(true & facts),
        wrong=len(facts - true),
        impure_groups=sum(len(keys) > 1 for keys in mixed.values()),
        complete=together / max(len(key_of), 1),
    )


@pytest.mark.parametrize(("seed", "size"), WORLDS)
async def test_the_graph_is_the_orgs_own(seed: int, size: int) -> None:
    measured = score(*await look(DemoOptions(errors=size, seed=seed)))
    print(f"seed {seed}, {size} errors: {measured}")
    assert measured.true_links
    assert measured.wrong == 0
    assert measured.impure_groups == 0
    assert measured.found >= 0.95 * measured.true_links
    assert measured.complete >= 0.95


@pytest.mark.parametrize("naming", SCHEMA_VARIANTS)
async def test_other_names_and_a_code_only_in_the_text_change_nothing(naming: str) -> None:
    measured = score(*await look(DemoOptions(errors=140, seed=5, naming=naming)))
    assert (measured.wrong, measured.impure_groups) == (0, 0)
    assert measured.found >= 0.95 * measured.true_links
    assert measured.complete >= 0.95


async def test_a_broken_link_would_be_seen() -> None:
    graph, truth = await look(DemoOptions(errors=140, seed=2))
    swapped = [{**link, "cause": link["victim"]} for link in truth["links"]]
    assert score(graph, {**truth, "links": swapped}).wrong == len(truth["links"])
