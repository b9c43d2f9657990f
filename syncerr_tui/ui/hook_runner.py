"""The person's own commands on their way: in the background, or with the terminal to themselves."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from syncerr_tui.host.hooks import Hook, run_to_end
from syncerr_tui.model import SyncError
from syncerr_tui.ui.messages import BackgroundContext, Service
from syncerr_tui.words import plural


class HookRunner(Service):
    """Runs commands, each once at a time.

    Args:
        suspended: Gives the terminal away, and takes it back.
    """

    def __init__(
        self, background: BackgroundContext, suspended: Callable[[], AbstractContextManager[None]]
    ) -> None:
        super().__init__(background)
        self._suspended = suspended
        self._running: dict[str, asyncio.Task[None]] = {}

    @property
    def running(self) -> bool:
        return bool(self._running)

    def start(self, hook: Hook, errors: Sequence[SyncError]) -> None:
        """Run a command on these errors; what becomes of it is said in one line."""
        stops = f"{self._context.key_of('cancel')} stops it"
        if hook.name in self._running:
            self._say(f"{hook.name} is running already; {stops}.")
            return
        rows = "".join(f"{json.dumps(error.payload(), ensure_ascii=False)}\n" for error in errors)
        self._running[hook.name] = asyncio.create_task(self._run(hook, rows), name=f"hook {hook.name}")
        if not hook.foreground:
            self._say(f"{hook.name} is running on {plural(len(errors), 'row')}; {stops}.")

    async def view(self, text: str, name: str, program: Sequence[str]) -> bool:
        """Give the terminal to a pager or an editor with a text in a file, until it ends.

        Returns:
            Whether the text was changed in it.

        Raises:
            MachineError: It cannot be started.
        """
        from syncerr_tui.host import viewer

        with self._terminal_given():
            return await viewer.view(text, name, program, self._environ())

    def cancel(self) -> None:
        for task in self._running.values():
            task.cancel()

    async def ended(self) -> None:
        tasks = list(self._running.values())
        self.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, hook: Hook, rows: str) -> None:
        try:
            with self._terminal_given() if hook.foreground else nullcontext():
                ran = await run_to_end(hook, rows, self._environ())
        except asyncio.CancelledError:
            self._say(f"{hook.name} was stopped.")
        else:
            self._say(ran.line, "strong" if ran.fine else "bad")
        finally:
            self._running.pop(hook.name, None)

    def _environ(self) -> dict[str, str]:
        from syncerr_tui.salesforce.auth.secrets import environ_without_secrets

        connection = self._context.connection
        return environ_without_secrets(
            self._context.environ, connection.profile if connection is not None else None
        )

    @contextmanager
    def _terminal_given(self) -> Iterator[None]:
        """The keys that end or interrupt a program are the command's while it has the terminal."""
        numbers = (signal.SIGINT, signal.SIGQUIT)
        before = [signal.signal(number, lambda _number, _frame: None) for number in numbers]
        try:
            with self._suspended():
                yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)
