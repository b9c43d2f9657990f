"""Fixing from the app: the dialogs of fixes and safeguards, and what is done behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.widgets import Input

from syncerr_tui.errors import SyncErrError
from syncerr_tui.model import SyncError, chunks
from syncerr_tui.ui.messages import JournalGrew, Troubled
from syncerr_tui.ui.services import Controller
from syncerr_tui.ui.widgets.panel import Subject
from syncerr_tui.words import plural

if TYPE_CHECKING:
    # Needed when the first fix is asked for, not for the first frame.
    from syncerr_tui.diagnosis.causes import CauseGraph
    from syncerr_tui.fixes.model import FixOption, FixResult
    from syncerr_tui.ui.screens.fix import FixDialog, SafeguardsDialog
    from syncerr_tui.ui.screens.fix_many import FixManyDialog, FixProposal
    from syncerr_tui.ui.screens.plan import PlanDialog

_FIXED_TOGETHER = 25
"""Errors of one cause whose fixes are looked up together: each may name a record of its own."""


_LOOKED_UP_AT_ONCE = 4
"""Causes whose fixes are looked up at the same time."""


class ResyncWanted(Message):
    """The blocker is gone, and the person wants to re-sync now."""


class SafeguardsLeftOff(Message):
    """An earlier start left safeguards off, and they still are."""


class FixController(Controller):
    """Opens the dialogs, and applies and puts back what is chosen in them. What happens is posted."""

    @property
    def off_words(self) -> str:
        """What is off because of us, since when, by whom; empty where nothing is."""
        if self._context.connection is None or not self._services.fixes.off:
            return ""
        from syncerr_tui.ui.fix_words import off_words

        return off_words(self._services.fixes.off, self._context.clock())

    # -- fixing ----------------------------------------------------------------------------------------

    def fix(self, chosen: Sequence[SyncError], *, together: bool) -> None:
        """Fix what blocks these, once it is known what waits for what: until then a victim has no cause.

        Args:
            chosen: What the person points at.
            together: All their causes in one go; else they have one.
        """
        if not chosen:
            return

        def opening(_graph: CauseGraph | None) -> None:
            self._say("")
            self._open_chosen(self._blocked(chosen), together=together)

        self.once_known(opening, "Still working out the causes; the fixes come up when that is done.")

    def once_known(self, act: Callable[[CauseGraph | None], object], meanwhile: str) -> None:
        """Act now, or as soon as it is known what waits for what: what was asked for last, and no more."""
        graph = self._services.graph_worker.graph
        if graph is not None:
            act(graph)
            return
        self._say(meanwhile)
        self._screen.run_worker(self._later(act), group="once known", exclusive=True)

    async def _later(self, act: Callable[[CauseGraph | None], object]) -> None:
        graph = await self._services.graph_worker.settled()
        if self.may_interrupt:
            act(graph)

    @property
    def may_interrupt(self) -> bool:
        """Whether a dialog that nobody asked for just now may come up."""
        return self._screen.is_active and not isinstance(self._screen.focused, Input)

    def _blocked(self, errors: Sequence[SyncError]) -> list[SyncError]:
        """What fails by itself among these: a victim's options are its cause's."""
        graph = self._services.graph_worker.graph
        assert graph is not None, "it was waited for"
        blocking: dict[str, SyncError] = {}
        for error in errors:
            at, seen = error, {error.id}
            while (
                up := next((link.cause for link in graph.links_of(at.id) if link.cause), None)
            ) is not None:
                if up in seen or up not in graph.errors:
                    break
                seen.add(up)
                at = graph.errors[up]
            blocking.setdefault(at.id, at)
        return list(blocking.values())

    def _open_chosen(self, errors: Sequence[SyncError], *, together: bool) -> None:
        """Fix the causes of errors that fail by themselves: one, or several in one go."""
        graph, causes = self._services.graph_worker.graph, dict[str, list[SyncError]]()
        assert graph is not None, "it was waited for"
        for error in errors:
            cause = graph.cause_of(error.id)
            causes.setdefault(cause.key if cause is not None else error.id, []).append(error)
        if not together or len(causes) == 1:
            self._open_one(errors)
            return
        names_target = self._names_target()
        if names_target:
            line = "In a production org one cause is fixed at a time: unselect, and choose one."
            self._say(line)
        elif names_target is not None:
            self._open_many(list(causes.values()))

    def _names_target(self) -> bool | None:
        """Whether a person types the target's name; None where fixes cannot be made here, which is said."""
        try:
            return self._services.fixes.names_target
        except SyncErrError as error:
            self._post(Troubled(error))
            return None

    def _left(self, resync: bool | None) -> None:
        if resync:
            self._post(ResyncWanted())

    def _open_one(self, errors: Sequence[SyncError]) -> None:
        """Show what would remove the blocker of errors with one cause, and apply what is chosen.

        The first of them is the one it is done for.
        """
        from syncerr_tui.ui.screens.fix import FixDialog

        names_target = self._names_target()
        if names_target is None:
            return

        def apply(option: FixOption, typed: Mapping[str, str], name: str) -> None:
            self._work(self._apply(dialog, option, typed, name, errors), "fixing")

        subject, listed = Subject.of_errors(errors).name, self._context.on_snapshot
        dialog = FixDialog(subject, apply, names_target=names_target, listed=listed)
        self._open(dialog, self._left)
        self._screen.run_worker(self._look_up(dialog, errors), group="fix-options", exclusive=True)

    async def _look_up(self, dialog: FixDialog, errors: Sequence[SyncError]) -> None:
        try:
            dialog.learn(await self._services.fixes.options(errors[:_FIXED_TOGETHER]))
        except SyncErrError as error:
            dialog.ended(error)

    async def _apply(
        self,
        dialog: FixDialog,
        option: FixOption,
        typed: Mapping[str, str],
        name: str,
        errors: Sequence[SyncError],
    ) -> None:
        from syncerr_tui.ui.fix_words import fix_outcome

        result: FixResult | SyncErrError
        try:
            result = await self._services.fixes.apply(option, typed, name, errors[0].id)
        except SyncErrError as error:
            result = error
            self._say(error.line, "bad")
        else:
            words, look = fix_outcome(result)
            line = f"{words}  Now re-sync: {self._context.key_of('resync')}." if result.verified else words
            self._say(line, look, keep=True, about=frozenset(error.id for error in errors))
        dialog.ended(result)
        self._post(JournalGrew())

    def _open_many(self, causes: Sequence[Sequence[SyncError]]) -> None:
        """Show what would remove the blockers of several causes, and make the changes that are ticked."""
        from syncerr_tui.ui.screens.fix_many import FixManyDialog

        def apply(lines: Sequence[FixProposal]) -> None:
            self._work(self._apply_many(dialog, lines), "fixing")

        dialog = FixManyDialog(len(causes), apply, listed=self._context.on_snapshot)
        self._open(dialog, self._left)
        self._screen.run_worker(self._look_up_many(dialog, causes), group="fix-options", exclusive=True)

    async def _look_up_many(self, dialog: FixManyDialog, causes: Sequence[Sequence[SyncError]]) -> None:
        from syncerr_tui.ui.screens.fix_many import proposals

        concurrency, done = asyncio.Semaphore(_LOOKED_UP_AT_ONCE), 0

        async def look_up(errors: Sequence[SyncError]) -> list[FixProposal]:
            nonlocal done
            subject = Subject.of_errors(errors).name
            lines: list[FixProposal] = []
            async with concurrency:
                for part in chunks(errors, _FIXED_TOGETHER):
                    lines += proposals(subject, part, await self._services.fixes.options(part))
                    if not lines[0].of_records:
                        # One change for all of them, or none from here.
                        lines = [replace(line, errors=errors) for line in lines]
                        break
            done += 1
            dialog.looked_up(done)
            return lines

        try:
            options = await asyncio.gather(*map(look_up, causes))
        except SyncErrError as error:
            dialog.failed(error)
        else:
            dialog.learn(line for lines in options for line in lines)

    async def _apply_many(self, dialog: FixManyDialog, lines: Sequence[FixProposal]) -> None:
        """One after another. What is not as it was shown any more is left alone."""
        done = 0
        for line in lines:
            if dialog.stopped:
                break
            word, sentence = await self._apply_one(line)
            done += word in {"done", "on list"}
            dialog.done(line, word, sentence)
            self._post(JournalGrew())
        ends = "put on the list" if self._context.on_snapshot else "made and seen"
        summary = f"{done:,} of {plural(len(lines), 'change')} {ends}."
        about = frozenset(error.id for line in lines for error in line.errors)
        look = "good" if done == len(lines) else "bad"
        self._say(summary, look, keep=True, about=about)
        dialog.ended(summary)

    async def _apply_one(self, line: FixProposal) -> tuple[str, str]:
        """What became of it: in a word, and in a sentence."""
        from syncerr_tui.ui.fix_words import fix_outcome

        fixes, shown, errors = self._services.fixes, line.option, line.errors
        assert shown is not None, "only what can be made from here is ticked"
        try:
            # The error that showed it shows it again, as a rule: the others are read where it does not.
            first = [error for error in errors if error.id == shown.event]
            others = [error for error in errors[:_FIXED_TOGETHER] if error not in first]
            now = await self._now(shown, first) or await self._now(shown, others)
            if now is None or now.settled:
                return "not needed", now.settled if now is not None else "Nothing blocks there any more."
            if not now.allowed or now.as_shown != shown.as_shown:
                return (
                    "left alone",
                    "The change is no longer the one that was shown.",
                )
            result = await fixes.apply(now, {}, "", now.event or errors[0].id)
        except SyncErrError as error:
            return "FAILED", error.line
        words, look = fix_outcome(result)
        word = "on list" if self._context.on_snapshot else "done"
        return word if look == "good" else "FAILED", f"{words} {result.detail}".strip()

    async def _now(self, shown: FixOption, errors: Sequence[SyncError]) -> FixOption | None:
        """A fix as the org has it now; None where none of these errors calls for it any more."""
        options = await self._services.fixes.options(errors) if errors else ()
        return next((option for option in options if option.key == shown.key), None)

    # -- a safeguard that is off for as long as a re-sync takes ------------------------------------------

    def offer_meanwhile(self, dialog: PlanDialog) -> None:
        """Let the plan offer to switch off, for just as long as it takes, the safeguard that blocks."""
        self._screen.run_worker(self._offer_meanwhile(dialog), group="fix-options", exclusive=True)

    async def _offer_meanwhile(self, dialog: PlanDialog) -> None:
        if await self._services.graph_worker.settled() is None:
            return
        errors = self._blocked([row.error for row in dialog.plan.rows[:1]])
        try:
            options = await self._services.fixes.options(errors)
        except SyncErrError:
            return  # The plan is good without it, and F says what is wrong.
        off = {record.target for record in self._services.fixes.off}
        ours = [
            option
            for option in options
            if option.kind.is_safeguard and option.allowed and (not option.settled or option.target in off)
        ]
        if ours:
            dialog.offer(ours)

    def confirm(self, option: FixOption | None, go_on: Callable[[str], object]) -> None:
        """Go on with the name of the target; a person types it where the org is a production org.

        Args:
            option: The safeguard; None where none is switched off.
            go_on: Called with what was typed; not called where the person leaves.
        """
        if option is None or not self._services.fixes.names_target:
            go_on("")
            return
        from syncerr_tui.ui.screens.line_dialog import target_name_dialog

        name = option.target.name

        def typed(right: str | None) -> None:
            if right is not None:
                go_on(name)

        self._open(target_name_dialog(name), typed)

    # -- putting back ----------------------------------------------------------------------------------

    def show_safeguards(self) -> None:
        from syncerr_tui.ui.screens.fix import SafeguardActions, SafeguardsDialog

        fixes = self._services.fixes

        def do(work: Coroutine[Any, Any, str]) -> None:
            self._work(self._do(dialog, work), "fixing")

        actions = SafeguardActions(
            restore=lambda ids: do(self._restore(ids)),
            accept=lambda fix: do(fixes.accept(fix)),
            record=lambda name, reason: do(fixes.record(name, reason)),
        )
        may = None if self._context.read_only else actions
        dialog = SafeguardsDialog(may, self._context.clock)
        self._open(dialog)
        self._screen.run_worker(self._reread(dialog), group="safeguards", exclusive=True)

    async def _reread(self, dialog: SafeguardsDialog, note: str = "") -> None:
        try:
            dialog.learn(await self._services.fixes.safeguards(), note)
        except SyncErrError as error:
            dialog.learn([], error.line)

    async def _do(self, dialog: SafeguardsDialog, work: Coroutine[Any, Any, str]) -> None:
        """Do what was chosen, say what came of it, and show the ledger as it is then."""
        try:
            note = await work
        except SyncErrError as error:
            note = error.line
        self._say(note)
        self._post(JournalGrew())
        await self._reread(dialog, note)

    async def _restore(self, fixes: Sequence[str]) -> str:
        results = await self._services.fixes.restore(fixes)
        failed = next((one for one in results if not one.verified), None)
        return failed.detail if failed is not None else "Put back; a re-read shows it."

    async def look_at_the_start(self) -> None:
        """What an earlier start left off is shown; it is for the workbench to offer to put it back."""
        fixes = self._services.fixes
        await fixes.recall()
        if not fixes.off:
            return
        try:
            await fixes.safeguards()
        except SyncErrError as error:
            self._post(Troubled(error))
        if fixes.off:
            self._post(SafeguardsLeftOff())

    # -- leaving ---------------------------------------------------------------------------------------

    def asks_before_leaving(self) -> bool:
        """Whether the person is asked first: something is off, or a fix is being made. The answer leaves."""
        fixes = self._services.fixes
        if not (self.off_words or fixes.applying):
            return False
        from syncerr_tui.ui.screens.resync import off_question

        def answered(leave: bool | None) -> None:
            if leave:
                self._screen.app.exit()
            elif leave is False:
                self.show_safeguards()

        names = [record.target.name for record in fixes.off]
        self._open(off_question(self.off_words or "A fix is being applied", names), answered)
        return True
