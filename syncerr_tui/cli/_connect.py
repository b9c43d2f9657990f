"""How a command gets to its org, and to the journal that is kept of it.

The demo org is reached through the same client code as a real one. The journal is opened once, when it is
first needed; it also holds which safeguards are off, what people have said, and what earlier runs left.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from syncerr_tui.cli._console import say
from syncerr_tui.cli._options import (
    OrgChoice,
    choice_of,
    configured_orgs,
    demo_options,
    org_options,
    profile_folder,
)
from syncerr_tui.errors import BadInputError, SyncErrError
from syncerr_tui.model import Verdict
from syncerr_tui.words import local_minute, plural

if TYPE_CHECKING:
    from syncerr_tui.demo.options import DemoOptions
    from syncerr_tui.demo.server import DemoServer
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.diagnosis.evidence import ParentRef
    from syncerr_tui.diagnosis.explanation import Explanation
    from syncerr_tui.diagnosis.org_metadata import OrgMetadata
    from syncerr_tui.fixes.fixer import Fixer
    from syncerr_tui.fixes.model import SafeguardNow
    from syncerr_tui.journal.journal import Journal
    from syncerr_tui.journal.row_history import LeftByRuns
    from syncerr_tui.model import SyncError
    from syncerr_tui.salesforce.concurrency import TokenProvider
    from syncerr_tui.salesforce.metadata_lookup import OrgDictionary
    from syncerr_tui.salesforce.profiles import OrgProfile
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.triage.handling import Handlings

    Parents = Mapping[str, tuple[ParentRef, ...]]

__all__ = ["OrgChoice"]


def default_choice(org: str | None = None, *, read_only: bool = False) -> OrgChoice:
    """The org of a `syncerr-tui` without a command: the one named or configured, else the demo org.

    Raises:
        BadInputError: Several orgs are configured and none is named; a profile cannot be read.
    """
    if org is not None or configured_orgs():
        return choice_of(org=org, demo=False, read_only=read_only)
    return OrgChoice(None, demo_options(), read_only)


class EmbeddedOrg:
    """The demo org in this process: started when it is first asked for, until `close`."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._server: DemoServer | None = None

    async def profile(self) -> tuple[OrgProfile, TokenProvider]:
        """Its profile and its tokens, as a real org's."""
        from syncerr_tui.demo.server import DemoServer
        from syncerr_tui.salesforce.auth.environment import demo_profile
        from syncerr_tui.salesforce.concurrency import ThreadPool

        if self._server is None:
            # A daemon thread: building 100,000 errors takes a while, and neither ctrl-c nor q waits for it.
            starting = ThreadPool(1)
            self._server = await starting.run(lambda: DemoServer(self._options).start())
            starting.close()
        return demo_profile(self._server.instance_url, self._server.access_token)

    async def connect(self) -> OrgSession:
        from syncerr_tui.salesforce.connect import connect

        return await connect(*await self.profile())

    def close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()


@asynccontextmanager
async def reach(choice: OrgChoice) -> AsyncIterator[tuple[OrgProfile, TokenProvider]]:
    """The profile and the tokens of the chosen org; the demo org runs in this process as long as this lasts.

    Nothing is asked of a real org yet.
    """
    if choice.org is not None:
        from syncerr_tui.salesforce.auth import open_profile

        yield open_profile(choice.org, profile_folder())
        return
    if choice.demo is None:
        raise BadInputError("A snapshot is not an org", "Name the org with --org")
    demo = EmbeddedOrg(choice.demo)
    try:
        yield await demo.profile()
    finally:
        await asyncio.to_thread(demo.close)


@asynccontextmanager
async def open_org(choice: OrgChoice, *, mention: bool = True) -> AsyncIterator[OpenOrg]:
    """Log in and look at the org; all is let go at the end.

    Args:
        choice: Which org.
        mention: Say on stderr which safeguards are off because of us, and which TWINs are not merged.

    Raises:
        SyncErrError: Each failure in its own words: no such org, not logged in, unreachable, names in doubt.
    """
    from syncerr_tui.salesforce.connect import connect

    if choice.snapshot is not None:
        with OpenOrg(await open_snapshot(choice.snapshot)) as org:
            yield org
        return
    async with reach(choice) as (profile, tokens):
        late = asyncio.get_running_loop().call_later(_LONG, say, "Still waiting for the org; ctrl-c ends it.")
        try:
            session = await connect(profile, tokens)
        finally:
            late.cancel()
        async with OpenOrg.closing(session) as org:
            if mention:
                await mention_open_matters(org)
            yield org


async def open_snapshot(path: Path) -> OrgSession:
    """What `syncerr-tui snapshot` has written, in place of an org.

    Raises:
        BadInputError: It cannot be read.
    """
    from syncerr_tui.salesforce.snapshot import SnapshotSession, read_snapshot

    return SnapshotSession(await asyncio.to_thread(read_snapshot, path))


def org_command(command: Callable[..., Coroutine[Any, Any, int]]) -> click.Command:
    """Make a coroutine a click command for one org: it gets `choice: OrgChoice`, and gives the exit code.

    Ctrl-c cancels it, lets it clean up, and ends as `KeyboardInterrupt`.
    """

    @functools.wraps(command)
    def run(*args: object, **options: object) -> int:
        return asyncio.run(command(*args, **options))

    return click.command()(org_options(run))


_LONG = 10.0
"""Seconds without a word while the org is reached: a silent one is given minutes."""
_TWINS = 5
"""TWIN rows that are named one by one."""


class OpenOrg:
    """An org that a command works with, and the journal that is kept of it here.

    The journal is opened when it is first needed, and once; leaving the block closes it.
    """

    def __init__(self, session: OrgSession) -> None:
        self.session = session
        self._journal: Journal | None = None

    @classmethod
    @asynccontextmanager
    async def closing(cls, session: OrgSession) -> AsyncIterator[Self]:
        """With the session too, which is closed at the end."""
        try:
            with cls(session) as org:
                yield org
        finally:
            await session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._journal is not None:
            self._journal.close()

    @property
    def journal(self) -> Journal:
        """The journal, begun where there is none yet.

        Raises:
            SyncErrError: It cannot be used.
        """
        if self._journal is None:
            self._journal = journal_of(self.session.identity.org_id, self.session.profile)
        return self._journal

    def journal_if_any(self) -> Journal | None:
        """The journal where there is one: looking makes none. Raises as `journal`."""
        from syncerr_tui.host.paths import Paths
        from syncerr_tui.journal.places import own_journal, shared_place

        place = shared_place(self.session.profile.journal)
        path = place or own_journal(Paths.of(os.environ).state, self.session.identity.org_id)
        return self.journal if not isinstance(path, Path) or path.exists() else None

    def fixer(self, *, read_only: bool) -> Fixer:
        """What applies fixes here, for this user of this machine."""
        from syncerr_tui.fixes.fixer import Fixer
        from syncerr_tui.journal.claims import os_user

        return Fixer.of(self.session.fixes(read_only=read_only), self.journal, os_user())

    async def safeguards_off(self) -> list[SafeguardNow]:
        """What is off because of us and not seen on again, re-read now, oldest first.

        Raises:
            SyncErrError: The journal cannot be used.
        """
        if self.journal_if_any() is None:
            return []
        return [line for line in await self.fixer(read_only=True).safeguards() if line.is_off]

    async def read_graph(self) -> CauseGraph:
        """All unresolved errors as causes and victims, page by page."""
        return (await self.read_related())[0]

    async def read_related(self) -> tuple[CauseGraph, Parents, frozenset[tuple[str, str]]]:
        """`read_graph`, with what the org said about parents and which of them it has."""
        from syncerr_tui.diagnosis.causes import CauseGraph
        from syncerr_tui.salesforce.parent_lookup import present_parents

        graph = CauseGraph()
        async for page in self.session.errors():
            graph.add(page)
        parents = await self.session.parents(tuple(graph.errors.values()))
        graph.relate(parents)
        present = await present_parents(self.session, graph.unlisted())
        graph.present(present)
        return graph, parents, frozenset(present)

    @cached_property
    def dictionary(self) -> OrgDictionary:
        """The org's own names: those that are kept on this machine, and others as they are needed."""
        from syncerr_tui.host.remembered import kept_names

        return self.session.dictionary(kept_names(self.session.identity))

    async def names(self, graph: CauseGraph) -> OrgMetadata | None:
        """The org's own names, as far as the causes speak of them."""
        from syncerr_tui.diagnosis.explanation import explain

        metadata = None
        for cause in graph.causes():
            error = graph.errors[cause.roots[0]]
            metadata = await self.dictionary.covering(explain(error).diagnosis, error.object)
        return metadata

    async def explained(
        self, errors: Iterable[SyncError], dictionary: OrgDictionary | None = None
    ) -> list[tuple[SyncError, Explanation]]:
        """Errors with what is known about them, in the org's own names."""
        from syncerr_tui.diagnosis.explanation import OrgContext, explain

        dictionary, url = dictionary or self.dictionary, self.session.identity.instance_url
        pairs = []
        for error in errors:
            metadata = await dictionary.covering(explain(error).diagnosis, str(error.object))
            pairs.append((error, explain(error, OrgContext(None, url, metadata=metadata))))
        return pairs

    def handlings(self, graph: CauseGraph) -> Handlings:
        """What holds now of what was said."""
        from syncerr_tui.journal.people import handling_lines
        from syncerr_tui.triage.handling import Handlings, handlings

        journal = self.journal_if_any()
        return (
            handlings(graph, handling_lines(journal), journal.now()) if journal is not None else Handlings()
        )

    def ends_of_runs(self, graph: CauseGraph) -> LeftByRuns:
        """What earlier runs left of these errors."""
        from syncerr_tui.journal.row_history import LeftByRuns, standing

        journal = self.journal_if_any()
        return standing(journal, graph.errors) if journal is not None else LeftByRuns({}, {}, {})


def journal_of(org_id: str, profile: OrgProfile) -> Journal:
    """The journal of an org that needs not be reached; says where it was damaged, or does not know all."""
    from syncerr_tui.host.paths import Paths
    from syncerr_tui.journal.places import open_journal
    from syncerr_tui.salesforce.auth.secrets import journal_password

    password = journal_password(profile, os.environ)
    journal = open_journal(Paths.of().state, org_id, shared=profile.journal, password=password)
    if journal.loss:
        say(f"{journal.loss}.")
    return journal


def since(line: SafeguardNow) -> str:
    """When and by whom a safeguard was switched off, for a sentence."""
    return f"{local_minute(line.record.at)}, by {line.record.by}"


async def mention_open_matters(org: OpenOrg) -> None:
    """On stderr what must not be forgotten: safeguards that are off because of us, and TWINs, each with the
    addresses of its records.
    """
    from syncerr_tui.diagnosis.links import record_pages
    from syncerr_tui.journal.history import History

    try:
        off = await org.safeguards_off()
        journal = org.journal_if_any()
        twins = History(journal).last_judged(Verdict.TWIN) if journal is not None else ()
    except SyncErrError:
        return  # whoever needs the journal says what is wrong with it
    if off:
        say(f"{off_summary(off)}. {put_back_words(off)}.")
    for twin in twins[:_TWINS]:
        pages = record_pages(twin.record_ids, str(twin.error.object), org.session.identity.instance_url)
        addresses = " ".join(page for _, page in pages)
        say(f"TWIN {twin.error.short_name} ({twin.error.id}): two records to merge. {addresses}".rstrip())
    if twins[_TWINS:]:
        say(f"And {plural(len(twins) - _TWINS, 'more TWIN')}: syncerr-tui report")


def off_summary(off: list[SafeguardNow]) -> str:
    """`2 safeguards off since 2026-11-28 02:14, by ana: Order.Needs_Tax_Number, Order_Builder`."""
    from syncerr_tui.fixes.org import short_list

    names = short_list([line.record.target.name for line in off], 3)
    return f"{plural(len(off), 'safeguard')} off since {since(off[0])}: {names}"


def put_back_words(off: list[SafeguardNow]) -> str:
    which = f"--restore {off[0].record.id}" if len(off) == 1 else "--restore-all"
    return f"Put back with 'syncerr-tui safeguards {which}'"
