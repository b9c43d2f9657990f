"""Opening the app: look at the terminal, set Textual up and import it, put everything back at the end.

Textual reads its environment when it is imported, so everything here that needs it is imported late.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from syncerr_tui.errors import ExitCode, MachineError
from syncerr_tui.host.paths import Paths, config_path, org_notes
from syncerr_tui.host.terminal import (
    TerminalPreferences,
    TerminalProfile,
    terminal_profile,
    textual_environment,
)

if TYPE_CHECKING:
    from syncerr_tui.host.config import Config
    from syncerr_tui.salesforce.session import OrgSession
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.context import Connect


def launch(
    connect: Connect,
    *,
    org: str,
    read_only: bool,
    welcome: str = "",
) -> int:
    """Open the app and give the exit code when it is closed.

    Args:
        connect: Logs in and looks at the org; called after the first frame.
        org: What the org is called here.
        read_only: Take away everything that changes the org.
        welcome: What to say once the org has answered.

    Raises:
        MachineError: This is no terminal that a screen can be drawn on.
        BadInputError: There is a mistake in `config.toml`; nothing has been drawn yet.
    """
    environ = os.environ
    config = _own_config(environ)
    terminal = usable_terminal(environ, config.terminal if config else TerminalPreferences())
    # Textual reads these when it is imported, and never again.
    os.environ.update(textual_environment(terminal))
    # What is imported now stays: collecting garbage among it would only delay the first frame.
    gc.disable()
    from syncerr_tui.ui.app import SyncErrApp
    from syncerr_tui.ui.context import AppContext
    from syncerr_tui.ui.journals import Journals
    from syncerr_tui.ui.terminal_driver import TerminalDriver

    gc.freeze()
    gc.enable()
    journals = Journals(Paths.of(environ).state)
    notes = partial(org_notes, environ)
    context = AppContext(
        connect,
        terminal,
        own_config=config,
        org=org,
        read_only=read_only,
        read_notes=notes,
        environ=environ,
        welcome=welcome,
    )
    app = SyncErrApp(context, journals, TerminalDriver)
    try:
        code = asyncio.run(_run(app, mouse=terminal.mouse))
    finally:
        journals.close()
    if app.stalled:
        os._exit(code)  # a thread waits for the terminal, and Python would wait for both
    return code


def launch_org(name: str, *, read_only: bool) -> int:
    """Open the app on the org of a profile, or of an alias that the sf CLI knows."""

    async def connect() -> OrgSession:
        from syncerr_tui.salesforce.auth import open_profile
        from syncerr_tui.salesforce.connect import connect as open_connection

        profile, tokens = await asyncio.to_thread(open_profile, name, Paths.of().config / "orgs")
        return await open_connection(profile, tokens)

    return launch(connect, org=name, read_only=read_only)


def _own_config(environ: Mapping[str, str]) -> Config | None:
    """What `config.toml` says. Where there is none, the first frame does without what reads it."""
    if not environ.get("SYNCERR_CONFIG"):
        try:
            config_path(environ).lstat()
        except FileNotFoundError:
            return None
        except OSError:
            pass  # `read_config` says in words what is wrong with it
    from syncerr_tui.host.config import read_config

    return read_config(environ)


def usable_terminal(environ: Mapping[str, str], preferences: TerminalPreferences) -> TerminalProfile:
    """What there is to draw on.

    Raises:
        MachineError: Nothing that can show a screen; the commands that do without are named.
    """
    both_ends = all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))
    encoding = (sys.__stderr__.encoding if sys.__stderr__ else None) or "ascii"
    terminal = terminal_profile(environ, is_terminal=both_ends, encoding=encoding, preferences=preferences)
    if not terminal.usable:
        raise MachineError(
            " ".join(terminal.reasons).rstrip(".") or "There is no terminal here",
            "Without a screen, use 'syncerr-tui list' and 'syncerr-tui resync', with --demo or --org NAME",
        )
    return terminal


async def _run(app: SyncErrApp, *, mouse: bool) -> int:
    loop = asyncio.get_running_loop()
    # Without these an app that is told to end leaves the alternate screen and mouse reports behind.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGABRT):
        loop.add_signal_handler(number, app.stop, 128 + number)
    loop.set_exception_handler(partial(_defect_in_a_task, app))
    with _thread_defects(app, loop), warnings_on_screen(app, loop):
        try:
            await app.run_async(mouse=mouse)
        finally:
            loop.add_signal_handler(signal.SIGINT, _interrupted, app)
            await app.release()
    for line in () if app.stalled else (app.services.runs.left_off, app.crash):
        if line:
            print(f"syncerr-tui: {line}", file=sys.stderr)  # noqa: T201 - the screen is gone
    return ExitCode.DEFECT if app.crash else app.return_code or ExitCode.OK


def _interrupted(app: SyncErrApp) -> None:
    """Ctrl-c at the shell that the app has left: what is off goes on again first, unless it comes again."""
    waits = app.services.runs.active and not app.told_to_wait
    app.told_to_wait = True
    if waits:
        line = "A safeguard is put back first; ctrl-c again leaves it off, on the list of safeguards."
    else:
        line = app.services.runs.left_off
    with contextlib.suppress(OSError):
        print(f"syncerr-tui: {line}" if line else "", file=sys.stderr, flush=True)  # noqa: T201 - as above
    if not waits:
        os._exit(ExitCode.INTERRUPTED)


def _defect_in_a_task(app: SyncErrApp, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Without this, asyncio would print a traceback over the screen and go on."""
    error = context.get("exception")
    if error is not None and app.is_running:
        app.crashed(error)
    elif not app.is_running:
        loop.default_exception_handler(context)


def _end_behind_thread(
    thread: threading.Thread | None, app: SyncErrApp, defect: BaseException | None
) -> None:
    """End the app because a thread ends. Until it has, what restores the terminal would go to it in vain."""
    if thread is not None:
        thread.join()
    if defect is not None:
        app.crashed(defect)
    elif app.is_running:
        app.stop(128 + signal.SIGHUP)


@contextlib.contextmanager
def warnings_on_screen(app: SyncErrApp, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """What the way to the org warns of is announced; Python would write it across the screen."""

    class OnScreen(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(app.warn, record.getMessage())

    log, handler = logging.getLogger("syncerr_tui.salesforce"), OnScreen()
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


@contextlib.contextmanager
def _thread_defects(app: SyncErrApp, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """End the app with a defect in a thread; Python would print a traceback over the screen and go on."""

    def ended(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is None:
            return
        # Writing fails for one reason: the terminal is gone. Then it is as if its signal had come.
        hung_up = isinstance(args.exc_value, OSError) and args.thread and args.thread.name == "textual-output"
        end = partial(_end_behind_thread, args.thread, app, None if hung_up else args.exc_value)
        with contextlib.suppress(RuntimeError):
            # The loop may be closed by now.
            loop.call_soon_threadsafe(end)

    before, threading.excepthook = threading.excepthook, ended
    try:
        yield
    finally:
        threading.excepthook = before
